"""Incidents on demand: what can be planted, where, and by which command."""

import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console
from werkzeug.serving import make_server

from demo import configure
from demo.__main__ import main
from demo.announcements import Announcements, planted_at
from demo.exposition import PLATFORM
from demo.history import platform_until
from demo.incidents import GATEWAY, PAST, SCHEDULE
from demo.live import Live
from demo.load import LoadGenerator, create_app
from demo.planting import KINDS, CannotPlant, plant
from demo.ports import Ports
from demo.workloads import read_workloads

WORKLOADS = read_workloads()


def generator(*, running: bool) -> LoadGenerator:
    made = LoadGenerator("127.0.0.1", {PLATFORM: "127.0.0.1:1", GATEWAY: "127.0.0.1:1"})
    if running:
        now = time.time() // 60 * 60
        platform, _ = platform_until(WORKLOADS, now, days=1 / 24, seed=7)
        made.live = Live(platform, now)
    return made


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[Path, LoadGenerator]]:
    """The part of a running demo that the command talks to."""
    made = generator(running=True)
    server = make_server("127.0.0.1", 0, create_app(made))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    configure.write_all(configure.State(tmp_path), Ports(load=server.port))
    yield tmp_path, made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_can_be_planted_at_its_usual_place_where_nothing_else_happens(name: str) -> None:
    made = plant(name, None, 1_000.0, 300.0, WORKLOADS)
    assert (made.start, made.end) == (1_000.0, 1_300.0)
    assert made.kind.replace(" ", "-") == name
    assert made.target == GATEWAY or made.target not in {one.target for one in SCHEDULE}


def test_a_planted_incident_is_the_one_of_the_schedule() -> None:
    for scheduled in (*SCHEDULE, *PAST):
        if (name := scheduled.kind.replace(" ", "-")) in KINDS:
            assert plant(name, scheduled.target, scheduled.start, scheduled.seconds, WORKLOADS) == scheduled


@pytest.mark.parametrize(
    ("name", "target", "minutes", "message"),
    [
        ("earthquake", None, 5, "must be one of failure-burst, slow-step"),
        ("failure-burst", "nobody", 5, r"must happen to a workload .* Got 'nobody'"),
        ("failure-burst", "ledger-nightly-close", 5, "must happen to a workload"),
        ("cost-leak", "orders-fraud-check", 5, "must happen to a workload that can suffer it: support-reply-draft"),
        ("slow-step", GATEWAY, 5, "must happen to a workload"),
        ("dead-exporter", "orders-fraud-check", 5, "can suffer it: llm-gateway. Got 'orders-fraud-check'"),
        ("slow-step", None, 0, "up to 240 minutes. Got 0"),
        ("slow-step", None, float("nan"), "up to 240 minutes. Got nan"),
        ("slow-step", None, 1e9, "up to 240 minutes"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(name: str, target: str | None, minutes: float, message: str) -> None:
    with pytest.raises(CannotPlant, match=message):
        plant(name, target, 0.0, 60 * minutes, WORKLOADS)


def test_the_command_plants_into_the_running_demo(demo: tuple[Path, LoadGenerator]) -> None:
    state, made = demo
    command = ["incident", "failure-burst", "orders-fulfilment-sync", "--minutes", "3", "--state", str(state)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("failure burst: orders-fulfilment-sync, four of five runs fail")
    assert made.live is not None
    failed = made.live.state["failed"][:, -1].copy()
    made.live.catch_up(time.time() + 170)
    row = [workload.pipeline_id for workload in WORKLOADS].index("orders-fulfilment-sync")
    assert made.live.state["failed"][row, -1] - failed[row] > 20, "four of five runs fail, six times as many as usual"


def test_what_is_planted_is_announced_between_what_is_planned(demo: tuple[Path, LoadGenerator]) -> None:
    state, made = demo
    load, output = configure.State(state).read_ports().url("load"), io.StringIO()
    planned = [SCHEDULE[0].at(time.time() + 100)]
    announcements = Announcements(Console(file=output, width=200), planned, lambda: planted_at(load))
    announcements.tell(time.time())
    assert output.getvalue() == ""
    planted = made.plant("slow-step", None, 5)
    for later in (2, 4, 110, 1_000, 1_002):
        announcements.tell(planted.start + later)
    said = [line.split()[1:] for line in output.getvalue().splitlines()]
    assert [(words[0], words[1]) for words in said] == [
        ("begins", "slow"),
        ("begins", "failure"),
        ("ends", "slow"),
        ("ends", "failure"),
    ]


def test_a_platform_that_does_not_answer_has_nothing_planted() -> None:
    assert planted_at("http://127.0.0.1:1") == ()


def test_the_command_says_what_the_demo_refuses(demo: tuple[Path, LoadGenerator]) -> None:
    result = CliRunner().invoke(main, ["incident", "cost-leak", "nobody", "--state", str(demo[0])])
    assert result.exit_code == 1
    assert result.output.startswith("Error: A cost-leak must happen to a workload that can suffer it:")


def test_without_a_demo_the_command_says_how_to_start_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["incident", "failure-burst", "--state", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output == f"Error: A demo must run on {tmp_path}. There is none; start it with: make demo\n"


@pytest.mark.parametrize("body", ["[]", "x", '{"kind": "slow-step", "minutes": "five"}'])
def test_a_request_that_is_none_is_refused(body: str) -> None:
    client = create_app(generator(running=False)).test_client()
    answer = client.post("/-/incident", data=body, content_type="application/json")
    assert (answer.status_code, answer.text[:22]) == (400, "The body must be like ")


def test_nothing_can_be_planted_before_the_history_is_written() -> None:
    answer = create_app(generator(running=False)).test_client().post("/-/incident", json={"kind": "slow-step"})
    assert answer.status_code == 400
    assert "The history is still being written" in answer.text
