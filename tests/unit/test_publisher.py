"""What a service does with its results when the configuration names a server to write to, another, or none."""

import time

import numpy as np
import pytest

from exporter import metrics
from exporter.config_file import ConfigError
from exporter.config_output import Output, RemoteWrite
from exporter.cycle import CycleResult
from exporter.exposition import Lines
from exporter.page import Block
from exporter.publisher import Publisher
from exporter.results import Column, Results
from exporter.telemetry import Telemetry
from exporter.wiring import make_writer
from series import SeriesKey
from tests.fakes.http_server import FakeServer, always, header
from tests.fakes.write_reader import read

TAKEN = always(204, b"")


def cycle_result():
    results = Results("q", (SeriesKey({"job": "a"}),), (Column(metrics.VALUE, np.ones(1)),), expires=time.time() + 300)
    return CycleResult(results, Block.of(results, Lines("q")), 1, 0, {})


def output(url, **more):
    return Output(remote_write=RemoteWrite(url=url + "/api/v1/write", **more))


class Desk:
    def __init__(self, output):
        self.telemetry = Telemetry()
        self.publisher = Publisher(output, self.telemetry, time.time, make_writer)
        self.publisher.start()

    def publish(self):
        time.sleep(0.002)  # two samples of one series need two milliseconds
        self.publisher.publish(cycle_result())


def test_settings_reach_the_server():
    with FakeServer(TAKEN) as server:
        desk = Desk(output(server.url, headers={"X-Scope-OrgID": "mine"}, external_labels={"replica": "b"}))
        desk.publish()
        desk.publisher.stop()
        (request,) = server.requests
        assert header(request, "X-Scope-OrgID") == "mine"
        assert header(request, "User-Agent").startswith("forethought/")
        ((labels, _, _),) = read(request.body)
        assert dict(labels) == {"__name__": "forethought_value", "job": "a", "query": "q", "replica": "b"}
        desk.telemetry.remote_write_samples.labels(f"{server.url}/api/v1/write")
        assert b"forethought_remote_write_samples_total{url=" in desk.telemetry.render()


def test_a_reload_moves_to_another_server_and_sends_the_rest_to_the_first():
    with FakeServer(TAKEN) as first, FakeServer(TAKEN) as second:
        desk = Desk(output(first.url))
        desk.publish()
        desk.publisher.change(output(second.url))
        desk.publish()
        desk.publisher.stop()
        assert [len(server.requests) for server in (first, second)] == [1, 1]
        said = desk.telemetry.render()
        assert first.url.encode() not in said
        assert second.url.encode() in said


def test_a_reload_may_end_writing_and_leaves_an_equal_server_alone():
    with FakeServer(TAKEN) as server:
        desk = Desk(output(server.url))
        desk.publisher.change(output(server.url))
        desk.publish()
        desk.publisher.change(Output())
        desk.publish()
        desk.publisher.stop()
        assert len(server.requests) == 1
        assert b"remote_write_samples_total{" not in desk.telemetry.render()


def test_settings_that_cannot_be_sent_are_refused_and_the_old_ones_kept():
    with FakeServer(TAKEN) as server:
        desk = Desk(output(server.url))
        unsendable = RemoteWrite(url=server.url).model_copy(update={"headers": {"X-Tenant": "ä"}})
        with pytest.raises(ConfigError, match=r"output\.remote_write: headers must be of printable ASCII"):
            desk.publisher.change(Output(remote_write=unsendable))
        desk.publish()
        desk.publisher.stop()
        assert len(server.requests) == 1


def test_the_default_writes_nowhere():
    desk = Desk(Output())
    desk.publish()
    desk.publisher.stop()
    assert b'query="q",job="a"} 1.0' in desk.publisher.page.body()
