"""Range queries on a Prometheus server: split below its limits, joined again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from series import Grid, SeriesKey
from sources.backend import PROMETHEUS, Backend
from sources.base import Answer
from sources.budget import Gate
from sources.connection import Connection
from sources.decode import RangeDecoder
from sources.errors import AnswerIncomplete, QueryRefused, QueryTooLarge, SourceError, shorten
from sources.promql import PromqlClient
from sources.refusal import not_an_answer

# Where nothing is known of a query, so many of its newest steps show how many series it returns.
_FIRST_LOOK = 10
# An expression sees samples older than its instants: a label value that ended so many seconds before still counts.
_LOOK_BACK = 86_400
# Keys of gone series are let go of above this many, and whole queries above that many.
_SPARE = 1_000
_QUERIES = 1_000


class RequestObserver(Protocol):
    """Who wants to know of every request."""

    def __call__(self, outcome: str, seconds: float, received_bytes: int, samples: int) -> None:
        """Called after each; `outcome` is ``success`` or the reason of a `SourceError`.

        `seconds` end with the arrival of the body. A failed answer counts neither bytes nor samples.
        """


class PrometheusSource:
    """A server with Prometheus' HTTP API.

    Parameters
    ----------
    connection : Connection
    backend : Backend
        Where the server differs from Prometheus.
    max_points : int or None
        Most steps per series in one request; by default what the kind of server takes.
    max_samples : int, default 2,000,000
        About as many samples are asked for at once. It bounds the memory of an answer (some 30 bytes a sample) and
        keeps below the server's ``--query.max-samples`` of 50 million.
    gate : Gate or None
        Says when a request may start; see `PromqlClient`.
    on_request : callable or None
        Told of every range request.
    clock, sleep : callables
        Monotonic seconds, and waiting for some.

    Raises
    ------
    ValueError
        For limits below 1.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        backend: Backend = PROMETHEUS,
        max_points: int | None = None,
        max_samples: int = 2_000_000,
        gate: Gate | None = None,
        on_request: RequestObserver | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._max_points = backend.max_points if max_points is None else max_points
        if self._max_points < 1 or max_samples < 1:
            raise ValueError(f"max_points and max_samples must be 1 or more. Got {max_points} and {max_samples}.")
        self.client = PromqlClient(backend.reach(connection), gate=gate, clock=clock, sleep=sleep)
        self._backend = backend
        self._max_samples = max_samples
        self._on_request = on_request
        self._clock = clock
        self._known = _KnownKeys()

    def read_range(self, query: str, grid: Grid, *, series_limit: int) -> Answer:
        """Evaluate `query` at every instant of `grid`; see `sources.base.MetricSource`.

        The newest part is asked for first and is short where the number of series is unknown, so that a query that
        returns far too many is refused after a small answer.
        """
        known = self._known.of(query)
        decoder = RangeDecoder(
            query, grid, series_limit=series_limit, takes_partial=self._backend.takes_partial, known=known
        )
        plan = _Plan(grid, self._max_points)
        received = requests = 0
        while plan.remaining:
            expected = max(decoder.n_series, len(known))
            part = plan.take(self._steps(expected, series_limit, first=not requests))
            try:
                received += self._read_part(query, part, decoder)
            except QueryTooLarge:
                if part.n_steps == 1:
                    raise
                plan.halve(part)
            requests += 1
        window = decoder.window()
        self._known.keep(query, known, window.keys)
        return Answer(window, decoder.skipped, decoder.warnings, requests, received, decoder.samples)

    def _steps(self, expected: int, series_limit: int, *, first: bool) -> int:
        """How many steps to ask for at once where so many series are expected, 0 for unknown."""
        if not expected and first:
            return _FIRST_LOOK
        return max(1, self._max_samples // max(1, expected or series_limit))

    def _read_part(self, query: str, part: Grid, decoder: RangeDecoder) -> int:
        started = self._clock()
        seconds, received, samples, outcome = None, 0, 0, "success"
        try:
            body = self.client.fetch(query, "/api/v1/query_range", self._params(query, part))
            seconds = self._clock() - started
            samples = decoder.add(body, part)
            self._check_whole(query, decoder.warnings)
            received = len(body)
        except SourceError as error:
            outcome = error.reason
            raise
        finally:
            if self._on_request:
                self._on_request(outcome, self._clock() - started if seconds is None else seconds, received, samples)
        return received

    def _check_whole(self, query: str, warnings: tuple[str, ...]) -> None:
        missing = next(filter(self._backend.tells_of_missing, warnings), None)
        if missing and not self._backend.takes_partial:
            raise AnswerIncomplete(
                query, f"query {shorten(query)} must be answered by all stores. Got a warning: {shorten(missing, 200)}."
            )

    def _params(self, query: str, part: Grid) -> dict[str, str]:
        return {
            "query": query,
            "start": str(part.start),
            "end": str(part.end),
            "step": str(part.step),
            # The server need not go on with what nobody waits for.
            "timeout": f"{self.client.connection.timeout:g}",
        }

    def label_values(self, label: str, grid: Grid, *, match: str | None = None) -> list[str]:
        """Values that a label has within the time of `grid`, on all series or on those that `match` selects.

        Raises
        ------
        SourceUnavailable, QueryRefused, AnswerIncomplete
            See `sources.errors`.
        """
        params = {"start": str(grid.start - _LOOK_BACK), "end": str(grid.end)} | ({"match[]": match} if match else {})
        asked = f"values of {label}"
        body = self.client.fetch(asked, f"/api/v1/label/{label}/values", params, method="GET")
        try:
            answer = msgspec.json.decode(body, type=_Values)
        except (msgspec.MsgspecError, ValueError) as error:
            raise not_an_answer(asked, body, error) from error
        if answer.status != "success" or (answer.is_partial and not self._backend.takes_partial):
            raise AnswerIncomplete(asked, f"{asked} must be told whole. Got status {shorten(answer.status, 40)!r}.")
        self._check_whole(asked, tuple(answer.warnings))
        return answer.data

    def build_info(self) -> str | None:
        """Version of the server, or None where it does not tell.

        Raises
        ------
        SourceUnavailable, QueryRefused, AnswerIncomplete
            See `sources.errors`; but a server without this page is not an error.
        """
        try:
            body = self.client.fetch("build info", "/api/v1/status/buildinfo", {}, method="GET")
            return msgspec.json.decode(body, type=_BuildInfo).data.version or None
        except msgspec.MsgspecError:
            return None
        except QueryRefused as error:
            if error.status in (400, 404, 405, 422, 501):
                return None
            raise

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()


class _Plan:
    """What of a grid is still to be asked for, newest first."""

    def __init__(self, grid: Grid, most: int) -> None:
        self.remaining = [grid] if grid.n_steps else []
        self._most = most

    def take(self, steps: int) -> Grid:
        """Cut the newest part of at most so many steps off."""
        steps = min(steps, self._most)
        whole = self.remaining.pop()
        older = whole.n_steps - steps
        if older <= 0:
            return whole
        self.remaining.append(Grid(whole.start, whole.step, older))
        return Grid(whole.start + older * whole.step, whole.step, steps)

    def halve(self, part: Grid) -> None:
        """Ask for a part again that was too large, in smaller ones."""
        self._most = part.n_steps // 2
        self.remaining.append(part)


class _KnownKeys:
    """The keys of each query by the raw JSON of their labels, kept from pull to pull."""

    def __init__(self) -> None:
        self._by_query: dict[str, dict[bytes, SeriesKey]] = {}
        self._lock = threading.Lock()

    def of(self, query: str) -> dict[bytes, SeriesKey]:
        with self._lock:
            return self._by_query.get(query, {})

    def keep(self, query: str, known: dict[bytes, SeriesKey], seen: tuple[SeriesKey, ...]) -> None:
        """Keep what was seen: series come and go, and memory must not grow with the gone ones."""
        if len(known) > _SPARE + 2 * len(seen):
            alive = set(seen)
            known = {labels: key for labels, key in known.items() if key in alive}
        with self._lock:
            self._by_query.pop(query, None)
            self._by_query[query] = known
            if len(self._by_query) > _QUERIES:
                del self._by_query[next(iter(self._by_query))]


class _Values(msgspec.Struct, rename="camel"):
    status: str = ""
    data: list[str] = []
    warnings: list[str] = []
    is_partial: bool = False


class _Build(msgspec.Struct):
    version: str = ""


class _BuildInfo(msgspec.Struct):
    data: _Build
