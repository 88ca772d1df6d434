"""Is this history fit to learn from, and which parts of it are not?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from detectors.phase import IntArray, Phase
from detectors.robust import mean, median
from series import BoolArray, Calendar, FloatArray, Window
from series.calendar import DAY

_SIGMA = 1.4826
# Values beyond it are not measurements.
_LARGEST = 1e100
# Shorter than this no day is told from another.
_FEWEST_DAYS = 5
# A single weekend cannot be compared with another.
_FEWEST_RESTS = 4


class Unfit(StrEnum):
    """Why a history cannot be learned from, or only with care."""

    GAPS = "gaps"
    """Too few samples since the first one."""
    CONSTANT = "constant"
    """One value throughout: any other is news, and nothing is known of how large a deviation is ordinary."""
    ATYPICAL = "atypical"
    """More days than may be left out differ from the others: no way to tell which are the ordinary ones."""


@dataclass(frozen=True, eq=False)
class Fitness:
    """What `TrainingData.examine` found.

    Attributes
    ----------
    learn : (n_series, n_steps) bool
        Samples to learn from. Left out are past incidents and atypical days, up to the bounded share.
    reasons : mapping of Unfit to (n_series,) bool
        Which series have which flaw.
    atypical_days : (n_series,) int64
        Days that differ from the others.
    """

    learn: BoolArray
    reasons: dict[Unfit, BoolArray]
    atypical_days: IntArray

    @property
    def fit(self) -> BoolArray:
        """(n_series,) bool: nothing speaks against learning. A constant series is fit: its band is its value."""
        return np.asarray(~(self.reasons[Unfit.GAPS] | self.reasons[Unfit.ATYPICAL]), dtype=np.bool_)

    def kept(self, values: FloatArray) -> FloatArray:
        """A copy of the history's values in which what is not to be learned from is missing."""
        return np.where(self.learn, values, np.nan)


@dataclass(kw_only=True, eq=False)
class TrainingData:
    """Examines a history before a baseline learns from it.

    A day is atypical when the levels of its hours lie, on average, further from those of the usual day (of working
    days, or of weekends) than `far` times what is ordinary among the days. Incidents that were alarms are left out
    too: what called a person is not what a baseline shall expect. Never more than `most_left_out` of the samples of a
    series is: a baseline that leaves out all it did not expect would never learn anything new.

    Parameters
    ----------
    timezone : str, default "UTC"
    most_missing : float, default 0.5
        Share of steps since a series' first sample that may lack one.
    most_left_out : float, default 0.2
        Share of samples.
    far : float, default 6

    Examples
    --------
    >>> rows = np.tile(np.arange(24.0), 14)
    >>> rows[8 * 24 : 9 * 24] = 0.0
    >>> history = Window.of([rows + np.arange(14 * 24) % 5], step=3600)
    >>> fitness = TrainingData().examine(history)
    >>> fitness.fit, fitness.atypical_days, np.flatnonzero(~fitness.learn[0])[[0, -1]]
    (array([ True]), array([1]), array([192, 215]))
    """

    timezone: str = "UTC"
    most_missing: float = 0.5
    most_left_out: float = 0.2
    far: float = 6.0

    def __post_init__(self) -> None:
        Calendar(self.timezone)
        for name in ("most_missing", "most_left_out"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"TrainingData.{name} must be from 0 to below 1. Got {getattr(self, name)!r}.")
        if not self.far > 0:
            raise ValueError(f"TrainingData.far must be above 0. Got {self.far!r}.")

    def examine(self, history: Window, alarms: BoolArray | None = None) -> Fitness:
        """Look at every series by itself.

        Parameters
        ----------
        history : Window
            Up to now.
        alarms : (n_series, n_steps) bool or None
            Where past judgements were in alarm and no verdict called it false.
        """
        values = np.where(np.abs(history.values) < _LARGEST, history.values, np.nan)
        known = ~np.isnan(values)
        day = np.floor(Calendar(self.timezone).local(history.times) / DAY).astype(np.intp)
        distance = self._distances(values, history.times)
        odd = distance > self.far
        too_many = odd.sum(axis=1) > self.most_left_out * np.maximum(1, (~np.isnan(distance)).sum(axis=1))
        odd &= ~too_many[:, None]
        out = odd[:, day - day[0]] if len(day) else np.zeros(values.shape, dtype=np.bool_)
        learn = known & ~self._bounded(known & out, known, np.zeros(values.shape, dtype=np.bool_))
        if alarms is not None:
            learn = known & ~self._bounded(known & alarms, known, ~learn)
        reasons = {Unfit.GAPS: self._gaps(known), Unfit.CONSTANT: _constant(values), Unfit.ATYPICAL: too_many}
        return Fitness(learn, reasons, odd.sum(axis=1))

    def _gaps(self, known: BoolArray) -> BoolArray:
        count = known.sum(axis=1)
        age = known.shape[1] - known.argmax(axis=1) if known.shape[1] else count
        return np.asarray((count == 0) | (count < (1 - self.most_missing) * age), dtype=np.bool_)

    def _bounded(self, unwanted: BoolArray, known: BoolArray, left_out: BoolArray) -> BoolArray:
        """What is left out: as much of `unwanted` as the share allows, the newest first, and what already is."""
        most = self.most_left_out * known.sum(axis=1, keepdims=True)
        already = left_out & known
        newest_first = np.cumsum((unwanted & ~already)[:, ::-1], axis=1)[:, ::-1]
        return np.asarray(already | (unwanted & (newest_first + already.sum(axis=1, keepdims=True) <= most)))

    def _distances(self, values: FloatArray, times: FloatArray) -> FloatArray:
        """(n_series, days): how far each local day is from the usual one, in units of what is ordinary; NaN unknown."""
        phase = Phase.of(times, Calendar(self.timezone))
        day = phase.day - phase.day[0] if len(times) else phase.day
        count = int(day[-1]) + 1 if len(day) else 0
        if count < _FEWEST_DAYS:
            return np.full((len(values), count), np.nan)
        hourly = _hourly(values, day * 24 + phase.of_day(24), count)
        rests = (phase.day[0] + np.arange(count) + 3) % 7 >= 5
        working, resting = (median(hourly[:, rests == kind].swapaxes(1, 2)) for kind in (False, True))
        if rests.sum() < _FEWEST_RESTS:
            resting = np.full_like(working, np.nan)
        usual = np.where(rests[:, None], resting[:, None], working[:, None])
        far = mean(np.abs(hourly - usual))
        ordinary = median(far)[:, None]
        floor = 2.0**-21 * np.abs(np.nan_to_num(median(values)))[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.maximum(_SIGMA * median(np.abs(far - ordinary))[:, None], np.maximum(0.3 * ordinary, floor))
            return np.where(far > ordinary + floor, (far - ordinary) / spread, np.where(np.isnan(far), np.nan, 0.0))


def _hourly(values: FloatArray, hour: IntArray, days: int) -> FloatArray:
    """(n_series, days, 24): median of each hour. The samples of an hour stand side by side."""
    first = np.flatnonzero(np.diff(hour, prepend=-1))
    length = int(np.diff(first, append=len(hour)).max())
    order = np.arange(len(hour)) - np.repeat(first, np.diff(first, append=len(hour)))
    cells = np.full((len(values), days * 24, length), np.nan)
    cells[:, hour, order] = values
    return median(cells).reshape(len(values), days, 24)


def _constant(values: FloatArray) -> BoolArray:
    known = ~np.isnan(values)
    high = np.where(known, values, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(known, values, np.inf).min(axis=1, initial=np.inf)
    return np.asarray((high == low) & known.any(axis=1), dtype=np.bool_)
