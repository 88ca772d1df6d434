"""How far each candidate was off from each origin, and the blends that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from forecasting.bands import bands
from forecasting.blend import Blend, weights_of
from forecasting.shapes import Steps
from series import FloatArray

# Candidates that take part in the blend of a series; the others hardly weigh and cost as much.
_KEPT = 24
# An origin counts this much of what the next one counts: a trend or level that is new must be followed. Of more origins
# than these, which a longer history has, all fade more slowly, so that the first still counts.
_FADING, _SWIFTLY = 0.85, 14
# How much the last samples count.
_LATEST = 0.5
# Of the typical error: differences below it do not count, so that perfect candidates share.
_FLOOR = 1e-3
# Of a series' own spread: errors below it are rounding.
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Contest:
    """Errors of the candidates, and what they did from each origin.

    Attributes
    ----------
    edges : (n_bands + 1,) int
        Leads of band i are above edge i and up to edge i + 1.
    told : (n_origins, n_candidates, n_series, n_leads) float64
        Forecasts; NaN throughout a candidate that had none from an origin.
    leads : (n_leads,) int
        Ascending.
    errors : (n_origins, n_bands, n_candidates, n_series) float64
        Logarithm of the mean absolute error over that of the typical candidate; NaN where unknown.
    """

    edges: Steps
    told: FloatArray
    leads: Steps
    errors: FloatArray

    @classmethod
    def of(cls, told: FloatArray, actual: FloatArray, leads: Steps) -> Self:
        """Compare forecasts with what came, (n_origins, n_series, n_leads); NaN where there was no sample."""
        edges = bands(int(leads[-1]))
        return cls(edges, told, leads, _errors(told, actual, np.searchsorted(leads, edges[:-1], side="right")))

    def blend(self, told: FloatArray, came: FloatArray) -> Blend:
        """Weigh the candidates by their errors from all origins: their geometric mean, the newest foremost.

        Parameters
        ----------
        told : (n_candidates, n_series, n_checked) float64
            Forecasts of the last samples: who follows a new level shows there first, and for all leads.
        came : (n_series, n_checked) float64
            These samples; NaN where there was none.
        """
        latest = _errors(told[np.newaxis], came[np.newaxis], np.zeros(1, dtype=np.intp))
        every = np.concatenate([self.errors, np.broadcast_to(latest, (1, *self.errors.shape[1:]))])
        return _blends(self.edges, every, np.append(_fading(len(self.told)), _LATEST)[np.newaxis])[0]

    def told_by_blends(self) -> FloatArray:
        """What a blend would have said from each origin that was weighed by the other origins alone.

        A blend looks too good where it was fitted: its errors there would make intervals too narrow.

        Returns
        -------
        (n_origins, n_series, n_leads) float64
        """
        counts = np.tile(_fading(len(self.told)), (len(self.told), 1))
        if len(counts) > 1:
            np.fill_diagonal(counts, 0.0)
        answers = np.full((len(counts), *self.told.shape[2:]), np.nan)
        blends = _blends(self.edges, self.errors, counts)
        for answer, blend, told in zip(answers, blends, self.told, strict=True):
            inside = int(np.isfinite(told).any(axis=(0, 1)).sum())  # leads beyond the end have no forecast
            answer[:, :inside] = blend(told[..., :inside], self.leads[:inside])
        return answers


def _blends(edges: Steps, errors: FloatArray, counts: FloatArray) -> list[Blend]:
    """One blend for each row of (n_blends, n_origins): how much the errors from each origin count."""
    known = np.isfinite(errors)
    count = np.tensordot(counts, known.astype(np.float64), axes=1)
    total = np.tensordot(counts, np.where(known, errors, 0.0), axes=1)
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return [_blend(edges, one) for one in mean]


def _fading(n_origins: int) -> FloatArray:
    counts: FloatArray = _FADING ** (min(_SWIFTLY / n_origins, 1.0) * np.arange(n_origins - 1, -1, -1.0))
    return counts


def _blend(edges: Steps, errors: FloatArray) -> Blend:
    weights = np.moveaxis(weights_of(errors), 2, 0)
    most = min(_KEPT, weights.shape[2])
    kept = np.sort(np.argsort(-weights.sum(axis=1), axis=1, kind="stable")[:, :most], axis=1)
    part = np.take_along_axis(weights, kept[:, np.newaxis], axis=2)
    return Blend(edges, kept, part / part.sum(axis=2, keepdims=True))


def _errors(told: FloatArray, actual: FloatArray, starts: Steps) -> FloatArray:
    """(n_origins, n_bands, n_candidates, n_series): log of the error against the typical candidate's."""
    known = np.isfinite(actual)[:, np.newaxis]
    missed = np.where(known, np.abs(told - actual[:, np.newaxis]), 0.0)
    count = np.add.reduceat(known, starts, axis=-1, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        by_origin = np.add.reduceat(missed, starts, axis=-1) / np.where(count > 0, count, np.nan)
    typical = _mean(by_origin, axis=1)[:, np.newaxis]
    ratio = (by_origin + _FLOOR * typical + _TINY) / (typical + _TINY)
    return np.log(np.moveaxis(ratio, -1, 1))


def _mean(values: FloatArray, axis: int) -> FloatArray:
    """Mean of what is known, NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    mean: FloatArray = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean
