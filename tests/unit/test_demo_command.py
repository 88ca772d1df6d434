"""The demo's command line."""

import fcntl
from pathlib import Path

import pytest
from click.testing import CliRunner

from demo.__main__ import main
from demo.invocation import python


def test_help_teaches_by_examples_one_on_each_line() -> None:
    lines = CliRunner().invoke(main, ["--help"]).output.splitlines()
    assert f"    {python()} -m demo --no-incidents        a quiet platform: watch that nothing alerts" in lines


def test_commands_name_the_interpreter_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "my venv/bin/python"))
    assert python() == f"'{tmp_path}/my venv/bin/python'"
    monkeypatch.chdir(tmp_path)
    assert python() == "'my venv/bin/python'"
    monkeypatch.setattr("sys.executable", str(tmp_path / ".venv/bin/python"))
    assert python() == ".venv/bin/python"


@pytest.mark.parametrize(
    "options", [["--days", "1"], ["--days", "x"], ["--port-base", "80"], ["--seed", "-1"], ["--nope"]]
)
def test_a_bad_option_is_refused_with_status_2(options: list[str]) -> None:
    result = CliRunner().invoke(main, options)
    assert result.exit_code == 2
    assert "Error: " in result.output


def test_missing_programs_are_named_with_the_command_that_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(main, ["--state", str(tmp_path / "state")])
    assert result.exit_code == 1
    assert result.output == (
        "Error: These programs must be on the PATH: prometheus, prometheus-alertmanager. "
        "On Debian: sudo deploy/install-servers.sh prometheus alertmanager\n"
    )


def test_leftovers_of_a_crashed_run_are_cleared_and_a_running_one_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "state" / "prometheus" / "wal").mkdir(parents=True)
    (tmp_path / "state" / "notifications.json").write_text("[]")
    with (tmp_path / "state" / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = CliRunner().invoke(main, ["--state", str(tmp_path / "state")])
        assert "must not be in use" in result.output
        assert (tmp_path / "state" / "notifications.json").exists()
    CliRunner().invoke(main, ["--state", str(tmp_path / "state")])
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["lock", "logs"]


def test_a_state_folder_that_cannot_be_made_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(main, ["--state", str(tmp_path / "file" / "state")])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert len(result.output.splitlines()) == 1
