"""Silence as a signal: samples that do not come, values that do not change, and who is to blame for many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.phase import IntArray
from series import BoolArray, FloatArray, SeriesKey
from series.key import NAME
from series.label_index import LabelIndex

LARGEST_SCORE = 100.0


@dataclass(frozen=True, eq=False)
class Usual:
    """What a past says of how long silence and stillness last, each of shape (n_series,), in steps.

    Attributes
    ----------
    samples : intp
        How many the past holds.
    silence : intp
        Longest stretch without a sample that ended.
    changes : intp
        How often the value changed.
    stillness : intp
        Longest stretch without a change that ended.
    """

    samples: IntArray
    silence: IntArray
    changes: IntArray
    stillness: IntArray


@dataclass(kw_only=True, eq=False)
class Absence:
    r"""How long each series has been silent or still, against the longest it ever was.

    .. math:: s_i = \text{now}_i / (m \cdot \text{longest}_i + k)

    with the steps since the last sample (or the last change of value), and the longest such stretch in the past. So a
    series with one sample a day is missed after more than a day, one a minute after minutes, without a setting for
    either.

    Parameters
    ----------
    margin : float, default 1.5
        m: times the longest stretch so far.
    grace : int, default 2
        k: steps that are always granted.
    fewest : int, default 10
        Samples a past must hold (and changes of value, for stillness) to say what is usual.

    Examples
    --------
    >>> past = np.array([[1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [1, 2] * 5 + [np.nan]])
    >>> recent = np.array([[12.0, 12, 12, 12, 12, 12], [np.nan] * 6])
    >>> rule = Absence()
    >>> rule.missing(past, recent).round(1)
    array([0. , 2.3])
    >>> rule.still(past, recent).round(1)
    array([1.7, 0. ])
    """

    margin: float = 1.5
    grace: int = 2
    fewest: int = 10

    def __post_init__(self) -> None:
        if not self.margin >= 1:
            raise ValueError(f"Absence.margin must be 1 or more. Got {self.margin!r}.")
        if self.grace < 0:
            raise ValueError(f"Absence.grace must be 0 steps or more. Got {self.grace!r}.")
        if self.fewest < 2:
            raise ValueError(f"Absence.fewest must be 2 or more. Got {self.fewest!r}.")

    def missing(self, past: FloatArray, recent: FloatArray) -> FloatArray:
        """Score of the silence that goes on at the end of `recent`.

        Parameters
        ----------
        past : (n_series, n_past) float64
            What says how long a silence is usual, NaN where there is no sample.
        recent : (n_series, n_steps) float64
            The steps right after it, up to now.

        Returns
        -------
        (n_series,) float64
            0 with a sample in the last step, 1 the threshold; 0 where the past is too sparse to tell.
        """
        now = _at_end(np.isnan(np.concatenate([past, recent], axis=1)))
        return self.silence_score(self.usual(past), now)

    def still(self, past: FloatArray, recent: FloatArray) -> FloatArray:
        """Score of a value that does not change any more: (n_series,), as `missing`.

        Only of series that change more often than not, and not of one that stopped: silence is `missing`'s.
        """
        values = np.concatenate([past, recent], axis=1)
        there = ~np.isnan(recent[:, -1]) if recent.shape[1] else np.zeros(len(recent), dtype=np.bool_)
        return self.stillness_score(self.usual(past), np.where(there, _at_end(_unchanged(values)), 0))

    def usual(self, past: FloatArray) -> Usual:
        """Learn from a past (n_series, n_past) what `silence_score` and `stillness_score` compare with."""
        silent, same = np.isnan(past), _unchanged(past)
        samples = (~silent).sum(axis=1)
        changes = samples - (same & ~silent).sum(axis=1) - (samples > 0)
        return Usual(samples, _longest(silent), changes, _longest(same))

    def silence_score(self, usual: Usual, now: IntArray) -> FloatArray:
        """Score of a silence of `now` (n_series,) steps: 0 for none, and where the past is too sparse to tell."""
        return self._score(now, usual.silence, usual.samples >= self.fewest)

    def stillness_score(self, usual: Usual, now: IntArray) -> FloatArray:
        """Score of a value that is the same for `now` (n_series,) steps after its last change; 0 where it often is."""
        return self._score(now, usual.stillness, self.lively(usual))

    def lively(self, usual: Usual) -> BoolArray:
        """(n_series,) bool: changes more often than not."""
        enough = (usual.samples >= self.fewest) & (usual.changes >= self.fewest)
        return np.asarray(enough & (2 * usual.changes > usual.samples), dtype=np.bool_)

    def limit(self, longest: IntArray) -> FloatArray:
        """(n_series,) steps that score 1."""
        return np.asarray(self.margin * longest + self.grace + 1)

    def _score(self, now: IntArray, longest: IntArray, judged: BoolArray) -> FloatArray:
        return np.where(judged, np.minimum(now / self.limit(longest), LARGEST_SCORE), 0.0)


def vanished(past: FloatArray, recent: FloatArray) -> BoolArray:
    """(n_series,) bool: there at the end of the past, not once in `recent`."""
    if not past.shape[1] or not recent.shape[1]:
        return np.zeros(len(past), dtype=np.bool_)
    return np.asarray(~np.isnan(past[:, -1]) & np.isnan(recent).all(axis=1), dtype=np.bool_)


@dataclass(frozen=True)
class Outage:
    """Series that fell silent for one cause.

    Attributes
    ----------
    label, value : str
        What they have in common; empty for all series of the query.
    rows : tuple of int
        The silent series.
    """

    label: str
    value: str
    rows: tuple[int, ...]

    def __str__(self) -> str:
        common = f'with {self.label}="{self.value}"' if self.label else "of the query"
        return f"all {len(self.rows)} series {common} stopped"


def outages(keys: Sequence[SeriesKey], silent: BoolArray, there: BoolArray, *, fewest: int = 3) -> list[Outage]:
    """Find what series that fell silent have in common: one alert for a dead exporter, not a hundred.

    A label's value explains a silence when every series that has it, and was there, is silent. Of several
    explanations the one that covers most is taken first, of equal ones the first by name, and what it covers is not
    explained again.

    Parameters
    ----------
    keys : sequence of SeriesKey, length n_series
    silent : (n_series,) bool
    there : (n_series,) bool
        Series that were expected; one that has been gone for long is no witness.
    fewest : int, default 3
        Series an outage must cover. Fewer are told of one by one.

    Returns
    -------
    list of Outage
        The largest first.

    Examples
    --------
    >>> keys = [SeriesKey({"instance": name, "disk": disk}) for name in "ab" for disk in "xyz"]
    >>> dead = np.array([True, True, True, False, False, False])
    >>> print(*outages(keys, dead, np.ones(6, dtype=bool)))
    all 3 series with instance="a" stopped
    """
    left = silent & there
    if left.sum() < fewest:
        return []
    if left.sum() == there.sum():
        return [Outage("", "", tuple(np.flatnonzero(left).tolist()))]
    found = []
    explanations = _explanations(keys, left, there, fewest)
    while explanations:
        label, value, rows = min(explanations, key=lambda each: (-int(left[each[2]].sum()), each[0], each[1]))
        if left[rows].sum() < fewest:
            break
        found.append(Outage(label, value, tuple(rows[left[rows]].tolist())))
        left = left.copy()
        left[rows] = False
        explanations = [each for each in explanations if each[:2] != (label, value)]
    return found


def _explanations(
    keys: Sequence[SeriesKey], silent: BoolArray, there: BoolArray, fewest: int
) -> list[tuple[str, str, IntArray]]:
    """Label values all of whose series, `fewest` or more, are silent, with their rows."""
    index = LabelIndex(keys)
    labels = sorted({label for row in np.flatnonzero(silent) for label, _ in keys[int(row)]} - {NAME})
    found = []
    for label in labels:
        values, place = index.of(label)
        expected = np.bincount(place[there], minlength=len(values))
        gone = np.bincount(place[silent], minlength=len(values))
        for number in np.flatnonzero((gone == expected) & (gone >= fewest)):
            if values[number]:  # series without the label have nothing in common
                rows = np.flatnonzero((place == number) & silent)
                found.append((label, values[number], rows))
    return found


def _unchanged(values: FloatArray) -> BoolArray:
    """Where the newest sample equals the one before it, and where there is none after a first one."""
    same = np.zeros(values.shape, dtype=np.bool_)
    known = ~np.isnan(values)
    whole = known.all(axis=1)
    same[whole, 1:] = values[whole, 1:] == values[whole, :-1]
    some, gaps = values[~whole], known[~whole]
    place = np.where(gaps, np.arange(values.shape[1]), -1)
    newest = np.maximum.accumulate(place, axis=1)
    before = np.concatenate([np.full((len(some), 1), -1), newest[:, :-1]], axis=1)
    earlier = np.take_along_axis(some, np.maximum(before, 0), axis=1) if some.size else some
    same[~whole] = ~(gaps & (some != earlier)) & (before[:, : values.shape[1]] >= 0)
    return same


def _longest(stretch: BoolArray) -> IntArray:
    """(n_series,): longest run of True that ended: one that goes on at the end is what is judged."""
    longest = np.zeros(len(stretch), dtype=np.intp)
    some = stretch.any(axis=1)
    # Of a run that ended only the last column is looked at; most rows have few.
    row, column = np.nonzero(stretch[some, :-1] & ~stretch[some, 1:])
    runs = _runs(stretch[some])[row, column]
    place = np.flatnonzero(some)
    np.maximum.at(longest, place[row], runs)
    return longest


def _at_end(stretch: BoolArray) -> IntArray:
    """(n_series,): length of the run of True at the end."""
    return _runs(stretch)[:, -1] if stretch.shape[1] else np.zeros(len(stretch), dtype=np.intp)


def _runs(stretch: BoolArray) -> IntArray:
    """Length of the run of True up to each column."""
    column = np.arange(1, stretch.shape[1] + 1)
    last_false = np.maximum.accumulate(np.where(stretch, 0, column), axis=1)
    return np.asarray(np.where(stretch, column - last_false, 0), dtype=np.intp)
