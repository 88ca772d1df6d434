"""Is this still an incident, or the new level? Told step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from series import FloatArray

SideArray = np.typing.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Shift:
    """What `Watch.update` says of one step, each of shape (n_series,).

    Attributes
    ----------
    side : int8
        1 where a level above the old one is confirmed with this step, -1 for one below, else 0.
    since : float64
        When the deviation began that is going on or confirmed, seconds since the epoch; NaN where none is.
    """

    side: SideArray
    since: FloatArray


@dataclass(kw_only=True, eq=False)
class ShiftRule:
    r"""Page's cumulative sum of deviations, each clipped to one half width of the band.

    .. math:: C_t = \max(0,\; C_{t-1} + \min(z_t, 1) - \text{slack})

    A shift is confirmed when C passes what a deviation beyond the band adds up to in `after` seconds. Because of the
    clip no incident, however large, is confirmed sooner, and the step after C was last 0 dates the change.

    Parameters
    ----------
    after : float, default 10800
        Seconds a level must have left the band. Below half the memory of a baseline that follows its series, as
        deviations end once it has.
    slack : float, default 0.5
        Deviation, in half widths, that is not counted: an ordinary one is smaller.

    References
    ----------
    Page (1954), Continuous Inspection Schemes.

    Examples
    --------
    >>> watch = ShiftRule(after=180).start(1, step=60)
    >>> [int(watch.update(np.array([z]), 60.0 * step).side[0]) for step, z in enumerate([0.1, 9.0, 1.2, 1.1, 1.0])]
    [0, 0, 0, 1, 0]
    """

    after: float = 10_800.0
    slack: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.after < np.inf:
            raise ValueError(f"ShiftRule.after must be above 0 seconds. Got {self.after!r}.")
        if not 0 < self.slack < 1:
            raise ValueError(f"ShiftRule.slack must be above 0 and below 1. Got {self.slack!r}.")

    def start(self, n_series: int, step: float) -> Watch:
        """Watch `n_series` series, `step` seconds between two samples, of which nothing is known yet."""
        limit = max(1, round(self.after / step)) * (1 - self.slack)
        return Watch(self, limit, np.zeros((2, n_series)), np.full((2, n_series), np.nan))


@dataclass(eq=False)
class Watch:
    """What `ShiftRule` remembers between two steps.

    Attributes
    ----------
    rule : ShiftRule
    limit : float
    sums : (2, n_series) float64
        Above and below.
    begun : (2, n_series) float64
        When each sum left 0; NaN where it is 0.
    """

    rule: ShiftRule
    limit: float
    sums: FloatArray
    begun: FloatArray

    def update(self, deviation: FloatArray, time: float) -> Shift:
        """Take one step in.

        Parameters
        ----------
        deviation : (n_series,) float64
            Signed, in half widths of the band: the score, negative below what was expected. A missing one changes
            nothing.
        time : float
            Of the step, seconds since the epoch.
        """
        known = ~np.isnan(deviation)
        both = np.stack([deviation, -deviation])
        sums = np.maximum(0.0, self.sums + np.minimum(both, 1.0) - self.rule.slack)
        self.sums = np.where(known, sums, self.sums)
        self.begun = np.where(self.sums > 0, np.where(np.isnan(self.begun), time, self.begun), np.nan)
        confirmed = self.sums >= self.limit - 1e-9
        since = np.where(self.sums[0] >= self.sums[1], self.begun[0], self.begun[1])
        side = (confirmed[0].astype(np.int8) - confirmed[1]).astype(np.int8)
        either = confirmed.any(axis=0)
        self.sums[:, either], self.begun[:, either] = 0.0, np.nan
        return Shift(side, since)
