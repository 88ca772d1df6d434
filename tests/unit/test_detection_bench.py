"""Grid, NAB score, report and files of the detection bench."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.adapters import detection_sets
from benchmarks.groups import group, groups, place, usual_step
from benchmarks.nab import best_nab_score, nab_score, worth

START = pd.Timestamp("2026-01-05")


def table(minutes: list[float], values: list[float], metric: str = "value") -> pd.DataFrame:
    times = START + pd.to_timedelta(minutes, unit="min")
    rows = {"series": "one", "metric": metric, "timestamp": times, "value": values}
    return pd.DataFrame(rows).assign(label=0, scored=True)


def test_each_row_is_answered_by_its_own_column() -> None:
    one = group("one", table([0, 1, 2, 4, 5], [1.0, 2.0, 3.0, 4.0, 5.0]))
    np.testing.assert_array_equal(one.window.values, [[1, 2, 3, np.nan, 4, 5]])
    assert one.column.tolist() == [0, 1, 2, 4, 5]


def test_repeated_and_backward_times_keep_their_order() -> None:
    one = group("one", table([0, 1, 3, 2, 2, 4], [1.0, 2.0, 4.0, 3.0, 9.0, 5.0]))
    np.testing.assert_array_equal(one.window.values, [[1, 2, 9, 4, 5]])
    assert one.column.tolist() == [0, 1, 3, 2, 2, 4]


def test_jitter_does_not_lose_a_sample() -> None:
    minutes = np.array([0, 1, 2.6, 3.4, 5, 6])
    assert place(minutes * 60, 60.0).tolist() == [0, 1, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("seconds", "step"), [([0, 60, 120, 300], 60), ([7], 1), ([0, 0.5, 1.0], 0.5), ([0, 60, 60, 121], 60)]
)
def test_usual_step(seconds: list[float], step: float) -> None:
    assert usual_step(np.array(seconds)) == step


def test_metrics_of_a_group_share_a_grid() -> None:
    both = pd.concat([table([0, 1, 2], [1.0, 2.0, 3.0], "a"), table([2, 1], [30.0, 20.0], "b")], ignore_index=True)
    one = group("one", both)
    np.testing.assert_array_equal(one.window.values, [[1, 2, 3], [np.nan, 20, 30]])
    assert len(one.rows) == 3


def test_groups_keep_the_order_of_the_input() -> None:
    rows = pd.concat([table([0, 1], [1.0, 2.0]).assign(series=name) for name in ("z", "a", "m")], ignore_index=True)
    assert [one.name for one in groups(rows)] == ["z", "a", "m"]
    assert [one.name for one in groups(rows, limit=2)] == ["z", "a"]


def nab_file() -> tuple[np.ndarray, list[tuple[np.datetime64, np.datetime64]], np.ndarray]:
    times = pd.date_range(START, periods=100, freq="5min").to_numpy()
    return times, [(times[50], times[59])], np.arange(100) >= 15


def test_nab_score_of_nothing_is_0_and_of_the_first_row_of_each_window_100() -> None:
    times, windows, judged = nab_file()
    rows = worth(times, windows, judged)
    nothing = np.zeros(85, bool)
    first = nothing.copy()
    first[50 - 15] = True
    assert nab_score([(rows, nothing)]) == 0
    assert nab_score([(rows, first)]) == pytest.approx(100)


def test_nab_score_takes_the_earliest_detection_and_charges_false_ones() -> None:
    times, windows, judged = nab_file()
    rows = worth(times, windows, judged)
    early, late, false = (np.zeros(85, bool) for _ in range(3))
    early[[37, 44]] = late[44] = True
    false[[37, 0, 80]] = True
    assert nab_score([(rows, late)]) < nab_score([(rows, early)]) < 100
    # Two false rows far from the window cost 0.11 each, of a range of 2.
    assert nab_score([(rows, early)]) - nab_score([(rows, false)]) == pytest.approx(11, abs=0.2)


def test_best_nab_score_is_that_of_the_best_threshold() -> None:
    times, windows, judged = nab_file()
    rows = worth(times, windows, judged)
    score = np.round(np.random.default_rng(1).gamma(1, 1, 85), 1)
    by_hand = {float(at): nab_score([(rows, score >= at)]) for at in set(score)}
    best, threshold = best_nab_score([(rows, score)])
    assert best == pytest.approx(max(by_hand.values()))
    assert by_hand[threshold] == pytest.approx(best)


def small_set(folder: Path) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    parts = []
    for name, metrics in (("lone", ["value"]), ("pair", ["cpu", "wait"])):
        for metric in metrics:
            values = 10 + rng.normal(0, 1, 4 * 288)
            values[1000:1012] = 60
            part = table([5.0 * row for row in range(4 * 288)], values.tolist(), metric).assign(series=name)
            rows = np.arange(len(part))
            parts.append(part.assign(label=((rows >= 1000) & (rows < 1012)).astype(np.int8), scored=rows >= 576))
    whole = pd.concat(parts, ignore_index=True)
    whole.to_parquet(folder / "series.parquet")
    incident = whole[whole["label"] > 0]["timestamp"]
    (folder / "windows.csv").write_text(f"series,start,end\nlone,{incident.min()},{incident.max()}\n")
    return whole


def test_the_command_answers_every_row_and_finds_the_plain_incident(tmp_path: Path) -> None:
    data, out = tmp_path / "small", tmp_path / "out"
    data.mkdir()
    rows = small_set(data)
    command = [sys.executable, "-m", "benchmarks.detection", "--data", str(data), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["pooled"]["start_recall"] == 1
    assert report["pooled"]["nab_standard_best"] > 90
    assert {"seconds", "series", "points", "peak_memory_mib", "sets"} <= report.keys()
    scores = pd.read_parquet(out / "scores.parquet")
    asked = pd.concat([rows[rows["series"] == "lone"], rows[(rows["series"] == "pair") & (rows["metric"] == "cpu")]])
    assert scores["series"].tolist() == asked["series"].tolist()
    np.testing.assert_array_equal(scores["timestamp"].to_numpy(), asked["timestamp"].to_numpy())
    blame = pd.read_parquet(out / "blame.parquet")
    assert set(blame["metric"]) == {"cpu", "wait"}


def test_a_folder_without_series_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="--data must name a folder"):
        list(detection_sets(tmp_path))
