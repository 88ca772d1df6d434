"""Periods that no calendar knows: a job every 7 hours, a cache that fills in 50 minutes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from forecasting.shapes import Steps
from series import BoolArray, FloatArray

# A period must be seen this many times, and be this long.
_CYCLES, _SHORTEST = 3, 4
# Share of the spectrum's power in its highest line, over that of an even spectrum, below which nobody looks closer.
_STANDS_OUT = 12.0
# Autocorrelation at the period, and how far it must rise above its lowest point before it.
_CORRELATED, _RISES = 0.3, 0.3
# A multiple of the period correlates as well: the first lag that comes this near to the best is the period.
_FIRST = 0.85
# Lags this near to a calendar period belong to it; of the period.
_CALENDAR = 0.02
_LAST_CYCLES = 5


def own_periods(values: FloatArray, calendar: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """Find the period of each series that is none of the calendar's.

    A spectrum tells which series are worth a closer look; in those, autocorrelation tells the period.

    Parameters
    ----------
    values : (n_series, n_steps) float64
        No NaN.
    calendar : tuple of int
        Steps of day, week and hour, where the history holds them; the day first. What the first explains is taken
        off.

    Returns
    -------
    period, strength : (n_series,) float64
        Steps, to a fraction, NaN where there is none; and the autocorrelation there, 0 to 1, 0 where there is none.

    References
    ----------
    Vlachos, Yu and Castelli (2005), On periodicity detection and structural periodic similarity.

    Examples
    --------
    >>> steps = np.arange(500)
    >>> period, strength = own_periods((steps % 7 == 0)[np.newaxis].astype(float), calendar=(24,))
    >>> period.round(2), strength.round(1)
    (array([7.]), array([1.]))
    """
    n_series, n_steps = values.shape
    period, strength = np.full(n_series, np.nan), np.zeros(n_series)
    if n_steps < _CYCLES * _SHORTEST * 2:
        return period, strength
    rest = _without(values, calendar[0] if calendar else 0)
    for row in np.flatnonzero(_stands_out(rest)):
        correlation = _autocorrelation(rest[row])
        lag = _best_lag(correlation, calendar)
        if lag:
            period[row], strength[row] = _refined(correlation, lag), min(float(correlation[lag]), 1.0)
    return period, strength


@dataclass(frozen=True, eq=False)
class OwnCycles:
    """The last cycles of series that have a period of their own.

    Attributes
    ----------
    rows : (n_rows,) int
        Those that have one.
    period : (n_rows,) float64
        Steps.
    """

    rows: Steps
    period: FloatArray

    @classmethod
    def of(cls, values: FloatArray, calendar: tuple[int, ...]) -> Self:
        """Look for them in (n_series, n_steps) values without NaN."""
        period, _ = own_periods(values, calendar)
        rows = np.flatnonzero(np.isfinite(period))
        return cls(rows, period[rows])

    def ahead(self, past: FloatArray, leads: Steps) -> FloatArray:
        """Continue the cycles.

        Parameters
        ----------
        past : (n_series, n_steps) float64

        Returns
        -------
        (3, n_series, n_leads) float64
            The last cycle as it was; the median of the last ones; their mean, lifted to the last one's level. NaN in
            rows without a period, or that have shown it too rarely.
        """
        told = np.full((3, len(past), len(leads)), np.nan)
        shown = past.shape[1] >= _LAST_CYCLES * self.period + 1
        rows, period = self.rows[shown], self.period[shown, np.newaxis]
        if len(rows):
            cycles = np.stack([self._cycle(past, rows, period, leads, back) for back in range(_LAST_CYCLES)])
            levels = np.stack([self._level(past, rows, period[:, 0], back) for back in range(_LAST_CYCLES)])
            mean = (cycles - levels[..., np.newaxis]).mean(axis=0) + levels[0][:, np.newaxis]
            told[:, rows] = np.stack([cycles[0], np.median(cycles, axis=0), mean])
        return told

    def _cycle(self, past: FloatArray, rows: Steps, period: FloatArray, leads: Steps, back: int) -> FloatArray:
        n_steps = past.shape[1]
        cycles = np.ceil((leads - 1e-6) / period) + back
        steps = n_steps - 1 + leads - np.rint(cycles * period).astype(np.intp)
        cycle: FloatArray = past[rows[:, np.newaxis], np.minimum(steps, n_steps - 1)]
        return cycle

    def _level(self, past: FloatArray, rows: Steps, period: FloatArray, back: int) -> FloatArray:
        ends = past.shape[1] - np.rint(back * period).astype(np.intp)
        lengths = np.rint(period).astype(np.intp)
        parts = zip(rows, ends, lengths, strict=True)
        return np.array([past[row, max(end - length, 0) : end].mean() for row, end, length in parts])


def _without(values: FloatArray, period: int) -> FloatArray:
    """Values without their mean, and without the mean cycle of this period."""
    rest: FloatArray = values - values.mean(axis=1, keepdims=True)
    cycles = values.shape[1] // period if period else 0
    if cycles >= 2:
        first = values.shape[1] - cycles * period
        profile = rest[:, first:].reshape(len(rest), cycles, period).mean(axis=1)
        rest = rest - profile[:, (np.arange(values.shape[1]) - first) % period]
    return rest


def _stands_out(rest: FloatArray) -> BoolArray:
    """(n_series,): a line of the spectrum holds far more than its share."""
    n_steps = rest.shape[1]
    power = np.abs(np.fft.rfft(rest, axis=1)) ** 2
    lines = np.arange(power.shape[1])
    used = (lines >= _CYCLES) & (lines <= n_steps // _SHORTEST)
    power = power[:, used]
    total = power.sum(axis=1)
    stands_out: BoolArray = (power.max(axis=1, initial=0.0) * power.shape[1] > _STANDS_OUT * total) & (total > 0)
    return stands_out


def _autocorrelation(rest: FloatArray) -> FloatArray:
    """(n_steps // 3 + 1,): at each lag, with the mean taken off."""
    n_steps = len(rest)
    power = np.abs(np.fft.rfft(rest, 2 ** int(np.ceil(np.log2(2 * n_steps))))) ** 2
    most = n_steps // _CYCLES
    lags = np.arange(most + 1)
    summed = np.fft.irfft(power)[: most + 1] / (n_steps - lags)
    correlation: FloatArray = summed / summed[0] if summed[0] > 0 else np.zeros(most + 1)
    return correlation


def _best_lag(correlation: FloatArray, calendar: tuple[int, ...]) -> int:
    """0 where there is none."""
    lags = np.arange(len(correlation))
    rises = correlation - np.minimum.accumulate(correlation)
    peak = np.zeros(len(correlation), dtype=bool)
    peak[1:-1] = (correlation[1:-1] >= correlation[:-2]) & (correlation[1:-1] > correlation[2:])
    fit = peak & (lags >= _SHORTEST) & (correlation > _CORRELATED) & (rises > _RISES)
    if not fit.any():
        return 0
    lag = int(np.flatnonzero(fit & (correlation >= _FIRST * correlation[fit].max()))[0])
    multiples = range(calendar[0], len(correlation), calendar[0]) if calendar else ()
    return 0 if any(_belongs(lag, period) for period in (*calendar, *multiples)) else lag


def _belongs(lag: int, period: int) -> bool:
    return abs(lag - period) <= max(_CALENDAR * period, 1)


def _refined(correlation: FloatArray, lag: int) -> float:
    """Period to a fraction of a step, from the last of its multiples that is a peak too."""
    period = float(lag)
    for times in range(2, (len(correlation) - 2) // lag + 1):
        middle = round(times * period)
        reach = max(lag // 8, 1)
        low, high = max(middle - reach, 1), min(middle + reach + 1, len(correlation))
        if low >= high:
            break
        best = low + int(correlation[low:high].argmax())
        if correlation[best] < _CORRELATED / 2:
            break
        period = best / times
    return period
