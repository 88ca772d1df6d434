"""What comes next?"""

from forecasting.base import Forecast, Forecaster
from forecasting.harmonic import HarmonicRegression
from forecasting.naive import SeasonalNaive

FORECASTERS: dict[str, type[Forecaster]] = {"harmonic": HarmonicRegression, "seasonal_naive": SeasonalNaive}

__all__ = ["FORECASTERS", "Forecast", "Forecaster", "HarmonicRegression", "SeasonalNaive"]
