"""Series as people meet them: with the labels of our results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from exporter.results import output_names
from series import SeriesKey
from series.key import NAME
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
    whole = _whole(matchers)
    if whole is not None and (row := _row_of(keys, whole)) is not None:
        return [row]
    rows: list[int] = np.flatnonzero(PublishedIndex(keys).where(matchers)).tolist()
    if len(rows) > 1 and whole is not None:
        rows = [row for row in rows if published_key(keys[row]) == whole] or rows
    return rows


def _whole(matchers: Sequence[Matcher]) -> SeriesKey | None:
    """The label set that matchers spell out; None where they are no label set."""
    if not matchers or any(matcher.operator != "=" for matcher in matchers):
        return None
    return SeriesKey((matcher.label, matcher.value) for matcher in matchers)


def _row_of(keys: Sequence[SeriesKey], whole: SeriesKey) -> int | None:
    """Where the series of a published label set stands, found without an index for the usual names of labels."""
    named = SeriesKey((NAME if name == "metric" else name, value) for name, value in whole)
    for key in (whole, named):
        if published_key(key) == whole and key in keys:
            return keys.index(key)
    return None
