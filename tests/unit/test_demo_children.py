"""The demo's processes end with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo.children import ChildDied, Children

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]
FORKS = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)",
]


@pytest.fixture
def children(tmp_path: Path) -> Children:
    return Children(tmp_path, tmp_path)


def said(children: Children, name: str) -> str:
    """What a child printed first."""
    for _ in range(100):
        if text := children.log(name).read_text():
            return text
        time.sleep(0.05)
    raise AssertionError(f"{name} said nothing")


def check_for_a_while(children: Children) -> None:
    for _ in range(100):
        children.check()
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    for _ in range(100):
        if not alive(pid):
            return
        time.sleep(0.05)
    raise AssertionError(f"{pid} still runs")


def test_a_child_that_does_not_listen_is_killed(children: Children) -> None:
    with children:
        children.start("deaf", DEAF)
        children.start("sleep", SLEEP)
        said(children, "deaf")
        began = time.monotonic()
        children.stop(patience=0.5)
        assert time.monotonic() - began < 3
    children.check()


def test_what_a_child_started_ends_too(children: Children) -> None:
    with children:
        children.start("forks", FORKS)
        grandchild = int(said(children, "forks"))
        assert alive(grandchild)
    wait_until_gone(grandchild)


def test_a_child_that_ends_is_named_with_its_last_words(children: Children) -> None:
    with children:
        children.start("brief", [sys.executable, "-c", "print('first\\nlast words'); raise SystemExit(3)"])
        with pytest.raises(ChildDied, match=r"^brief must run as long as the demo. It ended with status 3; ") as died:
            check_for_a_while(children)
    assert died.value.last_lines == ["first", "last words"]


def test_a_killed_parent_leaves_nothing(tmp_path: Path) -> None:
    script = f"""
import sys, time
from pathlib import Path
from demo.children import Children
children = Children(Path({str(tmp_path)!r}), Path({str(tmp_path)!r}))
children.start("child", [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"])
print("started", flush=True)
time.sleep(60)
"""
    checkout = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", script], cwd=checkout, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        child = int(said(Children(tmp_path, tmp_path), "child"))
        os.kill(parent.pid, signal.SIGKILL)
    wait_until_gone(child)
