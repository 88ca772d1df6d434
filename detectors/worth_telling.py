"""Which deviations are worth telling: those on the side that counts, and no small ones."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np

from series import FloatArray


class Worth(Protocol):
    """What a query says of deviations; see `detectors.seasonal.SeasonalBaseline`."""

    direction: Literal["both", "above", "below"]
    minimum_absolute: float
    minimum_relative: float


def worth_telling(scores: FloatArray, values: FloatArray, expected: FloatArray, worth: Worth) -> FloatArray:
    """Scores (n_series, n_steps), 0 on the other side of `worth.direction`, and 1 at most within its minima.

    What nothing is expected of keeps its score.
    """
    deviation = values - expected
    other = np.zeros(scores.shape, dtype=np.bool_)
    if worth.direction != "both":
        other = deviation < 0 if worth.direction == "above" else deviation > 0
    small = np.abs(deviation) <= np.maximum(worth.minimum_absolute, worth.minimum_relative * np.abs(expected))
    return np.where(other, 0.0, np.where(small, np.minimum(scores, 1.0), scores))
