"""Control charts: a moving average with its spread, and cumulative sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.checks import above, at_least
from detectors.windowed import Rows, Single, Windowed, samples_of
from series import FloatArray

# Smallest spread of a moment, in usual deviations of the series: a quiet hour does not make the next sample strange.
LEAST_SPREAD = 0.05


@dataclass(kw_only=True, eq=False)
class EwmaChart(Windowed):
    """Distance of a sample from the exponential average of those before it, in exponential standard deviations.

    See `Windowed` for the other arguments.

    Parameters
    ----------
    weight : float, default 0.1
        Of the newest sample in the average, above 0 and below 1.
    width : int, default 48
        Samples that are averaged, beside the newest.

    References
    ----------
    Roberts (1959), Control Chart Tests Based on Geometric Moving Averages.
    """

    weight: float = 0.1
    width: int = 48

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, width=2)
        if not 0 < self.weight < 1:
            raise ValueError(f"EwmaChart.weight must be above 0 and below 1. Got {self.weight!r}.")

    def _span(self) -> int:
        return self.width + 1

    def _errors(self, rows: Rows, windows: Single) -> FloatArray:
        weights = (1 - self.weight) ** np.arange(self.width - 1, -1, -1, dtype=np.float32)
        weights /= weights.sum()
        past, newest = windows[..., :-1], windows[..., -1]
        mean = past @ weights
        spread = np.sqrt(np.maximum((past**2) @ weights - mean**2, 0.0))
        return np.asarray(np.abs(newest - mean) / np.maximum(spread, LEAST_SPREAD), dtype=np.float64)


@dataclass(kw_only=True, eq=False)
class Cusum(Windowed):
    """Largest cumulative sum of deviations, up or down, that ends at a sample: small shifts that last.

    Deviations from the series' mean count beyond `slack`, in usual deviations; a sum that falls below 0 begins anew, as
    in Page's test. See `Windowed` for the other arguments.

    Parameters
    ----------
    slack : float, default 0.5
        Half of the shift that is to be found, in usual deviations of the series.
    width : int, default 48
        Samples over which is summed at most.

    References
    ----------
    Page (1954), Continuous Inspection Schemes.
    """

    slack: float = 0.5
    width: int = 48

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, width=2)
        above(self, slack=0)

    def _span(self) -> int:
        return self.width

    def _errors(self, rows: Rows, windows: Single) -> FloatArray:
        samples = samples_of(windows).astype(np.float64)
        up, down = (self._largest_sum(side * samples - self.slack) for side in (1, -1))
        return np.maximum(np.maximum(up, down), 0.0)

    def _largest_sum(self, beyond: FloatArray) -> FloatArray:
        """(n_rows, n_windows): the largest sum of the last 1 to `width` samples of each window."""
        total = np.pad(np.cumsum(beyond, axis=1), ((0, 0), (1, 0)))
        lowest, reach = total[:, :-1], 1
        while reach < self.width:  # of twice as many sums each time
            shift = min(reach, self.width - reach)
            lowest, reach = np.minimum(lowest[:, :-shift], lowest[:, shift:]), reach + shift
        return np.asarray(total[:, self.width :] - lowest)
