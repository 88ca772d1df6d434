"""What a decomposition into season, trend and rest leaves."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Self

import numpy as np

from detectors.base import Band
from detectors.calibrate import exceeded
from detectors.checks import above, at_least, share
from detectors.level import Level
from detectors.samples import LARGEST, LARGEST_SCORE, ROUNDING, filled, finite, warming_up
from series import FloatArray, Window
from series.calendar import DAY

# Periods that STL needs, and two more so that the season of a day is compared with another day's.
FEWEST_DAYS = 4
# STL smooths at every so many of a period's steps and draws lines between: a tenth of the time, the same season.
JUMP = 0.1


@dataclass(kw_only=True, eq=False)
class StlResidual:
    """Distance from the season of the last day plus the level, by STL of statsmodels.

    The history of each series is decomposed with a period of a day. A new step is compared with the season at the same
    time of the last day and with a level that follows slowly (`detectors.level`), as a decomposition knows no later
    step. The threshold is what the history, each day against the season of the day before, exceeds `rate` times a day.

    One decomposition for each series costs 10 to 100 ms: for a few series that matter. Needs statsmodels.

    Parameters
    ----------
    robust : bool, default False
        Let outliers of the history count less; takes 15 times as long.
    rate : float, default 0.1
        How often a day an ordinary sample may score above 1.
    memory : float, default 43200
        Seconds of which the level is the median.
    warm_up : float, default 345600
        Seconds a history must span, four days at least.
    fewest : int, default 60
        Samples a history must hold.
    most_missing : float, default 0.8
        Share of the history's steps, from its first sample on, that may be missing; a gap is filled with the sample
        before it.

    References
    ----------
    Cleveland et al. (1990), STL: A Seasonal-Trend Decomposition Procedure Based on Loess.
    """

    robust: bool = False
    rate: float = 0.1
    memory: float = 43_200.0
    warm_up: float = 345_600.0
    fewest: int = 60
    most_missing: float = 0.8

    def __post_init__(self) -> None:
        at_least(self, warm_up=FEWEST_DAYS * DAY, fewest=2)
        above(self, rate=0, memory=0)
        share(self, "most_missing")

    def fit(self, history: Window) -> Self:
        """Learn from `history`, up to now."""
        self.warming_up_ = warming_up(history, span=self.warm_up, fewest=self.fewest, most_missing=self.most_missing)
        self.step_ = history.step if history.n_steps > 1 else 1.0
        self.a_day_, self.passed_ = max(1, round(DAY / self.step_)), 0
        if self.a_day_ < 2 or history.n_steps < FEWEST_DAYS * self.a_day_:
            self.warming_up_ = np.ones(history.n_series, dtype=np.bool_)
        judged = np.flatnonzero(~self.warming_up_)
        self.season_, self.limit_ = np.zeros((history.n_series, self.a_day_)), np.ones(history.n_series)
        rest = np.zeros_like(history.values)
        if len(judged):
            values = finite(history.values[judged])
            season = np.stack([self._season(row) for row in filled(values)])
            self.season_[judged] = season[:, season.shape[1] - self.a_day_ :]
            rest[judged] = values - np.concatenate([season[:, : self.a_day_], season[:, : -self.a_day_]], axis=1)
        known, self.level_ = Level.before(rest, self.step_, self.memory).follow(rest, self.step_)
        self.limit_[judged] = exceeded(np.abs(rest - known)[judged, self.a_day_ :], self.step_, self.rate)
        return self

    def advance(self, window: Window) -> None:
        """Take note of steps that will not change any more; what is judged from now on begins right after them."""
        self.level_ = self.level_.follow(finite(window.values) - self._ahead(window), self.step_)[1]
        self.passed_ += window.n_steps

    def expect(self, window: Window) -> Band:
        """Expected value and band for each step of `window`, from what was known before that step."""
        season = self._ahead(window)
        expected = season + self.level_.follow(finite(window.values) - season, self.step_)[0]
        expected[self.warming_up_] = np.nan
        half = np.maximum(self.limit_[:, None], ROUNDING * np.abs(expected))
        return Band(expected, expected - half, expected + half)

    def score(self, window: Window) -> FloatArray:
        """Judge the steps of `window`, which begin right after the last that is known."""
        return self.score_against(self.expect(window), window)

    def score_against(self, band: Band, window: Window) -> FloatArray:
        """Scores of `window` against its own band, for callers that need both: the same as `score`."""
        return residual_score(band, window.values, self.warming_up_)

    def _season(self, values: FloatArray) -> FloatArray:
        jump = max(1, round(JUMP * self.a_day_))
        decompose = importlib.import_module("statsmodels.tsa.seasonal").STL
        jumps = {"trend_jump": jump, "low_pass_jump": jump}
        return np.asarray(decompose(values, period=self.a_day_, robust=self.robust, **jumps).fit().seasonal)

    def _ahead(self, window: Window) -> FloatArray:
        return self.season_[:, (self.passed_ + np.arange(window.n_steps)) % self.a_day_]


def residual_score(band: Band, values: FloatArray, warming_up: np.typing.NDArray[np.bool_]) -> FloatArray:
    """(n_series, n_steps): distance of `values` from what a symmetric `band` expects, in its half widths.

    0 where nothing is expected and in warm-up, NaN where there is no sample.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        apart = np.abs(values - band.expected)
        scores = np.minimum(apart / (band.upper - band.expected), LARGEST_SCORE)
    scores[(apart == 0) | np.isnan(band.expected)] = 0.0
    scores[np.abs(values) >= LARGEST] = LARGEST_SCORE
    scores[warming_up] = 0.0
    scores[np.isnan(values)] = np.nan
    return scores
