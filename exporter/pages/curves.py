"""Curves as a page carries them: no more points than a screen can show, in few bytes."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exporter.backtests.report import Anomaly, Curves, Ribbon
from series import FloatArray

# A week of five minutes goes in whole; more is cut into buckets, each of which keeps two points or three. A plot is
# some thousand pixels wide.
WHOLE = 2_100
BUCKETS = 800
# Points around anomalies that are kept whole, so that one can look closer at them.
CLOSE_UP = 400
# Points of the forecast from the window's end; it is smooth.
AHEAD_POINTS = 240
# Scores are carried as 16 bit hundredths.
MOST_SCORE = 655.35

Columns = npt.NDArray[np.intp]


def encode(curves: Curves, anomalies: Sequence[Anomaly], times: FloatArray, step: float) -> dict[str, object]:
    """The curves of one series as JSON can hold them.

    Values are base64 of little-endian float32 after taking `offset` away and dividing by `scale`: plain float32
    would show a timestamp or a byte counter in steps. Scores are uint16 hundredths, `index` the uint32 columns
    that were chosen, absent where all were.
    """
    columns = chosen_columns(curves, close_ups(anomalies, times, step))
    packing = _Packing.of(curves.values)
    whole = columns.size == times.size
    far = _spread(len(curves.ahead.middle))
    return {
        "offset": packing.offset,
        "scale": packing.scale,
        "index": None if whole else _base64(columns.astype("<u4")),
        "value": packing.pack(curves.values[columns]),
        "score": _scores(curves.scores[columns]),
        "band": packing.ribbon(curves.band, columns),
        "past": packing.ribbon(curves.past, columns),
        "aheadIndex": _base64((far + times.size).astype("<u4")),
        "ahead": packing.ribbon(curves.ahead, far),
    }


def chosen_columns(curves: Curves, wanted: Columns) -> Columns:
    """Columns to draw: of each bucket the lowest, the highest and the strangest sample, a gap, and those `wanted`.

    Parameters
    ----------
    curves : Curves
    wanted : (n,) intp
        Kept in any case.

    Returns
    -------
    (n,) intp, ascending
        All columns where these are few.
    """
    n_steps = curves.values.size
    if n_steps <= WHOLE:
        return np.arange(n_steps)
    edges = np.linspace(0, n_steps, BUCKETS + 1).astype(np.intp)[:-1]
    missing = np.isnan(curves.values)
    kept = [
        np.array([0, n_steps - 1], dtype=np.intp),
        wanted,
        _first_of_buckets(np.where(missing, np.inf, curves.values), edges, np.minimum),
        _first_of_buckets(np.where(missing, -np.inf, curves.values), edges, np.maximum),
        _gaps(missing, edges),
        _forecast_breaks(curves.past.middle),
    ]
    strange = np.flatnonzero(curves.scores > 1)
    if strange.size:
        kept.append(_strangest(curves.scores, strange, edges))
    return np.unique(np.concatenate(kept))


def _first_of_buckets(values: FloatArray, edges: Columns, extreme: np.ufunc) -> Columns:
    bucket = np.searchsorted(edges, np.arange(values.size), side="right") - 1
    hits = np.flatnonzero(values == extreme.reduceat(values, edges)[bucket])
    return hits[np.unique(bucket[hits], return_index=True)[1]]


def _strangest(scores: FloatArray, strange: Columns, edges: Columns) -> Columns:
    bucket = np.searchsorted(edges, strange, side="right") - 1
    order = np.lexsort((-scores[strange], bucket))
    return strange[order[np.unique(bucket[order], return_index=True)[1]]]


def _gaps(missing: npt.NDArray[np.bool_], edges: Columns) -> Columns:
    gaps = np.flatnonzero(missing)
    bucket = np.searchsorted(edges, gaps, side="right") - 1
    return gaps[np.unique(bucket, return_index=True)[1]]


def _forecast_breaks(past: FloatArray) -> Columns:
    """First and last column of each past forecast, and the free column before it, which keeps two lines apart."""
    edges = np.flatnonzero(np.diff(np.isnan(past).astype(np.int8)))
    return np.unique(np.concatenate([edges, edges + 1]))


def close_ups(anomalies: Sequence[Anomaly], times: FloatArray, step: float) -> Columns:
    """Columns around the strangest anomalies, `CLOSE_UP` at most."""
    kept: set[int] = set()
    for anomaly in sorted(anomalies, key=lambda one: one.score, reverse=True):
        first, last = (round((when - times[0]) / step) for when in (anomaly.start, anomaly.end))
        around = range(max(0, first - 20), min(times.size, last + 21))
        if len(kept) + len(around) > CLOSE_UP:
            continue
        kept.update(around)
    return np.array(sorted(kept), dtype=np.intp)


def _spread(n_steps: int) -> Columns:
    return np.unique(np.linspace(0, n_steps - 1, min(n_steps, AHEAD_POINTS)).round().astype(np.intp))


@dataclass(frozen=True)
class _Packing:
    offset: float
    scale: float

    @classmethod
    def of(cls, values: FloatArray) -> _Packing:
        known = values[np.isfinite(values)]
        offset = float(np.median(known)) if known.size else 0.0
        return cls(offset, float(np.abs(known - offset).max(initial=0.0)) or 1.0)

    def pack(self, values: FloatArray) -> str:
        with np.errstate(over="ignore"):  # what leaves float32 is too far away to be drawn, and shows as a gap
            return _base64(((values - self.offset) / self.scale).astype("<f4"))

    def ribbon(self, ribbon: Ribbon, columns: Columns) -> dict[str, object]:
        """From its first known point on: what is before needs no bytes."""
        known = np.flatnonzero(np.isfinite(ribbon.middle[columns]))
        first = int(known[0]) if known.size else int(columns.size)
        parts = {"middle": ribbon.middle, "lower": ribbon.lower, "upper": ribbon.upper}
        return {"from": first} | {name: self.pack(part[columns[first:]]) for name, part in parts.items()}


def _scores(scores: FloatArray) -> str:
    return _base64(np.round(np.nan_to_num(scores, nan=0.0).clip(0, MOST_SCORE) * 100).astype("<u2"))


def _base64(array: npt.NDArray[np.generic]) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")
