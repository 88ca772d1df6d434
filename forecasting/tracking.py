"""Forecasts compared with what came: are they right, live?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from series import BoolArray, FloatArray

# Rows of the sums.
_COUNT, _ERROR, _NAIVE, _RELATIVE, _SIGNED, _INSIDE, _OWN, _LOST = range(8)
# Rows of what is awaited.
_MEAN, _LOWER, _UPPER, _REPEATED, _FORECASTER = range(5)


@dataclass(eq=False)
class Tracker:
    """Errors of one query's forecasts for some horizons, with fading memory.

    Everything is an array, so that a snapshot needs no code; memory is bounded by `capacity`.

    Attributes
    ----------
    due : (n_horizons, capacity) float64
        Seconds since the epoch that forecasts are awaited for; NaN in a free place.
    awaited : (n_horizons, capacity, 5, n_series) float32
        Mean, lower, upper, the naive forecast for that time and what the forecaster itself said. What came is rounded
        alike before it is compared, so that rounding puts nothing outside of an interval.
    sums : (n_horizons, 8, n_series) float64
        Fading sums: comparisons, absolute error, that of the naive forecast, relative error, error, samples inside,
        absolute error of the forecaster itself, comparisons that it lost to the naive forecast.
    fading : float
        What is left of a comparison's weight at the next one.
    """

    due: FloatArray
    awaited: npt.NDArray[np.float32]
    sums: FloatArray
    fading: float

    @classmethod
    def of(cls, n_horizons: int, n_series: int, *, capacity: int, memory: float) -> Self:
        """Begin without any knowledge.

        Parameters
        ----------
        capacity : int
            Forecasts awaited at a time for one horizon: its length over the time between two forecasts, and one.
        memory : float
            Comparisons after which a third of the weight is left, above 0.
        """
        return cls(
            np.full((n_horizons, capacity), np.nan),
            np.full((n_horizons, capacity, 5, n_series), np.nan, dtype=np.float32),
            np.zeros((n_horizons, 8, n_series)),
            float(np.exp(-1 / memory)),
        )

    def expect(
        self, horizon: int, due: float, bounds: FloatArray, naive: FloatArray, own: FloatArray | None = None
    ) -> None:
        """Remember what was said for the instant `due`; where no place is free, the oldest is forgotten.

        Parameters
        ----------
        horizon : int
            Row of the horizons.
        bounds : (3, n_series) float64
            Mean, lower and upper, as they were told.
        naive : (n_series,) float64
            What repeating the last season says of the same instant.
        own : (n_series,) float64 or None
            What the forecaster said, where something else was told in its place.
        """
        places = self.due[horizon]
        place = int(np.where(np.isnan(places), -np.inf, places).argmin())
        places[place] = due
        with np.errstate(over="ignore"):
            self.awaited[horizon, place] = np.vstack([bounds, naive, bounds[_MEAN] if own is None else own])

    def observe(self, time: float, values: FloatArray) -> None:
        """Compare what was said for `time` with what came, (n_series,); forget what should have come before.

        NaN counts nowhere: neither a missing sample nor a missing forecast.
        """
        for horizon, place in np.argwhere(self.due <= time):
            if self.due[horizon, place] == time:
                self._compare(int(horizon), self.awaited[horizon, place], values)
            self.due[horizon, place] = np.nan

    def _compare(self, horizon: int, said: FloatArray, came: FloatArray) -> None:
        said, came = said.astype(np.float64), rounded(came)
        known = np.isfinite(came) & np.isfinite(said).all(axis=0)
        error, naive = came - said[_MEAN], np.abs(came - said[_REPEATED])
        size = np.abs(came) + np.abs(said[_MEAN])
        relative = np.divide(2 * np.abs(error), size, out=np.zeros_like(size), where=size > 0)
        inside = (said[_LOWER] <= came) & (came <= said[_UPPER])
        own = np.abs(came - said[_FORECASTER])
        new = np.stack([np.ones_like(came), np.abs(error), naive, relative, error, inside, own, own > naive])
        sums = self.sums[horizon]
        self.sums[horizon] = np.where(known, self.fading * sums + new, sums)

    def take(self, rows: list[int | None]) -> None:
        """Put series into another order: for each new row its old one, None for a series that is new."""
        kept = np.array([-1 if row is None else row for row in rows], dtype=np.intp)
        known = kept >= 0
        for name, empty in (("awaited", np.nan), ("sums", 0.0)):
            old = getattr(self, name)
            new = np.full((*old.shape[:-1], len(kept)), empty, dtype=old.dtype)
            new[..., known] = old[..., kept[known]]
            setattr(self, name, new)

    @property
    def weight(self) -> FloatArray:
        """(n_horizons, n_series): comparisons that the figures rest on, the old ones faded."""
        return self.sums[:, _COUNT]

    @property
    def relative_error(self) -> FloatArray:
        """(n_horizons, n_series): mean absolute error over that of the naive forecast for the same instants."""
        return _ratio(self.sums[:, _ERROR], self.sums[:, _NAIVE])

    @property
    def smape(self) -> FloatArray:
        """(n_horizons, n_series): symmetric mean absolute percentage error as a ratio, 0 to 2."""
        return _ratio(self.sums[:, _RELATIVE], self.weight)

    @property
    def bias(self) -> FloatArray:
        """(n_horizons, n_series): mean error in the unit of the series; above 0 where more came than was said."""
        return _ratio(self.sums[:, _SIGNED], self.weight)

    @property
    def bias_ratio(self) -> FloatArray:
        """(n_horizons, n_series): mean error over the mean absolute error, -1 to 1: how one-sided the errors are."""
        return _ratio(self.sums[:, _SIGNED], self.sums[:, _ERROR])

    @property
    def coverage(self) -> FloatArray:
        """(n_horizons, n_series): share of samples inside the interval."""
        return _ratio(self.sums[:, _INSIDE], self.weight)

    def mase(self, scale: FloatArray) -> FloatArray:
        """(n_horizons, n_series): mean absolute error over the naive error inside the history, (n_series,)."""
        return _ratio(_ratio(self.sums[:, _ERROR], self.weight), np.broadcast_to(scale, self.weight.shape))

    def falls_behind(self, *, margin: float = 0.05, fewest: float = 30.0, often: float = 0.5) -> BoolArray:
        """(n_horizons, n_series): repeating the season beats the forecaster.

        These series are better forecast by it until the figures recover.

        Parameters
        ----------
        margin : float
            The naive forecast's mean error must be smaller by more than this ratio ...
        often : float
            ... and it must win more than this share of the comparisons: one large event is no verdict.
        fewest : float
            Comparisons that are needed.
        """
        worse = self.sums[:, _OWN] > (1 + margin) * self.sums[:, _NAIVE]
        behind: BoolArray = (self.weight >= fewest) & worse & (self.sums[:, _LOST] > often * self.weight)
        return behind


def rounded(values: FloatArray) -> FloatArray:
    """Values as they would be kept among what is awaited."""
    with np.errstate(over="ignore"):
        return np.asarray(values, dtype=np.float32).astype(np.float64)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    ratio: FloatArray = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return ratio
