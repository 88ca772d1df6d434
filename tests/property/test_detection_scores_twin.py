"""The fast scoring functions against slow ones, written down from their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmarks.detection_scores import average_precision, delay_limited, runs, starts, vus_pr

FLAGS = arrays.arrays(np.bool_, st.integers(1, 60))


def runs_by_hand(flags: list[bool], breaks: list[bool]) -> list[list[int]]:
    found: list[list[int]] = []
    for row, flag in enumerate(flags):
        if flag and row > 0 and flags[row - 1] and not breaks[row]:
            found[-1][1] = row
        elif flag:
            found.append([row, row])
    return found


@given(st.data())
def test_runs(data: st.DataObject) -> None:
    flags = data.draw(FLAGS)
    breaks = data.draw(arrays.arrays(np.bool_, len(flags)))
    assert runs(flags, breaks).tolist() == runs_by_hand(flags.tolist(), breaks.tolist())
    assert runs(flags).tolist() == runs_by_hand(flags.tolist(), [False] * len(flags))


@given(st.data(), st.integers(0, 9))
def test_starts(data: st.DataObject, early: int) -> None:
    alarm = data.draw(FLAGS)
    label = data.draw(arrays.arrays(np.bool_, len(alarm)))
    calm = [False] * len(alarm)
    begun = [first for first, _ in runs_by_hand(alarm.tolist(), calm)]
    segments = runs_by_hand(label.tolist(), calm)
    right = [row for row in begun if any(first - early <= row <= last for first, last in segments)]
    found = [one for one in segments if any(one[0] - early <= row <= one[1] for row in begun)]
    counts = starts(alarm, label, early)
    assert (counts.segments, counts.found, counts.starts, counts.right) == (
        len(segments),
        len(found),
        len(begun),
        len(right),
    )


def test_starts_of_nothing() -> None:
    nothing = starts(np.zeros(5, bool), np.zeros(5, bool))
    assert nothing.f1 == 0
    assert np.isnan(nothing.recall)


def test_delay_limited_finds_a_segment_whole_or_not_at_all() -> None:
    label = np.array([0, 1, 1, 1, 1, 0, 1, 1, 1, 0], bool)
    alarm = np.array([1, 0, 0, 1, 0, 0, 0, 0, 1, 0], bool)
    unbroken = np.zeros(10, bool)
    assert delay_limited(alarm, label, unbroken, in_time=3).tolist() == [7, 1, 0]
    assert delay_limited(alarm, label, unbroken, in_time=2).tolist() == [0, 1, 7]
    broken = unbroken.copy()
    broken[8] = True  # a sample is missing before it: it is a segment of its own, and found at once
    assert delay_limited(alarm, label, broken, in_time=1).tolist() == [1, 1, 6]


def precision_by_hand(score: np.ndarray, label: np.ndarray) -> float:
    total = before = 0.0
    for threshold in sorted(set(score), reverse=True):
        told = score >= threshold
        recall = (told & label).sum() / label.sum()
        total += (recall - before) * (told & label).sum() / told.sum()
        before = recall
    return total


@given(st.data())
def test_average_precision(data: st.DataObject) -> None:
    label = data.draw(FLAGS)
    score = data.draw(arrays.arrays(np.float64, len(label), elements=st.sampled_from([0.0, 0.5, 1.0, 2.5])))
    if label.any():
        assert average_precision(score, label) == pytest.approx(precision_by_hand(score, label))
    else:
        assert np.isnan(average_precision(score, label))


def vus_by_hand(score: np.ndarray, label: np.ndarray, window: int, thresholds: int) -> float:
    """Row by row and threshold by threshold, from the definition."""
    n = len(score)
    segments = runs(label).tolist()
    ranked = np.sort(score)[::-1]
    areas = []
    for tolerance in range(window + 1):
        reach = tolerance // 2
        soft = label.astype(float)
        for first, last in segments:
            for row in range(max(first - reach, 0), first):
                soft[row] += np.sqrt(1 - (first - row) / tolerance)
            for row in range(last + 1, min(last + reach + 1, n)):
                soft[row] += np.sqrt(1 - (row - last) / tolerance)
        soft = np.minimum(soft, 1)
        merged: list[list[int]] = []
        for first, last in segments:
            if merged and merged[-1][1] >= first - reach:
                merged[-1][1] = last + reach
            else:
                merged.append([max(first - reach, 0), last + reach])
        area = before = 0.0
        for place in np.linspace(0, n - 1, thresholds).astype(int):
            told = score >= ranked[place]
            true = (soft * told).sum()
            weight = (soft * (told | label)).sum()
            recall = min(true / ((label.sum() + weight) / 2), 1)
            recall *= np.mean([told[first : last + 1].any() for first, last in merged])
            area += (recall - before) * true / told.sum()
            before = recall
        areas.append(area)
    return float(np.mean(areas))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 14))
def test_vus_pr(seed: int, window: int) -> None:
    rng = np.random.default_rng(seed)
    label = np.repeat(rng.random(12) < 0.3, rng.integers(1, 9, 12))
    score = np.round(rng.gamma(1, 1, len(label)) + label, 1)
    if label.any():
        assert vus_pr(score, label, window, 20) == pytest.approx(vus_by_hand(score, label, window, 20))


def test_perfect_scores_have_a_perfect_volume_and_random_ones_have_not() -> None:
    label = np.zeros(2000, bool)
    label[500:560] = label[1200:1300] = True
    rng = np.random.default_rng(0)
    assert vus_pr(label.astype(float), label, 0) > 0.99
    assert vus_pr(rng.random(2000), label) < 0.25
