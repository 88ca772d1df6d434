"""The identity of one series: its label set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

NAME = "__name__"


class SeriesKey:
    """An immutable, hashable label set, metric name included as ``__name__``.

    Equal label sets give equal keys whatever the order they came in. The hash is computed once, because a
    store looks a hundred thousand keys up every cycle.

    Parameters
    ----------
    labels : mapping of str to str, or pairs
        An empty value means the label is absent, as in Prometheus' data model, and is left out.

    Examples
    --------
    >>> key = SeriesKey({"__name__": "up", "job": "api"})
    >>> key
    up{job="api"}
    >>> key["job"], key.name, key == SeriesKey([("job", "api"), ("__name__", "up")])
    ('api', 'up', True)
    """

    __slots__ = ("_hash", "pairs")

    pairs: tuple[tuple[str, str], ...]

    def __init__(self, labels: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        items = labels.items() if isinstance(labels, Mapping) else labels
        self.pairs = tuple(sorted((name, value) for name, value in items if value != ""))
        self._hash = hash(self.pairs)

    @classmethod
    def named(cls, name: str) -> SeriesKey:
        """Key of a bare metric name, for notebooks and examples."""
        return cls({NAME: name})

    @property
    def name(self) -> str:
        """The metric name, empty where an aggregation dropped it."""
        return self.get(NAME, "")

    @property
    def labels(self) -> dict[str, str]:
        """All labels but the metric name."""
        return {name: value for name, value in self.pairs if name != NAME}

    def get(self, label: str, default: str = "") -> str:
        """Value of `label`, or `default` where the key has none."""
        return next((value for name, value in self.pairs if name == label), default)

    def __getitem__(self, label: str) -> str:
        for name, value in self.pairs:
            if name == label:
                return value
        raise KeyError(label)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, SeriesKey) and self.pairs == other.pairs)

    def __lt__(self, other: SeriesKey) -> bool:
        return self.pairs < other.pairs

    def __repr__(self) -> str:
        inner = ", ".join(f'{name}="{escape(value)}"' for name, value in self.labels.items())
        return f"{self.name}{{{inner}}}" if inner or not self.name else self.name


def escape(value: str) -> str:
    r"""Escape a label value for PromQL and the text exposition: ``\``, ``"`` and line feeds."""
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return value
