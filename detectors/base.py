"""What every detector promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

from series import BoolArray, FloatArray, Window


@dataclass(frozen=True, eq=False)
class Band:
    """What was expected: three arrays of shape (n_series, n_steps), in the unit of the series.

    NaN throughout a series that still warms up.
    """

    expected: FloatArray
    lower: FloatArray
    upper: FloatArray


class Detector(Protocol):
    """Is it strange?

    Promises, each checked for every entry of `DETECTORS` by the contract tests:

    - Arguments are keyword-only, stored unchanged, and refused in the constructor where they are bad.
    - `fit` returns `self`; what was learned ends in an underscore.
    - Scores are (n_series, n_steps) float64: 0 is ordinary, 1 is the threshold, higher is stranger; NaN where
      there is no sample; 0 throughout a series that warms up.
    - No step sees a later one; no row sees another.
    - `advance` then `score` says of later steps what one `score` of all would have said.
    - Rows stand in the order of the window, and the window holds the same keys as the history.
    """

    warming_up_: BoolArray
    """(n_series,) bool: True where the history is too short or too full of gaps to judge by."""

    def fit(self, history: Window) -> Self:
        """Learn what is normal from samples that are known now."""

    def advance(self, window: Window) -> None:
        """Take note of steps that will not change any more; what is judged from now on begins right after them."""

    def score(self, window: Window) -> FloatArray:
        """Judge the steps of `window`, which begin right after the last that is known."""


class Baseline(Detector, Protocol):
    """A detector that can also say what it expected."""

    def expect(self, window: Window) -> Band:
        """Expected value and band for each step of `window`, from what was known before that step."""

    def score_against(self, band: Band, window: Window) -> FloatArray:
        """Scores of `window` against its own band, for callers that need both: the same as `score`."""
