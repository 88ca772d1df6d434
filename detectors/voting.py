"""Who votes on a series, how much each vote counts, and how many must agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from detectors.character import Character
from series import BoolArray, FloatArray

# One detector, however sure, counts as five thresholds at most: the others are to be heard.
LARGEST_VOTE = 5.0
# Detectors see different things, so that their mean stays below 1 where each is near its threshold by chance alone.
GAIN = 1.15
# The baseline is heard as two of the others.
BASELINE_WEIGHT = 2.0
# So many members, the first, judge the level of a sample: the baseline and the extremes. The others judge shapes.
LEVELS = 2

Counts = npt.NDArray[np.int64]


def taking_part(character: Character, n_members: int) -> BoolArray:
    """(n_members, n_series): True where a member can say something of a series. The first is the baseline.

    The baseline judges every series; it alone judges a sparse one. The gaps of such a series are filled with the sample
    before, so that most of what shapes would compare is filling, and its days hold too few samples to know their
    extremes. Shapes do judge a constant one, where whatever moves is news.
    """
    part = np.ones((n_members, len(character.sparse)), dtype=np.bool_)
    part[1:] = ~character.sparse
    return part


def shares(members: Sequence[str], weights: Mapping[str, float], part: BoolArray) -> FloatArray:
    """What a vote of each member adds to the consensus of each series.

    Parameters
    ----------
    members : sequence of str, length n_members
    weights : mapping of member to weight
        1 where it does not say.
    part : (n_members, n_series) bool
        Whether a member takes part.

    Returns
    -------
    (n_members, n_series) float64
        Their sum over the members is `GAIN` where several count, 1 where one counts alone, and 0 where none does.
    """
    own = [weights.get(name, 1.0) * (BASELINE_WEIGHT if place == 0 else 1.0) for place, name in enumerate(members)]
    heard = np.where(part, np.array(own)[:, None], 0.0)
    total, several = heard.sum(axis=0), np.count_nonzero(heard, axis=0) > 1
    return np.asarray(np.where(several, GAIN, 1.0) * heard / np.where(total > 0, total, 1.0))


def mean_vote(votes: Sequence[FloatArray], each: FloatArray) -> FloatArray:
    """(n_series, n_steps): sum of the members' scores (n_series, n_steps), each in its `shares`."""
    mean = np.zeros(votes[0].shape)
    for part, vote in zip(each, votes, strict=True):
        mean += part[:, None] * np.minimum(vote, LARGEST_VOTE)
    return mean


def families(votes: Iterable[FloatArray], part: BoolArray) -> tuple[Counts, Counts]:
    """How many families, level and shape, are above the threshold, and how many vote.

    Returns
    -------
    agree : (n_series, n_steps) int64
    vote : (n_series,) int64

    Notes
    -----
    Members of a family err together: the shapes of 12 and of 24 samples share samples, and are no two witnesses.
    """
    above = np.stack([(vote > 1) & own[:, None] for vote, own in zip(votes, part, strict=True)])
    kinds = (slice(None, LEVELS), slice(LEVELS, None))
    agree, vote = (sum(np.logical_or.reduce(which[kind]).astype(np.int64) for kind in kinds) for which in (above, part))
    return np.asarray(agree), np.asarray(vote)
