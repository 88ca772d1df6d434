"""Forecasters of libraries that are installed on demand: statsforecast, Prophet and Chronos, one series at a time."""

from __future__ import annotations

import json
import logging
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar
from warnings import catch_warnings, simplefilter

import numpy as np

from forecasting.plan import Plan
from forecasting.shapes import Steps
from forecasting.trialed import Continuation, TrialedForecaster
from series import FloatArray
from series.calendar import DAY

_CHRONOS_KIND = "ChronosBoltModelForForecasting"


@dataclass(kw_only=True, eq=False)
class External(TrialedForecaster):
    """Refits the library's model at every trial: a fit costs what it costs, so trials are few."""

    most_trials: ClassVar[int] = 3
    package: ClassVar[str] = ""
    distribution: ClassVar[str] = ""
    extra: ClassVar[str] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if find_spec(self.package) is None:
            name = type(self).__name__
            raise ValueError(f"{name} needs {self.distribution}: pip install 'forethought[{self.extra}]'.")

    @abstractmethod
    def one_ahead(self, past: FloatArray, steps: int, day: int) -> FloatArray:
        """(steps,): continue one series; `day` is its steps a day, 0 where the history holds no two of them."""

    def _continue(self, values: FloatArray, plan: Plan, first: int) -> Continuation:
        # An optimiser makes much of the last bit, which depends on the unit and on how many series stand in a block.
        return _OneByOne(self, np.round(values, 9), dict(plan.seasons.named).get("day", 0))


class _StatsForecast(External):
    """A model of statsforecast, with the season of a day where the model can use it.

    References
    ----------
    https://nixtlaverse.nixtla.io/statsforecast/
    """

    package: ClassVar[str] = "statsforecast"
    distribution: ClassVar[str] = "statsforecast"
    extra: ClassVar[str] = "statsforecast"
    longest_season: ClassVar[int]

    def one_ahead(self, past: FloatArray, steps: int, day: int) -> FloatArray:
        """Continue one series."""
        models = import_module("statsforecast.models")
        season = day if 1 < day <= min(self.longest_season, len(past) // 2) else 1
        name = type(self).__name__
        name = "AutoETS" if name == "MSTL" and season == 1 else name
        return np.asarray(getattr(models, name)(season_length=season).forecast(y=past, h=steps)["mean"], np.float64)


@dataclass(kw_only=True, eq=False)
class AutoETS(_StatsForecast):
    """Exponential smoothing of the best kind; it drops seasons above 24 steps without a word."""

    longest_season: ClassVar[int] = 24


@dataclass(kw_only=True, eq=False)
class AutoTheta(_StatsForecast):
    """The best of the Theta methods; it does not end with longer seasons."""

    longest_season: ClassVar[int] = 1_000


@dataclass(kw_only=True, eq=False)
class AutoARIMA(_StatsForecast):
    """The best seasonal ARIMA; it does not end with longer seasons."""

    longest_season: ClassVar[int] = 24


@dataclass(kw_only=True, eq=False)
class MSTL(_StatsForecast):
    """Seasons by repeated loess, AutoETS on what they leave."""

    longest_season: ClassVar[int] = 100_000


@dataclass(kw_only=True, eq=False)
class Prophet(External):
    """Prophet at its defaults.

    References
    ----------
    Taylor and Letham (2018), Forecasting at scale.
    """

    package: ClassVar[str] = "prophet"
    distribution: ClassVar[str] = "prophet"
    extra: ClassVar[str] = "prophet"

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


@dataclass(kw_only=True, eq=False)
class Chronos(External):
    """A pretrained model of the Chronos-Bolt kind, from a folder: nothing is ever asked of a network.

    Parameters
    ----------
    weights : pathlib.Path
        Folder with ``config.json`` and ``model.safetensors``, as the model is published.

    References
    ----------
    Ansari et al. (2024), Chronos: Learning the Language of Time Series.
    """

    weights: Path

    package: ClassVar[str] = "chronos"
    distribution: ClassVar[str] = "chronos-forecasting"
    extra: ClassVar[str] = "deep"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("config.json", "model.safetensors"):
            if not (self.weights / name).is_file():
                raise ValueError(f"Chronos.weights must be a folder with {name}. Got {str(self.weights)!r} without it.")
        kind = _kind(self.weights / "config.json")
        if kind != _CHRONOS_KIND:
            raise ValueError(f"Chronos.weights must hold a {_CHRONOS_KIND}. Got {kind!r} in {str(self.weights)!r}.")

    def one_ahead(self, past: FloatArray, steps: int, day: int) -> FloatArray:
        """Continue one series."""
        context = import_module("torch").tensor(past[np.newaxis]).float()
        quantiles, _ = _loaded(self.weights).predict_quantiles(context, prediction_length=steps, quantile_levels=[0.5])
        return np.asarray(quantiles[0, :, 0].numpy(), dtype=np.float64)

    def _continue(self, values: FloatArray, plan: Plan, first: int) -> Continuation:
        _loaded(self.weights)  # broken weights are the fault of no series: nothing must stand in for them
        return super()._continue(values, plan, first)


def _kind(file: Path) -> str:
    """What a model's description says it is; empty where it says nothing."""
    try:
        described = json.loads(file.read_bytes())
        return str(described["architectures"][0])
    except (ValueError, LookupError, TypeError):
        return ""


@lru_cache(maxsize=2)
def _loaded(weights: Path) -> Any:
    """Load a model once: every fit of every query uses the same.

    Raises
    ------
    ValueError
        Where the folder holds no weights that fit its description.
    """
    import_module("torch").set_num_threads(1)  # sums in another order would change the last bit
    kind = import_module("chronos").ChronosBoltPipeline
    try:
        # Safetensors hold numbers alone; a pickle could run anything.
        return kind.from_pretrained(str(weights), local_files_only=True, use_safetensors=True)
    except Exception as error:
        raise ValueError(f"Chronos.weights must hold weights of its model. Got {error} in {str(weights)!r}.") from error


@dataclass(frozen=True, eq=False)
class _OneByOne(Continuation):
    forecaster: External
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


EXTRA_FORECASTERS: dict[str, type[External]] = {
    "auto_ets": AutoETS,
    "auto_theta": AutoTheta,
    "auto_arima": AutoARIMA,
    "mstl": MSTL,
    "prophet": Prophet,
    "chronos": Chronos,
}
"""Made like those of `FORECASTERS`, `Chronos` with its weights; constructors refuse where the library is missing."""
