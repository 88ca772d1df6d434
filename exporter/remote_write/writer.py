"""Results written to a server by Prometheus' remote write: a thread of its own, so that no cycle waits for a server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import structlog

from exporter.remote_write.client import WriteClient, WriteRefused, WriteUnavailable
from exporter.remote_write.queue import WriteQueue
from exporter.remote_write.request import STALE, Messages, WriteRequest, in_requests
from exporter.remote_write.shown import Shown
from exporter.results import Results
from exporter.telemetry import Telemetry

log = structlog.get_logger("forethought.remote_write")

# Seconds between two looks for results that became too old.
_LOOK_EVERY = 5.0


@dataclass(frozen=True, kw_only=True)
class WriteLimits:
    """How much is sent, kept and tried.

    Attributes
    ----------
    timeout : float
        Seconds a request may take.
    max_samples : int
        About as many go into one request.
    max_pending_bytes : int
        Most memory for what waits.
    max_age : float
        Seconds after which samples that could not be sent are dropped.
    backoff, max_backoff : float
        Seconds before the first repetition, doubled for each further one, and the most of them.
    """

    timeout: float = 30.0
    max_samples: int = 5_000
    max_pending_bytes: int = 64_000_000
    max_age: float = 1_800.0
    backoff: float = 0.5
    max_backoff: float = 30.0


@dataclass
class _Stream:
    """The results of one query on their way."""

    messages: Messages
    shown: Shown = field(default_factory=Shown)
    sent_at: float = 0.0
    expires: float = float("inf")


class RemoteWriter:
    """Writes the results of every cycle, and marks series that stop as ended.

    Every sample has the time it was published at, as a scrape would have given it; never a later one.

    Parameters
    ----------
    client : WriteClient
    limits : WriteLimits
    external_labels : mapping of str to str
        Added where a series has no label of that name.
    telemetry : Telemetry
    clock : callable
        Gives the seconds since the epoch.

    Attributes
    ----------
    url : str
        Of the server, without anything secret.
    """

    def __init__(
        self,
        client: WriteClient,
        limits: WriteLimits,
        external_labels: Mapping[str, str],
        telemetry: Telemetry,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url = client.shown_url
        self._client = client
        self._limits = limits
        self._external_labels = external_labels
        self._telemetry = telemetry
        self._clock = clock
        self._lock = threading.Lock()
        # By query, and which of its results.
        self._streams: dict[tuple[str, int], _Stream] = {}
        self._queue = WriteQueue(limits.max_pending_bytes)
        self._stopping = threading.Event()
        self._deadline = float("inf")
        # What was said last in the log, so that it is said once.
        self._problem = self._losing = ""
        self._thread = threading.Thread(target=self._work, name="remote-write", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def offer(self, results: Results) -> None:
        """Send the results of a query when the server takes them. Waits for nothing."""
        with self._lock:
            for place, part in enumerate((results, *results.beside)):
                stream = self._streams.get((results.query, place))
                if stream is None:
                    stream = _Stream(Messages(results.query, self._external_labels))
                    self._streams[results.query, place] = stream
                stream.expires = results.expires
                self._replace(stream, part)

    def withdraw(self, query: str) -> None:
        """Mark all series of a query as ended."""
        with self._lock:
            for name in [name for name in self._streams if name[0] == query]:
                self._replace(self._streams.pop(name), None)

    def expire(self) -> None:
        """Mark results as ended that are too old to be the present."""
        now = self._clock()
        with self._lock:
            for stream in self._streams.values():
                if stream.expires <= now:
                    stream.expires = float("inf")
                    self._replace(stream, None)

    def stop(self, within: float) -> None:
        """Give each request that waits one more try, and all of them at most `within` seconds.

        Nothing is marked as ended: after a restart the series go on.
        """
        self._deadline = time.monotonic() + within
        self._stopping.set()
        self._queue.close()
        if self._thread.is_alive():
            self._thread.join(within)
        while request := self._queue.take(0.0):
            self._drop(request, "shutdown")
        self._client.close()

    def _replace(self, stream: _Stream, results: Results | None) -> None:
        at = self._clock()
        # A server takes one sample of a series in a millisecond, and none older than the last.
        if round(at * 1_000) <= round(stream.sent_at * 1_000):
            self._telemetry.remote_write_dropped.labels(self.url, "not_newer").inc(results.samples if results else 0)
            return
        stream.sent_at = at
        requests = list(in_requests(self._messages(stream, results, at), at, self._limits.max_samples))
        for request in self._queue.put(requests):
            self._drop(request, "shutdown" if self._stopping.is_set() else "queue_full")
        self._show_pending()

    def _messages(self, stream: _Stream, results: Results | None, at: float) -> Iterator[tuple[int, bytes]]:
        encode = stream.messages.encode
        for gone in stream.shown.replace(results):
            for rows in self._portions(gone.rows):
                yield len(rows), encode(gone.keys, gone.column, rows, np.full(len(rows), STALE), at)
        if results is None:
            return
        for column in results.columns:
            for rows in self._portions(np.flatnonzero(~np.isnan(column.values))):
                yield len(rows), encode(results.keys, column, rows, column.values[rows], at)

    def _portions(self, rows: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
        most = self._limits.max_samples
        return (rows[first : first + most] for first in range(0, len(rows), most))

    def _work(self) -> None:
        while (request := self._queue.take(_LOOK_EVERY)) or not self._stopping.is_set():
            try:
                if request:
                    self._deliver(request)
                self.expire()
            except Exception:
                log.exception("remote write broke")
                if request:
                    self._drop(request, "internal_error")

    def _deliver(self, request: WriteRequest) -> None:
        self._show_pending(request)
        pause = self._limits.backoff
        while (reason := self._too_late(request)) is None:
            last = self._stopping.is_set()
            retry_after = self._attempt(request)
            if retry_after is None:
                return
            if last:
                reason = "shutdown"
                break
            self._stopping.wait(min(max(pause, retry_after), self._limits.max_age))
            pause = min(2 * pause, self._limits.max_backoff)
        self._drop(request, reason)

    def _too_late(self, request: WriteRequest) -> str | None:
        if self._clock() - request.at > self._limits.max_age:
            return "too_old"
        return "shutdown" if time.monotonic() >= self._deadline else None

    def _attempt(self, request: WriteRequest) -> float | None:
        """Send once; None if that is the end of it, else the seconds that the server wants to be left alone for."""
        timeout = min(self._limits.timeout, max(0.001, self._deadline - time.monotonic()))
        try:
            self._client.send(request.body, timeout)
        except WriteRefused as error:
            self._warn("results refused; they are dropped", str(error))
            self._count_dropped(request, "refused")
        except WriteUnavailable as error:
            self._warn("results cannot be written; they wait", str(error))
            return error.retry_after
        else:
            self._sent(request)
        return None

    def _sent(self, request: WriteRequest) -> None:
        if self._problem:
            log.info("results are written again", url=self.url)
        self._problem = self._losing = ""
        self._telemetry.remote_write_samples.labels(self.url).inc(request.samples)
        self._telemetry.remote_write_last_success.labels(self.url).set(self._clock())
        self._show_pending()

    def _drop(self, request: WriteRequest, reason: str) -> None:
        say = log.debug if reason == self._losing else log.warning
        say("results dropped; others may follow", url=self.url, samples=request.samples, reason=reason)
        self._losing = reason
        self._count_dropped(request, reason)

    def _count_dropped(self, request: WriteRequest, reason: str) -> None:
        self._telemetry.remote_write_dropped.labels(self.url, reason).inc(request.samples)
        self._show_pending()

    def _show_pending(self, under_way: WriteRequest | None = None) -> None:
        size = len(under_way.body) if under_way else 0
        self._telemetry.remote_write_pending.labels(self.url).set(self._queue.n_bytes + size)

    def _warn(self, event: str, problem: str) -> None:
        say = log.debug if problem == self._problem else log.warning
        say(event, url=self.url, problem=problem)
        self._problem = problem
