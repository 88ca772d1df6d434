"""Is it strange?"""

from typing import Any

from detectors.autoencoder import Autoencoder
from detectors.autoregression import Autoregression
from detectors.base import Band, Baseline, Detector
from detectors.beside import Beside
from detectors.character import Character
from detectors.control_charts import Cusum, EwmaChart
from detectors.decomposition import StlResidual
from detectors.ensemble import Ensemble
from detectors.extremes import Extremes
from detectors.familiar import Familiar
from detectors.forecast_residual import ForecastResidual
from detectors.group import Joint
from detectors.iqr import Iqr
from detectors.learned import Learned
from detectors.level import Level
from detectors.live_error import LiveError
from detectors.month_days import MonthDays
from detectors.nearest_window import NearestWindow
from detectors.occasional import Effects
from detectors.outlier_model import OutlierModel
from detectors.peers import Peers
from detectors.profile import Profile
from detectors.quantile_band import QuantileBand
from detectors.seasonal import SeasonalBaseline
from detectors.spectral_residual import SpectralResidual
from detectors.tails import Copod, Ecod
from detectors.width import Width
from detectors.window_pca import WindowPca
from series import Calendar
from series.event import Event
from series.holidays import PublicHolidays
from series.occasions import Occasions

DETECTORS: dict[str, type[Detector]] = {
    "ensemble": Ensemble,
    "seasonal": SeasonalBaseline,
    "extremes": Extremes,
    "window_pca": WindowPca,
    "nearest_window": NearestWindow,
    "autoregression": Autoregression,
    "ewma": EwmaChart,
    "cusum": Cusum,
    "quantile_band": QuantileBand,
    "iqr": Iqr,
    "forecast_residual": ForecastResidual,
    "spectral_residual": SpectralResidual,
    "ecod": Ecod,
    "copod": Copod,
}
"""Public name to class. With those that need further libraries: `detectors.by_name`."""

FITTED: tuple[type[Any], ...] = (
    Autoencoder,
    Autoregression,
    Beside,
    Calendar,
    Character,
    Copod,
    Cusum,
    Ecod,
    Effects,
    Ensemble,
    Event,
    EwmaChart,
    Extremes,
    Familiar,
    Iqr,
    Joint,
    Learned,
    Level,
    LiveError,
    MonthDays,
    NearestWindow,
    Occasions,
    Peers,
    Profile,
    PublicHolidays,
    QuantileBand,
    SeasonalBaseline,
    SpectralResidual,
    StlResidual,
    Width,
    WindowPca,
)
"""Dataclasses that a fitted detector is made of, beside arrays and numbers: what a snapshot may hold."""

__all__ = [
    "DETECTORS",
    "FITTED",
    "Band",
    "Baseline",
    "Detector",
    "Ensemble",
    "OutlierModel",
    "SeasonalBaseline",
    "WindowPca",
]
