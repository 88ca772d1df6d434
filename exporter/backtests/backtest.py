"""What would have been said: scores, band and forecasts over a window of the past, as time went on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detectors.base import Band, Baseline
from detectors.walk import walk_forward
from exporter.backtests.anomalies import THRESHOLD, anomalies_of
from exporter.backtests.errors import ForecastErrors, LeadSums
from exporter.backtests.report import BacktestReport, Curves, Ribbon, SeriesResult
from forecasting.base import Forecast, Forecaster
from forecasting.naive import SeasonalNaive
from series import FloatArray, Reason, Window

# No forecast is asked of less than this share of the window: a model must have something to learn from.
FIRST_ORIGIN = 1 / 3

# Samples from here on are the largest number of a language, or a mistake; their squares are infinite.
_ENDLESS = 1e150


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """How to test: the models, and when they learn.

    Parameters
    ----------
    detector, forecaster : callables without arguments
        Each gives a fresh, unfitted model.
    yardstick : callable without arguments
        What the forecaster must beat.
    horizons : sequence of float
        How far to forecast, seconds; each is rounded up to whole steps.
    coverage : float, default 0.95
        Share of samples that shall fall inside the forecast's interval.
    refit : float, default 21600
        Seconds between two fits of the detector. The running service may fit more often; a long backtest would take
        as many times longer, and differ little.
    history : float or None
        Seconds a fit looks back; None for all there is.
    origins : int, default 7
        From how many instants inside the window forecasts are made, at most.
    join : int, default 5
        Ordinary or missing steps that may lie inside one anomaly; one more ends it, as it ends an alarm
        (`detectors.suppress`).
    drawn : int, default 20
        Series whose curves are kept for plots.
    block_samples : int, default 500000
        Series are worked on in blocks of about this many samples: some twenty arrays of a block are alive at once.

    Raises
    ------
    ValueError
        For horizons, a coverage or a time that cannot be.
    """

    detector: Callable[[], Baseline]
    forecaster: Callable[[], Forecaster]
    horizons: Sequence[float]
    yardstick: Callable[[], Forecaster] = SeasonalNaive
    coverage: float = 0.95
    refit: float = 21_600.0
    history: float | None = None
    origins: int = 7
    join: int = 5
    drawn: int = 20
    block_samples: int = 500_000

    def __post_init__(self) -> None:
        if not self.horizons or min(self.horizons) <= 0:
            raise ValueError(f"Backtest.horizons must be one or more times above 0 seconds. Got {self.horizons!r}.")
        if not 0 < self.coverage < 1:
            raise ValueError(f"Backtest.coverage must be above 0 and below 1. Got {self.coverage!r}.")
        if self.refit <= 0:
            raise ValueError(f"Backtest.refit must be above 0 seconds. Got {self.refit!r}.")
        if self.history is not None and self.history <= 0:
            raise ValueError(f"Backtest.history must be above 0 seconds. Got {self.history!r}.")

    def run(
        self,
        window: Window,
        *,
        query: str,
        skipped: Mapping[Reason, int] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> BacktestReport:
        """Test on `window`. Nothing that is said of a step uses a later one.

        Parameters
        ----------
        window : Window
            2 steps or more.
        query : str
            Where the window came from, for the report.
        skipped : mapping of Reason to int
            Series the source left out.
        progress : callable
            Called with the number of series done and of all series, after each block of them.

        Raises
        ------
        ValueError
            For a window of fewer than 2 steps.
        """
        horizons = sorted({_steps(horizon, window.step) for horizon in self.horizons})
        origins = past_origins(window.n_steps, horizons[-1], self.origins)
        leads = LeadSums(horizons)
        results: list[SeriesResult] = []
        for block in _blocks(window, self.block_samples):
            results = _most_interesting(results + self._judge(block, origins, leads), self.drawn)
            if progress:
                progress(len(results), window.n_series)
        return BacktestReport(
            query=query,
            times=window.times,
            step=window.step,
            results=tuple(results),
            leads=leads.errors(window.step),
            asked_coverage=self.coverage,
            origins=tuple(float(window.times[origin - 1]) for origin in origins),
            skipped=dict(skipped or {}),
        )

    def _judge(self, block: Window, origins: Sequence[int], leads: LeadSums) -> list[SeriesResult]:
        walk = walk_forward(self.detector(), block, history=self._lookback(block), refit=_steps(self.refit, block.step))
        past = [self._forecast(self.forecaster(), block, origin, leads.steps) for origin in origins]
        plain = [self._forecast(self.yardstick(), block, origin, leads.steps) for origin in origins]
        ahead = self._forecast(self.forecaster(), block, block.n_steps, leads.steps)
        errors = ForecastErrors.of(block, origins, past)
        leads.add(errors, ForecastErrors.of(block, origins, plain))
        said = _onto_window(block, origins, past)
        results = []
        for row in range(block.n_series):
            curves = Curves(
                values=block.values[row].copy(),
                scores=walk.scores[row].copy(),
                band=_ribbon(walk.band.expected, walk.band.lower, walk.band.upper, row),
                past=_ribbon(said.expected, said.lower, said.upper, row),
                ahead=_ribbon(ahead.mean, ahead.lower, ahead.upper, row),
            )
            results.append(self._result(block, row, curves, errors))
        return results

    def _result(self, block: Window, row: int, curves: Curves, errors: ForecastErrors) -> SeriesResult:
        present = np.isfinite(curves.values)
        judged = present & np.isfinite(curves.band.upper)
        return SeriesResult(
            key=block.keys[row],
            judged_from=float(block.times[np.argmax(judged)]) if judged.any() else math.nan,
            judged_steps=int(judged.sum()),
            alarm_steps=int((curves.scores > THRESHOLD).sum()),
            warm_up_steps=int((present & ~judged).sum()),
            anomalies=anomalies_of(block.times, curves, join=self.join),
            mase=float(errors.mase[row]),
            coverage=float(errors.coverage[row]),
            curves=curves,
        )

    def _forecast(self, model: Forecaster, block: Window, origin: int, steps: int) -> Forecast:
        known = block.until(origin).since(max(0, origin - self._lookback(block)))
        return model.fit(known).forecast(steps, coverage=self.coverage)

    def _lookback(self, block: Window) -> int:
        return block.n_steps if self.history is None else _steps(self.history, block.step)


def past_origins(n_steps: int, steps: int, most: int) -> tuple[int, ...]:
    """Columns that past forecasts start at: evenly spread, so that each fits into the window and none overlap.

    Between two forecasts at least one column stays free.

    Parameters
    ----------
    n_steps : int
        Columns of the window.
    steps : int
        Columns a forecast covers.
    most : int
        More origins than this are not given.

    Returns
    -------
    tuple of int
        Ascending; empty where a forecast is too long for the window.

    Examples
    --------
    >>> past_origins(100, 10, 3)
    (34, 62, 90)
    """
    first, last = math.ceil(n_steps * FIRST_ORIGIN), n_steps - steps
    if last < max(first, 2) or most < 1:
        return ()
    count = min(most, 1 + (last - first) // (steps + 1))
    spacing = (last - first) // (count - 1) if count > 1 else 0
    return tuple(last - spacing * back for back in reversed(range(count)))


def _steps(seconds: float, step: float) -> int:
    return max(1, math.ceil(seconds / step))


def _blocks(window: Window, samples: int) -> Iterator[Window]:
    rows = max(1, samples // window.n_steps)
    for first in range(0, window.n_series, rows):
        part = slice(first, first + rows)
        values = window.values[part]
        # What is infinite, or has an infinite square, can neither be drawn nor enter a mean: it counts as missing.
        yield Window(window.keys[part], window.times, np.where(np.abs(values) < _ENDLESS, values, np.nan))


def _most_interesting(results: list[SeriesResult], drawn: int) -> list[SeriesResult]:
    """Sort by interest and let go of all curves but those of the first `drawn`, so that memory stays bounded."""
    ranked = sorted(results, key=lambda result: result.interest, reverse=True)
    return ranked[:drawn] + [replace(result, curves=None) for result in ranked[drawn:]]


def _onto_window(block: Window, origins: Sequence[int], past: Sequence[Forecast]) -> Band:
    """Past forecasts laid over the columns they spoke of; NaN where none spoke."""
    said = Band(*(np.full(block.values.shape, np.nan) for _ in range(3)))
    for origin, forecast in zip(origins, past, strict=True):
        columns = slice(origin, origin + len(forecast.times))
        said.expected[:, columns], said.lower[:, columns], said.upper[:, columns] = (
            forecast.mean,
            forecast.lower,
            forecast.upper,
        )
    return said


def _ribbon(middle: FloatArray, lower: FloatArray, upper: FloatArray, row: int) -> Ribbon:
    """One row, copied: a view would keep its whole block alive."""
    return Ribbon(middle[row].copy(), lower[row].copy(), upper[row].copy())
