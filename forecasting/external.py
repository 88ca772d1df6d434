"""Forecasters of libraries that are installed on demand: statsforecast and Prophet, one series at a time."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import ClassVar, Literal, get_args
from warnings import catch_warnings, simplefilter

import numpy as np

from forecasting.base import Forecaster
from forecasting.plan import Plan
from forecasting.shapes import Steps
from forecasting.trialed import Continuation, TrialedForecaster
from series import FloatArray
from series.calendar import DAY

Model = Literal["AutoETS", "AutoTheta", "AutoARIMA", "MSTL"]
# AutoETS drops longer seasons without a word; AutoARIMA and AutoTheta do not end with them.
_LONGEST_SEASON = {"AutoETS": 24, "AutoARIMA": 24, "AutoTheta": 1_000, "MSTL": 100_000}


@dataclass(kw_only=True, eq=False)
class _External(TrialedForecaster):
    """Refits the library's model at every trial: a fit costs what it costs, so trials are few."""

    most_trials: ClassVar[int] = 3
    package: ClassVar[str] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if find_spec(self.package) is None:
            name = type(self).__name__
            raise ValueError(f"{name} needs the package {self.package}: pip install {self.package}. Got none.")

    @abstractmethod
    def one_ahead(self, past: FloatArray, steps: int, day: int) -> FloatArray:
        """(steps,): continue one series; `day` is its steps a day, 0 where the history holds no two of them."""

    def _continue(self, values: FloatArray, plan: Plan, first: int) -> Continuation:
        # An optimiser makes much of the last bit, which depends on the unit and on how many series stand in a block.
        return _OneByOne(self, np.round(values, 9), dict(plan.seasons.named).get("day", 0))


@dataclass(kw_only=True, eq=False)
class StatsForecast(_External):
    """A model of statsforecast, with the season of a day where the model can use it.

    Parameters
    ----------
    model : {"AutoETS", "AutoTheta", "AutoARIMA", "MSTL"}, default "MSTL"

    References
    ----------
    https://nixtlaverse.nixtla.io/statsforecast/
    """

    model: Model = "MSTL"

    package: ClassVar[str] = "statsforecast"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model not in get_args(Model):
            raise ValueError(f"StatsForecast.model must be one of {', '.join(get_args(Model))}. Got {self.model!r}.")

    def one_ahead(self, past: FloatArray, steps: int, day: int) -> FloatArray:
        """Continue one series."""
        models = import_module("statsforecast.models")
        season = day if 1 < day <= min(_LONGEST_SEASON[self.model], len(past) // 2) else 1
        name = "AutoETS" if self.model == "MSTL" and season == 1 else self.model
        return np.asarray(getattr(models, name)(season_length=season).forecast(y=past, h=steps)["mean"], np.float64)


@dataclass(kw_only=True, eq=False)
class Prophet(_External):
    """Prophet at its defaults.

    References
    ----------
    Taylor and Letham (2018), Forecasting at scale.
    """

    package: ClassVar[str] = "prophet"

    def one_ahead(self, past: FloatArray, steps: int, day: int) -> FloatArray:
        """Continue one series."""
        pandas = import_module("pandas")
        for logger in ("prophet", "cmdstanpy"):
            logging.getLogger(logger).setLevel(logging.ERROR)
        seconds = DAY / day if day else 1.0
        times = pandas.to_datetime(seconds * np.arange(len(past) + steps), unit="s")
        model = import_module("prophet").Prophet(uncertainty_samples=0)
        model.fit(pandas.DataFrame({"ds": times[: len(past)], "y": past}))
        told = model.predict(pandas.DataFrame({"ds": times[len(past) :]}))["yhat"]
        return np.asarray(told, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _OneByOne(Continuation):
    forecaster: _External
    values: FloatArray
    day: int

    def ahead(self, origin: int, leads: Steps) -> FloatArray:
        with _quiet():
            return np.stack([self._one(row[:origin], leads) for row in self.values])

    def _one(self, past: FloatArray, leads: Steps) -> FloatArray:
        """The last value, where the library fails on a series: its mistakes stay those of one series."""
        try:
            told = self.forecaster.one_ahead(past, int(leads[-1]), self.day)[leads - 1]
        except Exception:  # noqa: BLE001  # whatever a library raises, the other series go on
            told = np.full(len(leads), np.nan)
        return np.where(np.isfinite(told), told, past[-1])


@contextmanager
def _quiet() -> Iterator[None]:
    with catch_warnings():
        simplefilter("ignore")
        yield


EXTRA_FORECASTERS: dict[str, type[Forecaster]] = {"statsforecast": StatsForecast, "prophet": Prophet}
"""Made like those of `FORECASTERS`; the constructor refuses where the library is not installed."""
