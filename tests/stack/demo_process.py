"""A demo that runs as a person starts it, on ports and in a folder of its own."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import requests

FloatArray = npt.NDArray[np.float64]

CHECKOUT = Path(__file__).parents[2]
PORTS = 6


class Demo:
    """A running `python -m demo`."""

    def __init__(self, state: Path, *options: str) -> None:
        self.state = state
        self.base = _free_range()
        command = [sys.executable, "-m", "demo", "--state", str(state), "--port-base", str(self.base), *options]
        self.output = state.with_suffix(".txt")
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(command, cwd=CHECKOUT, stdout=output, stderr=subprocess.STDOUT)

    @property
    def said(self) -> str:
        """What it has printed."""
        return self.output.read_text(encoding="utf-8")

    def url(self, index: int) -> str:
        return f"http://127.0.0.1:{self.base + index}"

    def wait(self, what: str, seconds: float, found: Callable[[], Any]) -> Any:
        """Poll until `found` gives something true."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if result := found():
                return result
            assert self.process.poll() is None, self.said
            time.sleep(0.5)
        raise AssertionError(f"{what} did not come within {seconds} s. It said:\n{self.said}")

    def wait_until_ready(self, seconds: float = 300) -> float:
        """Return when it was, in seconds since the epoch."""
        self.wait("ready", seconds, lambda: re.search(r"^ready after \d+ s", self.said, re.MULTILINE))
        return time.time()

    def run(self, *command: str) -> str:
        """Run a command of the checkout beside it; return what it printed."""
        words = [sys.executable, "-m", *command]
        done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def notifications(self) -> list[dict[str, Any]]:
        answer = requests.get(self.url(4) + "/api/notifications", timeout=10).json()
        return [one["notification"] for one in answer]

    def query(self, expression: str) -> list[dict[str, Any]]:
        answer = requests.get(self.url(0) + "/api/v1/query", params={"query": expression}, timeout=30)
        return list(answer.json()["data"]["result"])

    def samples(self, selector: str) -> FloatArray:
        """(n, 2): times and values of the one series that `selector`, with a range, selects."""
        (series,) = self.query(selector)
        return np.array(series["values"], dtype=np.float64)

    def processes(self) -> list[str]:
        """Command lines of everything that belongs to it: all name a port of its or its state folder."""
        mine = re.compile("|".join([re.escape(str(self.state)), *(str(self.base + index) for index in range(PORTS))]))
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if mine.search(command) and int(folder.name) != os.getpid():
                found.append(command)
        return found


@contextmanager
def running(state: Path, *options: str) -> Iterator[Demo]:
    demo = Demo(state, *options)
    try:
        yield demo
    finally:
        demo.process.terminate()
        demo.process.wait(60)


def _free_range() -> int:
    for base in range(24_000 + os.getpid() % 500 * 10, 32_000, 10):
        if all(_is_free(base + index) for index in range(PORTS)):
            return base
    raise AssertionError("no six free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
