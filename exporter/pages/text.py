"""Numbers, times and label sets as people read them."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence

from series import SeriesKey

Labels = tuple[tuple[str, str], ...]

_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"))
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def format_number(value: float) -> str:
    """Four significant digits, a prefix from a million on, a dash where there is no number.

    Examples
    --------
    >>> [format_number(value) for value in (0.25, 1234.5, 12_345_678.0, 0.0000123, float("nan"))]
    ['0.25', '1,234', '12.35M', '1.23e-05', '–']
    """
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "−∞"
    for size, prefix in _PREFIXES:
        if abs(value) >= size:
            return f"{value / size:.4g}{prefix}" if abs(value) < 1e18 else f"{value:.4g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def format_score(score: float) -> str:
    """Two decimals; beyond a thousand how far says nothing any more.

    Examples
    --------
    >>> format_score(1.234), format_score(5e12)
    ('1.23', '> 1,000')
    """
    return f"{score:.2f}" if score <= 1000 else "> 1,000"


def format_share(value: float) -> str:
    """Make a ratio a percentage.

    Examples
    --------
    >>> [format_share(value) for value in (0.95, 0.0004, 0.0)]
    ['95 %', '0.04 %', '0 %']
    """
    return f"{value * 100:.3g} %" if math.isfinite(value) else "–"


def format_duration(seconds: float) -> str:
    """Write seconds in the two largest units that hold them.

    Examples
    --------
    >>> [format_duration(seconds) for seconds in (0.5, 60, 5_400, 90_061)]
    ['0.5 s', '1 min', '1 h 30 min', '1 d 1 h']
    """
    if seconds < 1:
        return f"{seconds:.3g} s"
    left, parts = round(seconds), []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def format_instant(seconds: float) -> str:
    """Time to the minute, UTC; with seconds where it has some.

    Examples
    --------
    >>> format_instant(1_782_907_200.0)
    '2026-07-01 12:00'
    """
    return _written(seconds, "%Y-%m-%d %H:%M:%S" if round(seconds) % 60 else "%Y-%m-%d %H:%M")


def format_date(seconds: float) -> str:
    """Time as HTML's ``datetime`` attribute wants it, UTC."""
    return _written(seconds, "%Y-%m-%dT%H:%M:%SZ")


def _written(seconds: float, pattern: str) -> str:
    try:
        return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).strftime(pattern)
    except (ValueError, OverflowError):  # milliseconds taken for seconds: far beyond the year 9999
        return f"{seconds:.0f} s"


def without_credentials(text: str) -> str:
    """Take user and password out of every address in `text`.

    Examples
    --------
    >>> without_credentials("backtest --source.url https://me:secret@prometheus:9090/")
    'backtest --source.url https://***@prometheus:9090/'
    """
    return re.sub(r"(?<=://)[^/\s\"']*@", "***@", text)


def common_labels(keys: Sequence[SeriesKey]) -> Labels:
    """Labels that every key has with the same value, the metric name included.

    Examples
    --------
    >>> common_labels([SeriesKey({"job": "a", "zone": "x"}), SeriesKey({"job": "b", "zone": "x"})])
    (('zone', 'x'),)
    """
    if not keys:
        return ()
    shared = set(keys[0].pairs).intersection(*(key.pairs for key in keys[1:]))
    return tuple(sorted(shared))


def own_labels(key: SeriesKey, common: Labels) -> Labels:
    """Labels that tell `key` from the others; all of them where none does."""
    return tuple(pair for pair in key.pairs if pair not in common) or key.pairs
