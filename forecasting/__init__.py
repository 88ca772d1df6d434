"""What comes next?"""

from forecasting.base import Forecast, Forecaster
from forecasting.harmonic import HarmonicRegression

FORECASTERS: dict[str, type[Forecaster]] = {"harmonic": HarmonicRegression}

__all__ = ["FORECASTERS", "Forecast", "Forecaster", "HarmonicRegression"]
