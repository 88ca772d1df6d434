"""How often each member of an ensemble lately called what no other kind of member saw."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from detectors.checks import above
from detectors.voting import LEVELS
from series import BoolArray, FloatArray
from series.calendar import DAY

# Days after which a day counts half: members learn from about two weeks, and so does what is held against them.
HALF_LIFE = 7.0
# A member is taken to keep its promise until this many series-days are known, of which chance alone gives none to four
# calls, and counts for half of what they say by then. Of a single series no more than eleven ever count.
PRIOR = 20.0
# Share of the series, rounded up where there are several, that does not count: they may be broken.
SPARED = 0.1
# Share of a day's steps that must have been judged for the day to count.
LEAST_DAY = 0.5


@dataclass(kw_only=True, eq=False)
class LiveError:
    r"""How many times as often as they promise members were lately above their thresholds alone.

    Members of a family, level or shape, err together. What both families saw on a day says nothing against either; a
    member called *alone* on a day of a series where it was above 1 at some step and no member of the other family was.
    A day counts once, however often it called. With :math:`c_m` such days and :math:`d_m` days on which it voted, each
    weighted by :math:`2^{-age / 7}` and summed over the series, the excess of a member is

    .. math:: e_m = \frac{c_m + r P}{(d_m + P) \, r}

    with the promised `rate` :math:`r` and a prior of :math:`P = 20` series-days on which it kept its promise; it is 1
    until as many are known, so a single series is never enough. The tenth of the series on which it called alone most
    often is left out of both sums: a broken series, or one of many incidents, says little of the member. Days of a
    series on which only one family voted are left out too, as nothing could have agreed.

    Days are those of UTC. A step counts once, by the votes that were cast when it was new, and a day from its last step
    on.

    Parameters
    ----------
    rate : float, default 0.1
        How often a day an ordinary series may be above 1.
    step : float, default 60
        Seconds between two samples.
    until : float
        Last step that was counted, seconds since the epoch; -inf for none.
    day : float
        Number of the day that is counted now, since the epoch; NaN for none.
    steps : int
        How many steps of that day were counted.
    voted, called : (n_members, n_series) bool
        Whether each member voted on that day, and was above 1.
    days, alone : (n_members, n_series) float64
        Days before that on which each member voted, and called alone.

    Examples
    --------
    >>> error = LiveError(step=86400)
    >>> first_alone = np.repeat([[[3.0]], [[0.2]], [[0.2]]], 10, axis=1)  # on each of ten series
    >>> over = [error.note(np.array([day * 86400.0]), first_alone) for day in range(30)]
    >>> error.excess().round(1)
    array([8.4, 0.2, 0.2])
    """

    rate: float = 0.1
    step: float = 60.0
    until: float = -math.inf
    day: float = math.nan
    steps: int = 0
    voted: BoolArray = field(default_factory=lambda: np.empty((0, 0), dtype=np.bool_))
    called: BoolArray = field(default_factory=lambda: np.empty((0, 0), dtype=np.bool_))
    days: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    alone: FloatArray = field(default_factory=lambda: np.empty((0, 0)))

    def __post_init__(self) -> None:
        above(self, rate=0, step=0)
        shapes = {each.shape for each in (self.voted, self.called, self.days, self.alone)}
        if len(shapes) > 1 or self.days.ndim != 2:
            raise ValueError(f"LiveError needs a figure for each member and series. Got shapes {sorted(shapes)}.")

    def note(self, times: FloatArray, votes: npt.NDArray[np.floating]) -> bool:
        """Count steps that are new; those counted before are left out.

        Parameters
        ----------
        times : (n_steps,) float64
            Seconds since the epoch, ascending. Where the last is earlier than what was counted, the clock was set back:
            the day begins anew.
        votes : (n_members, n_series, n_steps) floating
            Score of each member, 1 is its threshold; NaN where it takes no part or there is no sample.

        Returns
        -------
        bool
            Whether a day was over, so that `excess` is another.

        Raises
        ------
        ValueError
            For shapes that do not fit each other, or what was counted before.
        """
        if not self.days.size:
            self._begin(*votes.shape[:2])
        if votes.shape != (*self.days.shape, len(times)):
            raise ValueError(f"LiveError.note needs votes of {(*self.days.shape, len(times))}. Got {votes.shape}.")
        if len(times) and times[-1] < self.until:
            self.until, self.day = -math.inf, math.nan
            self._empty_day()
        number, new, over = np.floor(times / DAY), times > self.until, False
        for day in np.unique(number[new]).tolist():
            over |= self._go_on(day)
            today = new & (number == day)
            self._count(votes[:, :, today])
            self.until = float(times[today][-1])
            over |= self._go_on(float(np.floor((self.until + self.step) / DAY)))
        return over

    def excess(self) -> FloatArray:
        """(n_members,): how many times as often as its rate allows each called alone; 1 until enough is known."""
        excess = [self._excess(days, alone) for days, alone in zip(self.days, self.alone, strict=True)]
        return np.array(excess, dtype=np.float64)

    def take(self, rows: npt.NDArray[np.intp]) -> None:
        """Count other series from now on: `rows` are where they stood so far, -1 for one that is new."""
        known = rows >= 0
        for name in ("voted", "called", "days", "alone"):
            former = getattr(self, name)
            taken = np.zeros((len(former), len(rows)), dtype=former.dtype)
            taken[:, known] = former[:, rows[known]]
            setattr(self, name, taken)

    def _begin(self, n_members: int, n_series: int) -> None:
        self.days, self.alone = np.zeros((2, n_members, n_series))
        self._empty_day()

    def _empty_day(self) -> None:
        self.steps = 0
        self.voted, self.called = np.zeros((2, *self.days.shape), dtype=np.bool_)

    def _count(self, votes: npt.NDArray[np.floating]) -> None:
        self.steps += votes.shape[2]
        self.voted |= (votes == votes).any(axis=2)
        self.called |= (votes > 1).any(axis=2)

    def _go_on(self, day: float) -> bool:
        """Where `day` is another, add the one that is over to those before."""
        if day == self.day:
            return False
        over = not math.isnan(self.day)
        if over:
            self._fade(1.0)
            if self.steps * self.step >= LEAST_DAY * DAY:
                judged = self.voted & _other(self.voted)
                self.days += judged
                self.alone += judged & self.called & ~_other(self.called)
            self._fade(day - self.day - 1.0)
        self.day = day
        self._empty_day()
        return over

    def _fade(self, days: float) -> None:
        self.days *= 0.5 ** (days / HALF_LIFE)
        self.alone *= 0.5 ** (days / HALF_LIFE)

    def _excess(self, days: FloatArray, alone: FloatArray) -> float:
        known = np.flatnonzero(days)
        spared = math.ceil(SPARED * len(known)) if len(known) > 1 else 0
        kept = known[np.argsort(alone[known] / days[known], kind="stable")][: len(known) - spared]
        n_days, calls = float(days[kept].sum()), float(alone[kept].sum())
        return (calls + self.rate * PRIOR) / ((n_days + PRIOR) * self.rate) if n_days >= PRIOR else 1.0


def _other(which: BoolArray) -> BoolArray:
    """(n_members, n_series): whether it holds of any member of the family that each is not of."""
    level, shape = which[:LEVELS], which[LEVELS:]
    other = shape.any(axis=0), level.any(axis=0)
    return np.concatenate([np.broadcast_to(*each) for each in zip(other, (level.shape, shape.shape), strict=True)])
