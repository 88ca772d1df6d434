"""Many simple forecasts at once: each shape with each level, for all series and from any instant of the history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from forecasting.plan import Plan
from forecasting.regression import Regression
from forecasting.seasons import Seasons
from forecasting.shapes import Flat, Profile, Shape, Steps, mean_profile, median_profile, mixed
from series import FloatArray

# A weighted mean reaches back this many times its own time constant; what lies before weighs less than 1 %.
_REACH = 5


@dataclass(frozen=True, eq=False)
class Candidates:
    """Simple forecasts of a block of series.

    Attributes
    ----------
    values : (n_series, n_steps) float64
        History without NaN.
    seasons : Seasons
        Periods that may show in it.
    regression : Regression
        Fitted to each origin that is asked for.
    """

    values: FloatArray
    seasons: Seasons
    regression: Regression

    @classmethod
    def of(cls, values: FloatArray, plan: Plan) -> Self:
        """Prepare for forecasts from the origins of a plan, and from the end of the history."""
        return cls(values, plan.seasons, Regression.fit(values, plan))

    def ahead(self, origin: int, leads: Steps) -> FloatArray:
        """Forecast from the columns before `origin`.

        Parameters
        ----------
        leads : (n_leads,) int
            1 is the column of the origin itself.

        Returns
        -------
        (n_candidates, n_series, n_leads) float64
            NaN throughout a candidate that needs more history.
        """
        past, steps = self.values[:, :origin], origin - 1 + leads
        averages = [_Average.of(tau, origin) for tau in self.seasons.levels]
        levels = [average(past) for average in averages]
        forecasts = []
        for shape in self._shapes(past, origin):
            for average, level in zip(averages, levels, strict=True):
                forecasts.append(_raised(shape, average, level, steps) if shape else self._nothing(leads))
        forecasts += [self._middle(past, tau, leads) for tau in self.seasons.levels[1:]]
        for period in self.seasons.periods:
            forecasts += [self._repeat(past, period, steps), self._typical(past, period, steps)]
        return np.stack(forecasts)

    def _shapes(self, past: FloatArray, origin: int) -> Iterator[Shape | None]:
        yield Flat(len(past))
        medians: dict[int, Profile] = {}
        for period in self.seasons.periods:
            shown = origin // period
            if period >= self.seasons.periods[0]:  # beside a day, the median alone tells what an hour looks like
                yield mean_profile(past, period, 3) if shown >= 2 else None
            if shown >= 3:
                medians[period] = median_profile(past, period, 7)
            yield medians.get(period)
        if (pair := self.seasons.nested) is not None:
            day, week = pair
            enough = origin >= max(2 * week, 3 * day)
            yield mixed(medians[day], mean_profile(past, week, 4)) if enough else None
        if len(self.seasons.waves):
            yield self.regression.fits[origin] if self.seasons.n_waves(origin) else None

    def _repeat(self, past: FloatArray, period: int, steps: Steps) -> FloatArray:
        """Repeat the last cycle as it was."""
        first = past.shape[1] - period
        return past[:, first + (steps - first) % period] if first >= 0 else self._nothing(steps)

    def _typical(self, past: FloatArray, period: int, steps: Steps) -> FloatArray:
        """Median of the last cycles at each phase, wherever the level is now."""
        if past.shape[1] < 3 * period:
            return self._nothing(steps)
        return median_profile(past, period, 7, leveled=False).at(steps)

    def _middle(self, past: FloatArray, tau: float, leads: Steps) -> FloatArray:
        """Median of the last samples: what is most often near, where bursts pull the mean away."""
        middle = np.median(past[:, -max(int(tau), 1) :], axis=1, keepdims=True)
        return np.repeat(middle, len(leads), axis=1)

    def _nothing(self, leads: Steps) -> FloatArray:
        return np.full((len(self.values), len(leads)), np.nan)


@dataclass(frozen=True, eq=False)
class _Average:
    """Mean with exponentially falling weights: the level of simple exponential smoothing."""

    steps: Steps
    weights: FloatArray

    @classmethod
    def of(cls, tau: float, origin: int) -> _Average:
        back = np.arange(min(origin, int(np.ceil(_REACH * tau))), 0, -1)
        weights = np.exp(-back / tau + 1 / tau)
        return cls(origin - back, weights / weights.sum())

    def __call__(self, past: FloatArray) -> FloatArray:
        return past[:, self.steps[0] :] @ self.weights


def _raised(shape: Shape, average: _Average, level: FloatArray, steps: Steps) -> FloatArray:
    """Shape, lifted to the level that the series had where the average looked."""
    return (level - shape.mean(average.steps, average.weights))[:, np.newaxis] + shape.at(steps)
