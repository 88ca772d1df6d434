"""Several detectors, one score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from detectors.base import Band
from detectors.character import Character, sample
from detectors.checks import above, at_least, share
from detectors.extremes import Extremes
from detectors.familiar import Familiar
from detectors.group import Joint
from detectors.level import BLOCK, Level
from detectors.phase import Phase
from detectors.samples import LARGEST, LARGEST_SCORE
from detectors.seasonal import SeasonalBaseline
from detectors.voting import families, mean_vote, shares, taking_part
from detectors.window_pca import WindowPca
from detectors.worth_telling import worth_telling
from series import Calendar, FloatArray, Window
from series.occasions import Occasions

# Samples of the windows that are compared with their usual shapes, and how many shapes each has ...
SHAPES = ((6, 2), (12, 3), (24, 4))
# ... and seconds that they span at most but for the shortest: a day in one window is no shape but the daily rhythm.
LONGEST = 7_200.0
# A restlessness that lasts is accepted, as a level is, after half of these seconds: scores of its usual size then
# stay below the threshold by this factor.
MEMORY = 43_200.0
ACCEPTED = 1.5
# Level and shape.
FAMILIES = 2

# Names that `Ensemble.weights` may have; a long step has fewer of the shapes.
MEMBERS = ("seasonal", "extremes", *(f"window_pca_{width}" for width, _ in SHAPES))

GroupIds = Sequence[int] | npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Consensus:
    """What an `Ensemble` says of a window.

    Attributes
    ----------
    band : Band
        What the baseline expected.
    scores : (n_series, n_steps) float64
        Consensus, 1 is the threshold.
    votes : (n_members, n_series, n_steps) float64
        Score of each member, in the order of `Ensemble.members_`; NaN where it takes no part.
    group_scores : (n_groups, n_steps) float64
        Joint score of each group, in the order of their smallest ids; that of the series for a group of one.
    contributions : (n_series, n_steps) float64
        Share of each series in the score of its group.
    """

    band: Band
    scores: FloatArray
    votes: FloatArray
    group_scores: FloatArray
    contributions: FloatArray

    def agreeing(self) -> npt.NDArray[np.int64]:
        """(n_series, n_steps): how many families, level and shape, are above their threshold."""
        return families(self.votes, np.ones(self.votes.shape[:2], dtype=np.bool_))[0]


@dataclass(kw_only=True, eq=False)
class Ensemble:
    """Consensus of a seasonal baseline, of the extremes of days, and of the shapes of the last 6, 12 and 24 samples.

    Each member's score is a ratio to what its own history exceeds `rate` times a day, so that they can be averaged.
    The weighted mean, each counted up to five thresholds, is compared with what the series did before
    (`detectors.familiar`) and becomes the consensus. Who takes part depends on the character of a series
    (`detectors.character`, `detectors.voting`). With `groups` a joint score of each group is learned on top
    (`detectors.group`).

    The band is that of the baseline. A consensus above 1 need not mean that a sample lies outside of it: two hours
    may be restless inside of a wide band.

    Parameters
    ----------
    timezone : str, default "UTC"
        Where the rhythm of day and week is that of people: an IANA name.
    direction : {"both", "above", "below"}, default "both"
        Side of the expected value on which a sample can be strange; on the other the score is 0.
    minimum_absolute : float, default 0
        Smallest deviation that may score above 1, in the unit of the series.
    minimum_relative : float, default 0
        The same as a ratio of the expected value: 0.1 is a tenth.
    rate : float, default 0.1
        How often a day an ordinary series may score above 1. More is more sensitive.
    warm_up : float, default 86400
        Seconds a history must span.
    fewest : int, default 60
        Samples a history must hold.
    most_missing : float, default 0.8
        Share of the history's steps, from its first sample on, that may be missing.
    agree : int, default 1
        How many families, of level and shape, must be above their thresholds for a consensus above 1; where only one
        takes part, it decides alone. 2 calls later and less often.
    weights : mapping of str to float, optional
        How much each member counts beside its default, by name as in `members_`; 1 for those not named. See
        `detectors.weights.learn_weights`.
    occasions : Occasions, optional
        Holidays, days of the month and events that the baseline heeds.

    Examples
    --------
    >>> hours = np.arange(14 * 24)
    >>> busy = 100 + 50 * np.sin(2 * np.pi * hours / 24) + hours % 5
    >>> history = Window.of([busy], step=3600)
    >>> morning = Window.of([[101.0, 300.0]], step=3600, start=14 * 86400)
    >>> Ensemble().fit(history).score(morning) > 1
    array([[False,  True]])
    """

    timezone: str = "UTC"
    direction: Literal["both", "above", "below"] = "both"
    minimum_absolute: float = 0.0
    minimum_relative: float = 0.0
    rate: float = 0.1
    warm_up: float = 86_400.0
    fewest: int = 60
    most_missing: float = 0.8
    agree: int = 1
    weights: Mapping[str, float] | None = None
    occasions: Occasions | None = None

    def __post_init__(self) -> None:
        Calendar(self.timezone)
        if self.direction not in ("both", "above", "below"):
            raise ValueError(f"Ensemble.direction must be both, above or below. Got {self.direction!r}.")
        at_least(self, minimum_absolute=0, minimum_relative=0, warm_up=0, fewest=2)
        above(self, rate=0)
        share(self, "most_missing")
        if self.agree not in range(1, FAMILIES + 1):
            raise ValueError(f"Ensemble.agree must be 1 or {FAMILIES}. Got {self.agree!r}.")
        self._check_weights(self.weights or {})

    def _check_weights(self, weights: Mapping[str, float]) -> None:
        for name, weight in weights.items():
            if name not in MEMBERS:
                raise ValueError(f"Ensemble.weights must name {', '.join(MEMBERS)}. Got {name!r}.")
            if not 0 < weight < math.inf:
                raise ValueError(f"Ensemble.weights must be above 0. Got {name}: {weight!r}.")

    @property
    def members_(self) -> tuple[str, ...]:
        """Names of the fitted members, in the order of their votes."""
        return ("seasonal", "extremes", *(f"window_pca_{shape.width}" for shape in self.shapes_))

    def fit(self, history: Window, groups: GroupIds | None = None) -> Self:
        """Learn from `history`, up to now.

        Parameters
        ----------
        history : Window
        groups : sequence of int, (n_series,), optional
            Equal numbers for rows that belong together; without it each row stands alone.
        """
        self.calendar_ = Calendar(self.timezone)
        step = history.step if history.n_steps > 1 else 1.0
        self.baseline_, self.extremes_, self.shapes_ = self._unfitted(step)
        level, plain = self.baseline_.learn(history)
        votes = [level, self.extremes_.learn(plain), *(shape.learn(plain) for shape in self.shapes_)]
        self.warming_up_ = self.baseline_.warming_up_
        phase = Phase.of(history.times, self.calendar_)
        self.character_ = Character.of(history, self.baseline_.season(history.times[sample(history.n_steps)]))
        self.taking_part_ = taking_part(self.character_, len(votes))
        self.shares_ = shares(self.members_, self.weights or {}, self.taking_part_)
        scores = mean_vote(votes, self.shares_)
        lately = scores[:, -round((MEMORY + BLOCK) / step) :]
        self.level_ = Level.before(lately, step, MEMORY).follow(lately, step)[1]
        self.step_ = step
        self.familiar_ = Familiar.learn(scores, phase, step, rate=self.rate)
        ids = np.arange(history.n_series) if groups is None else np.asarray(groups, dtype=np.intp)
        self.joint_ = Joint.learn(scores / self.familiar_.usual[:, None], ids, phase, step, rate=self.rate)
        return self

    def advance(self, window: Window) -> None:
        """Take note of steps that will not change any more; what is judged from now on begins right after them."""
        band = self.expect(window)
        plain = self.baseline_.without_events(window, band)
        votes = self._votes(band, window, plain)
        self.level_ = self.level_.follow(mean_vote(votes, self.shares_), self.step_)[1]
        self.baseline_.advance(window)
        for shape in self.shapes_:
            shape.advance(plain)

    def expect(self, window: Window) -> Band:
        """Expected value and band for each step of `window`, from what was known before that step."""
        return self.baseline_.expect(window)

    def season(self, times: FloatArray) -> FloatArray:
        """What time of day and week add to the level at `times`: (n_series, n_steps), NaN where it warms up."""
        return self.baseline_.season(times)

    def score(self, window: Window) -> FloatArray:
        """Judge the steps of `window`, which begin right after the last that is known."""
        return self.score_against(self.expect(window), window)

    def score_against(self, band: Band, window: Window) -> FloatArray:
        """Scores of `window` given the baseline's band, for callers that need both: the same as `score`."""
        plain = self.baseline_.without_events(window, band)
        return self._consensus(self._votes(band, window, plain), band, window)

    def judge(self, window: Window) -> Consensus:
        """All that is said of `window`, computed once."""
        band = self.expect(window)
        votes = self._votes(band, window, self.baseline_.without_events(window, band))
        scores = self._consensus(votes, band, window)
        phase = Phase.of(window.times, self.calendar_)
        heard = np.where(self.taking_part_[..., None], np.stack(votes), np.nan)
        return Consensus(band, scores, heard, self.joint_.score(scores, phase), self.joint_.contributions(scores))

    def _unfitted(self, step: float) -> tuple[SeasonalBaseline, Extremes, tuple[WindowPca, ...]]:
        baseline = SeasonalBaseline(
            timezone=self.timezone,
            direction=self.direction,
            minimum_absolute=self.minimum_absolute,
            minimum_relative=self.minimum_relative,
            rate=self.rate,
            warm_up=self.warm_up,
            fewest=self.fewest,
            most_missing=self.most_missing,
            occasions=self.occasions,
        )
        extremes = Extremes(warm_up=self.warm_up, fewest=self.fewest, most_missing=self.most_missing)
        kept = (shape for place, shape in enumerate(SHAPES) if place == 0 or shape[0] * step <= LONGEST)
        return baseline, extremes, tuple(self._shape(width, components) for width, components in kept)

    def _shape(self, width: int, components: int) -> WindowPca:
        return WindowPca(
            width=width,
            components=components,
            rate=self.rate,
            warm_up=self.warm_up,
            fewest=self.fewest,
            most_missing=self.most_missing,
        )

    def _votes(self, band: Band, window: Window, plain: Window) -> list[FloatArray]:
        levels = (self.baseline_.score_against(band, window), self.extremes_.score(plain))
        return [*levels, *(shape.score(plain) for shape in self.shapes_)]

    def _consensus(self, votes: list[FloatArray], band: Band, window: Window) -> FloatArray:
        scores = mean_vote(votes, self.shares_)
        lasting, _ = self.level_.follow(scores, self.step_)
        scores = self.familiar_.settle(scores, Phase.of(window.times, self.calendar_), least=ACCEPTED * lasting)
        if self.agree > 1:
            agreeing, voting = families(votes, self.taking_part_)
            alone = agreeing < np.minimum(self.agree, voting)[:, None]
            scores[alone] = np.minimum(scores[alone], 1.0)
        scores = worth_telling(scores, window.values, band.expected, self)
        scores[(np.abs(window.values) >= LARGEST) & ~self.warming_up_[:, None]] = LARGEST_SCORE
        scores[self.warming_up_] = 0.0
        scores[np.isnan(window.values)] = np.nan
        return scores
