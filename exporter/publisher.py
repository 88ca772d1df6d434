"""Where the results of a cycle go: the pages of `/metrics`, and a server of remote write where one is configured."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from exporter.config_output import Output
from exporter.cycle import CycleResult
from exporter.page import ResultPage
from exporter.telemetry import Telemetry

if TYPE_CHECKING:
    from exporter.remote_write.writer import RemoteWriter

log = structlog.get_logger("forethought.output")

# Seconds that a stop waits for results on their way.
_FLUSH_WITHIN = 5.0


class Publisher:
    """Hands the results of cycles on, and follows changes of the configuration.

    Parameters
    ----------
    output : Output
    telemetry : Telemetry
    clock : callable
        Gives the seconds since the epoch.
    make_writer : callable
        Makes what the settings ask for; None where they ask for none.

    Attributes
    ----------
    page : ResultPage
    """

    def __init__(
        self,
        output: Output,
        telemetry: Telemetry,
        clock: Callable[[], float],
        make_writer: Callable[[Output, Telemetry, Callable[[], float]], RemoteWriter | None],
    ) -> None:
        self.page = ResultPage(clock, output.shards, output.max_page_bytes)
        self._output = output
        self._telemetry = telemetry
        self._clock = clock
        self._make_writer = make_writer
        self._writer = make_writer(output, telemetry, clock)
        self._withheld = False

    def start(self) -> None:
        """Begin to write."""
        if self._writer:
            self._writer.start()

    def publish(self, result: CycleResult) -> None:
        """Show the results of a finished cycle in the place of the query's former ones."""
        query = result.results.query
        self.page.publish(query, result.block)
        self._telemetry.output_samples.labels(query).set(result.block.samples)
        self._measure()
        if self._writer:
            self._writer.offer(result.results)

    def withdraw(self, query: str) -> None:
        """Show nothing of a query any more."""
        self.page.withdraw(query)
        if self._writer:
            self._writer.withdraw(query)

    def change(self, output: Output) -> None:
        """Follow a new configuration.

        Raises
        ------
        ConfigError
            Where it cannot be used; the old one is then kept.
        """
        if output.remote_write != self._output.remote_write:
            self._exchange(self._make_writer(output, self._telemetry, self._clock))
        if output.shards != self._output.shards:
            log.warning("output.shards changes with the next start only")
        self.page.max_bytes = output.max_page_bytes
        self._output = output
        self._measure()

    def stop(self) -> None:
        """Send what waits, for a few seconds at most."""
        if self._writer:
            self._writer.stop(_FLUSH_WITHIN)

    def _exchange(self, writer: RemoteWriter | None) -> None:
        former, self._writer = self._writer, writer
        if former:
            former.stop(_FLUSH_WITHIN)
            self._telemetry.forget_url(former.url)
        self.start()

    def _measure(self) -> None:
        sizes = self.page.sizes()
        for shard, size in enumerate(sizes):
            self._telemetry.page_bytes.labels(str(shard)).set(size)
            self._telemetry.page_withheld.labels(str(shard)).set(self.page.is_withheld(size))
        withheld = any(map(self.page.is_withheld, sizes))
        if withheld and not self._withheld:
            log.warning(
                "results are withheld: a page is larger than output.max_page_bytes",
                bytes=max(sizes),
                most=self.page.max_bytes,
                shards_needed=math.ceil(1.2 * sum(sizes) / (self.page.max_bytes or 1)),
            )
        self._withheld = withheld
