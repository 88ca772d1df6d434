"""The platform in the present: it runs on by the clock, and scrapes see its latest state."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.registry import Collector

from demo.exposition import Family
from demo.incidents import GATEWAY, Incident
from demo.simulation import Platform, State

TICK = 1.0
"""Seconds from one state to the next."""


class Live:
    """Runs a platform on, one tick after the other, until it is stopped.

    Parameters
    ----------
    platform : Platform
    reached : float
        Where it stands, seconds since the epoch.
    """

    def __init__(self, platform: Platform, reached: float) -> None:
        self._platform = platform
        self._reached = reached
        self._lock = threading.Lock()
        self.state: State = platform.advance(reached, TICK, 1)
        self._reached += TICK

    def plan(self, incidents: Sequence[Incident]) -> None:
        """Add incidents that lie ahead."""
        with self._lock:
            self._platform.incidents.extend(incidents)

    def catch_up(self, now: float) -> None:
        """Run on to the last whole tick before `now`; nothing where the clock went back."""
        with self._lock:
            count = int((now - self._reached) // TICK)
            if count > 0:
                self.state = self._platform.advance(self._reached, TICK, count)
                self._reached += count * TICK

    def run(self, gateway: Gateway, stop: threading.Event) -> None:
        """Follow the clock until `stop` is set."""
        while not stop.wait(TICK - time.time() % TICK):
            now = time.time()
            self.catch_up(now)
            with self._lock:
                dead = [incident for incident in self._platform.incidents if incident.target == GATEWAY]
            gateway.answer(not any(incident.start <= now < incident.end for incident in dead))


class LiveCollector(Collector):
    """The families of one scrape job, for a registry of prometheus_client."""

    def __init__(self, live: Live, families: Sequence[Family]) -> None:
        self._live = live
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """Every family with the latest state."""
        state = self._live.state  # one read, so that all families show the same instant
        for family in self._families:
            yield family.metric(state)

    @classmethod
    def registry(cls, live: Live, families: Sequence[Family], job: str) -> CollectorRegistry:
        """A registry that holds the families of `job` alone."""
        registry = CollectorRegistry()
        registry.register(cls(live, [family for family in families if family.job == job]))
        return registry


class Gateway:
    """The second scrape target: an exporter that can die and come back."""

    def __init__(self, registry: CollectorRegistry, host: str, port: int) -> None:
        self._registry = registry
        self._address = (host, port)
        self._server, self._thread = start_http_server(port, host, registry)
        self._up = True

    def answer(self, up: bool) -> None:
        """Open the port, or close it."""
        if up == self._up:
            return
        if up:
            self._server, self._thread = start_http_server(self._address[1], self._address[0], self._registry)
        else:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
        self._up = up
