"""What the pictures of the dashboards are drawn from, and what the command says where it cannot draw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from grafana.ask import Dashboard
from grafana.preview import picture
from grafana.preview.__main__ import main
from grafana.preview.page import page, step_of

NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("span", "pixels", "step"), [(28_800, 1_600, 20), (28_800, 800, 30), (600, 800, 5), (9e6, 100, 43_200)]
)
def test_points_are_as_far_apart_as_grafana_would_have_them(span: float, pixels: float, step: int) -> None:
    assert step_of(span, pixels) == step


def drawn(folder: Path, panels: list[dict[str, object]], *titles: str) -> list[tuple[str, int]]:
    """Titles and places of a dashboard without queries."""
    path = folder / "dashboard.json"
    model = {"title": "a", "time": {"from": "now-6h", "to": "now"}, "templating": {"list": []}, "annotations": {}}
    path.write_text(json.dumps({**model, "panels": panels}))
    shown = page(Dashboard(path, NOWHERE, now=1e9), 1600, titles)
    return [(panel["title"], panel["gridPos"]["y"]) for panel in shown["panels"]]


def panel(title: str, y: int, h: int = 8) -> dict[str, object]:
    return {"type": "timeseries", "title": title, "gridPos": {"x": 0, "y": y, "w": 24, "h": h}}


def test_collapsed_rows_are_opened_and_push_down_what_follows(tmp_path: Path) -> None:
    row = {**panel("row", 8, 1), "type": "row", "collapsed": True, "panels": [panel("inside", 9), panel("too", 17)]}
    assert drawn(tmp_path, [panel("first", 0), row, panel("last", 9)]) == [
        ("first", 0),
        ("row", 8),
        ("inside", 9),
        ("too", 17),
        ("last", 25),
    ]


def test_chosen_panels_keep_their_headings_and_leave_no_gaps(tmp_path: Path) -> None:
    rows = [{**panel(title, y, 1), "type": "row"} for title, y in (("limits", 0), ("next", 17))]
    panels = [rows[0], panel("no limit", 1), panel("limit", 9), panel("beside", 9), rows[1], panel("limit 2", 18)]
    assert drawn(tmp_path, panels, "limit", "beside") == [
        ("limits", 0),
        ("limit", 1),
        ("beside", 1),
        ("next", 9),
        ("limit 2", 10),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((NOWHERE,), "must answer as a Prometheus"),
        ((NOWHERE, "--from", "yesterday"), "time must be now, now-6h or now+2h. Got 'yesterday'."),
        ((NOWHERE, "--var", "querry", "a"), "No dashboard has a variable querry."),
    ],
)
def test_what_cannot_be_drawn_is_one_line(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path)])
    assert done.exit_code == 1
    assert message in done.output
    assert done.output.count("\n") == 1


def test_a_missing_bundle_is_said_with_the_command_that_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "_BUNDLE", tmp_path / "none")
    with pytest.raises(picture.NotDrawn, match=r"Run: make dashboard-pictures$"):
        picture.draw({"panels": [], "width": 400}, tmp_path / "a.png")
