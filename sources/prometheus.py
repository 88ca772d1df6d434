"""Range queries on a Prometheus server: split below its limits, joined again."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

import msgspec

from series import Grid, SeriesKey
from sources.backend import PROMETHEUS, Backend
from sources.base import Answer
from sources.budget import Gate
from sources.connection import Connection
from sources.decode import RangeDecoder
from sources.errors import AnswerIncomplete, QueryRefused, QueryTooLarge, SourceError, SourceUnavailable, shorten
from sources.known import KnownSeries
from sources.newest import NewestStep, StepRead
from sources.plan import Plan
from sources.promql import PromqlClient
from sources.refusal import not_an_answer

# Where nothing is known of a query, so many of its newest steps show how many series it returns.
_FIRST_LOOK = 10
# An expression sees samples older than its instants: a label value that ended so many seconds before still counts.
_LOOK_BACK = 86_400


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
        self._known = KnownSeries()

    def read_range(self, query: str, grid: Grid, *, series_limit: int) -> Answer:
        """Evaluate `query` at every instant of `grid`; see `sources.base.MetricSource`.

        The newest part is asked for first and is short where the number of series is unknown, so that a query that
        returns far too many is refused after a small answer.
        """
        if grid.n_steps == 1:
            return self._read_step(query, grid, series_limit)
        known = self._known.of(query)
        decoder = self._decoder(query, grid, series_limit, known)
        plan = Plan(grid, self._max_points)
        received = requests = 0
        while plan.remaining:
            expected = max(decoder.n_series, len(known))
            part = plan.take(self._steps(query, expected, series_limit, first=not requests))
            try:
                received += self._ask(query, part, partial(self._add, query, decoder, part))
            except QueryTooLarge:
                if part.n_steps == 1:
                    raise
                plan.halve(part)
            requests += 1
        window = decoder.window()
        self._known.keep(query, known, window.keys)
        return Answer(window, decoder.skipped, decoder.warnings, requests, received, decoder.samples)

    def _read_step(self, query: str, part: Grid, series_limit: int) -> Answer:
        """The steady case, one step: mostly of the same series as the time before."""
        known = self._known.of(query)
        decoder = self._decoder(query, part, series_limit, known)
        reader = self._known.take_reader(query) or NewestStep(takes_partial=self._backend.takes_partial)
        found: list[StepRead] = []

        def decode(body: bytearray) -> int:
            step = reader.read(query, body, part, series_limit=series_limit, known=known)
            if step is None:
                return self._add(query, decoder, part, body)
            self._check_whole(query, step.warnings)
            found.append(step)
            return step.window.n_series

        received = self._ask(query, part, decode)
        window, warnings = decoder.window(), decoder.warnings
        if found:
            window, warnings = found[0].window, found[0].warnings
            self._known.keep_reader(query, reader)
        self._known.keep(query, known, window.keys)
        samples = window.n_series if found else decoder.samples
        return Answer(window, decoder.skipped, warnings, 1, received, samples)

    def _decoder(self, query: str, grid: Grid, series_limit: int, known: dict[bytes, SeriesKey]) -> RangeDecoder:
        return RangeDecoder(
            query, grid, series_limit=series_limit, takes_partial=self._backend.takes_partial, known=known
        )

    def _add(self, query: str, decoder: RangeDecoder, part: Grid, body: bytearray) -> int:
        samples = decoder.add(body, part)
        self._check_whole(query, decoder.warnings)
        return samples

    def _steps(self, query: str, expected: int, series_limit: int, *, first: bool) -> int:
        """How many steps to ask for at once where so many series are expected, 0 for unknown."""
        if not expected and first:
            return _FIRST_LOOK
        samples = int(self._max_samples * self._known.share(query))
        return max(1, samples // max(1, expected or series_limit))

    def _ask(self, query: str, part: Grid, decode: Callable[[bytearray], int]) -> int:
        """Ask for a part, have it decoded, and give the bytes received."""
        started = self._clock()
        seconds, received, samples, outcome = None, 0, 0, "success"
        try:
            body = self.client.fetch(query, "/api/v1/query_range", self._params(query, part))
            seconds = self._clock() - started
            samples = decode(body)
            received = len(body)
            self._known.answered(query)
        except SourceError as error:
            outcome = error.reason
            if isinstance(error, SourceUnavailable) and error.timed_out:
                self._known.timed_out(query)
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


class _Values(msgspec.Struct, rename="camel"):
    status: str = ""
    data: list[str] = []
    warnings: list[str] = []
    is_partial: bool = False


class _Build(msgspec.Struct):
    version: str = ""


class _BuildInfo(msgspec.Struct):
    data: _Build
