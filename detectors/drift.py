"""Slow change: has the distribution of late left that of before?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.robust import median
from series import BoolArray, FloatArray
from series.calendar import DAY

# Where the distribution of a block is read. The outermost twentieths belong to single incidents.
SHARES = (0.05, 0.15, 0.25, 0.35, 0.5, 0.65, 0.75, 0.85, 0.95)
# Two blocks of normal noise with a spread of 1 differ by 0.954 in the median.
_DIFFERENCE = 0.954
# Distance between the 15th and the 85th percentile of normal data, in standard deviations.
_MIDDLE = 2.073
# Blocks of late of which the middle one counts: neither one bad day nor a weekend is a drift.
LATE = 3
LARGEST_SCORE = 100.0
ROUNDING = 2.0**-21


@dataclass(frozen=True, eq=False)
class Drifts:
    """What `Drift.judge` found, each of shape (n_series,).

    Attributes
    ----------
    score : float64
        0 no drift, 1 the threshold; 0 where the past is too short to tell.
    shift : float64
        By how much the middle of the distribution moved, in the unit of the series.
    widening : float64
        Spread of late as a ratio of that before; 1 for no change, and where there was none before.
    judged : bool
    """

    score: FloatArray
    shift: FloatArray
    widening: FloatArray
    judged: BoolArray


@dataclass(kw_only=True, eq=False)
class Drift:
    r"""Distance between the distribution of the last days and that of the days before.

    .. math:: s_i = W_1(\text{late}, \text{before}) / \max(t\,\sigma_i,\; r\,w_i)

    The past is cut into blocks of a day. The distance is Wasserstein's, taken as the mean difference of quantiles: of
    the middle of the last three blocks from the middle of those before. Its unit is what is ordinary: sigma, how far
    one block usually lies from the next, and w, the spread inside of a block. Neighbours differ by noise alone even
    while a series drifts, so a drift cannot hide itself by widening its own threshold.

    Parameters
    ----------
    block : float, default 86400
        Seconds.
    threshold : float, default 3
        Distance that scores 1, in spreads between blocks.
    smallest : float, default 0.5
        Smallest distance that may score 1, in spreads inside of a block: less is nobody's concern.
    fewest : int, default 7
        Blocks before the late ones that must hold samples.

    References
    ----------
    Ramdas, Garcia and Cuturi (2017), On Wasserstein Two-Sample Testing; von Neumann (1941) for the spread from
    successive differences.

    Examples
    --------
    >>> days = np.random.default_rng(1).normal(size=(2, 14 * 24))
    >>> days[1] += np.linspace(0, 4, 14 * 24)
    >>> Drift().judge(days, step=3600).score > 1
    array([False,  True])
    """

    block: float = float(DAY)
    threshold: float = 3.0
    smallest: float = 0.5
    fewest: int = 7

    def __post_init__(self) -> None:
        for name in ("block", "threshold", "smallest"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"Drift.{name} must be above 0. Got {getattr(self, name)!r}.")
        if self.fewest < 2:
            raise ValueError(f"Drift.fewest must be 2 or more. Got {self.fewest!r}.")

    def judge(self, residual: FloatArray, step: float) -> Drifts:
        """Compare the end of `residual` with what lies before it.

        Parameters
        ----------
        residual : (n_series, n_steps) float64
            Samples less their season (`detectors.unseasoned`), up to now; NaN for no sample.
        step : float
            Seconds.
        """
        quantiles = self._blocks(residual, step)
        before, late = quantiles[:, :-LATE], quantiles[:, -LATE:]
        known = ~np.isnan(before[..., 0])
        judged = (known.sum(axis=1) >= self.fewest) & ~np.isnan(late[..., 0]).all(axis=1)
        usual, now = _middle(before), _middle(late)
        width = (usual[:, -2] - usual[:, 1]) / _MIDDLE
        unit = np.maximum(self.threshold * _between(quantiles), self.smallest * width)
        unit = np.maximum(unit, ROUNDING * np.abs(usual).max(axis=1, initial=0.0))
        distance = np.abs(now - usual).mean(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            score = np.where(judged & (distance > 0), np.minimum(distance / unit, LARGEST_SCORE), 0.0)
            widening = np.where(judged & (width > 0), (now[:, -2] - now[:, 1]) / (_MIDDLE * width), 1.0)
        return Drifts(score, np.where(judged, (now - usual).mean(axis=1), 0.0), widening, judged)

    def _blocks(self, residual: FloatArray, step: float) -> FloatArray:
        """Quantiles (n_series, blocks, shares) of each block, the last one ending now; NaN for one half empty."""
        n_series, n_steps = residual.shape
        length = max(1, round(self.block / step))
        count = max(n_steps // length, LATE + 1)
        whole = np.full((n_series, count * length), np.nan)
        kept = min(n_steps, count * length)
        whole[:, count * length - kept :] = residual[:, n_steps - kept :]
        ordered = np.sort(whole.reshape(n_series, count, length), axis=-1)
        known = np.count_nonzero(ordered == ordered, axis=-1)
        place = np.rint(np.asarray(SHARES) * (np.maximum(known, 1) - 1)[..., None]).astype(np.intp)
        quantiles = np.take_along_axis(ordered, place, axis=-1)
        quantiles[2 * known < length] = np.nan
        return quantiles


def _middle(quantiles: FloatArray) -> FloatArray:
    """(n_series, shares): median over the blocks."""
    return median(np.ascontiguousarray(quantiles.swapaxes(1, 2)))


def _between(quantiles: FloatArray) -> FloatArray:
    """(n_series,): how far a block usually lies from the next."""
    steps = np.abs(np.diff(quantiles, axis=1)).mean(axis=-1)
    return np.nan_to_num(median(steps)) / _DIFFERENCE
