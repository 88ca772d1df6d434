"""Many simple forecasts at once: each shape with each level, for all series and from any instant of the history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from forecasting.levels import Average, raised, sloped
from forecasting.own_period import OwnCycles
from forecasting.plan import Plan
from forecasting.regression import Regression
from forecasting.seasons import Seasons
from forecasting.shapes import Earlier, Flat, Profile, Shape, Steps, mean_profile, median_profile, mixed
from series import FloatArray

# Samples that the median of a longer past is taken of.
_SAMPLED = 96
# An hour stands on the level of the last hours: longer levels have other shapes.
_HOURLY_LEVELS = 3
# Cycles that growth is told from.
_GROWN = 3
Named = Iterator[tuple[str, FloatArray | None]]


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
    own : OwnCycles
        Series with a period that is not the calendar's.
    """

    values: FloatArray
    seasons: Seasons
    regression: Regression
    own: OwnCycles

    @classmethod
    def of(cls, values: FloatArray, plan: Plan) -> Self:
        """Prepare for forecasts from the origins of a plan, and from the end of the history."""
        return cls(values, plan.seasons, Regression.fit(values, plan), OwnCycles.of(values, plan.seasons.periods))

    @property
    def names(self) -> tuple[str, ...]:
        """What each candidate is; several may share a name."""
        return tuple(name for name, _ in self._all(self.values.shape[1], np.ones(1, dtype=np.intp)))

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
        nothing = np.full((len(self.values), len(leads)), np.nan)
        return np.stack([nothing if told is None else told for _, told in self._all(origin, leads)])

    def _all(self, origin: int, leads: Steps) -> Named:
        past = self.values[:, :origin]
        averages = [Average.of(tau, origin) for tau in self.seasons.levels]
        shapes = list(self._shapes(past, origin))
        for name, shape in shapes:
            for average in averages[: _HOURLY_LEVELS if name == "hour" else None]:
                yield name, raised(shape, average.level(past, shape), origin - 1 + leads) if shape else None
        for average in averages if self.seasons.year else ():
            year, known = Earlier(past, self.seasons.year), average.steps[0] >= self.seasons.year
            yield "last_year", raised(year, average.level(past, year), origin - 1 + leads) if known else None
        level, slope = averages[-2:]
        yield "drift", sloped(Flat(len(past)), past, averages[0], slope, leads)
        for name, shape in shapes:
            if name in ("flat", "regression"):
                yield f"{name}_trend", sloped(shape, past, level, slope, leads) if shape else None
        for tau in self.seasons.levels[1:]:
            yield "median", self._middle(past, tau, leads)
        for name, period in self.seasons.named:
            yield f"last_{name}", self._repeat(past, period, origin - 1 + leads)
            yield f"typical_{name}", self._typical(past, period, origin - 1 + leads)
            if name == "day":
                yield "growing_day", self._growing(past, period, leads)
        if len(self.own.rows):
            yield from zip(("last_cycle", "typical_cycle", "cycle"), self.own.ahead(past, leads), strict=True)

    def _shapes(self, past: FloatArray, origin: int) -> Iterator[tuple[str, Shape | None]]:
        yield "flat", Flat(len(past))
        medians: dict[int, Profile] = {}
        for name, period in self.seasons.named:
            shown = origin // period
            if period >= self.seasons.periods[0]:  # beside a day, the median alone tells what an hour looks like
                yield f"mean_{name}", mean_profile(past, period, 3) if shown >= 2 else None
            if shown >= 3:
                medians[period] = median_profile(past, period, 7)
            yield name, medians.get(period)
        if (pair := self.seasons.nested) is not None:
            day, week = pair
            enough = origin >= max(2 * week, 3 * day)
            yield "day_and_week", mixed(medians[day], mean_profile(past, week, 4)) if enough else None
        if len(self.seasons.waves):
            yield "regression", self.regression.fits[origin] if self.seasons.n_waves(origin) else None

    def _repeat(self, past: FloatArray, period: int, steps: Steps) -> FloatArray | None:
        """Repeat the last cycle as it was."""
        first = past.shape[1] - period
        return past[:, first + (steps - first) % period] if first >= 0 else None

    def _growing(self, past: FloatArray, period: int, leads: Steps) -> FloatArray | None:
        """Repeat the last cycle, higher or lower each time by what the last cycles rose."""
        first = past.shape[1] - (_GROWN + 1) * period
        if first < 0:
            return None
        cycles = past[:, first:].reshape(len(past), _GROWN + 1, period)
        rise = (cycles[:, -1].mean(axis=1) - cycles[:, 0].mean(axis=1)) / _GROWN
        times = np.ceil(leads / period)
        grown: FloatArray = cycles[:, -1, (leads - 1) % period] + rise[:, np.newaxis] * times
        return grown

    def _typical(self, past: FloatArray, period: int, steps: Steps) -> FloatArray | None:
        """Median of the last cycles at each phase, wherever the level is now."""
        if past.shape[1] < 3 * period:
            return None
        return median_profile(past, period, 7, leveled=False).at(steps)

    def _middle(self, past: FloatArray, tau: float, leads: Steps) -> FloatArray:
        """Median of the last samples: what is most often near, where bursts pull the mean away."""
        reach = min(max(int(tau), 1), past.shape[1])
        middle = np.median(past[:, -reach :: -(-reach // _SAMPLED)], axis=1, keepdims=True)
        return np.repeat(middle, len(leads), axis=1)
