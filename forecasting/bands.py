"""Ranges of leads whose errors are alike."""

from __future__ import annotations

import numpy as np

from forecasting.shapes import Steps

# Each band reaches this many times as far as the one before.
_GROWTH = 1.6


def bands(last: int) -> Steps:
    """Edges of bands of leads up to `last`, each wider than the one before.

    Returns
    -------
    (n_bands + 1,) int
        Band i holds the leads above edge i and up to edge i + 1.

    Examples
    --------
    >>> bands(12)
    array([ 0,  1,  2,  4,  7, 12])
    """
    edges = [0]
    while edges[-1] < last:
        edges.append(min(max(edges[-1] + 1, int(np.ceil(edges[-1] * _GROWTH))), last))
    return np.array(edges, dtype=np.intp)
