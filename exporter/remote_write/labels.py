"""Labels of results as protocol buffers: ``repeated Label labels = 1`` of a ``TimeSeries``."""

from __future__ import annotations

from functools import lru_cache

from exporter.results import output_names
from series import SeriesKey


def varint(number: int) -> bytes:
    """A number of 0 or more as base-128 varint."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def label(name: str, value: str) -> bytes:
    """One label."""
    return _label(_start(name), value.encode())


def between(key: SeriesKey, own: tuple[str, ...], external: tuple[tuple[str, str], ...]) -> list[bytes]:
    """The labels of a series' results but our own, which a request must have in order of name.

    Parameters
    ----------
    key : SeriesKey
    own : tuple of str
        Names of our labels, sorted.
    external : tuple of (str, str)
        Labels added where the series has none of that name.

    Returns
    -------
    list of bytes, length len(own) + 1
        What comes before the first of our own labels, between each two, and after the last.
    """
    names = tuple([name for name, _ in key.pairs])
    parts = [b""] * (len(own) + 1)
    for part, start, row, added in _order(names, own, external):
        parts[part] += added or _label(start, key.pairs[row][1].encode())
    return parts


@lru_cache(maxsize=4096)
def _order(
    names: tuple[str, ...], own: tuple[str, ...], external: tuple[tuple[str, str], ...]
) -> list[tuple[int, bytes, int, bytes]]:
    """For each label of a series with such names: its part, its start and its row, or all of an external one."""
    output = output_names(names)
    order = {name: (_start(name), row, b"") for row, name in enumerate(output)}
    order |= {name: (b"", 0, label(name, value)) for name, value in external if name not in (*output, *own)}
    return [(sum(each < name for each in own), *order[name]) for name in sorted(order)]


@lru_cache(maxsize=4096)
def _start(name: str) -> bytes:
    text = name.encode()
    return b"\x0a" + varint(len(text)) + text + b"\x12"


# Lengths are short; looking them up is four times faster.
_VARINTS = [varint(number) for number in range(1024)]


def _label(start: bytes, value: bytes) -> bytes:
    n_value = len(value)
    length = _VARINTS[n_value] if n_value < 1024 else varint(n_value)
    n_pair = len(start) + len(length) + n_value
    return b"\x0a" + (_VARINTS[n_pair] if n_pair < 1024 else varint(n_pair)) + start + length + value
