"""Two hours with a real Prometheus that is slowed, cut off in mid-answer, killed, and filled with late samples."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from demo.remote_write import write
from exporter.service import Service
from series import FloatArray, Grid
from sources.connection import Connection
from sources.prometheus import PrometheusSource
from tests.fakes.troubled_proxy import Trouble, TroubledProxy

pytestmark = pytest.mark.servers

STEP, HISTORY = 60, 3 * 86_400
N_SERIES, MINUTES = 12, 130
LABELS = [{"__name__": "load", "job": f"job-{row}"} for row in range(N_SERIES)]
# Minutes of each trouble.
TROUBLES: dict[Trouble, range] = {
    "slow": range(5, 10),
    "too_slow": range(15, 18),
    "cut": range(22, 30),
    "down": range(35, 38),
}
KILLED = range(45, 52)
# Every third series: its samples of these minutes come three minutes late.
LATE = range(65, 80)
LATE_BY = 3
INCIDENT, BROKEN = range(100, 108), 4

CONFIG = """
source: {{url: '{url}', timeout: 1s, retries: 0, budget: {{longest_rest: 1s}}}}
queries:
  - {{name: load, query: load, step: 60s, history: 3d, latency: 0s, late_samples: 5m, refit: 10m,
     forecast: {{horizons: []}}}}
"""


def true_values(times: FloatArray, start: float) -> FloatArray:
    """(n_series, n_steps): a daily wave with noise, the same for an instant at every call; one planted incident."""
    rows = np.arange(N_SERIES)[:, None]
    noise = np.sin(times * 12.9898 + rows * 78.233) * 43_758.5453
    wave = 100 + 20 * np.sin(2 * np.pi * times / 86_400 + rows) + 4 * (noise - np.floor(noise))
    minute = np.round((times - start) / STEP)
    wave[BROKEN, (minute >= INCIDENT.start) & (minute < INCIDENT.stop)] *= 3
    return wave


def is_late(row: int, minute: int) -> bool:
    return row % 3 == 0 and minute in LATE


@dataclass
class Server:
    """A Prometheus that can be killed and started again on its data."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        config = self.folder / "prometheus.yml"
        config.write_text("storage: {tsdb: {out_of_order_time_window: 6h}}\n")
        flags = [
            "--web.enable-remote-write-receiver",
            "--query.lookback-delta=59s",
            "--storage.tsdb.retention.time=60d",
        ]
        # The head takes samples of half a block's length.
        flags += [f"--storage.tsdb.{end}-block-duration=60d" for end in ("min", "max")]
        where = [f"--storage.tsdb.path={self.folder / 'data'}", f"--web.listen-address=127.0.0.1:{self.port}"]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(["prometheus", f"--config.file={config}", *where, *flags], stderr=log)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(requests.ConnectionError):
                if requests.get(f"http://127.0.0.1:{self.port}/-/ready", timeout=5).ok:
                    return
            time.sleep(0.05)
        pytest.fail("Prometheus was not ready within 30 s")

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
            self.process = None


@dataclass
class Writer:
    """Writes samples as they come, and those that could not be written as soon as they can."""

    url: str
    start: float
    waiting: list[tuple[int, int]] = field(default_factory=list)

    def minute(self, now: int, *, up: bool) -> None:
        self.waiting += [(row, now) for row in range(N_SERIES)]
        due = [one for one in self.waiting if not is_late(*one) or now - one[1] >= LATE_BY]
        if not up:
            return
        self.waiting = [one for one in self.waiting if one not in due]
        for minute in sorted({minute for _, minute in due}):
            rows = [row for row, of in due if of == minute]
            times = np.array([self.start + STEP * minute])
            write(
                f"{self.url}/api/v1/write", [LABELS[row] for row in rows], times, true_values(times, self.start)[rows]
            )


def trouble_at(minute: int) -> Trouble:
    return next((kind for kind, minutes in TROUBLES.items() if minute in minutes), "none")


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = Server(folder, probe.getsockname()[1])
    server.start()
    try:
        yield server
    finally:
        server.kill()


@dataclass
class Said:
    """What the service publishes."""

    samples: list[tuple[str, dict[str, str], float]]

    @classmethod
    def by(cls, service: Service) -> Said:
        text = (service.page.body() + service.telemetry.render()).decode()
        families = text_string_to_metric_families(text)
        return cls([(one.name, one.labels, one.value) for family in families for one in family.samples])

    def __call__(self, name: str, label: str = "job") -> dict[str, float]:
        """Values of a metric by one of its labels."""
        return {labels[label]: value for of, labels, value in self.samples if of == f"forethought_{name}"}


def test_no_wrong_score_no_lost_window_and_everything_counted(tmp_path: Path) -> None:
    start = (time.time() // 3_600 - 3) * 3_600
    clock = [start]
    with running(tmp_path) as server, TroubledProxy(server.port) as proxy:
        past = np.arange(start - HISTORY - 600, start, STEP)
        write(f"http://127.0.0.1:{server.port}/api/v1/write", LABELS, past, true_values(past, start))
        (tmp_path / "forethought.yml").write_text(CONFIG.format(url=proxy.url))
        service = Service(tmp_path / "forethought.yml", None, lambda: clock[0])
        service._add(service.config.queries[0])
        writer, alarmed, outcomes = Writer(f"http://127.0.0.1:{server.port}", start), {}, Counter()
        for minute in range(MINUTES):
            clock[0], proxy.trouble = start + STEP * minute + 1, trouble_at(minute)
            if minute == KILLED.start:
                server.kill()
            if minute == KILLED.stop:
                server.start()
            writer.minute(minute, up=server.process is not None)
            began = time.monotonic()
            service._run(service.queries["load"])
            assert time.monotonic() - began < 15
            said = Said.by(service)
            outcome = next(iter(said("cycle_failure", "reason")), "success")
            outcomes[outcome] += 1
            if outcome == "success":
                check_values(said("value"), minute, start)
                for job, on in said("anomaly_alarm").items():
                    if on:
                        alarmed.setdefault(job, minute)
        check_alarms(alarmed)
        check_counts(said, outcomes)
        check_window(service, server)
        check_against_a_cold_start(service, tmp_path, server, clock)


def check_values(values: dict[str, float], minute: int, start: float) -> None:
    """What is published is the sample of this very minute, and nothing in the place of one that has not come."""
    true = true_values(np.array([start + STEP * minute]), start)[:, 0]
    present = {f"job-{row}": true[row] for row in range(N_SERIES) if not is_late(row, minute)}
    assert values == pytest.approx(present, rel=1e-12)


def check_alarms(alarmed: dict[str, int]) -> None:
    """Only the incident is called, and at once."""
    assert alarmed.keys() == {f"job-{BROKEN}"}
    assert alarmed[f"job-{BROKEN}"] - INCIDENT.start <= 2


def check_counts(said: Said, outcomes: Counter[str]) -> None:
    # A rest that the source is given may end one more cycle.
    troubled = sum(len(TROUBLES[kind]) for kind in ("too_slow", "cut", "down")) + len(KILLED)
    assert troubled - 1 <= MINUTES - outcomes["success"] <= troubled + 2
    assert said("cycles_total", "outcome") == outcomes
    failed = {
        outcome: count for outcome, count in said("source_requests_total", "outcome").items() if outcome != "success"
    }
    assert sum(failed.values()) >= troubled - 1
    assert said("unpulled_steps", "query") == {"load": 0}


def check_window(service: Service, server: Server) -> None:
    """The store holds what Prometheus holds, late samples included; of the newest steps late ones may still come."""
    window = service.queries["load"].cycle.store.window()
    grid = Grid(int(window.times[0]), STEP, window.n_steps)
    source = PrometheusSource(Connection(url=f"http://127.0.0.1:{server.port}"))
    held = source.read_range("load", grid, series_limit=100).window
    source.close()
    assert sorted(map(repr, held.keys)) == sorted(map(repr, window.keys))
    order = [window.keys.index(key) for key in held.keys]
    np.testing.assert_array_equal(window.values[order], held.values)
    assert not np.isnan(held.values).any()


def check_against_a_cold_start(service: Service, folder: Path, server: Server, clock: list[float]) -> None:
    """A process that starts now and never saw any trouble says the same."""
    (folder / "fresh.yml").write_text(CONFIG.format(url=f"http://127.0.0.1:{server.port}").replace("1s, r", "30s, r"))
    fresh = Service(folder / "fresh.yml", None, lambda: clock[0])
    fresh._add(fresh.config.queries[0])
    fresh._run(fresh.queries["load"])
    ours, theirs = Said.by(service), Said.by(fresh)
    for name in ("value", "expected", "expected_lower", "expected_upper", "anomaly_score"):
        assert len(ours(name)) == N_SERIES
        assert ours(name) == pytest.approx(theirs(name), rel=1e-9)
