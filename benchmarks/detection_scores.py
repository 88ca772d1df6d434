"""How good alarms and scores are against labels: pure functions of arrays.

Rows are those of one series that are judged, in order of time. A *segment* is a run of labelled rows, both ends
included in what the functions return.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

# Points before a labelled segment in which the start of an alarm is right already.
EARLY = 7
# Points from the start of a segment on within which it counts as found in time.
IN_TIME = 8
# TSB-AD's default sliding window, and its number of thresholds.
VUS_WINDOW = 100
VUS_THRESHOLDS = 250


def runs(flags: BoolArray, breaks: BoolArray | None = None) -> IntArray:
    """First and last row (n_runs, 2) of each run of true `flags`; a run also ends before a row in `breaks`.

    Examples
    --------
    >>> runs(np.array([0, 1, 1, 0, 1], bool)).tolist()
    [[1, 2], [4, 4]]
    """
    padded = np.concatenate([[False], flags, [False]])
    begins = padded[1:-1] & ~padded[:-2]
    ends = padded[1:-1] & ~padded[2:]
    if breaks is not None:
        cut = breaks & padded[1:-1]
        begins |= cut
        ends[:-1] |= cut[1:] & padded[1:-2]
    return np.stack([np.flatnonzero(begins), np.flatnonzero(ends)], axis=1)


@dataclass(frozen=True)
class Starts:
    """Counts of alarm starts and segments of one series; those of several series add up."""

    segments: int
    found: int
    starts: int
    right: int

    @property
    def recall(self) -> float:
        """Segments with a right start."""
        return self.found / self.segments if self.segments else float("nan")

    @property
    def precision(self) -> float:
        """Starts that are right."""
        return self.right / self.starts if self.starts else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision, 0 where nothing is right."""
        both = self.recall + self.precision
        return 2 * self.recall * self.precision / both if both > 0 else 0.0

    def __add__(self, other: Starts) -> Starts:
        mine, others = (vars(counts).values() for counts in (self, other))
        return Starts(*(a + b for a, b in zip(mine, others, strict=True)))


def starts(alarm: BoolArray, label: BoolArray, early: int = EARLY) -> Starts:
    """Compare the starts of alarms with labelled segments, for one series.

    A start is right from `early` points before a segment to the segment's end.

    Examples
    --------
    >>> starts(np.array([1, 0, 0, 0, 1, 1], bool), np.array([0, 0, 0, 0, 0, 1], bool), early=2)
    Starts(segments=1, found=1, starts=2, right=1)
    """
    segments, begun = runs(label), runs(alarm)[:, 0]
    inside = (begun[None, :] >= segments[:, :1] - early) & (begun[None, :] <= segments[:, 1:])
    return Starts(len(segments), int(inside.any(axis=1).sum()), len(begun), int(inside.any(axis=0).sum()))


def delays(alarm: BoolArray, label: BoolArray) -> IntArray:
    """Points from the start of each segment to its first alarm row, for segments that have one.

    Examples
    --------
    >>> delays(np.array([0, 0, 1, 0], bool), np.array([0, 1, 1, 0], bool)).tolist()
    [1]
    """
    first = [np.flatnonzero(alarm[begin : end + 1]) for begin, end in runs(label)]
    return np.array([rows[0] for rows in first if len(rows)], dtype=np.intp)


def delay_limited(alarm: BoolArray, label: BoolArray, broken: BoolArray, in_time: int = IN_TIME) -> IntArray:
    """Point counts (true positive, false positive, false negative) when a segment is found in time or not at all.

    Parameters
    ----------
    alarm, label : (n_rows,) bool
        Rows with a sample.
    broken : (n_rows,) bool
        Rows before which a sample is missing: they begin a segment of their own.
    in_time : int
        Points of a segment, from its first, in which an alarm must fall.

    References
    ----------
    AIOps challenge 2018, KPI anomaly detection: Xu et al. (2018), Unsupervised Anomaly Detection via Variational
    Auto-Encoder for Seasonal KPIs in Web Applications.
    """
    found = missed = 0
    for begin, end in runs(label, broken):
        hit = bool(alarm[begin : min(end + 1, begin + in_time)].any())
        found, missed = found + hit * (end - begin + 1), missed + (not hit) * (end - begin + 1)
    return np.array([found, int((alarm & ~label).sum()), missed], dtype=np.intp)


def point_f1(counts: IntArray) -> float:
    """F1 of (true positive, false positive, false negative); 0 where nothing is found.

    Examples
    --------
    >>> point_f1(np.array([2, 1, 1])).__round__(3)
    0.667
    """
    true, false, missed = (int(count) for count in counts)
    return 2 * true / (2 * true + false + missed) if true else 0.0


def average_precision(score: FloatArray, label: BoolArray) -> float:
    """Area under precision and recall as a step curve, equal scores taken together; NaN without a labelled row.

    Examples
    --------
    >>> average_precision(np.array([3.0, 2.0, 1.0]), np.array([True, False, True])).__round__(3)
    0.833
    """
    if not label.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    last = np.append(ranked[1:] != ranked[:-1], True)
    true = np.cumsum(label[order])[last]
    precision = true / (np.flatnonzero(last) + 1)
    return float(np.sum(np.diff(true, prepend=0) * precision) / label.sum())


def vus_pr(score: FloatArray, label: BoolArray, window: int = VUS_WINDOW, thresholds: int = VUS_THRESHOLDS) -> float:
    """Volume under the range-aware precision-recall surface; NaN without a labelled row.

    For each tolerance up to `window` the labels are extended on both sides by a slope of half of it; precision,
    recall and the share of segments touched then use the extended labels. The result is the mean, over the
    tolerances, of the areas under the curves. One sort serves all: for a tolerance, the true positives at each
    threshold are a running sum of the extended labels in order of score.

    References
    ----------
    Paparrizos et al. (2022), Volume Under the Surface: A New Accuracy Evaluation Measure for Time-Series Anomaly
    Detection; its parameters as in TSB-AD (Liu and Paparrizos, 2024).
    """
    if not label.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    at = ranked[np.linspace(0, len(score) - 1, thresholds).astype(int)]
    predicted = np.searchsorted(-ranked, -at, side="right")
    inner = np.cumsum(label[order])[predicted - 1]
    segments = runs(label)
    areas = []
    for tolerance in range(window + 1):
        extended = _extended(label, segments, tolerance)
        true = np.cumsum(extended[order])[predicted - 1]
        positive = (2 * label.sum() + true - inner) / 2
        recall = np.minimum(true / positive, 1) * _touched(score, segments, tolerance, at)
        areas.append(np.sum(np.diff(recall, prepend=0) * true / predicted))
    return float(np.mean(areas))


def _extended(label: BoolArray, segments: IntArray, tolerance: int) -> FloatArray:
    """Labels of 1 with slopes beside each segment, `tolerance` // 2 points long, adding up to 1 at most."""
    reach = tolerance // 2
    extended = label.astype(np.float64)
    if reach == 0:
        return extended
    slope = np.sqrt(1 - np.arange(1, reach + 1) / tolerance)
    for begin, end in segments:
        after, before = min(reach, len(label) - end - 1), min(reach, begin)
        extended[end + 1 : end + 1 + after] += slope[:after]
        extended[begin - before : begin] += slope[:before][::-1]
    return np.minimum(extended, 1)


def _touched(score: FloatArray, segments: IntArray, tolerance: int, at: FloatArray) -> FloatArray:
    """Share of the extended segments (merged where they meet) with a score of at least each threshold."""
    reach = tolerance // 2
    apart = segments[:-1, 1] + reach < segments[1:, 0] - reach
    begins = np.maximum(segments[np.append(True, apart), 0] - reach, 0)
    ends = np.minimum(segments[np.append(apart, True), 1] + reach, len(score) - 1)
    highest = np.sort([score[begin : end + 1].max() for begin, end in zip(begins, ends, strict=True)])
    return np.asarray(1 - np.searchsorted(highest, at, side="left") / len(highest))
