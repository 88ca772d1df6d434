"""What stands out of the spectrum of the last while."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.checks import at_least
from detectors.windowed import Rows, Single, Windowed
from series import FloatArray

# Values that are guessed after the newest, so that it does not lie at the edge; the slope is taken from as many.
GUESSED = 5
# Neighbours over which the log spectrum is averaged.
SMOOTHED = 3


@dataclass(kw_only=True, eq=False)
class SpectralResidual(Windowed):
    """Saliency of the newest sample: how much is left of it without the smooth part of the window's spectrum.

    See `Windowed` for the other arguments.

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
        saliency = _saliency(windows.astype(np.float64))
        usual = saliency[..., :-1].mean(axis=-1)
        return np.asarray(np.maximum(saliency[..., -1] / np.maximum(usual, 1e-12) - 1, 0.0))


def _saliency(windows: FloatArray) -> FloatArray:
    """(..., width) of (..., width)."""
    back = np.arange(GUESSED, 0, -1)
    slope = ((windows[..., -1:] - windows[..., -1 - GUESSED : -1]) / back).mean(axis=-1, keepdims=True)
    guess = windows[..., -GUESSED : 1 - GUESSED] + GUESSED * slope
    spectrum = np.fft.fft(np.concatenate([windows, np.repeat(guess, GUESSED, axis=-1)], axis=-1))
    log = np.log(np.abs(spectrum) + 1e-8)
    smooth = sum(np.roll(log, shift, axis=-1) for shift in range(-(SMOOTHED // 2), SMOOTHED // 2 + 1)) / SMOOTHED
    residual = np.exp(log - smooth + 1j * np.angle(spectrum))
    return np.asarray(np.abs(np.fft.ifft(residual))[..., : windows.shape[-1]])
