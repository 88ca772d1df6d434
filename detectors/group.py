"""One score for a group of metrics that belong together, and who is to blame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.calibrate import exceeded
from detectors.familiar import LARGEST, SMALLEST, TRUST, Familiar
from detectors.phase import IntArray, Phase
from detectors.robust import quantile
from series import FloatArray

# One metric, however strange, counts as five thresholds at most: a dead sensor is not an outage.
LARGEST_PART = 5.0
# Metrics of one service disagree most of the time, so their mean at rest lies far below 1; two thirds of the
# threshold on average is already much.
LARGEST_GAIN = 1.5
# Share of the metrics that an incident of a few touches.
STRANGEST = 0.1
# A metric is blamed for what lies beyond its ordinary restlessness, this share of its past.
ORDINARY = 0.9


def group_score(scores: FloatArray) -> FloatArray:
    """Score of a group at each step: the mean over its metrics, 1 as threshold.

    Parameters
    ----------
    scores : (n_metrics, n_steps) float64
        Each metric's own score, NaN where it has no sample.

    Returns
    -------
    (n_steps,) float64
        That of the metric itself for a group of one; NaN where no metric has a sample.

    Examples
    --------
    >>> group_score(np.array([[0.5, 3.0], [0.5, 3.0], [0.5, np.nan]])).round(2)
    array([0.75, 3.  ])
    """
    n_metrics = len(scores)
    if n_metrics == 1:
        return np.array(scores[0])
    known = ~np.isnan(scores)
    total = np.where(known, np.minimum(scores, LARGEST_PART), 0.0).sum(axis=0)
    gain = min(LARGEST_GAIN, 2 * n_metrics / (n_metrics + 1))
    # A metric without a sample says nothing, neither for nor against: the mean is over all of them.
    return np.asarray(np.where(known.any(axis=0), gain * total / n_metrics, np.nan))


def contributions(scores: FloatArray) -> FloatArray:
    """Share of each metric in the group's score: (n_metrics, n_steps), adding up to 1, or 0 where all scores are 0.

    Examples
    --------
    >>> contributions(np.array([[3.0, 0.0], [1.0, 0.0]]))
    array([[0.75, 0.  ],
           [0.25, 0.  ]])
    """
    parts = np.minimum(np.nan_to_num(scores), LARGEST_PART)
    total = parts.sum(axis=0)
    return np.asarray(parts / np.where(total > 0, total, 1.0))


@dataclass(frozen=True, eq=False)
class Joint:
    """Scores of groups of series, learned from what their series scored in a history.

    An incident may touch all metrics of a service a little or a few of them much. So two means of the metrics'
    scores are taken, over all and over the strangest tenth; each is divided by what the history exceeds, and
    the mean of both by what the group is used to (`detectors.familiar`). A group of one scores as its series does.

    Attributes
    ----------
    rows : tuple of (n_members,) intp
        Rows of each group, in the order of the ids.
    shared : (n_shared,) intp
        Numbers of the groups with several members; what follows is theirs.
    scale : (n_shared, 2) float64
        What the two means are divided by.
    familiar : Familiar
    ordinary : (n_series,) float64
        Score that each series exceeds in a tenth of the steps.
    """

    rows: tuple[IntArray, ...]
    shared: IntArray
    scale: FloatArray
    familiar: Familiar
    ordinary: FloatArray

    @classmethod
    def learn(cls, scores: FloatArray, groups: IntArray, phase: Phase, step: float, *, rate: float) -> Joint:
        """Learn from the `scores` (n_series, n_steps) of a history; equal `groups` (n_series,) belong together."""
        order = np.argsort(groups, kind="stable")
        rows = tuple(np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)) if len(order) else ()
        shared = np.array([group for group, members in enumerate(rows) if len(members) > 1], dtype=np.intp)
        means = np.empty((len(shared), 2, scores.shape[1]))
        for place, group in enumerate(shared):
            means[place] = _means(scores[rows[group]])
        limit = [exceeded(means[:, part], step, rate) for part in range(2)]
        scale = np.clip(np.stack(limit, axis=1), SMALLEST, LARGEST) ** TRUST
        joint = (means / scale[..., None]).mean(axis=1)
        familiar = Familiar.learn(joint, phase, step, rate=rate, trust=0.0)
        ordinary = np.zeros(len(scores))
        for group in shared:
            ordinary[rows[group]] = np.nan_to_num(quantile(scores[rows[group]], ORDINARY))
        return cls(rows, shared, scale, familiar, ordinary)

    def score(self, scores: FloatArray, phase: Phase) -> FloatArray:
        """(n_groups, n_steps) from the `scores` (n_series, n_steps) of steps at `phase`; 1 is the threshold."""
        joint = scores[[members[0] for members in self.rows]] if self.rows else scores[:0].copy()
        together = np.empty((len(self.shared), scores.shape[1]))
        for place, group in enumerate(self.shared):
            part = scores[self.rows[group]]
            together[place] = (_means(part) / self.scale[place, :, None]).mean(axis=0)
            together[place, np.isnan(part).all(axis=0)] = np.nan
        joint[self.shared] = self.familiar.settle(together, phase)
        return joint

    def contributions(self, scores: FloatArray) -> FloatArray:
        """(n_series, n_steps): share of each series in what is unusual about its group; see `contributions`."""
        beyond = np.maximum(np.minimum(np.nan_to_num(scores), LARGEST_PART) - self.ordinary[:, None], 0.0)
        shares = np.asarray(beyond > 0, dtype=np.float64)
        for group in self.shared:
            shares[self.rows[group]] = contributions(beyond[self.rows[group]])
        return shares


def _means(scores: FloatArray) -> FloatArray:
    """(2, n_steps): mean over all and over the strangest metrics; one without a sample says nothing."""
    parts = np.minimum(np.nan_to_num(scores), LARGEST_PART)
    few = max(1, round(len(parts) * STRANGEST))
    strangest = np.partition(parts, len(parts) - few, axis=0)[len(parts) - few :]
    return np.stack([parts.mean(axis=0), strangest.mean(axis=0)])
