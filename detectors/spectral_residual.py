"""What stands out of the spectrum of the last while."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from detectors.checks import at_least
from detectors.windowed import Rows, Single, Windowed
from series import FloatArray

# Values that are guessed after the newest, so that it does not lie at the edge; the slope is taken from as many.
GUESSED = 5
Places = npt.NDArray[np.intp]

# Added to a magnitude before its logarithm: a frequency that is not there has one too.
LEAST_MAGNITUDE = np.float32(1e-8)
# In the place of a magnitude of 0, which nothing can be divided by.
SMALLEST = 1e-30


@dataclass(kw_only=True, eq=False)
class SpectralResidual(Windowed):
    r"""Saliency of the newest sample: how much is left of it without the smooth part of the window's spectrum.

    After the newest sample five guesses are put, by the slope of those before it, so that it does not lie at the edge.
    Each frequency keeps its phase, and of its log magnitude what lies above the mean of three neighbours. The
    saliency :math:`S` of a sample is the magnitude of what then comes back, and the score

    .. math:: S_n / \overline{S_{1..n-1}} - 1

    Guesses and spectrum are one product with a matrix, and so is the way back: with some dozens of samples that takes a
    third of a fast Fourier transform's time. See `Windowed` for the other arguments.

    Parameters
    ----------
    width : int, default 64
        Samples of a window, 12 or more.

    References
    ----------
    Ren et al. (2019), Time-Series Anomaly Detection Service at Microsoft.
    """

    width: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, width=12)

    def _span(self) -> int:
        return self.width

    def _errors(self, rows: Rows, windows: Single) -> FloatArray:
        errors = np.empty(windows.shape[:2])
        for position, own in enumerate(windows):  # those of one series stay in the processor's cache
            saliency = _saliency(own.T)
            usual = saliency[:-1].mean(axis=0)
            errors[position] = np.maximum(saliency[-1] / np.maximum(usual, 1e-12) - 1, 0.0)
        return errors


def _saliency(windows: Single) -> Single:
    """(width, n_windows) of (width, n_windows)."""
    there, back, below, above = _transforms(len(windows))
    # In double precision, as a frequency that is not there would else be the rounding of those that are.
    spectrum = (there @ windows.astype(np.float64)).astype(np.float32)
    real, imaginary = np.split(spectrum, 2)
    size = np.sqrt(real * real + imaginary * imaginary)
    nothing = size == 0
    if nothing.any():
        real[nothing] = size[nothing] = SMALLEST  # of phase 0
    magnitude = size + LEAST_MAGNITUDE
    # The exponential of a log magnitude less the mean of three is a ratio to a cube root.
    gain = magnitude / (np.cbrt(magnitude[below] * magnitude * magnitude[above]) * size)
    real *= gain
    imaginary *= gain
    return np.asarray(np.abs(back @ spectrum))


@lru_cache(maxsize=4)
def _transforms(width: int) -> tuple[FloatArray, Single, Places, Places]:
    """How to get from a window to the spectrum of it and its guesses, and back.

    Returns
    -------
    there : (2 * n_bins, width) float64
        Real, then imaginary parts of the frequencies of 0 and above; those below mirror them.
    back : (width, 2 * n_bins) float32
    below, above : (n_bins,) intp
        Neighbours of each frequency.
    """
    length = width + GUESSED
    n_bins = length // 2 + 1
    slope = np.zeros(width)
    slope[-1 - GUESSED : -1] = -1 / np.arange(GUESSED, 0, -1) / GUESSED
    slope[-1] = -slope.sum()
    guess = GUESSED * slope
    guess[-GUESSED] += 1
    forward = np.fft.rfft(np.concatenate([np.eye(width), np.repeat(guess[:, None], GUESSED, axis=1)], axis=1)).T
    there = np.concatenate([forward.real, forward.imag])
    unit = np.eye(n_bins)
    back = np.fft.irfft(np.concatenate([unit, 1j * unit]), length)[:, :width].T.astype(np.float32)
    frequency = np.arange(n_bins)
    return there, back, np.abs(frequency - 1), np.minimum(frequency + 1, length - frequency - 1)
