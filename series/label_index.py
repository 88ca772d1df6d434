"""Finds the rows that matchers mean, among a hundred thousand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from series.key import SeriesKey
from series.matcher import Matcher
from series.window import BoolArray

_FEW = 1_000
_MOST_KEPT = 4_096


class LabelIndex:
    """Rows by label and value, each label looked at once when it is first asked for.

    A matcher is tried on the distinct values of its label, not on every series: workloads have few, and a hundred
    verdicts on a hundred thousand series must not cost seconds.

    Parameters
    ----------
    keys : sequence of SeriesKey

    Examples
    --------
    >>> index = LabelIndex([SeriesKey({"job": "api"}), SeriesKey({"job": "web"}), SeriesKey()])
    >>> index.where([Matcher("job", "=~", "a.*|")])
    array([ True, False,  True])
    """

    def __init__(self, keys: Sequence[SeriesKey]) -> None:
        self.keys = keys
        self._labels: dict[str, tuple[list[str], npt.NDArray[np.intp]]] = {}
        self._rows: dict[tuple[Matcher, ...], npt.NDArray[np.intp]] = {}

    def where(self, matchers: Sequence[Matcher]) -> BoolArray:
        """(n_series,) bool: rows of which all of `matchers` hold; every row where there are none."""
        found: BoolArray = np.ones(len(self.keys), dtype=np.bool_)
        for matcher in matchers:
            values, place = self.of(matcher.label)
            holds = np.array([matcher.matches(value) for value in values], dtype=np.bool_)
            found &= holds[place]
        return found

    def rows(self, matchers: tuple[Matcher, ...]) -> npt.NDArray[np.intp]:
        """The same as row numbers, kept where they are few: for matchers that are asked for again and again."""
        if (kept := self._rows.get(matchers)) is not None:
            return kept
        found = np.flatnonzero(self.where(matchers))
        if len(found) <= _FEW and len(self._rows) < _MOST_KEPT:
            self._rows[matchers] = found
        return found

    def of(self, label: str) -> tuple[list[str], npt.NDArray[np.intp]]:
        """Distinct values of `label`, the empty one for its absence, and which of them each row has."""
        if label not in self._labels:
            seen: dict[str, int] = {}
            place = [seen.setdefault(value, len(seen)) for value in self._values(label)]
            self._labels[label] = (list(seen), np.array(place, dtype=np.intp))
        return self._labels[label]

    def _values(self, label: str) -> Iterable[str]:
        """Value of `label` for each row, empty where it has none."""
        return (key.get(label) for key in self.keys)
