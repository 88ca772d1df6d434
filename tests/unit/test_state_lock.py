"""One process a folder for state: the second is refused, and a killed one leaves nothing in the way."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import subprocess
import sys
import time
import urllib.request

import pytest

from benchmarks.startup import free_port
from exporter.state.errors import StateError
from exporter.state.lock import FolderLock
from exporter.state.snapshot import Signature
from exporter.wiring import make_state
from series import Grid
from series.store import RingStore

CONFIG = "source: {url: 'http://127.0.0.1:1'}\nqueries: [{name: up, query: up}]\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "forethought.yml").write_text(CONFIG)
    return tmp_path


@contextlib.contextmanager
def running(folder):
    """A service that answers."""
    port = free_port()
    with subprocess.Popen(command(folder, port), stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/-/healthy"):
                    break
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


def command(folder, port):
    flags = [f"--config.file={folder}/forethought.yml", f"--storage.path={folder}/state"]
    return [sys.executable, "-m", "exporter", "run", *flags, f"--web.listen-address=127.0.0.1:{port}"]


class Kept:
    """A query that knows nothing yet."""

    def __init__(self):
        self.store = RingStore(step=60, n_steps=2)
        self.store.advance(Grid(0, 60, 2))

    def dump(self, number):
        return {}


def test_a_second_process_is_refused_and_one_after_a_kill_is_not(folder):
    with running(folder) as first:
        second = subprocess.run(command(folder, 0), capture_output=True, text=True, timeout=60)
        assert second.returncode == 2
        (line,) = second.stderr.splitlines()
        assert f"{folder}/state: must be used by one process. It is in use by process {first.pid} on " in line
        assert "--storage.path" in line
        (folder / "forethought.yml").write_text("nonsense: 1")
        third = subprocess.run(command(folder, 0), capture_output=True, text=True, timeout=60)
        assert third.returncode == 2
        assert "nonsense: is not a known key" in third.stderr
        (folder / "forethought.yml").write_text(CONFIG)
        check = [sys.executable, "-m", "exporter", "check-config", f"--config.file={folder}/forethought.yml"]
        assert subprocess.run(check, capture_output=True, timeout=60).returncode == 0
    with running(folder) as third:
        assert third.pid != first.pid


def test_a_lock_that_was_let_go_is_free(tmp_path):
    first = FolderLock(tmp_path / "state")
    with pytest.raises(StateError, match=rf"in use by process {os.getpid()} on "):
        FolderLock(tmp_path / "state")
    first.release()
    FolderLock(tmp_path / "state").release()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_warned_of_and_used(tmp_path, monkeypatch, capsys, number):
    def refuse(descriptor, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    lock = FolderLock(tmp_path)
    lock.hold()
    assert (tmp_path / "lock").read_text().startswith(f"{os.getpid()} on ")
    assert capsys.readouterr().out.count("knows no locks") == 1
    lock.release()


def test_any_other_refusal_of_the_system_stops_the_start(tmp_path, monkeypatch):
    def refuse(descriptor, operation):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StateError, match="Input/output error"):
        FolderLock(tmp_path)


def test_a_folder_that_was_removed_is_taken_again_unless_another_process_has_it(tmp_path):
    path, kept = tmp_path / "state", Kept()
    lock = FolderLock(path)
    state = make_state(path, lock)
    shutil.rmtree(path)
    state.save("up", Signature("", ""), kept)
    with pytest.raises(StateError, match="in use"):
        FolderLock(path)
    shutil.rmtree(path)
    other = FolderLock(path)
    with pytest.raises(StateError, match="in use"):
        state.save("up", Signature("", ""), kept)
    assert not list(path.glob("*.state"))
    other.release()
    state.save("up", Signature("", ""), kept)
    assert list(path.glob("*.state"))
    lock.release()
