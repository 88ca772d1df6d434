"""A robust baseline with a daily and a weekly season."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from detectors import width
from detectors.base import Band
from detectors.level import Level
from detectors.phase import Phase
from detectors.profile import Profile, cross_fit
from detectors.width import Width
from series import BoolArray, Calendar, FloatArray, Window

# A float32 holds 24 bits: a difference of a few of its units is rounding, not news.
ROUNDING = 2.0**-21
# Values beyond it are not measurements, and their squares are not numbers.
LARGEST = 1e100
# A score ends here: past a hundred half widths more says nothing, and one series must not drown a sum.
LARGEST_SCORE = 100.0
# Series at a time: bounds the memory of a fit to a few times that of this many samples.
BLOCK_SAMPLES = 500_000


@dataclass(kw_only=True, eq=False)
class SeasonalBaseline:
    r"""Distance from the usual value of this time of day and week, in half widths of the usual band.

    .. math:: s_{it} = |x_{it} - e_{it}| / h_{it}

    with expected value e = level + season and half width h of the side on which x lies. The season is a sum of
    medians by time of day and of week, each used as far as two halves of the history agree on it
    (`detectors.profile`); the level follows slow changes (`detectors.level`); the half width is the usual residual
    of the hour times what the history's own extremes ask for (`detectors.width`), widened where a minimum deviation
    says so.

    Parameters
    ----------
    timezone : str, default "UTC"
        Where the rhythm of day and week is that of people: an IANA name.
    direction : {"both", "above", "below"}, default "both"
        Side on which a deviation counts. On the other side the score is 0; the band keeps both.
    minimum_absolute : float, default 0
        Smallest deviation that may score above 1, in the unit of the series.
    minimum_relative : float, default 0
        The same as a ratio of the expected value: 0.1 is a tenth.
    rate : float, default 0.1
        How often a day and side an ordinary sample may leave the band. More is more sensitive.
    narrowest : float, default 5
        Smallest half width, in mean absolute residuals of the hour (5 of them are 4 standard deviations of
        normal data).
    memory : float, default 43200
        Seconds of which the level is the median: a lasting change is accepted after half of them.
    warm_up : float, default 86400
        Seconds a history must span.
    fewest : int, default 60
        Samples a history must hold.
    most_missing : float, default 0.8
        Share of the history's steps, from its first sample on, that may be missing.

    Examples
    --------
    >>> hours = np.arange(14 * 24)
    >>> busy = 100 + 50 * np.sin(2 * np.pi * hours / 24) + hours % 5
    >>> history = Window.of([busy], step=3600)
    >>> morning = Window.of([[101.0, 300.0]], step=3600, start=14 * 86400)
    >>> SeasonalBaseline().fit(history).score(morning) > 1
    array([[False,  True]])
    """

    timezone: str = "UTC"
    direction: Literal["both", "above", "below"] = "both"
    minimum_absolute: float = 0.0
    minimum_relative: float = 0.0
    rate: float = 0.1
    narrowest: float = 5.0
    memory: float = 43_200.0
    warm_up: float = 86_400.0
    fewest: int = 60
    most_missing: float = 0.8

    def __post_init__(self) -> None:
        Calendar(self.timezone)
        if self.direction not in ("both", "above", "below"):
            raise ValueError(f"SeasonalBaseline.direction must be both, above or below. Got {self.direction!r}.")
        for name in ("minimum_absolute", "minimum_relative", "warm_up"):
            _require(name, getattr(self, name), at_least=0)
        for name in ("rate", "narrowest", "memory"):
            _require(name, getattr(self, name), above=0)
        _require("fewest", self.fewest, at_least=2)
        if not 0 <= self.most_missing < 1:
            raise ValueError(f"SeasonalBaseline.most_missing must be from 0 to below 1. Got {self.most_missing!r}.")

    def fit(self, history: Window) -> Self:
        """Learn from `history`, up to now."""
        self.calendar_ = Calendar(self.timezone)
        self.step_ = history.step if history.n_steps > 1 else 1.0
        self.warming_up_ = self._warming_up(history)
        phase = Phase.of(history.times, self.calendar_)
        judged = np.flatnonzero(~self.warming_up_)
        size = max(1, BLOCK_SAMPLES // max(1, history.n_steps))
        parts = [judged[first : first + size] for first in range(0, len(judged), size)]
        with np.errstate(over="ignore", invalid="ignore"):
            self.parts_ = [(rows, *self._fit_rows(_finite(history.values[rows]), phase)) for rows in parts]
        return self

    def expect(self, window: Window) -> Band:
        """Expected value and band for each step of `window`, from what was known before that step."""
        expected = np.full(window.values.shape, np.nan)
        lower, upper = expected.copy(), expected.copy()
        phase = Phase.of(window.times, self.calendar_)
        for rows, profile, level, sides in self.parts_:
            season = profile.at(phase)
            known, _ = level.follow(_finite(window.values[rows]) - season, self.step_)
            above, below = sides.at(phase)
            centre = season + known
            expected[rows] = centre
            lower[rows], upper[rows] = self._widened(centre, centre - below, centre + above)
        return Band(expected, lower, upper)

    def advance(self, window: Window) -> None:
        """Take note of steps that will not change any more; what is judged from now on begins right after them."""
        phase = Phase.of(window.times, self.calendar_)
        self.parts_ = [
            (rows, profile, level.follow(_finite(window.values[rows]) - profile.at(phase), self.step_)[1], sides)
            for rows, profile, level, sides in self.parts_
        ]

    def score(self, window: Window) -> FloatArray:
        """Judge the steps of `window`, which begin right after the last that is known."""
        return self.score_against(self.expect(window), window)

    def score_against(self, band: Band, window: Window) -> FloatArray:
        """Scores of `window` against its own band, for callers that need both: the same as `score`."""
        deviation = window.values - band.expected
        half = np.where(deviation > 0, band.upper - band.expected, band.expected - band.lower)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            score = np.minimum(np.abs(deviation) / half, LARGEST_SCORE)
        score[deviation == 0] = 0.0  # also where the band has no width
        if self.direction != "both":
            score[deviation < 0 if self.direction == "above" else deviation > 0] = 0.0
        score[self.warming_up_] = 0.0
        score[np.isnan(window.values)] = np.nan
        return score

    def _warming_up(self, history: Window) -> BoolArray:
        known = np.abs(history.values) < LARGEST
        count = known.sum(axis=1)
        steps = history.n_steps - known.argmax(axis=1) if history.n_steps else count
        span = steps * self.step_
        # A series that begins within the history is judged by its own age.
        refused = (count < self.fewest) | (span < self.warm_up) | (count < (1 - self.most_missing) * steps)
        return np.asarray(refused, dtype=np.bool_)

    def _fit_rows(self, values: FloatArray, phase: Phase) -> tuple[Profile, Level, Width]:
        profile, seasonal = cross_fit(values, phase, self.step_)
        unseen = values - seasonal
        known, _ = Level.before(unseen, self.step_, self.memory).follow(unseen, self.step_)
        sides = width.learn(
            unseen - known, seasonal + known, profile.daily, phase, self.step_, rate=self.rate, narrowest=self.narrowest
        )
        plain = values - profile.at(phase)
        _, level = Level.before(plain, self.step_, self.memory).follow(plain, self.step_)
        return profile, level, sides

    def _widened(self, centre: FloatArray, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
        floor = np.maximum(self.minimum_absolute, (self.minimum_relative + ROUNDING) * np.abs(centre))
        return np.minimum(lower, centre - floor), np.maximum(upper, centre + floor)


def _finite(values: FloatArray) -> FloatArray:
    """A copy in which what cannot be learned from is missing."""
    return np.where(np.abs(values) < LARGEST, values, np.nan)


def _require(name: str, value: float, *, at_least: float | None = None, above: float | None = None) -> None:
    if at_least is not None and not at_least <= value < np.inf:
        raise ValueError(f"SeasonalBaseline.{name} must be {at_least:g} or more. Got {value!r}.")
    if above is not None and not above < value < np.inf:
        raise ValueError(f"SeasonalBaseline.{name} must be above {above:g}. Got {value!r}.")
