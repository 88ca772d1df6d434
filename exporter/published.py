"""Series as people meet them: with the labels of our results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from exporter.results import output_names
from series import SeriesKey
from series.label_index import LabelIndex
from series.matcher import Matcher


def published_key(key: SeriesKey) -> SeriesKey:
    """Labels of a result of this input series, but for `query`: the metric's name is the label ``metric``.

    Examples
    --------
    >>> published_key(SeriesKey({"__name__": "up", "job": "api"}))
    {job="api", metric="up"}
    """
    names = output_names(tuple(name for name, _ in key))
    return SeriesKey(zip(names, (value for _, value in key), strict=True))


def published_keys(keys: Sequence[SeriesKey]) -> tuple[SeriesKey, ...]:
    """The same for many."""
    return tuple(map(published_key, keys))


class PublishedIndex(LabelIndex):
    """Finds input series by their published labels, without making a key for each.

    Examples
    --------
    >>> index = PublishedIndex([SeriesKey({"__name__": "up", "job": "api"}), SeriesKey({"job": "web"})])
    >>> index.of("metric")[0]
    ['up', '']
    """

    def _values(self, label: str) -> Iterator[str]:
        name_of: dict[tuple[str, ...], str] = {}
        for key in self.keys:
            names = tuple(name for name, _ in key.pairs)
            if names not in name_of:
                published = output_names(names)
                name_of[names] = names[published.index(label)] if label in published else ""
            yield key.get(name_of[names]) if name_of[names] else ""


def meant_rows(keys: Sequence[SeriesKey], matchers: Sequence[Matcher]) -> list[int]:
    """Rows of the series that matchers of published labels mean.

    Where they are the whole label set of one series they mean that one alone, although others may have it and more.
    """
    rows: list[int] = np.flatnonzero(PublishedIndex(keys).where(matchers)).tolist()
    if len(rows) > 1 and all(matcher.operator == "=" for matcher in matchers):
        whole = SeriesKey((matcher.label, matcher.value) for matcher in matchers)
        rows = [row for row in rows if matchers and published_key(keys[row]) == whole] or rows
    return rows
