"""Other ways to find anomalies, run alone in the same harness: same walk, same alarms, same scoring."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable

import numpy as np

from benchmarks.groups import Group
from series import FloatArray

HISTORY = 14 * 86_400
REFIT = 86_400
# Share of the training scores that a model without a threshold of its own may call anomalous.
ORDINARY = 0.997
# Samples of one window of the windowed models.
WINDOW = 12

Fitted = Callable[[FloatArray], FloatArray]
"""Scores (n,) of the last n values of a row that begins with its history."""


def installed() -> dict[str, Callable[[Group], FloatArray]]:
    """Peers by name; those that need a package that is not there are left out, with a note."""
    peers: dict[str, Callable[[Group], FloatArray]] = {
        "textbook_seasonal_mad": lambda group: _walk(group, _seasonal_mad),
        "textbook_ewma": lambda group: _walk(group, _ewma),
        "textbook_spectral_residual": lambda group: _walk(group, _spectral_residual),
        "textbook_windowed_pca": lambda group: _walk(group, _windowed_pca),
    }
    if importlib.util.find_spec("sklearn"):
        peers["textbook_isolation_forest"] = lambda group: _walk(group, _isolation_forest)
    else:
        print("textbook_isolation_forest needs scikit-learn, which is not installed: left out.", file=sys.stderr)
    return peers


def _walk(group: Group, judge: Callable[[FloatArray, FloatArray, int], FloatArray]) -> FloatArray:
    """Judge each metric day by day from the trailing history, gaps filled with the value before."""
    values, step = group.window.values, group.window.step
    history, refit = max(1, round(HISTORY / step)), max(1, round(REFIT / step))
    a_day = max(1, round(86_400 / step))
    scores = np.where(np.isnan(values), np.nan, 0.0)
    for row, series in enumerate(values):
        filled = _filled(series)
        for start in range(group.first, len(series), refit):
            past, now = filled[max(0, start - history) : start], filled[start : start + refit]
            if len(past) > 4 * WINDOW:
                scores[row, start : start + refit] = judge(past, now, a_day)
    scores[np.isnan(values)] = np.nan
    return scores


def _filled(series: FloatArray) -> FloatArray:
    known = np.flatnonzero(np.isfinite(series))
    if len(known) == 0:
        return np.zeros_like(series)
    place = np.searchsorted(known, np.arange(len(series)), side="right") - 1
    return series[known[np.maximum(place, 0)]]


def _seasonal_mad(past: FloatArray, now: FloatArray, a_day: int) -> FloatArray:
    """Distance from the median of the time of day over 3 robust standard deviations of the history."""
    slot = np.arange(len(past) + len(now)) % a_day
    table = np.full((-(-len(past) // a_day), a_day), np.nan)
    table.ravel()[: len(past)] = past
    known = ~np.isnan(table).all(axis=0)
    centre = np.full(a_day, np.median(past))
    centre[known] = np.nanmedian(table[:, known], axis=0)
    residual = np.abs(past - centre[slot[: len(past)]])
    return np.abs(now - centre[slot[len(past) :]]) / _spread(3 * 1.4826 * np.median(residual), past)


def _ewma(past: FloatArray, now: FloatArray, _: int) -> FloatArray:
    """Distance from the exponential average over 3 exponential standard deviations (control chart, weight 0.1)."""
    mean, variance = float(np.mean(past[:WINDOW])), float(np.var(past))
    scores = np.empty(len(past) + len(now))
    for place, value in enumerate(np.concatenate([past, now])):
        scores[place] = abs(value - mean) / _spread(3 * variance**0.5, past[:1])
        mean, variance = mean + 0.1 * (value - mean), 0.9 * (variance + 0.1 * (value - mean) ** 2)
    return scores[len(past) :]


def _spectral_residual(past: FloatArray, now: FloatArray, _: int) -> FloatArray:
    """Saliency of the newest sample over 3 times its average (Ren et al. 2019), window of 128 samples."""
    joined = np.concatenate([past, now])
    if len(past) < 128:
        return np.zeros(len(now))
    windows = np.lib.stride_tricks.sliding_window_view(joined, 128)[-len(now) :]
    slope = (windows[:, -1:] - windows[:, -6:-1]) / np.arange(5, 0, -1)
    guess = windows[:, -5:-4] + slope.mean(axis=1, keepdims=True) * 5
    extended = np.concatenate([windows, np.repeat(guess, 5, axis=1)], axis=1)
    spectrum = np.fft.fft(extended, axis=1)
    log = np.log(np.abs(spectrum) + 1e-8)
    smooth = np.apply_along_axis(np.convolve, 1, log, np.ones(3) / 3, mode="same")
    saliency = np.abs(np.fft.ifft(np.exp(log - smooth + 1j * np.angle(spectrum)), axis=1))[:, :128]
    usual = saliency[:, -22:-1].mean(axis=1)
    return np.asarray(np.maximum(saliency[:, -1] - usual, 0) / (3 * usual + 1e-8))


def _windowed_pca(past: FloatArray, now: FloatArray, _: int) -> FloatArray:
    """Reconstruction error of the last 12 samples from 3 components, over its 99.7 % quantile in the history."""
    train, test = _windows(past, now)
    centre = train.mean(axis=0)
    axes = np.linalg.svd(train - centre, full_matrices=False).Vh
    errors = [
        np.linalg.norm((part - centre) - (part - centre) @ axes[:3].T @ axes[:3], axis=1) for part in (train, test)
    ]
    return np.asarray(errors[1] / _spread(float(np.quantile(errors[0], ORDINARY)), past))


def _isolation_forest(past: FloatArray, now: FloatArray, _: int) -> FloatArray:
    """Depth of the last 12 samples in 100 trees, over the 99.7 % quantile in the history."""
    ensemble = importlib.import_module("sklearn.ensemble")
    train, test = _windows(past, now)
    forest = ensemble.IsolationForest(n_estimators=100, random_state=0).fit(train)
    before, after = (0.5 - forest.decision_function(part) for part in (train, test))
    middle = float(np.median(before))
    return np.asarray(np.maximum(after - middle, 0) / max(float(np.quantile(before, ORDINARY)) - middle, 1e-9))


def _windows(past: FloatArray, now: FloatArray) -> tuple[FloatArray, FloatArray]:
    view = np.lib.stride_tricks.sliding_window_view(np.concatenate([past, now]), WINDOW)
    return view[: -len(now)], view[-len(now) :]


def _spread(spread: float, values: FloatArray) -> float:
    """A spread that is not 0: a constant series would divide by it."""
    return max(spread, 1e-6 * abs(float(values[-1])), 1e-9)
