"""One detector in the place of several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from detectors.base import Baseline
from detectors.ensemble import Consensus
from series import BoolArray, FloatArray, Window


@dataclass(eq=False)
class Single:
    """A detector that votes alone.

    Parameters
    ----------
    detector : Baseline
    name : str
    """

    detector: Baseline
    name: str

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
        return self

    def advance(self, window: Window) -> None:
        """Take note of steps that will not change any more."""
        self.detector.advance(window)

    def season(self, times: FloatArray) -> FloatArray:
        """What time of day and week add to the level at `times`: (n_series, n_steps), NaN where that is not known."""
        season = getattr(self.detector, "season", None)
        return season(times) if season else np.full((len(self.warming_up_), len(times)), np.nan)

    def judge(self, window: Window) -> Consensus:
        """All that is said of steps right after the last that is known."""
        band = self.detector.expect(window)
        scores = self.detector.score_against(band, window)
        return Consensus(band, scores, scores[None], scores, np.ones_like(scores))
