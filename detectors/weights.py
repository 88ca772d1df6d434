"""How much each member of an ensemble should count, from what operators said of its votes and what it called alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from detectors.verdict import About, Opinion, Verdict
from series import BoolArray, FloatArray
from series.calendar import DAY

# A member is taken for as good as the others until this many verdicts of a kind say otherwise, half of it by then.
PRIOR = 20.0
# Verdicts count for so long, also those that no longer act on scores.
WITHIN = 90.0 * DAY
# No member is silenced, and none decides alone.
SMALLEST, LARGEST = 0.5, 2.0


def learn_weights(votes: FloatArray, right: BoolArray, excess: FloatArray | None = None) -> FloatArray:
    r"""Weights of the members from judged alarms, and from how far each keeps its promise in ordinary times.

    A member was right of an alarm where it voted for a true one (above 1) or not for a false one. With both rates
    drawn towards those of all members together (the mean of a Beta distribution worth 20 verdicts), their mean is the
    member's accuracy :math:`a_m`, whatever the share of true alarms. Its weight is the odds of it against those of all,

    .. math:: w_m = \frac{a_m / (1 - a_m)}{a / (1 - a)} \cdot \frac{1}{\sqrt{\max(1, e_m)}}

    from a half to 2, then scaled to a mean of 1, so that a threshold keeps its meaning. Without a verdict all weights
    are equal; as verdicts are drawn towards the mean of all, a handful of them changes little, and taking them back
    undoes what they did.

    Parameters
    ----------
    votes : (n_members, n_alarms) float64
        Scores of the members at alarms that operators judged; NaN where a member took no part.
    right : (n_alarms,) bool
        True where it was right to call. What was *expected* says nothing of the detectors: leave it out.
    excess : (n_members,) float64, optional
        Live error: how many times as often as its rate allows a member called alone lately, see
        `detectors.live_error.LiveError`. Below 1 counts as 1.

    Returns
    -------
    (n_members,) float64
        Mean 1.

    Raises
    ------
    ValueError
        For lengths that do not fit.

    References
    ----------
    Nitzan and Paroush (1982), Optimal Decision Rules in Uncertain Dichotomous Choice Situations: votes weighted by the
    odds of being right.

    Examples
    --------
    >>> votes = np.array([[3.0, 0.2] * 30, [3.0, 3.0] * 30])
    >>> learn_weights(votes, np.array([True, False] * 30)).round(2)
    array([1.59, 0.41])
    """
    if votes.shape[1:] != right.shape:
        raise ValueError(f"learn_weights needs a verdict for each alarm: {votes.shape[1:]}. Got {right.shape}.")
    if excess is not None and excess.shape != votes.shape[:1]:
        raise ValueError(f"learn_weights needs an excess for each member: {votes.shape[:1]}. Got {excess.shape}.")
    accuracy, usual = _accuracy(votes, right)
    weights = (accuracy / (1 - accuracy)) / (usual / (1 - usual))
    if excess is not None:
        weights = weights / np.sqrt(np.maximum(excess, 1.0))
    weights = np.clip(weights, SMALLEST, LARGEST)
    return np.asarray(weights / weights.mean())


def weights_of(
    verdicts: Sequence[Verdict],
    query: str,
    members: Collection[str],
    time: float,
    excess: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Weights of the members of a query's ensemble, from the verdicts and the live error known at a time.

    Of several verdicts on one alarm the last one counts. What was expected, what is about peers, and a verdict that no
    alarm is known of say nothing of the members.

    Parameters
    ----------
    verdicts : sequence of Verdict
        In any order; not those that were taken back.
    query : str
    members : collection of str
        Names that can have a weight.
    time : float
        Seconds since the epoch.
    excess : mapping of str to float, optional
        Live error as known then, see `learn_weights`; a member that it does not name keeps its promise.

    Returns
    -------
    dict of str to float
        Empty where nothing was said and all keep their promises.
    """
    judged = {}
    for verdict in sorted(verdicts, key=lambda one: one.created):
        says = verdict.opinion is not Opinion.EXPECTED and verdict.about is not About.PEERS
        if says and verdict.alarm and verdict.query == query and time - WITHIN < verdict.created <= time:
            judged[verdict.matchers, verdict.alarm.begun] = verdict
    votes = [dict(verdict.alarm.votes) for verdict in judged.values() if verdict.alarm]
    beyond = {name: rate for name, rate in (excess or {}).items() if rate > 1}
    heard = members if beyond else [name for name in members if any(name in each for each in votes)]
    if not heard:
        return {}
    scores = np.array([[each.get(name, np.nan) for each in votes] for name in heard])
    right = np.array([verdict.opinion is Opinion.TRUE for verdict in judged.values()], dtype=np.bool_)
    rates = np.array([beyond.get(name, 1.0) for name in heard])
    return dict(zip(heard, learn_weights(scores, right, rates).tolist(), strict=True))


def _accuracy(votes: FloatArray, right: BoolArray) -> tuple[FloatArray, float]:
    """(n_members,): balanced accuracy, shrunk, and that of all votes together; both off 0 and 1 by a prior of one."""
    shrunk, pooled = np.zeros(len(votes)), 0.0
    for kind, vote in ((right, votes > 1), (~right, votes <= 1)):
        count, hits = np.count_nonzero(votes[:, kind] == votes[:, kind], axis=1), vote[:, kind].sum(axis=1)
        usual = (hits.sum() + 1) / (count.sum() + 2)
        shrunk += (hits + PRIOR * usual) / (count + PRIOR) / 2
        pooled += usual / 2
    return shrunk, pooled
