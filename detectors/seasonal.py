"""A robust baseline with a daily and a weekly season."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np

from detectors import width
from detectors.base import Band
from detectors.checks import above, at_least, share
from detectors.learned import NOTHING, Learned, Usual, ordinary, with_months
from detectors.level import Level
from detectors.month_days import NONE, MonthDays
from detectors.occasional import Effects, Season, Unlike
from detectors.phase import IntArray, Phase
from detectors.profile import cross_fit
from detectors.samples import LARGEST_SCORE, ROUNDING, finite, row_blocks, warming_up
from detectors.width import Width
from series import Calendar, FloatArray, Window
from series.occasions import Occasions

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
    occasions : Occasions, optional
        Holidays, events and days of the month: what happens then is no part of the season, and expected as past
        ones show it (`detectors.occasional`, `detectors.month_days`).

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
    occasions: Occasions | None = None

    def __post_init__(self) -> None:
        Calendar(self.timezone)
        if self.direction not in ("both", "above", "below"):
            raise ValueError(f"SeasonalBaseline.direction must be both, above or below. Got {self.direction!r}.")
        at_least(self, minimum_absolute=0, minimum_relative=0, warm_up=0, fewest=2)
        above(self, rate=0, narrowest=0, memory=0)
        share(self, "most_missing")

    def fit(self, history: Window) -> Self:
        """Learn from `history`, up to now."""
        self.learn(history)
        return self

    def learn(self, history: Window) -> tuple[FloatArray, Window]:
        """Fit, and say how strange each step of the history was to what had not seen it.

        What occasions do is learned from all of it, these steps too.

        Returns
        -------
        scores : (n_series, n_steps) float64
            As those of `score`.
        plain : Window
            See `without_events`.
        """
        self.calendar_ = Calendar(self.timezone)
        self.step_ = history.step if history.n_steps > 1 else 1.0
        self.warming_up_ = warming_up(history, span=self.warm_up, fewest=self.fewest, most_missing=self.most_missing)
        phase = Phase.of(history.times, self.calendar_)
        unlike = Unlike.of(self.occasions, history.times, phase)
        scores = np.where(np.isnan(history.values), np.nan, 0.0)
        plain = history if unlike is None else _copy(history)
        self.parts_: list[tuple[IntArray, Learned]] = []
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for rows in row_blocks(~self.warming_up_, history.n_steps, BLOCK_SAMPLES):
                part, season, known = self._fit_rows(finite(history.values[rows]), phase, unlike)
                scores[rows] = self._distance(self._band(part.sides, season, known, phase), history.values[rows])
                if unlike is not None:
                    plain.values[rows] = part.plain(history.values[rows], season.middle + known, phase, unlike)
                self.parts_.append((rows, part))
        return scores, plain

    def expect(self, window: Window) -> Band:
        """Expected value and band for each step of `window`, from what was known before that step."""
        whole = Band(*(np.full(window.values.shape, np.nan) for _ in range(3)))
        phase = Phase.of(window.times, self.calendar_)
        unlike = Unlike.of(self.occasions, window.times, phase)
        for rows, part in self.parts_:
            season = part.season(phase, unlike)
            kept = part.ordinary(finite(window.values[rows]), phase, unlike)
            known, _ = part.level.follow(kept - season.middle, self.step_)
            band = self._band(part.sides, season, known, phase)
            whole.expected[rows], whole.lower[rows], whole.upper[rows] = band.expected, band.lower, band.upper
        return whole

    def season(self, times: FloatArray) -> FloatArray:
        """What time of day and week add to the level at `times`: (n_series, n_steps), NaN where it warms up."""
        phase = Phase.of(times, self.calendar_)
        unlike = Unlike.of(self.occasions, times, phase)
        season = np.full((len(self.warming_up_), len(times)), np.nan)
        for rows, part in self.parts_:
            season[rows] = part.season(phase, unlike).middle
        return season

    def without_events(self, window: Window, band: Band) -> Window:
        """The window, of which `band` was expected, less what the calendar explains: for those who judge shapes.

        Of events that is what they are known to add; of days of the month whatever lies within what they may add.
        """
        phase = Phase.of(window.times, self.calendar_)
        unlike = Unlike.of(self.occasions, window.times, phase)
        if unlike is None:
            return window
        plain = _copy(window)
        for rows, part in self.parts_:
            plain.values[rows] = part.plain(window.values[rows], band.expected[rows], phase, unlike)
        return plain

    def advance(self, window: Window) -> None:
        """Take note of steps that will not change any more; what is judged from now on begins right after them."""
        phase = Phase.of(window.times, self.calendar_)
        unlike = Unlike.of(self.occasions, window.times, phase)
        for place, (rows, part) in enumerate(self.parts_):
            kept = part.ordinary(finite(window.values[rows]), phase, unlike)
            residual = kept - part.season(phase, unlike).middle
            self.parts_[place] = rows, replace(part, level=part.level.follow(residual, self.step_)[1])

    def score(self, window: Window) -> FloatArray:
        """Judge the steps of `window`, which begin right after the last that is known."""
        return self.score_against(self.expect(window), window)

    def score_against(self, band: Band, window: Window) -> FloatArray:
        """Scores of `window` against its own band, for callers that need both: the same as `score`."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            score = self._distance(band, window.values)
        score[self.warming_up_] = 0.0
        score[np.isnan(window.values)] = np.nan
        return score

    def _distance(self, band: Band, values: FloatArray) -> FloatArray:
        deviation = values - band.expected
        half = np.where(deviation > 0, band.upper - band.expected, band.expected - band.lower)
        score = np.minimum(np.abs(deviation) / half, LARGEST_SCORE)
        score[deviation == 0] = 0.0  # also where the band has no width
        if self.direction != "both":
            score[deviation < 0 if self.direction == "above" else deviation > 0] = 0.0
        return np.asarray(score)

    def _fit_rows(self, values: FloatArray, phase: Phase, unlike: Unlike | None) -> tuple[Learned, Season, FloatArray]:
        """What is learned of the rows; season and level at each step, as known without knowledge of it."""
        kept = ordinary(values, None, phase, unlike)
        usual, months = self._usual(kept, phase), None
        if unlike is not None:
            kind = np.where(unlike.any, NONE, unlike.month)
            months = MonthDays.learn(kept, kind, usual.profile, usual.sides, phase, self.step_, self.memory)
        if months is not None:
            kept = ordinary(values, months, phase, unlike)
            rows = months.rows[months.expected]
            if len(rows):
                usual.put(rows, self._usual(kept[rows], phase))
        profile, known = usual.profile, usual.known
        plain = kept - profile.at(phase)
        _, level = Level.before(plain, self.step_, self.memory).follow(plain, self.step_)
        season, effects = Season(usual.season, NOTHING, NOTHING), None
        if self.occasions is not None:
            effects = Effects.none(len(values), len(self.occasions.events))
        if unlike is not None:
            effects = Effects.learn(values - known, profile, phase, unlike, self.step_)
            off, then = unlike.any, effects.season(profile, phase, unlike)
            season = Season(np.where(off, then.middle, usual.season), then.less, then.more)
            season = with_months(season, months, phase, unlike)
        return Learned(profile, level, usual.sides, effects, months), season, known

    def _usual(self, values: FloatArray, phase: Phase) -> Usual:
        profile, seasonal = cross_fit(values, phase, self.step_)
        unseen = values - seasonal
        known, _ = Level.before(unseen, self.step_, self.memory).follow(unseen, self.step_)
        expected = seasonal + known
        sides = width.learn(
            unseen - known, expected, profile.daily, phase, self.step_, rate=self.rate, narrowest=self.narrowest
        )
        return Usual(profile, seasonal, known, sides)

    def _band(self, sides: Width, season: Season, known: FloatArray, phase: Phase) -> Band:
        above, below = sides.at(phase)
        centre = season.middle + known
        return Band(centre, *self._widened(centre, centre - below - season.less, centre + above + season.more))

    def _widened(self, centre: FloatArray, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
        floor = np.maximum(self.minimum_absolute, (self.minimum_relative + ROUNDING) * np.abs(centre))
        return np.minimum(lower, centre - floor), np.maximum(upper, centre + floor)


def _copy(window: Window) -> Window:
    return Window(window.keys, window.times, np.array(window.values, dtype=np.float64))
