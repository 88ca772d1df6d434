"""How the service is doing, for the landing page."""

from __future__ import annotations

from exporter.pages.landing import QueryState, QueryStatus, ServiceStatus, landing_page
from exporter.running import Running
from exporter.series_page.overview import SeriesLine, strangest
from exporter.service import Service
from series import Reason

# Series of a query on the landing page: all in alarm up to so many, or the strangest one.
_IN_ALARM = 20


def status_page(service: Service) -> str:
    """Render the landing page from what the last cycles left."""
    return landing_page(service_status(service))


def service_status(service: Service) -> ServiceStatus:
    """Sum up the service."""
    return ServiceStatus(
        now=service.now,
        started=service.started,
        source=service.config.source.url,
        queries=tuple(_query_status(service, running) for running in list(service.queries.values())),
        config_file=str(service.config_file),
    )


def _query_status(service: Service, running: Running) -> QueryStatus:
    query, result = running.cycle.query, running.result
    skipped, fresh = result.skipped if result else {}, service.freshness(query.name)
    gone = fresh.withdrawn is not None
    return QueryStatus(
        name=query.name,
        expression=query.query,
        state=_state(running, gone=gone),
        reason=fresh.problem,
        fresh=fresh,
        interval=float(query.cycle_interval),
        last_success=running.succeeded_at,
        series=result.n_series if result else 0,
        skipped=sum(skipped.values()),
        alarms=result.n_anomalous if result and not gone else 0,
        strangest=() if gone else _worth_a_look(running),
    )


def _worth_a_look(running: Running) -> tuple[SeriesLine, ...]:
    lines = strangest(running.cycle, _IN_ALARM)
    return tuple(line for place, line in enumerate(lines) if line.firing or not place)


def _state(running: Running, *, gone: bool) -> QueryState:
    if running.failure:
        return QueryState.FAILING
    if gone:
        return QueryState.STALE
    if running.result is None:
        return QueryState.WAITING
    if not running.result.n_series:
        return QueryState.NO_SERIES
    # A window of which nothing could be judged yet.
    if running.result.n_series == running.result.skipped.get(Reason.WARMING_UP, 0):
        return QueryState.WARMING_UP
    return QueryState.OK
