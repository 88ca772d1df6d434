"""The score of the Numenta Anomaly Benchmark, standard profile.

In a window only the earliest detection counts, the more the earlier it is; a window without one costs 1, a detected
row outside of all windows up to 0.11, less right after a window. 0 is a detector that never says anything, 100 a
perfect one.

References
----------
Lavin and Ahmad (2015), Evaluating Real-Time Anomaly Detection Algorithms: the Numenta Anomaly Benchmark.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.detection_scores import BoolArray, FloatArray, IntArray

FALSE_POSITIVE = 0.11
MISSED = 1.0


@dataclass(frozen=True, eq=False)
class NabRows:
    """What each judged row of a series is worth if detected.

    Attributes
    ----------
    window : (n_rows,) intp
        Number of the window it lies in, -1 outside.
    worth : (n_rows,) float64
        Up to 1 inside of a window, down to -0.11 outside.
    windows : int
        Windows with a judged row.
    """

    window: IntArray
    worth: FloatArray
    windows: int


def worth(
    times: npt.NDArray[np.datetime64], windows: list[tuple[np.datetime64, np.datetime64]], judged: BoolArray
) -> NabRows:
    """Worth of the rows of one file, in the order of the file; rows that are not `judged` are left out."""
    rows = np.arange(len(times))
    window = np.full(len(times), -1)
    value = np.full(len(times), _sigmoid(np.array([3.0]))[0] * FALSE_POSITIVE)
    for number, (start, end) in enumerate(sorted(windows)):
        inside = np.flatnonzero((times >= start) & (times <= end))
        if len(inside) == 0:
            continue
        left, right = inside[0], inside[-1]
        length = right - left + 1
        after = rows > right
        past = (rows[after] - right) / max(length - 1, 1)
        value[after] = _sigmoid(np.minimum(past, 3.0)) * FALSE_POSITIVE
        window[left : right + 1] = number
        value[left : right + 1] = (
            _sigmoid(-(right - rows[left : right + 1] + 1) / length) / _sigmoid(np.array([-1.0]))[0]
        )
    kept = window[judged]
    return NabRows(kept, value[judged], len(np.unique(kept[kept >= 0])))


def nab_score(files: list[tuple[NabRows, BoolArray]]) -> float:
    """Score of the detections (n_rows,) in each file; NaN where there is no window at all."""
    total, windows = 0.0, sum(rows.windows for rows, _ in files)
    for rows, detected in files:
        best = np.full(int(rows.window.max(initial=-1)) + 2, -MISSED)
        hits = detected & (rows.window >= 0)
        np.maximum.at(best, rows.window[hits], rows.worth[hits])
        total += best[np.unique(rows.window[rows.window >= 0])].sum() + rows.worth[detected & (rows.window < 0)].sum()
    return 100 * (total + MISSED * windows) / (windows * (1 + MISSED)) if windows else float("nan")


def best_nab_score(files: list[tuple[NabRows, FloatArray]]) -> tuple[float, float]:
    """Highest score that one threshold for all files reaches, and that threshold, as published figures are made."""
    at, gain = [], []
    for rows, score in files:
        known = ~np.isnan(score)
        order = np.flatnonzero(known)[np.argsort(-score[known], kind="stable")]
        best = np.full(int(rows.window.max(initial=-1)) + 2, -MISSED)
        for row in order:
            number, value = rows.window[row], rows.worth[row]
            step = value if number < 0 else max(0.0, value - best[number])
            best[number] = max(best[number], value)
            at.append(score[row])
            gain.append(step)
    windows = sum(rows.windows for rows, _ in files)
    order = np.argsort(-np.array(at), kind="stable")
    total, threshold = np.cumsum(np.array(gain)[order]), np.array(at)[order]
    last = np.append(threshold[1:] != threshold[:-1], True)  # rows of one score are detected together
    place = np.flatnonzero(last)[total[last].argmax()]
    return 100 * float(total[place]) / (windows * (1 + MISSED)), float(threshold[place])


def _sigmoid(position: FloatArray) -> FloatArray:
    """1 well before the end of a window, 0 at its end, -1 well after it."""
    return np.asarray(2 / (1 + np.exp(5 * position)) - 1)
