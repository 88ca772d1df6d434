"""Pages over HTTP: shards, what is withheld, and what the process says of itself."""

import gzip

import numpy as np
import pytest
import structlog

from exporter import metrics
from exporter.config_output import Output
from exporter.cycle import CycleResult
from exporter.exposition import Lines
from exporter.page import Block
from exporter.publisher import Publisher
from exporter.results import Column, Results
from exporter.server import make_app
from exporter.telemetry import Telemetry
from series import SeriesKey

KEYS = tuple(SeriesKey({"job": f"job-{number}"}) for number in range(700))


class House:
    """As much of a service as pages need."""

    def __init__(self, **output):
        self.telemetry = Telemetry()
        self.publisher = Publisher(Output(**output), self.telemetry, lambda: 0.0, lambda *_: None)
        self.page = self.publisher.page
        self.lines = Lines("q", self.page.shards)
        self.client = make_app(self).test_client()

    def publish(self, n_series):
        results = Results("q", KEYS[:n_series], (Column(metrics.VALUE, np.ones(n_series)),), expires=9.0)
        self.publisher.publish(CycleResult(results, Block.of(results, self.lines), n_series, 0, {}))

    def get(self, path, **headers):
        return self.client.get(path, headers=headers)


def jobs(text):
    return {line.split('job="')[1].split('"')[0] for line in text.splitlines() if line.startswith("forethought_value{")}


def test_each_shard_has_its_series_and_only_the_first_what_the_process_says_of_itself():
    house = House(shards=4)
    house.publish(300)
    pages = [house.get(f"/metrics?shard={shard}").text for shard in range(4)]
    assert all(len(jobs(page)) > 40 for page in pages)
    assert sum(len(jobs(page)) for page in pages) == 300
    assert ["process_cpu_seconds_total" in page for page in pages] == [True, False, False, False]
    plain = house.get("/metrics").text
    assert len(jobs(plain)) == 300
    assert "process_cpu_seconds_total" in plain


@pytest.mark.parametrize("path", ["/metrics", "/metrics?shard=0", "/metrics?shard=1"])
def test_a_compressed_page_is_the_same_and_made_once(path):
    house = House(shards=2)
    house.publish(50)
    plain, packed = house.get(path), house.get(path, **{"Accept-Encoding": "gzip;q=1.0,*;q=0.5"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content_length == len(packed.data)
    assert jobs(gzip.decompress(packed.data).decode()) == jobs(plain.text)
    assert plain.headers["Content-Type"] == packed.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert house.page.compressed(1) is house.page.compressed(1)


@pytest.mark.parametrize("shard", ["2", "-1", "x", "", "01", "1" * 5_000, "²"])
def test_a_shard_that_is_not_there_is_refused(shard):
    answer = House(shards=2).get(f"/metrics?shard={shard}")
    assert answer.status_code == 400
    assert answer.text.startswith("400 Bad Request: shard must be a number from 0 to 1 (output.shards is 2). Got '")
    assert len(answer.text) < 150


def test_without_shards_the_first_is_everything():
    house = House()
    house.publish(3)
    assert house.page.body(0) == house.page.body()
    assert house.get("/metrics?shard=1").status_code == 400


def test_a_page_that_is_too_large_is_withheld_and_says_so():
    house = House(shards=2, max_page_bytes=10_000)
    with structlog.testing.capture_logs() as logs:
        house.publish(700)
        house.publish(700)
    for path in ("/metrics", "/metrics?shard=0"):
        for text in (
            house.get(path).text,
            gzip.decompress(house.get(path, **{"Accept-Encoding": "gzip"}).data).decode(),
        ):
            assert jobs(text) == set()
            assert "# The results are withheld: a page may have at most 10000 bytes (output.max_page_bytes)." in text
            assert 'forethought_page_withheld{shard="1"} 1.0' in text
    (warning,) = logs
    assert warning["log_level"] == "warning"
    assert (warning["most"], warning["shards_needed"]) == (10_000, 4)
    house.publish(100)
    assert len(jobs(house.get("/metrics?shard=0").text)) > 20
    assert 'forethought_page_withheld{shard="0"} 0.0' in house.get("/metrics").text


def test_the_advice_is_enough():
    house = House(shards=2, max_page_bytes=10_000)
    with structlog.testing.capture_logs() as logs:
        house.publish(700)
    better = House(shards=logs[0]["shards_needed"], max_page_bytes=10_000)
    better.publish(700)
    assert max(better.page.sizes()) <= 10_000


def test_a_larger_page_may_be_allowed_without_a_restart():
    house = House(max_page_bytes=10_000)
    house.publish(300)
    assert jobs(house.get("/metrics").text) == set()
    house.publisher.change(Output(max_page_bytes=1_000_000))
    assert len(jobs(house.get("/metrics").text)) == 300
