"""From configuration to objects: the only place that chooses concrete classes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from detectors.severity import IMPORTANCE
from detectors.suppress import Suppression
from exporter import __version__, config
from exporter.config_file import ConfigError
from exporter.config_output import Output
from exporter.config_server import Endpoint
from exporter.config_source import Source
from exporter.models.plan import ModelPlan
from exporter.telemetry import Telemetry
from series.occasions import Occasions
from sources.base import MetricSource
from sources.incremental import PullBudget

if TYPE_CHECKING:
    from detectors.base import Baseline, Detector
    from detectors.peers import Peers
    from detectors.seasonal import SeasonalBaseline
    from exporter.config_calendars import AlertmanagerSection
    from exporter.config_limits import Limit, Scaling
    from exporter.hearing import Ears
    from exporter.models.capacity import CapacitySlot
    from exporter.models.limit_values import LimitRule
    from exporter.models.plan import Judge
    from exporter.remote_write.writer import RemoteWriter
    from exporter.silences.cache import SilenceCache
    from exporter.state.folder import StateFolder
    from exporter.state.lock import FolderLock
    from exporter.verdicts.store import VerdictStore
    from forecasting.base import Forecaster
    from forecasting.scaling import ScalingRule
    from sources.backend import Backend
    from sources.connection import Connection
    from sources.replay import ReplaySource


def make_source(settings: Source, telemetry: Telemetry) -> MetricSource:
    """Give the server that is asked.

    Raises
    ------
    ConfigError
        For settings that only the connection can judge, such as a header that cannot be sent.
    """
    from sources.budget import Gate, Pace
    from sources.prometheus import PrometheusSource

    budget = settings.budget
    pace = Pace(budget.parallel_requests, slow=float(budget.slow), longest_rest=float(budget.longest_rest))
    try:
        return PrometheusSource(
            make_connection(
                settings,
                timeout=settings.timeout,
                retries=settings.retries,
                compression=settings.compression,
                max_body_bytes=settings.max_body_bytes,
            ),
            backend=make_backend(settings),
            max_points=settings.max_points,
            max_samples=budget.request_samples,
            gate=Gate(pace, on_change=telemetry.on_pace),
            on_request=telemetry.on_request,
        )
    except ValueError as error:
        raise ConfigError(f"source: {error}") from error


def make_writer(output: Output, telemetry: Telemetry, clock: Callable[[], float]) -> RemoteWriter | None:
    """Give what writes results to a server, where one is configured.

    Raises
    ------
    ConfigError
        For settings that only the connection can judge, such as a header that cannot be sent.
    """
    if (settings := output.remote_write) is None:
        return None
    from exporter.remote_write.client import WriteClient
    from exporter.remote_write.writer import RemoteWriter, WriteLimits

    limits = WriteLimits(
        timeout=float(settings.timeout),
        max_samples=settings.max_samples_per_request,
        max_pending_bytes=settings.max_pending_bytes,
        max_age=float(settings.max_age),
    )
    try:
        client = WriteClient(make_connection(settings, timeout=settings.timeout))
    except ValueError as error:
        raise ConfigError(f"output.remote_write: {error}") from error
    return RemoteWriter(client, limits, settings.external_labels, telemetry, clock)


def make_connection(
    settings: Endpoint,
    *,
    timeout: float,
    retries: int = 0,
    compression: bool = False,
    max_body_bytes: int = 1_000_000,
) -> Connection:
    """Say how the server is reached. Raises ValueError for what cannot be sent."""
    from sources.connection import Connection

    basic = settings.basic_auth
    return Connection(
        url=settings.url,
        headers=settings.headers,
        username=basic.username if basic else None,
        password_file=basic.password_file if basic else None,
        bearer_token_file=settings.bearer_token_file,
        ca_file=settings.tls.ca_file,
        cert_file=settings.tls.cert_file,
        key_file=settings.tls.key_file,
        insecure_skip_verify=settings.tls.insecure_skip_verify,
        timeout=float(timeout),
        retries=retries,
        compression=compression,
        max_body_bytes=max_body_bytes,
        user_agent=f"forethought/{__version__}",
    )


def make_backend(settings: Source) -> Backend:
    """Say what the kind of server wants. Raises ValueError for a tenant it cannot have."""
    from sources import backend, mimir, thanos, victoriametrics

    if settings.kind == "thanos":
        return thanos.thanos(
            tenant=settings.tenant,
            deduplicate=settings.thanos.deduplicate,
            replica_labels=settings.thanos.replica_labels,
            max_source_resolution=int(settings.thanos.max_source_resolution),
            partial_response=settings.partial_response,
        )
    if settings.kind == "mimir":
        return mimir.mimir(tenant=settings.tenant, shards=settings.mimir.shards)
    if settings.kind == "victoriametrics":
        return victoriametrics.victoriametrics(
            tenant=settings.tenant,
            extra_filters=settings.victoriametrics.extra_filters,
            partial_response=settings.partial_response,
        )
    return backend.PROMETHEUS


def make_query_source(query: config.Query, source: MetricSource) -> MetricSource:
    """Give the source as a query asks it: whole, or in parts."""
    if query.split_by is None:
        return source
    from sources.split import LabelledSource, SplitSource

    # Only servers are configured, and each can list the values of a label.
    return SplitSource(cast(LabelledSource, source), query.split_by, match=query.split_match, most=query.split_limit)


def make_pull_budget(settings: Source) -> PullBudget:
    """Say after how much a pull leaves the rest to the next cycle."""
    return PullBudget(samples=settings.budget.cycle_samples, seconds=float(settings.budget.cycle_time))


def make_plan(query: config.Query, occasions: Occasions | None = None) -> ModelPlan:
    """Choose the models of a query, which may refer to a calendar."""
    share = zlib.crc32(query.name.encode()) / 2**32  # the same at every start
    return ModelPlan(
        detector=partial(make_judge, query, occasions),
        forecaster=partial(make_forecaster, query, occasions),
        suppression=make_suppression(query),
        step=float(query.step),
        horizons=query.forecast.horizons,
        coverage=query.forecast.coverage,
        refit=query.refit,
        offset=share * query.refit,
        late=float(query.late_samples),
        timezone=query.timezone,
        importance=IMPORTANCE[query.importance],
        minimum_absolute=query.minimum_deviation.absolute,
        minimum_relative=query.minimum_deviation.relative,
        group_by=query.group_by,
        peers_by=query.peers_by,
        peers=partial(make_peers, query),
        weighted=partial(make_weighted, query, occasions=occasions) if query.detector == "ensemble" else None,
        occasions=occasions,
        forecaster_name=query.forecast.forecaster,
    )


def make_capacity(query: config.Query, source: MetricSource, plan: ModelPlan) -> CapacitySlot | None:
    """Make what looks for the dates of a query's limits, where it has some."""
    if not query.limits:
        return None
    from exporter.models.capacity import CapacityPlan, CapacitySlot
    from exporter.models.limit_values import LimitValues

    rules = tuple(map(make_limit, query.limits))
    values = LimitValues(source, float(query.latency), query.name)
    return CapacitySlot(plan, CapacityPlan(rules, query.capacity.horizons), values)


def make_limit(limit: Limit) -> LimitRule:
    """Say what must not be reached."""
    from exporter.models.limit_values import LimitRule

    return LimitRule(
        name=limit.name,
        value=limit.value,
        query=limit.query,
        on=limit.on,
        falling=limit.direction == "falling",
        scaling=make_scaling(limit.scaling) if limit.scaling else None,
    )


def make_scaling(scaling: Scaling) -> ScalingRule:
    """Say what counts as enough capacity."""
    from forecasting.scaling import ScalingRule

    return ScalingRule(
        utilisation=scaling.utilisation,
        unit=scaling.unit,
        sure=scaling.sure,
        headroom=scaling.headroom,
        lead_time=float(scaling.lead_time),
        cost=scaling.cost_per_second,
    )


def make_detector(query: config.QueryDefaults, occasions: Occasions | None = None) -> Baseline:
    """Make an unfitted detector as the query wants it, one that also says what it expects; it may heed a calendar."""
    from detectors.by_name import arguments_of, by_name

    wanted = {
        "timezone": query.timezone,
        "direction": query.direction,
        "minimum_absolute": query.minimum_deviation.absolute,
        "minimum_relative": query.minimum_deviation.relative,
        "agree": query.agree,
        "occasions": occasions,
    }

    def made(name: str) -> Detector:
        known = arguments_of(name)
        return by_name(name, **{key: value for key, value in wanted.items() if key in known})

    if query.detector in ("ensemble", "seasonal"):
        return cast("Baseline", made(query.detector))
    from detectors.beside import Beside

    return Beside(detector=made(query.detector), baseline=cast("SeasonalBaseline", made("seasonal")))


def make_judge(query: config.QueryDefaults, occasions: Occasions | None = None) -> Judge:
    """Make an unfitted detector that says all at once."""
    from detectors.ensemble import Ensemble
    from exporter.models.single import Single

    detector = make_detector(query, occasions)
    return detector if isinstance(detector, Ensemble) else Single(detector, query.detector)


def make_weighted(
    query: config.QueryDefaults, weights: Mapping[str, float], occasions: Occasions | None = None
) -> Judge:
    """Make an unfitted ensemble whose members count as they are told."""
    from detectors.ensemble import Ensemble

    return replace(cast(Ensemble, make_detector(query, occasions)), weights=weights)


def make_peers(query: config.QueryDefaults) -> Peers:
    """Make what compares series that are like each other."""
    from detectors.peers import Peers

    return Peers(
        direction=query.direction,
        minimum_absolute=query.minimum_deviation.absolute,
        minimum_relative=query.minimum_deviation.relative,
    )


def make_suppression(query: config.QueryDefaults) -> Suppression:
    """Make the rule that turns scores into alarms."""
    alarm = query.alarm
    return Suppression(hold=alarm.hold, within=alarm.within, at_once=alarm.at_once, quiet=float(alarm.quiet))


def make_forecaster(query: config.QueryDefaults, occasions: Occasions | None = None) -> Forecaster:
    """Make an unfitted forecaster as the query wants it."""
    from forecasting import FORECASTERS
    from forecasting.external import EXTRA_FORECASTERS

    chosen: type[Any] = (FORECASTERS | EXTRA_FORECASTERS)[query.forecast.forecaster]
    wanted = {"timezone": query.timezone, "occasions": occasions, "weights": query.forecast.weights}
    known = {field.name for field in fields(chosen)}
    made: Forecaster = chosen(**{name: value for name, value in wanted.items() if name in known})
    return made


def make_ears(folder: Path | None) -> Ears:
    """Say where verdicts are kept, a folder or nowhere, and how silences are read."""
    from exporter.hearing import Ears

    return Ears(partial(open_verdicts, folder), make_silences)


def open_verdicts(folder: Path | None) -> VerdictStore:
    """Open the file of verdicts in a folder, or one that goes with the process.

    Raises
    ------
    VerdictStoreError
        Where it cannot be used.
    """
    from exporter.verdicts.store import open_file, open_temporary

    if folder is None:
        return open_temporary()
    with suppress(OSError):  # the database says what is wrong
        folder.mkdir(parents=True, exist_ok=True)  # it was there at the start, and may have been removed since
    return open_file(folder / "verdicts.sqlite")


def make_silences(settings: AlertmanagerSection) -> SilenceCache:
    """Give what reads an Alertmanager's silences."""
    from exporter.silences.cache import SilenceCache
    from exporter.silences.reader import AlertmanagerSilences

    try:
        connection = make_connection(settings, timeout=settings.timeout)
    except ValueError as error:
        raise ConfigError(f"alertmanager: {error}") from error
    return SilenceCache(AlertmanagerSilences(connection), every=float(settings.interval), keep=float(settings.keep))


def make_state(folder: Path, lock: FolderLock | None = None) -> StateFolder:
    """Give the folder where samples and models are kept over a restart; `lock` keeps other processes out.

    Raises
    ------
    StateError
        Where it cannot be written to.
    """
    from detectors import FITTED
    from exporter.models.single import Single
    from exporter.models.stored import Packer
    from exporter.state.folder import StateFolder

    return StateFolder(folder, Packer((*FITTED, Single)), lock)


def make_file_source(file: Path) -> ReplaySource:
    """Give a file of samples in the place of a server."""
    from sources.replay import ReplaySource

    return ReplaySource(file)
