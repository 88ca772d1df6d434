"""How verdicts change later scores: explained, bounded, reversible."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detectors.phase import IntArray
from detectors.verdict import Opinion, Verdict
from series import FloatArray, SeriesKey
from series.calendar import DAY
from series.label_index import LabelIndex

# Beyond the judged size by this much is still similar. It leaves what was judged below `Suppression.release`, so that
# its alarm ends.
MARGIN = 1.3
# Further false verdicts on the same series widen the margin, up to twice the judged size.
MOST_MARGIN = 2.0
# Taken for the size of an alert of which none is known: that of one that calls at once.
USUAL_SIZE = 2.0
# A true verdict makes its scope this much more sensitive, several together up to LEAST_EASE.
EASE = 0.9
LEAST_EASE = 0.75
# What was expected counts as this at most: far from an alarm, and still to be seen.
EXPECTED_SCORE = 0.5
NONE = -1


class Adjusted(NamedTuple):
    """What `adjust` returns; both (n_series, n_steps).

    Attributes
    ----------
    scores : float64
    reason : intp
        Place in `verdicts` of the one that had the last word on a score it changed, -1 for none.
    """

    scores: FloatArray
    reason: IntArray


def adjust(
    scores: FloatArray,
    keys: Sequence[SeriesKey],
    times: FloatArray,
    verdicts: Sequence[Verdict],
    *,
    query: str = "",
    sides: FloatArray | None = None,
    index: LabelIndex | None = None,
) -> Adjusted:
    r"""Apply verdicts to scores.

    A *false* verdict raises the threshold of its series from 1 to 1.3 times the size s that was judged; each further
    one widens the margin, up to 2 times. A *true* one divides it by 1.11, several by up to 1.33, and takes back what
    older false ones said of sizes like its own. Both act in full for the first half of their life and fade out over
    the second. *Expected* holds scores of up to twice the judged size at 0.5, at its kind of time. A score is divided
    by the threshold, so that 1 is the threshold again.

    A verdict acts on scores from the moment it was given, on the side of the band that was judged, and on no series
    outside of its scope. Without verdicts scores are what they were.

    Parameters
    ----------
    scores : (n_series, n_steps) float64
        Not changed.
    keys : sequence of SeriesKey, length n_series
        With the labels that verdicts match: as published.
    times : (n_steps,) float64
        Seconds since the epoch.
    verdicts : sequence of Verdict
        In the order they were given.
    query : str, default ""
        Name of the query the series belong to.
    sides : (n_series, n_steps) float64 or None
        Sign of the deviation. Verdicts on one side act on both where it is not known.
    index : LabelIndex or None
        Of `keys`, to look labels up once for many calls.

    Examples
    --------
    >>> false = Verdict(id="1", opinion=Opinion.FALSE, created=60, expires=6000, query="rate", score=3.0)
    >>> adjust(np.array([[3.0, 3.3, 8.0]]), [SeriesKey()], np.array([0.0, 60, 120]), [false], query="rate")[0].round(2)
    array([[3.  , 0.85, 2.05]])
    """
    index = index or LabelIndex(keys)
    state = _State(scores, sides)
    for place, verdict in enumerate(verdicts):
        if verdict.query not in ("", query):
            continue
        strength = verdict.strength(times)
        rows = index.rows(verdict.matchers) if strength.any() else np.empty(0, dtype=np.intp)
        if len(rows):
            state.take(place, verdict, rows, strength, times)
    return state.adjusted()


class _State:
    """Thresholds while the verdicts are gone through."""

    def __init__(self, scores: FloatArray, sides: FloatArray | None) -> None:
        self.scores, self.sides = scores, sides
        self.raised = np.ones(scores.shape)
        self.ease = np.ones(scores.shape)
        self.most = np.full(scores.shape, np.inf)
        self.count = np.zeros(scores.shape)
        self.reason = np.full(scores.shape, NONE, dtype=np.intp)

    def take(self, place: int, verdict: Verdict, rows: IntArray, strength: FloatArray, times: FloatArray) -> None:
        acts = np.broadcast_to(strength > 0, (len(rows), len(strength)))
        if verdict.side and self.sides is not None:
            acts = acts & (np.sign(self.sides[rows]) != -verdict.side)
        if verdict.opinion is Opinion.FALSE:
            self._false(place, verdict, rows, np.where(acts, strength, 0.0))
        elif verdict.opinion is Opinion.TRUE:
            self._true(place, verdict, rows, np.where(acts, strength, 0.0))
        else:
            here = acts & verdict.when.holds(times) if verdict.when else acts
            self._expected(place, verdict, rows, here)

    def _false(self, place: int, verdict: Verdict, rows: IntArray, strength: FloatArray) -> None:
        self.count[rows] += strength > 0
        margin = np.minimum(MOST_MARGIN, MARGIN ** np.maximum(1, self.count[rows]))
        wanted = np.maximum(1.0, margin * (verdict.score or USUAL_SIZE))
        raised = 1 + (wanted - 1) * strength
        higher = raised > self.raised[rows]
        self.raised[rows] = np.where(higher, raised, self.raised[rows])
        self._because(place, rows, higher)

    def _true(self, place: int, verdict: Verdict, rows: IntArray, strength: FloatArray) -> None:
        size = verdict.score or USUAL_SIZE
        capped = np.where(strength > 0, np.minimum(self.raised[rows], max(1.0, EASE * size)), self.raised[rows])
        self.raised[rows] = capped
        self.ease[rows] *= 1 - (1 - EASE) * strength
        self._because(place, rows, strength > 0)

    def _expected(self, place: int, verdict: Verdict, rows: IntArray, here: np.typing.NDArray[np.bool_]) -> None:
        limit = math.inf if verdict.score is None else MOST_MARGIN * max(1.0, verdict.score)
        held = here & (self.scores[rows] <= limit)
        self.most[rows] = np.where(held, EXPECTED_SCORE, self.most[rows])
        self._because(place, rows, held)

    def _because(self, place: int, rows: IntArray, where: np.typing.NDArray[np.bool_]) -> None:
        self.reason[rows] = np.where(where, place, self.reason[rows])

    def adjusted(self) -> Adjusted:
        threshold = self.raised * np.maximum(self.ease, LEAST_EASE)
        scores = np.minimum(self.scores / threshold, self.most)
        return Adjusted(scores, np.where(scores == self.scores, NONE, np.where(np.isnan(scores), NONE, self.reason)))


def because(verdict: Verdict, before: float, after: float) -> str:
    """Say in one line what a verdict did to a score.

    Examples
    --------
    >>> false = Verdict(id="7", opinion=Opinion.FALSE, created=0, expires=86400, query="rate", who="ana", note="batch")
    >>> because(false, 3.0, 0.77)
    'score 3 counts as 0.77: verdict 7, false, for rate{} by ana (batch), until 1970-01-02'
    """
    by = f" by {verdict.who}" if verdict.who else ""
    note = f" ({verdict.note})" if verdict.note else ""
    at = f", {verdict.when}" if verdict.when else ""
    until = dt.datetime.fromtimestamp(verdict.expires, dt.UTC).strftime("%Y-%m-%d")
    return (
        f"score {before:.3g} counts as {after:.3g}: verdict {verdict.id}, {verdict.opinion}, "
        f"for {verdict.scope}{by}{note}{at}, until {until}"
    )


def effect(verdict: Verdict) -> str:
    """Say what a verdict does from now on, for the person who gives it.

    Examples
    --------
    >>> effect(Verdict(id="7", opinion=Opinion.FALSE, created=0, expires=9, query="rate", score=3.0))
    'deviations of up to 3.9 times the threshold stay quiet'
    """
    if verdict.opinion is Opinion.TRUE:
        return f"its threshold is {1 - EASE:.0%} lower"
    if verdict.opinion is Opinion.FALSE:
        return f"deviations of up to {MARGIN * (verdict.score or USUAL_SIZE):.3g} times the threshold stay quiet"
    size = "" if verdict.score is None else f" of up to {MOST_MARGIN * max(1.0, verdict.score):.3g} times the threshold"
    return f"deviations{size} stay quiet{f', {verdict.when}' if verdict.when else ''}"


class Ratio(NamedTuple):
    """A share and the interval it lies in with a confidence of 95 %."""

    value: float
    lower: float
    upper: float
    judged: int


def false_alarm_ratio(verdicts: Sequence[Verdict], query: str, now: float, within: float = 90.0 * DAY) -> Ratio | None:
    """Share of false ones among the judged alarms of a query, with Wilson's interval.

    Expected ones count as neither: the detector was right, and the calendar did not know.

    Returns
    -------
    Ratio or None
        None while nothing was judged in the last `within` seconds.

    References
    ----------
    Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference.

    Examples
    --------
    >>> given = [Verdict(id=str(n), opinion=Opinion.FALSE, created=n, expires=n + 9, query="a") for n in range(3)]
    >>> ratio = false_alarm_ratio(given, "a", now=10.0)
    >>> ratio.value, round(ratio.lower, 2), ratio.upper
    (1.0, 0.44, 1.0)
    """
    judged = [
        verdict
        for verdict in verdicts
        if verdict.query == query and now - within < verdict.created <= now and verdict.opinion is not Opinion.EXPECTED
    ]
    n = len(judged)
    if not n:
        return None
    share = sum(verdict.opinion is Opinion.FALSE for verdict in judged) / n
    z = 1.959964
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Ratio(share, max(0.0, middle - half), min(1.0, middle + half), n)
