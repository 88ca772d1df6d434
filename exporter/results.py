"""What a cycle found out, as columns: one value for each series of a query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from exporter.metrics import Family
from series import FloatArray, SeriesKey
from series.key import NAME

# Own labels of results; an input label of such a name gives way.
_OWN = ("query", "horizon", "detector", "limit", "why")


@dataclass(frozen=True, eq=False)
class Column:
    """One family of results.

    Attributes
    ----------
    family : Family
    values : (n_series,) float64
        NaN where there is none.
    labels : mapping of str to str
        Own labels beside `query`, such as the horizon.

    Raises
    ------
    ValueError
        For an infinite value: nothing we compute may be one.
    """

    family: Family
    values: FloatArray
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if np.isinf(self.values).any():
            raise ValueError(f"{self.family.name} must be finite. Got an infinite value.")


@dataclass(frozen=True, eq=False)
class Notes:
    """A family whose value is 1 and whose message is a label, for a few series.

    Attributes
    ----------
    family : Family
    label : str
        Name of the label.
    texts : mapping of int to str
        Its value by row.
    """

    family: Family
    label: str
    texts: Mapping[int, str]


@dataclass(frozen=True, eq=False)
class Results:
    """All results of a query, as of one cycle.

    Attributes
    ----------
    query : str
        Name of the query.
    keys : tuple of SeriesKey, length n_series
    columns : tuple of Column
    expires : float
        Seconds since the epoch after which they are too old to be shown as the present.
    notes : tuple of Notes
        Shown on the page only: a text that changes would be another series to a server of remote write.
    beside : tuple of Results
        The same query's results about other things than its series, each with keys and columns of its own.
    """

    query: str
    keys: tuple[SeriesKey, ...]
    columns: tuple[Column, ...]
    expires: float
    notes: tuple[Notes, ...] = ()
    beside: tuple[Results, ...] = ()

    @property
    def samples(self) -> int:
        """How many values there are."""
        values = sum(int(np.isfinite(column.values).sum()) for column in self.columns)
        values += sum(len(notes.texts) for notes in self.notes)
        return values + sum(results.samples for results in self.beside)


@lru_cache(maxsize=4096)
def output_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Name of each input label on a result.

    An input label that has the name of one of ours gives way as in a scrape of Prometheus, by the prefix
    ``exported_``. The metric name becomes the label ``metric``, as it may be all that tells two series apart.

    Examples
    --------
    >>> output_names(("__name__", "job", "query"))
    ('metric', 'job', 'exported_query')
    """
    taken = {*_OWN, *names}
    result = []
    for name in names:
        wanted = "metric" if name == NAME else name
        if wanted in _OWN or (name == NAME and wanted in taken):
            while wanted in taken:
                wanted = f"exported_{wanted}"
        taken.add(wanted)
        result.append(wanted)
    return tuple(result)
