"""What a baseline knows of some series."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from detectors.level import Level
from detectors.month_days import MonthDays
from detectors.occasional import Effects, Season, Unlike
from detectors.phase import IntArray, Phase
from detectors.profile import Profile
from detectors.width import Width
from series import FloatArray

NOTHING = np.zeros((1, 1))


@dataclass(frozen=True, eq=False)
class Usual:
    """Ordinary times of some rows.

    Attributes
    ----------
    profile : Profile
    season, known : (n_series, n_steps) float64
        Season and level at each step of the history, learned without knowledge of it.
    sides : Width
    """

    profile: Profile
    season: FloatArray
    known: FloatArray
    sides: Width

    def put(self, rows: IntArray, usual: Usual) -> None:
        """Replace what is known of `rows` by `usual`, which holds them only."""
        self.season[rows], self.known[rows] = usual.season, usual.known
        for mine, its in ((self.profile, usual.profile), (self.sides, usual.sides)):
            for field in fields(mine):
                if isinstance(kept := getattr(mine, field.name), np.ndarray):
                    kept[rows] = getattr(its, field.name)


@dataclass(frozen=True, eq=False)
class Learned:
    """What is learned of some rows; `effects` only with a calendar, `months` where such days are unlike others."""

    profile: Profile
    level: Level
    sides: Width
    effects: Effects | None
    months: MonthDays | None = None

    def season(self, phase: Phase, unlike: Unlike | None) -> Season:
        """Seasonal part at each instant."""
        if unlike is None or self.effects is None:
            return Season(self.profile.at(phase), NOTHING, NOTHING)
        return with_months(self.effects.season(self.profile, phase, unlike), self.months, phase, unlike)

    def ordinary(self, values: FloatArray, phase: Phase, unlike: Unlike | None) -> FloatArray:
        """Samples (n_rows, n_steps) of ordinary times; those of others are missing."""
        return ordinary(values, self.months, phase, unlike)

    def plain(self, values: FloatArray, centre: FloatArray, phase: Phase, unlike: Unlike) -> FloatArray:
        """Samples less what events add, and less what days of the month may: for those who judge shapes.

        Parameters
        ----------
        values : (n_rows, n_steps) float64
        centre : (n_rows, n_steps) float64
            What was expected of them.
        phase : Phase
            Of the n_steps.
        unlike : Unlike
        """
        if self.effects is None or (self.months is None and not unlike.events.any()):
            return values
        plain = values - self.effects.by_events(unlike)
        if self.months is not None:
            added, rows = self.months.at(phase, unlike.month, unlike.any), self.months.rows
            beyond = values[rows] - (centre[rows] - added.usual)
            plain[rows] -= np.clip(beyond, np.minimum(added.least, 0.0), np.maximum(added.most, 0.0))
        return plain


def with_months(season: Season, months: MonthDays | None, phase: Phase, unlike: Unlike) -> Season:
    """`season` with what days of the month add, in place."""
    if months is not None:
        added = months.at(phase, unlike.month, unlike.any)
        season.middle[months.rows] += added.usual
        season.less[months.rows] += added.usual - added.least
        season.more[months.rows] += added.most - added.usual
    return season


def ordinary(values: FloatArray, months: MonthDays | None, phase: Phase, unlike: Unlike | None) -> FloatArray:
    """See `Learned.ordinary`."""
    if unlike is None:
        return values
    kept = np.where(unlike.any, np.nan, values)
    if months is not None:
        kept[months.rows] = np.where(months.touched(phase, unlike.month), np.nan, kept[months.rows])
    return kept
