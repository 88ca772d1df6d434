"""Many series judged at once: how sure a new alarm must be so that chance alone brings no flood."""

from __future__ import annotations

import numpy as np

from series import BoolArray, FloatArray
from series.calendar import DAY

# How fast tails fall beyond the threshold: as slowly as those of Student's t with three degrees of freedom.
TAIL = 3.0
# Share of the alarms that begin at one step which may be chance.
FALSE_SHARE = 0.1
# A score above this is never held back, however many series there are, ...
SURE = 3.0
# ... and nothing is where this many times as many series are above 1 as chance would bring, and no fewer than so many.
CROWD = 10.0
FEWEST_CROWD = 5


def tail_probability(scores: FloatArray, step: float, rate: float = 0.1) -> FloatArray:
    """How likely an ordinary series is to score this high at one step.

    A calibrated score of 1 is exceeded `rate` times a day. Beyond 1 a power law is taken, which is too careful for
    most series; below 1 nothing is said but that it is likelier.

    Parameters
    ----------
    scores : (...) float64
        NaN where there is none.
    step : float
        Seconds between two scores.
    rate : float, default 0.1
        Times a day that a score above 1 is meant to be seen in an ordinary series.

    Returns
    -------
    (...) float64
        1 where the score is at most 1; NaN where it is NaN.

    Examples
    --------
    >>> tail_probability(np.array([0.5, 1.5, 3.0]), step=86_400).round(4)
    array([1.    , 0.0296, 0.0037])
    """
    at_threshold = min(1.0, rate * step / DAY)
    beyond = at_threshold * np.maximum(scores, 1.0) ** -TAIL
    return np.asarray(np.where(scores <= 1, 1.0, beyond))


def fleet_threshold(scores: FloatArray, step: float, rate: float = 0.1, false_share: float = FALSE_SHARE) -> float:
    """Score that an alarm must exceed to begin now, seeing how many series are judged with it.

    Benjamini and Hochberg's rule on the tail probabilities of one step: with n series, the k strangest call where
    the k-th is no likelier than ``false_share * k / n``. In a few hundred series of five minutes that is so for every
    score above 1; in ten thousand a lone score a little above 1 is what chance brings at every step, and waits until it
    is surer or others join it.

    Two bounds keep it from hiding an incident: a score above `SURE` always calls, and where ten times as many series
    are above 1 as chance would bring, all of them call.

    Parameters
    ----------
    scores : (n_series,) float64
        Calibrated scores of all series at one step; NaN where there is none, and such a series does not count.
    step : float
        Seconds between two scores.
    rate : float, default 0.1
        As the detectors were given it.
    false_share : float, default 0.1
        Share of the alarms that begin at a step which may be chance.

    Returns
    -------
    float
        From 1 to `SURE`.

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the False Discovery Rate: A Practical and Powerful Approach to Multiple
    Testing.

    Examples
    --------
    >>> quiet = np.full(10_000, 0.3)
    >>> lone, incident = quiet.copy(), quiet.copy()
    >>> lone[0], incident[:50] = 1.2, 1.2
    >>> fleet_threshold(lone[:100], step=300), fleet_threshold(incident, step=300)
    (1.0, 1.0)
    >>> fleet_threshold(lone, step=300)
    3.0
    """
    known = scores[~np.isnan(scores)]
    above = np.sort(known[known > 1])[::-1]
    chance = len(known) * min(1.0, rate * step / DAY)
    if len(above) >= max(FEWEST_CROWD, CROWD * chance):
        return 1.0
    allowed = false_share * np.arange(1, len(above) + 1) / max(1, len(known))
    calling = np.flatnonzero(tail_probability(above, step, rate) <= allowed)
    if len(above) == 0 or len(calling) == len(above):
        return 1.0
    # The strangest that does not call: what is above it does.
    return float(np.clip(above[calling[-1] + 1] if len(calling) else SURE, 1.0, SURE))


def held_back(scores: FloatArray, starting: BoolArray, step: float, rate: float = 0.1) -> BoolArray:
    """(n_series,): alarms among those `starting` (n_series,) that wait, as the fleet is too large for their scores.

    Those that wait may start at any later step, as soon as their score exceeds the threshold of that step.
    """
    return np.asarray(starting & ~(scores > fleet_threshold(scores, step, rate)))
