"""Series as people meet them: with the labels of our results."""

from __future__ import annotations

from collections.abc import Sequence

from exporter.results import output_names
from series import SeriesKey


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
