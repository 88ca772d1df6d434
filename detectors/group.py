"""One score for a group of metrics that belong together, and who is to blame."""

from __future__ import annotations

import numpy as np

from series import FloatArray

# One metric, however strange, counts as five thresholds at most: a dead sensor is not an outage.
LARGEST_PART = 5.0
# Metrics of one service disagree most of the time, so their mean at rest lies far below 1; two thirds of the
# threshold on average is already much.
LARGEST_GAIN = 1.5


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
