"""Rows that can be computed together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from series import FloatArray

# A row with fewer samples has no forecast.
FEWEST_SAMPLES = 12
# Rows computed at once: enough to spread numpy's overhead, few enough to stay in the cache.
_ROWS = 64


def alike_rows(values: FloatArray) -> Iterator[tuple[npt.NDArray[np.intp], int]]:
    """Rows with enough samples, some at a time, and how many of their last columns to use.

    Series begin when a workload is first seen. Rows that began at about the same time go together; up to a sixth of
    their oldest samples is left out for it, and what lies before a row's first sample is never filled in.

    Parameters
    ----------
    values : (n_series, n_steps) float64
        NaN where there is no sample.
    """
    known = np.isfinite(values)
    if not known.any():
        return
    lengths = values.shape[1] - known.argmax(axis=1)
    # Quarter octaves: 1024, 1217, 1448, 1722, 2048.
    rounded = np.floor(2 ** (np.floor(4 * np.log2(lengths)) / 4))
    lengths = np.where(lengths == values.shape[1], lengths, rounded).astype(np.intp)
    enough = (known & (np.arange(values.shape[1]) >= values.shape[1] - lengths[:, np.newaxis])).sum(axis=1)
    for length in np.unique(lengths[enough >= FEWEST_SAMPLES]):
        rows = np.flatnonzero((enough >= FEWEST_SAMPLES) & (lengths == length))
        for top in range(0, len(rows), _ROWS):
            yield rows[top : top + _ROWS], int(length)
