"""What a series does on holidays and during events, as far as its past shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from detectors.month_days import NONE, kind_of_day
from detectors.phase import IntArray, Phase
from detectors.profile import Profile
from detectors.robust import mean, median
from series import BoolArray, FloatArray
from series.calendar import DAY
from series.occasions import HOLIDAY, KINDS, Occasions

# Fewer samples of an occasion than these say nothing of it, nor does less than half a day of holidays.
FEWEST = 3
_SUNDAY = 6


@dataclass(frozen=True, eq=False)
class Unlike:
    """Which columns of a window are no ordinary time.

    Attributes
    ----------
    holiday : (n_steps,) bool
    events : (n_events, n_steps) bool
        Each event of the calendar, in its order.
    month : (n_steps,) intp
        Kind of day of the month (`detectors.month_days`).
    resting : (n_steps,) intp
        Local day whose weekday a holiday is like: the day of rest of its week. Other columns keep their own.
    """

    holiday: BoolArray
    events: BoolArray
    month: IntArray
    resting: IntArray

    @classmethod
    def of(cls, occasions: Occasions | None, times: FloatArray, phase: Phase) -> Self | None:
        """The columns at `times` (n_steps,), which lie at `phase`; None where no calendar says anything of them."""
        if occasions is None:
            return None
        rows = occasions.at(times)
        holiday, events, month = rows[HOLIDAY], rows.on[len(KINDS) :], kind_of_day(rows)
        if not (holiday.any() or events.any() or (month != NONE).any()):
            return None
        rest = _SUNDAY if _SUNDAY in occasions.days_of_rest else min(occasions.days_of_rest)
        return cls(holiday, events, month, np.where(holiday, phase.day - phase.weekday + rest, phase.day))

    @property
    def any(self) -> BoolArray:
        """(n_steps,) bool: no ordinary time, whatever the series."""
        return np.asarray(self.holiday | self.events.any(axis=0))


class Season(NamedTuple):
    """Seasonal part at some instants, and what may be added to it or taken away: (n_series, n_steps) each."""

    middle: FloatArray
    less: FloatArray
    more: FloatArray


@dataclass(frozen=True, eq=False)
class Effects:
    """What occasions add to the season.

    Of a holiday the past may show that it is like a day of rest or like any other, and what it adds to that: as much is
    expected of the next, and half way between of one never seen. The band holds all three, for holidays differ: some
    are kept by few, and one year's Christmas says little of Labour Day.

    Attributes
    ----------
    seen : (n_series,) bool
        Whether the past holds a holiday.
    rests : (n_series,) bool
        Whether it was like a day of rest; True where none was seen.
    holiday : (n_series,) float64
        What holidays add, 0 where none was seen.
    events : (n_series, n_events) float64
        What each event adds to an ordinary time, 0 where it was not seen.
    """

    seen: BoolArray
    rests: BoolArray
    holiday: FloatArray
    events: FloatArray

    @classmethod
    def learn(cls, values: FloatArray, profile: Profile, phase: Phase, unlike: Unlike, step: float) -> Self:
        """Learn from a past.

        Parameters
        ----------
        values : (n_series, n_steps) float64
            Samples less the level known at their time; NaN where there is none.
        profile : Profile
            Of ordinary times.
        phase : Phase
            Of the n_steps.
        unlike : Unlike
        step : float
            Seconds.
        """
        off = unlike.holiday
        apart = [values[:, off] - season for season in _both(profile, phase, unlike)]
        seen = np.count_nonzero(apart[0] == apart[0], axis=1) * step >= DAY / 2
        like, rest = (np.nan_to_num(mean(np.abs(part))) for part in apart)
        rests = ~seen | (rest <= like)
        holiday = np.where(seen, np.nan_to_num(median(np.where(rests[:, None], apart[1], apart[0]))), 0.0)
        events = np.zeros((len(values), len(unlike.events)))
        for event, on in enumerate(unlike.events & ~off):
            left = values[:, on] - profile.at(phase.where(on))
            enough = np.count_nonzero(left == left, axis=1) >= FEWEST
            events[:, event] = np.where(enough, np.nan_to_num(median(left)), 0.0)
        return cls(seen, rests, holiday, events)

    @classmethod
    def none(cls, n_series: int, n_events: int) -> Self:
        """Of a past without any occasion."""
        nothing = np.zeros(n_series, dtype=np.bool_)
        return cls(nothing, ~nothing, np.zeros(n_series), np.zeros((n_series, n_events)))

    def by_events(self, unlike: Unlike) -> FloatArray:
        """(n_series, n_steps): what events add. On a holiday that is not known."""
        return np.asarray(self.events @ (unlike.events & ~unlike.holiday), dtype=np.float64)

    def season(self, profile: Profile, phase: Phase, unlike: Unlike) -> Season:
        """Seasonal part of each series at `phase`, of which `unlike` says what is no ordinary time."""
        middle = profile.at(phase) + self.by_events(unlike)
        less, more = np.zeros_like(middle), np.zeros_like(middle)
        off = unlike.holiday
        ordinary, resting = _both(profile, phase, unlike)
        like = np.where(self.rests[:, None], resting, ordinary) + self.holiday[:, None]
        middle[:, off] = np.where(self.seen[:, None], like, (ordinary + resting) / 2)
        held = np.stack([ordinary, resting, middle[:, off]])
        less[:, off], more[:, off] = middle[:, off] - held.min(axis=0), held.max(axis=0) - middle[:, off]
        return Season(middle, less, more)


def _both(profile: Profile, phase: Phase, unlike: Unlike) -> tuple[FloatArray, FloatArray]:
    """(n_series, n_holiday_steps) each: the holidays as ordinary days of their weekday, and as days of rest."""
    off = unlike.holiday
    return profile.at(phase.where(off)), profile.at(Phase(phase.second[off], unlike.resting[off]))
