"""One table of every set from what the detection bench printed.

    python -m benchmarks.detection_table FILE... [--page docs/quality-detection.md]

A FILE is the output of one run of `python -m benchmarks.detection`, whose last line is its JSON object. Runs may hold
different sets and detectors; where two hold the same, the later file counts. Runs on a part of a set (``--limit``) get
a table of their own, beside the ensemble on the same part. Prints Markdown, or puts it into a page after its mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import orjson

from detectors.by_name import BY_NAME

MARK = "<!-- What follows is written by python -m benchmarks.detection_table. -->\n"
COLUMNS = {
    "start_recall": "event recall",
    "start_precision": "precision",
    "start_f1": "start F1",
    "false_starts_per_day": "false starts a day",
    "delay_limited_f1": "delay-limited F1",
    "vus_pr": "VUS-PR",
    "seconds": "CPU seconds",
}
BEST_IS_HIGHEST = ("start_f1", "delay_limited_f1", "vus_pr")
OURS = "ensemble"

Figures = dict[str, Any]
Part = tuple[str, int]
"""Name of a set, and how many of its groups were judged."""


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--page", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Put it here.")
def main(files: tuple[Path, ...], page: Path | None) -> None:
    """Read the outputs and write the tables."""
    text = tables(read(files))
    if page is None:
        click.echo(text)
        return
    head, mark, _ = page.read_text(encoding="utf-8").partition(MARK)
    if not mark:
        raise click.ClickException(f"{page} must hold the line {MARK.strip()!r}.")
    page.write_text(f"{head}{mark}\n{text}\n", encoding="utf-8")


def read(files: Iterable[Path]) -> dict[Part, dict[str, Figures]]:
    """Figures of every scorer on every part of a set."""
    found: dict[Part, dict[str, Figures]] = {}
    for file in files:
        report = orjson.loads(file.read_bytes().rstrip().rpartition(b"\n")[2])
        for name, scorer in {OURS: report, **report.get("peers", {})}.items():
            for one, figures in scorer["sets"].items():
                found.setdefault((one, figures["groups"]), {})[name] = figures
    return found


def tables(found: dict[Part, dict[str, Figures]]) -> str:
    """Markdown: the ensemble beside the best other of each set, then a section a set, whole before its parts."""
    titles = _titles(found)
    sections = [f"## {title}\n\n{_table(found[part])}" for part, title in titles.items()]
    return "\n\n".join([f"## Ensemble and best other\n\n{_summary(found, titles)}", *sections])


def _titles(found: dict[Part, dict[str, Figures]]) -> dict[Part, str]:
    whole = {one: max(groups for name, groups in found if name == one) for one, _ in found}
    ordered = sorted(found, key=lambda part: (part[0], -part[1]))
    return {
        (one, groups): f"{one}, {groups} groups" if groups == whole[one] else f"{one}, its first {groups} groups"
        for one, groups in ordered
    }


def _summary(found: dict[Part, dict[str, Figures]], titles: dict[Part, str]) -> str:
    heads = [COLUMNS[column] for column in BEST_IS_HIGHEST]
    lines = ["| | " + " | ".join(f"{head} | best other" for head in heads) + " |"]
    lines.append("|---|" + "---|---|" * len(heads))
    for part, title in titles.items():
        others = {name: figures for name, figures in found[part].items() if name != OURS}
        cells = []
        for column in BEST_IS_HIGHEST if others else ():
            best = max(others, key=lambda name: float(others[name][column]))
            highest = max(found[part][OURS][column], others[best][column])
            cells.append(_cell(found[part][OURS][column], column, highest))
            cells.append(f"{_cell(others[best][column], column, highest)} {_shown(best)}")
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _shown(name: str) -> str:
    return name.replace("_", " ") if name.startswith("textbook") else f"`{name}`"


def _table(scorers: dict[str, Figures]) -> str:
    best = {column: max(figures[column] for figures in scorers.values()) for column in BEST_IS_HIGHEST}
    lines = [f"| scorer | {' | '.join(COLUMNS.values())} |", "|---|" + "---|" * len(COLUMNS)]
    for name in sorted(scorers, key=_place):
        cells = [_cell(scorers[name][column], column, best.get(column)) for column in COLUMNS]
        lines.append(f"| {_shown(name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _place(name: str) -> tuple[int, str]:
    """The ensemble, its and other detectors in the order of docs/detectors.md, then textbook rules."""
    names = list(BY_NAME)
    return (names.index(name) if name in names else len(names), name)


def _cell(value: float | None, column: str, best: float | None) -> str:
    if value is None:  # NaN in JSON: no start, no precision
        return "-"
    if column == "seconds":
        return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
    text = f"{value:.2f}" if column == "false_starts_per_day" else f"{value:.3f}"
    return f"**{text}**" if value == best else text


if __name__ == "__main__":
    main()
