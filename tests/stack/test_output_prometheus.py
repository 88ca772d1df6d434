"""Results in a real Prometheus: written to it, and scraped from shards."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import requests

from exporter import metrics
from exporter.config_output import Output, RemoteWrite
from exporter.cycle import CycleResult
from exporter.exposition import Lines
from exporter.page import Block
from exporter.publisher import Publisher
from exporter.results import Column, Results
from exporter.server import ListenAddress, WebServer, make_app
from exporter.telemetry import Telemetry
from exporter.wiring import make_writer
from series import SeriesKey

pytestmark = pytest.mark.servers

HOSTILE = 'a "b" \\ é\u2028 <&>\nnext'
KEYS = (SeriesKey({"__name__": "up", "A": "upper case sorts first", "query": "theirs"}), SeriesKey({"text": HOSTILE}))


def free_address() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def running(command: list[str], log: Path, ready: str) -> Iterator[str]:
    with log.open("a") as file:
        server = subprocess.Popen(command, stderr=file, stdout=file)
    try:
        wait_for(lambda: requests.get(ready, timeout=5).ok)
        yield ready.rpartition("/")[0]
    finally:
        server.terminate()
        server.wait(timeout=30)


@contextmanager
def prometheus(folder: Path, address: str, config: str = "{}") -> Iterator[str]:
    file = folder / "prometheus.yml"
    file.write_text(config)
    flags = [f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={address}"]
    command = ["prometheus", *flags, "--web.enable-remote-write-receiver"]
    with running(command, folder / "log", f"http://{address}/-/ready"):
        yield f"http://{address}"


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(requests.ConnectionError):
            if condition():
                return
        time.sleep(0.05)
    pytest.fail("it did not happen in time")


def ask(url: str, query: str) -> list[tuple[dict[str, str], float, float]]:
    """Labels, time and value of each series."""
    answer = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=10).json()
    assert answer["status"] == "success", answer
    return [(row["metric"], float(row["value"][0]), float(row["value"][1])) for row in answer["data"]["result"]]


class House:
    """Results without a source: a publisher, its page over HTTP, and the clock of the machine."""

    def __init__(self, output: Output) -> None:
        self.telemetry = Telemetry()
        self.publisher = Publisher(output, self.telemetry, time.time, make_writer)
        self.page = self.publisher.page
        self._lines = Lines("q", output.shards)

    def publish(self, keys: tuple[SeriesKey, ...], values: list[float]) -> None:
        ahead = Column(metrics.FORECAST, np.array(values) + 10, {"horizon": "1h"})
        columns = (Column(metrics.VALUE, np.array(values)), ahead)
        results = Results("q", keys, columns, expires=time.time() + 300)
        self.publisher.publish(CycleResult(results, Block.of(results, self._lines), len(keys), 0, {}))

    def dropped(self) -> bool:
        return b"remote_write_dropped_samples_total{" in self.telemetry.render()

    def pending(self) -> bool:
        return b"remote_write_pending_bytes{" not in self.telemetry.render() or any(
            sample.value for family in self.telemetry.remote_write_pending.collect() for sample in family.samples
        )


@contextmanager
def writing_to(url: str) -> Iterator[House]:
    write = RemoteWrite(url=f"{url}/api/v1/write", external_labels={"replica": "a"})
    house = House(Output(remote_write=write))
    house.publisher.start()
    try:
        yield house
    finally:
        house.publisher.stop()


def test_results_are_written_and_end_when_they_stop(tmp_path: Path) -> None:
    with prometheus(tmp_path, free_address()) as url, writing_to(url) as house:
        before = time.time()
        house.publish(KEYS, [1.5, -2e-300])
        wait_for(lambda: not house.pending())
        (first, other) = sorted(ask(url, "forethought_value"), key=lambda row: "text" in row[0])
        name = {"__name__": "forethought_value", "query": "q", "replica": "a"}
        assert first[0] == name | {"metric": "up", "A": "upper case sorts first", "exported_query": "theirs"}
        assert other[0] == name | {"text": HOSTILE}
        assert (first[2], other[2]) == (1.5, -2e-300)
        assert [row[2] for row in ask(url, 'forethought_forecast{horizon="1h",metric="up"}')] == [11.5]
        assert all(before - 0.001 <= row[2] <= time.time() for row in ask(url, "timestamp(forethought_value)"))

        house.publish(KEYS, [2.5, float("nan")])
        wait_for(lambda: [row[2] for row in ask(url, "forethought_value")] == [2.5])
        house.publisher.withdraw("q")
        wait_for(lambda: ask(url, '{__name__=~"forethought_.*"}') == [])
        assert len(ask(url, "last_over_time(forethought_value[5m])")) == 2
        assert not house.dropped()


@pytest.mark.skipif(shutil.which("victoria-metrics") is None, reason="needs the package victoria-metrics")
def test_victoriametrics_takes_results_and_their_end(tmp_path: Path) -> None:
    address = free_address()
    flags = [f"-storageDataPath={tmp_path}", f"-httpListenAddr={address}", "-search.latencyOffset=0s"]
    server = running(["victoria-metrics", *flags], tmp_path / "log", f"http://{address}/health")
    with server as url, writing_to(url) as house:
        house.publish(KEYS, [1.5, 3.0])
        wait_for(lambda: sorted(row[2] for row in ask(url, "forethought_value")) == [1.5, 3.0])
        house.publisher.withdraw("q")
        wait_for(lambda: ask(url, "forethought_value") == [])
        assert not house.dropped()


def test_a_prometheus_that_was_away_gets_what_it_missed(tmp_path: Path) -> None:
    address = free_address()
    with writing_to(f"http://{address}") as house:
        with prometheus(tmp_path, address):
            house.publish(KEYS[:1], [1.0])
            wait_for(lambda: not house.pending())
        for value in (2.0, 3.0):
            house.publish(KEYS[:1], [value])
            time.sleep(0.01)
        assert house.pending()
        with prometheus(tmp_path, address) as url:
            wait_for(lambda: not house.pending())
            (row,) = ask(url, "count_over_time(forethought_value[5m])")
            assert row[2] == 3
    assert not house.dropped()


# As in docs/output.md.
SCRAPE = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: forethought
    honor_labels: true
    static_configs:
      - {{targets: ["127.0.0.1:{port}"], labels: {{__param_shard: "0", forethought_shard: "0"}}}}
      - {{targets: ["127.0.0.1:{port}"], labels: {{__param_shard: "1", forethought_shard: "1"}}}}
      - {{targets: ["127.0.0.1:{port}"], labels: {{__param_shard: "2", forethought_shard: "2"}}}}
    metric_relabel_configs:
      - {{action: labeldrop, regex: forethought_shard}}
"""


def test_shards_are_scraped_as_targets_of_their_own(tmp_path: Path) -> None:
    house = House(Output(shards=3))
    keys = tuple(SeriesKey({"pipeline": f"p{number}"}) for number in range(100))
    house.publish(keys, [float(number) for number in range(100)])
    server = WebServer(make_app(house), ListenAddress("127.0.0.1", 0))  # type: ignore[arg-type]
    server.start()
    try:
        with prometheus(tmp_path, free_address(), SCRAPE.format(port=server.port)) as url:
            wait_for(lambda: len(ask(url, "forethought_value")) == 100)
            rows = ask(url, "forethought_value")
            assert {row[0]["pipeline"]: row[2] for row in rows} == {f"p{number}": number for number in range(100)}
            assert all("forethought_shard" not in row[0] for row in rows)
            assert len(ask(url, 'up{job="forethought"} == 1')) == 3
            assert len(ask(url, "forethought_build_info")) == 1
            assert len(ask(url, "forethought_page_bytes")) == 3
    finally:
        server.stop()
