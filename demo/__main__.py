"""`python -m demo`: the whole loop on real servers, until Ctrl-C."""

from __future__ import annotations

import fcntl
import math
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click
import requests
from rich.console import Console

from demo import configure, show, stack
from demo.announcements import Announcements, planted_at
from demo.children import ChildDied, Children
from demo.incident_command import incident
from demo.invocation import python
from demo.ports import Ports, choose

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SERVERS = ("prometheus", "prometheus-alertmanager")

EXAMPLES = f"""\b
Examples:
  {python()} -m demo                       the whole half hour
  {python()} -m demo --no-incidents        a quiet platform: watch that nothing alerts
  {python()} -m demo --days 3 --minutes 5  sooner ready, with less to learn from
  {python()} -m demo incident --help       let something go wrong in a demo that runs
"""


class CannotStart(click.ClickException):
    """Something is missing or taken; said in one line."""


@click.group(epilog=EXAMPLES, invoke_without_command=True)
@click.option("--minutes", type=click.FloatRange(min=0), help="End by itself so long after it is ready.")
@click.option("--no-incidents", is_flag=True, help="Let nothing go wrong: nothing should alert then.")
@click.option("--days", type=click.FloatRange(2, 28), default=14, show_default=True, help="Days of history to make up.")
@click.option("--port-base", type=click.IntRange(1_024, 65_000), help="Take consecutive ports from here on.")
@click.option("--seed", type=click.IntRange(min=0), default=7, show_default=True, help="Seed of everything random.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=configure.CHECKOUT / ".demo",
    help="Folder for configurations, data and logs; emptied at the start.  [default: .demo in the checkout]",
)
@click.pass_context
def main(
    context: click.Context,
    minutes: float | None,
    no_incidents: bool,
    days: float,
    port_base: int | None,
    seed: int,
    state: Path,
) -> None:
    """Show forethought at work, on real servers.

    Starts a Prometheus with two weeks of history, an Alertmanager, a made-up pipeline platform of 60 workloads in
    which things go wrong on a schedule, forethought beside them, and a receiver that shows every notification.
    Ctrl-C ends all of it.
    """
    if context.invoked_subcommand:
        return
    console = Console()
    options = stack.Options(days=days, seed=seed, incidents=not no_incidents, minutes=minutes)
    wanted = Ports.from_base(port_base) if port_base else Ports()
    try:
        with _signals_as_interrupt(), _own(state) as folder:
            _run(console, configure.State(folder), wanted, options)
    except KeyboardInterrupt:
        console.print("stopped; nothing is left running")
    except ChildDied as error:
        show.died(console, error)
        sys.exit(1)
    except (stack.StartUpTooLong, requests.RequestException, OSError) as error:
        raise CannotStart(str(error)) from error


def _run(console: Console, state: configure.State, wanted: Ports, options: stack.Options) -> None:
    began = time.monotonic()
    _require_servers()
    ports, moved = choose(wanted)
    show.moved(console, moved)
    configure.write_all(state, ports)
    with stack.receiver(console, state, ports), Children(state.logs, configure.CHECKOUT) as children:
        stack.start(children, console, state, ports, options)
        show.ready(console, ports, time.monotonic() - began)
        incidents = stack.begin_incidents(ports) if options.incidents else ()
        show.timetable(console, incidents)
        until = math.inf if options.minutes is None else time.time() + 60 * options.minutes
        announcements = Announcements(console, incidents, lambda: planted_at(ports.url("load")))
        stack.watch(children, announcements, until)
    console.print("time is up; nothing is left running")


def _require_servers() -> None:
    missing = [name for name in SERVERS if shutil.which(name) is None]
    if missing:
        raise CannotStart(
            f"These programs must be on the PATH: {', '.join(missing)}. "
            "On Debian: sudo deploy/install-servers.sh prometheus alertmanager"
        )


@contextmanager
def _own(folder: Path) -> Iterator[Path]:
    """Hold an empty state folder that no other demo uses."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(f"{folder} must not be in use. Another demo runs there; end it first.") from error
        _empty(folder)
        yield folder


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()
    (folder / "logs").mkdir()


@contextmanager
def _signals_as_interrupt() -> Iterator[None]:
    """Turn the first signal that asks for the end into KeyboardInterrupt; a second must not disturb the cleaning up."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


main.add_command(incident)

if __name__ == "__main__":
    main()
