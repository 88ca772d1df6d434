"""Fast detectors against slow, plain twins of what their docstrings say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detectors.control_charts import Cusum
from detectors.iqr import LEAST_RANGE, Iqr
from detectors.nearest_window import NearestWindow
from detectors.spectral_residual import GUESSED, SpectralResidual
from detectors.tails import Copod, Ecod
from detectors.windowed import Windowed
from series import FloatArray

N = 300


def samples() -> dict[str, FloatArray]:
    """Rows of what series do, in usual deviations."""
    rng = np.random.default_rng(11)
    noise, ramp = rng.normal(size=N), np.arange(float(N))
    return {
        "noise": noise,
        "wave": np.sin(ramp / 9) + 0.05 * noise,
        "walk": noise.cumsum() / 10,
        "rare": np.where(rng.random(N) < 0.03, 5.0, 0.0),
        "spikes": np.where(rng.random(N) < 0.02, 1e4, noise),
        "held": np.repeat(noise[: N // 4], 4),
        "nothing": np.zeros(N),
    }


def errors(detector: Windowed, row: FloatArray, span: int) -> FloatArray:
    """What the detector says of each window of one row, before any threshold."""
    windows = np.lib.stride_tricks.sliding_window_view(row.astype(np.float32)[None], span, axis=1)
    detector._allocate(1)
    return detector._learn_shape(np.zeros(1, dtype=np.intp), windows)[0]


def windows_of(row: FloatArray, span: int) -> list[FloatArray]:
    single = row.astype(np.float32).astype(np.float64)
    return [single[first : first + span] for first in range(len(row) - span + 1)]


def plain_saliency(window: FloatArray) -> float:
    slopes = [(window[-1] - window[-1 - back]) / back for back in range(1, GUESSED + 1)]
    guess = window[-GUESSED] + GUESSED * np.mean(slopes)
    spectrum = np.fft.fft([*window, *[guess] * GUESSED])
    log = np.log(np.abs(spectrum) + 1e-8)
    smooth = (np.roll(log, -1) + log + np.roll(log, 1)) / 3
    saliency = np.abs(np.fft.ifft(np.exp(log - smooth + 1j * np.angle(spectrum))))[: len(window)]
    return max(saliency[-1] / max(saliency[:-1].mean(), 1e-12) - 1, 0.0)


def plain_page(window: FloatArray) -> float:
    """Page's test from its definition: each sum that ends at the newest sample."""
    sums = [0.0]
    for side in (1, -1):
        sums += [float(np.sum(side * window[first:] - 0.5)) for first in range(len(window))]
    return max(sums)


def plain_fences(window: FloatArray) -> float:
    before = sorted(window[:-1])
    low, high = before[round(0.25 * (len(before) - 1))], before[round(0.75 * (len(before) - 1))]
    return max(window[-1] - high, low - window[-1], 0.0) / max(high - low, LEAST_RANGE)


@pytest.mark.parametrize("name", samples())
@pytest.mark.parametrize(
    ("detector", "twin", "span"),
    [
        (SpectralResidual(), plain_saliency, 64),
        (SpectralResidual(width=12), plain_saliency, 12),
        (SpectralResidual(width=13), plain_saliency, 13),
        (Cusum(), plain_page, 48),
        (Cusum(width=2), plain_page, 2),
        (Iqr(), plain_fences, 48),
    ],
    ids=["saliency", "saliency, odd length", "saliency, even length", "cusum", "cusum of two", "iqr"],
)
def test_says_what_its_twin_says(name: str, detector: Windowed, twin: Callable[[FloatArray], float], span: int) -> None:
    row = samples()[name]
    expected = [twin(window) for window in windows_of(row, span)]
    np.testing.assert_allclose(errors(detector, row, span), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", samples())
def test_nearest_window_is_the_least_of_all_distances(name: str) -> None:
    row, width, examples = samples()[name], 5, 7
    windows = windows_of(row, width)
    places = np.linspace(0, len(windows) - 1, examples).astype(int)
    expected = [
        min(float(np.linalg.norm(window - windows[place])) for place in places if abs(place - at) >= width)
        for at, window in enumerate(windows)
    ]
    found = errors(NearestWindow(width=width, examples=examples), row, width)
    # In single precision the square of a distance is a difference of squares.
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=3e-3 * max(1.0, np.abs(row).max()))


@pytest.mark.parametrize(("detector", "module", "name"), [(Ecod(), "ecod", "ECOD"), (Copod(), "copod", "COPOD")])
@pytest.mark.parametrize("kind", ["noise", "wave", "walk", "spikes"])
def test_tails_are_those_of_pyod(detector: Ecod, module: str, name: str, kind: str) -> None:
    """But that pyod sorts each place of the windows by itself, which leaves a few samples out of each."""
    row = samples()[kind]
    pyod = pytest.importorskip(f"pyod.models.{module}")
    rarity = errors(detector, row, 12) + detector.usual_[0]
    theirs = getattr(pyod, name)().fit(np.stack(windows_of(row, 12))).decision_scores_
    above = theirs > np.median(theirs)
    np.testing.assert_allclose(rarity[above], theirs[above], rtol=0.06)
