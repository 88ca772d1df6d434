"""Which samples can be learned from, and which series have enough of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from series import BoolArray, FloatArray, Window

# A float32 holds 24 bits: a difference of a few of its units is rounding, not news.
ROUNDING = 2.0**-21
# Values beyond it are not measurements, and their squares are not numbers.
LARGEST = 1e100
# A score ends here: past a hundred thresholds more says nothing, and one series must not drown a sum.
LARGEST_SCORE = 100.0


def finite(values: FloatArray) -> FloatArray:
    """A copy in which what cannot be learned from is missing."""
    return np.where(np.abs(values) < LARGEST, values, np.nan)


def filled(values: FloatArray) -> FloatArray:
    """A copy in which a missing sample is the one before it, or the row's first where none is; 0 in an empty row.

    Examples
    --------
    >>> filled(np.array([[np.nan, 1.0, np.inf, 3.0]]))
    array([[1., 1., 1., 3.]])
    """
    known = np.abs(values) < LARGEST
    if known.all():
        return values.copy()
    latest = np.maximum.accumulate(np.where(known, np.arange(values.shape[1]), -1), axis=1)
    place = np.where(latest < 0, known.argmax(axis=1)[:, None], latest)
    return np.where(known.any(axis=1, keepdims=True), np.take_along_axis(values, place, axis=1), 0.0)


def warming_up(history: Window, *, span: float, fewest: int, most_missing: float) -> BoolArray:
    """(n_series,): True for a history that is too short or too full of gaps to judge by.

    A series that begins within the history is judged by its own age.

    Parameters
    ----------
    history : Window
    span : float
        Seconds from the first sample on.
    fewest : int
        Samples.
    most_missing : float
        Share of the steps from the first sample on.
    """
    known = np.abs(history.values) < LARGEST
    count = known.sum(axis=1)
    steps = history.n_steps - known.argmax(axis=1) if history.n_steps else count
    step = history.step if history.n_steps > 1 else 1.0
    refused = (count < fewest) | (steps * step < span) | (count < (1 - most_missing) * steps)
    return np.asarray(refused, dtype=np.bool_)


def row_blocks(which: BoolArray, n_steps: int, samples: int) -> Iterator[npt.NDArray[np.intp]]:
    """Numbers of the rows that `which` (n_series,) names, in blocks of about `samples` samples: bounds the memory."""
    rows = np.flatnonzero(which)
    size = max(1, samples // max(1, n_steps))
    for first in range(0, len(rows), size):
        yield rows[first : first + size]
