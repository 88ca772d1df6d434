"""One detector in the place of several."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self, cast

import numpy as np
import numpy.typing as npt

from detectors.base import Baseline, Detector
from detectors.ensemble import Consensus
from detectors.notable import notable
from detectors.seasonal import SeasonalBaseline
from series import BoolArray, FloatArray, Window


@dataclass(eq=False)
class Single:
    """A detector that votes alone.

    Most detectors do not say what they expect. A baseline beside such a one gives the band that is shown and told, and
    the side on which a sample lies; the score stays the detector's own.

    Parameters
    ----------
    detector : Detector
        One that also expects (`detectors.base.Baseline`) gives its band.
    name : str
    baseline : SeasonalBaseline, optional
        Beside a detector that expects nothing. Its direction and its minimum deviations hold for any.
    """

    detector: Detector
    name: str
    baseline: SeasonalBaseline = field(default_factory=SeasonalBaseline)

    @property
    def members_(self) -> tuple[str, ...]:
        """Names of the detectors, in the order of their votes."""
        return (self.name,)

    @property
    def snapshots(self) -> bool:
        """False where what was learned cannot be kept over a restart."""
        return getattr(self.detector, "snapshots", True)

    @property
    def warming_up_(self) -> BoolArray:
        """(n_series,) bool: the history is too short or too full of gaps to judge by."""
        return self.detector.warming_up_

    def fit(self, history: Window, groups: npt.NDArray[np.intp] | None = None) -> Self:
        """Learn from samples that are known now. Raises ValueError for groups: it judges each series alone."""
        if groups is not None:
            raise ValueError(f"groups need the ensemble. Got {self.name}.")
        self.detector.fit(history)
        if self._expecting is self.baseline:
            self.baseline.fit(history)
        return self

    def advance(self, window: Window) -> None:
        """Take note of steps that will not change any more."""
        self.detector.advance(window)
        if self._expecting is self.baseline:
            self.baseline.advance(window)

    def season(self, times: FloatArray) -> FloatArray:
        """What time of day and week add to the level at `times`: (n_series, n_steps), NaN where that is not known."""
        season = getattr(self._expecting, "season", None)
        return season(times) if season else np.full((len(self.warming_up_), len(times)), np.nan)

    def judge(self, window: Window) -> Consensus:
        """All that is said of steps right after the last that is known."""
        band = self._expecting.expect(window)
        scores = notable(
            self.detector.score(window),
            band,
            window.values,
            direction=self.baseline.direction,
            minimum_absolute=self.baseline.minimum_absolute,
            minimum_relative=self.baseline.minimum_relative,
        )
        return Consensus(band, scores, scores[None], scores, np.ones_like(scores))

    @property
    def _expecting(self) -> Baseline:
        return cast(Baseline, self.detector) if hasattr(self.detector, "expect") else self.baseline
