"""Everything the demo starts, in order."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from demo import configure, show
from demo.announcements import Announcements
from demo.children import Children
from demo.incidents import SCHEDULE, Incident, placed
from demo.ports import HOST, Ports
from demo.receiver import Inbox, ReceiverServer

BLOCK = "60d"
"""Longer than the history, so that all of it stays in one head: cutting blocks would take both cores for a minute."""
POLL = 0.25


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    days: float = 14.0
    seed: int = 7
    incidents: bool = True
    minutes: float | None = None


class StartUpTooLong(Exception):
    """A process did not become ready in time."""


@contextmanager
def receiver(console: Console, state: configure.State, ports: Ports) -> Iterator[Inbox]:
    """Run the webhook receiver inside of this process, so that its notifications reach the terminal."""
    inbox = Inbox(state.notifications, lambda notification: show.arrived(console, notification))
    server = ReceiverServer(inbox, HOST, ports.receiver)
    try:
        yield inbox
    finally:
        server.close()


def start(children: Children, console: Console, state: configure.State, ports: Ports, options: Options) -> None:
    """Start all processes; return when the sidecar has judged every query once."""
    with _progress(console) as progress:
        servers = progress.add_task("Prometheus and Alertmanager", total=2)
        history = progress.add_task(f"{options.days:g} days of history", total=1.0)
        sidecar = progress.add_task("forethought learns what is normal", total=1)
        children.start("prometheus", _prometheus(state, ports))
        children.start("alertmanager", _alertmanager(state, ports))
        for name in ("prometheus", "alertmanager"):
            _wait(children, name, ports.url(name) + "/-/ready", seconds=30)
            progress.advance(servers)
        children.start("load", _load(ports, options))
        _wait_for_history(children, ports, lambda share: progress.update(history, completed=share))
        children.start("forethought", _sidecar(state, ports))
        _wait(children, "forethought", ports.url("sidecar") + "/-/healthy", seconds=60)
        _let_prometheus_see_the_sidecar(state, ports)
        _wait(children, "forethought", ports.url("sidecar") + "/-/ready", seconds=300)
        progress.advance(sidecar)


def begin_incidents(ports: Ports) -> tuple[Incident, ...]:
    """Let the schedule begin; return it on the clock."""
    answer = requests.post(ports.url("load") + "/-/start", timeout=10)
    answer.raise_for_status()
    return placed(SCHEDULE, float(answer.json()["started"]))


def watch(children: Children, announcements: Announcements, until: float) -> None:
    """Announce incidents until the time `until`, or until a process dies."""
    while (now := time.time()) < until:
        children.check()
        announcements.tell(now)
        time.sleep(POLL)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


def _let_prometheus_see_the_sidecar(state: configure.State, ports: Ports) -> None:
    configure.write_with_sidecar(state, ports)
    requests.post(ports.url("prometheus") + "/-/reload", timeout=30).raise_for_status()


def _wait_for_history(children: Children, ports: Ports, tell: Callable[[float], None]) -> None:
    def progress(answer: requests.Response) -> bool:
        tell(float(answer.json()["progress"]))
        return answer.ok

    _wait(children, "load", ports.url("load") + "/-/ready", seconds=300, done=progress)


def _wait(
    children: Children,
    name: str,
    url: str,
    *,
    seconds: float,
    done: Callable[[requests.Response], bool] = lambda answer: answer.ok,
) -> None:
    """Ask `url` until the answer says that the process is ready."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        children.check()
        with suppress(requests.ConnectionError):
            if done(requests.get(url, timeout=5)):
                return
        time.sleep(POLL)
    raise StartUpTooLong(f"{name} must be ready within {seconds:g} s. {url} was not; its log: {children.log(name)}")


def _prometheus(state: configure.State, ports: Ports) -> list[str | Path]:
    return [
        "prometheus",
        f"--config.file={state.prometheus}",
        f"--storage.tsdb.path={state.folder / 'prometheus'}",
        "--storage.tsdb.retention.time=90d",
        f"--storage.tsdb.min-block-duration={BLOCK}",
        f"--storage.tsdb.max-block-duration={BLOCK}",
        "--web.enable-remote-write-receiver",
        "--web.enable-lifecycle",
        f"--web.listen-address={HOST}:{ports.prometheus}",
        f"--web.external-url={ports.url('prometheus')}",
    ]


def _alertmanager(state: configure.State, ports: Ports) -> list[str | Path]:
    return [
        "prometheus-alertmanager",
        f"--config.file={state.alertmanager}",
        f"--storage.path={state.folder / 'alertmanager'}",
        f"--web.listen-address={HOST}:{ports.alertmanager}",
        f"--web.external-url={ports.url('alertmanager')}",
        "--cluster.listen-address=",  # empty, or it gossips on every interface
    ]


def _load(ports: Ports, options: Options) -> list[str | Path]:
    return [
        sys.executable,
        "-m",
        "demo.load",
        f"--port={ports.load}",
        f"--gateway-port={ports.gateway}",
        f"--remote-write-url={ports.url('prometheus')}/api/v1/write",
        f"--days={options.days}",
        f"--seed={options.seed}",
    ]


def _sidecar(state: configure.State, ports: Ports) -> list[str | Path]:
    return [
        sys.executable,
        "-m",
        "exporter",
        "run",
        f"--config.file={state.forethought}",
        f"--web.listen-address={HOST}:{ports.sidecar}",
        "--storage.path=",
    ]
