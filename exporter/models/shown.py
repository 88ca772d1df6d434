"""Values and bounds as people know them: 0.1 is 0.1, and a count is never below 0."""

from __future__ import annotations

import numpy as np

from detectors.ensemble import Consensus
from series import BoolArray, FloatArray

# Decimal digits that a float32 keeps.
_DIGITS = 7


def bounds_of(consensus: Consensus, never_negative: BoolArray) -> FloatArray:
    """(3, n_series): expected, lower and upper of the last step."""
    band = consensus.band
    bounds = np.stack([side[:, -1] for side in (band.expected, band.lower, band.upper)])
    # A count or a rate below 0 is nothing anybody expects; whether a value is inside does not change.
    bounds[:, never_negative] = np.maximum(bounds[:, never_negative], 0.0)
    return bounds


def shown_values(values: FloatArray) -> FloatArray:
    """As float64: 0.1 that was kept as float32 is 0.1 again, not 0.10000000149."""
    shown = np.array(values, dtype=np.float64)
    if values.dtype == np.float64:
        return shown
    usual = np.isfinite(shown) & (shown != 0)
    # Divided by a power of ten, which up to 1e22 is exact, where multiplying by 0.1 is not.
    digits = _DIGITS - 1 - np.floor(np.log10(np.abs(shown[usual])))
    shown[usual] = np.where(
        digits >= 0,
        np.round(shown[usual] * 10.0 ** np.maximum(digits, 0)) / 10.0 ** np.maximum(digits, 0),
        np.round(shown[usual] / 10.0 ** np.maximum(-digits, 0)) * 10.0 ** np.maximum(-digits, 0),
    )
    return shown
