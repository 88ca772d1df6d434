"""The tables of docs/quality-detection.md from what benches print."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from benchmarks.detection_table import MARK, main, read, tables


def figures(f1: float, groups: int = 4, **others: object) -> dict[str, object]:
    plain = {"start_recall": 0.5, "start_precision": 0.25, "start_f1": f1, "false_starts_per_day": 0.125}
    return {**plain, "delay_limited_f1": 0.1, "vus_pr": 0.3, "seconds": 12.3, "groups": groups, **others}


def output(path: Path, ours: dict[str, object], peers: dict[str, dict[str, object]]) -> Path:
    report = {"sets": ours, "peers": {name: {"sets": sets} for name, sets in peers.items()}}
    path.write_bytes(b"a line for people\n" + orjson.dumps(report) + b"\n")
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [
        output(tmp_path / "1", {"nab": figures(0.5)}, {"iqr": {"nab": figures(0.9)}, "ewma": {"nab": figures(0.2)}}),
        output(tmp_path / "2", {"nab": figures(0.4)}, {"textbook_ewma": {"nab": figures(0.1)}}),
        output(
            tmp_path / "3",
            {"nab": figures(0.7, 3)},
            {"knn": {"nab": figures(0.1, 3, start_precision=None, seconds=1.23)}},
        ),
    ]


def test_each_part_of_a_set_has_a_table_and_the_later_file_counts(files: list[Path]) -> None:
    lines = tables(read(files)).splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "## Ensemble and best other",
        "## nab, 4 groups",
        "## nab, its first 3 groups",
    ]
    names = [line.split(" | ")[0].strip("| ") for line in lines if line.startswith("| ")]
    assert names[3:] == ["scorer", "`ensemble`", "`ewma`", "`iqr`", "textbook ewma", "scorer", "`ensemble`", "`knn`"]
    assert (
        "| nab, 4 groups | 0.400 | **0.900** `iqr` | **0.100** | **0.100** `iqr` | **0.300** | **0.300** `iqr` |"
        in lines
    )
    assert "| `ensemble` | 0.500 | 0.250 | 0.400 | 0.12 | **0.100** | **0.300** | 12 |" in lines
    assert "| `iqr` | 0.500 | 0.250 | **0.900** | 0.12 | **0.100** | **0.300** | 12 |" in lines
    assert "| `knn` | 0.500 | - | 0.100 | 0.12 | **0.100** | **0.300** | 1.2 |" in lines


def test_a_page_keeps_what_stands_before_the_mark(files: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{MARK}\nold figures\n")
    for _ in range(2):
        assert CliRunner().invoke(main, [*map(str, files), "--page", str(page)]).exit_code == 0
    assert page.read_text() == f"# Title\n\n{MARK}\n{tables(read(files))}\n"


def test_a_page_without_the_mark_is_left_alone(files: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n")
    result = CliRunner().invoke(main, [str(files[0]), "--page", str(page)])
    assert result.exit_code == 1
    assert re.search(r"must hold the line '<!-- What follows", result.output)
    assert page.read_text() == "# Title\n"
