"""What a detector that only scores does not say: what was expected, and whether it is worth telling."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Self, cast

import numpy as np

from detectors.base import Band, Baseline, Detector
from detectors.seasonal import SeasonalBaseline
from detectors.worth_telling import worth_telling
from series import FloatArray, Window


@dataclass(kw_only=True, eq=False)
class Beside:
    """The scores of one detector, with a band, a direction and minimum deviations.

    A detector that says what it expects gives its own band; for any other a baseline is fitted beside it. On the other
    side of `baseline.direction` the score is 0, and a deviation within its minima scores 1 at most; what nothing is
    expected of keeps its score.

    Parameters
    ----------
    detector : Detector
    baseline : SeasonalBaseline

    Examples
    --------
    >>> from detectors.iqr import Iqr
    >>> hours = np.arange(14 * 24)
    >>> history = Window.of([100 + 50 * np.sin(2 * np.pi * hours / 24) + hours % 5], step=3600)
    >>> morning = Window.of([[300.0, -200.0]], step=3600, start=14 * 86400)
    >>> beside = Beside(detector=Iqr(), baseline=SeasonalBaseline(direction="above")).fit(history)
    >>> beside.score(morning) > 1
    array([[ True, False]])
    """

    detector: Detector
    baseline: SeasonalBaseline

    @property
    def snapshots(self) -> bool:
        """False where what was learned cannot be kept over a restart."""
        return getattr(self.detector, "snapshots", True)

    def fit(self, history: Window) -> Self:
        """Learn from `history`, up to now."""
        self.detector_ = copy.copy(self.detector).fit(history)
        self.warming_up_ = self.detector_.warming_up_
        own = hasattr(self.detector_, "expect")
        self.baseline_ = cast(Baseline, self.detector_) if own else copy.copy(self.baseline).fit(history)
        return self

    def advance(self, window: Window) -> None:
        """Take note of steps that will not change any more; what is judged from now on begins right after them."""
        self.detector_.advance(window)
        if self.baseline_ is not self.detector_:
            self.baseline_.advance(window)

    def expect(self, window: Window) -> Band:
        """Expected value and band for each step of `window`, from what was known before that step."""
        return self.baseline_.expect(window)

    def season(self, times: FloatArray) -> FloatArray:
        """What time of day and week add to the level at `times`: (n_series, n_steps), NaN where that is not known."""
        season = getattr(self.baseline_, "season", None)
        return season(times) if season else np.full((len(self.warming_up_), len(times)), np.nan)

    def score(self, window: Window) -> FloatArray:
        """Judge the steps of `window`, which begin right after the last that is known."""
        return self.score_against(self.expect(window), window)

    def score_against(self, band: Band, window: Window) -> FloatArray:
        """Scores of `window` given its band, for callers that need both: the same as `score`."""
        return worth_telling(self.detector_.score(window), window.values, band.expected, self.baseline)
