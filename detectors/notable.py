"""Which of the strange samples are worth telling."""

from __future__ import annotations

from typing import Literal

import numpy as np

from detectors.base import Band
from series import FloatArray


def notable(
    scores: FloatArray,
    band: Band,
    values: FloatArray,
    *,
    direction: Literal["both", "above", "below"],
    minimum_absolute: float,
    minimum_relative: float,
) -> FloatArray:
    """Scores without those that nobody wants to hear of; what nothing is expected of keeps its score.

    Parameters
    ----------
    scores, values : (n_series, n_steps) float64
    band : Band
        What was expected of `values`.
    direction : {"both", "above", "below"}
        On the other side of the expected value the score is 0.
    minimum_absolute : float
        A deviation up to it, in the unit of the series, scores 1 at most.
    minimum_relative : float
        The same as a ratio of the expected value.

    Returns
    -------
    (n_series, n_steps) float64

    Examples
    --------
    >>> ten, five = np.array([[10.0, 10.0, 10.0]]), np.array([[5.0, 5.0, 5.0]])
    >>> found, values = np.array([[3.0, 3.0, 3.0]]), np.array([[2.0, 10.5, 20.0]])
    >>> band = Band(ten, ten - five, ten + five)
    >>> notable(found, band, values, direction="above", minimum_absolute=1, minimum_relative=0)
    array([[0., 1., 3.]])
    """
    deviation = values - band.expected
    kept = scores.copy()
    if direction != "both":
        kept[deviation < 0 if direction == "above" else deviation > 0] = 0.0
    least = np.maximum(minimum_absolute, minimum_relative * np.abs(band.expected))
    small = np.abs(deviation) <= least
    kept[small] = np.minimum(kept[small], 1.0)
    return kept
