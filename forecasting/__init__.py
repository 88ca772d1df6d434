"""What comes next?"""

from forecasting.base import Forecast, Forecaster
from forecasting.boosting import Boosting
from forecasting.harmonic import HarmonicRegression
from forecasting.intermittent import Croston
from forecasting.naive import Drift, SeasonalMedian, SeasonalNaive
from forecasting.smoothing import HoltWinters, Theta
from forecasting.statespace import Arima, UnobservedComponents

FORECASTERS: dict[str, type[Forecaster]] = {
    "harmonic": HarmonicRegression,
    "seasonal_naive": SeasonalNaive,
    "seasonal_median": SeasonalMedian,
    "drift": Drift,
    "holt_winters": HoltWinters,
    "theta": Theta,
    "croston": Croston,
    "arima": Arima,
    "unobserved_components": UnobservedComponents,
    "boosting": Boosting,
}

__all__ = [
    "FORECASTERS",
    "Arima",
    "Boosting",
    "Croston",
    "Drift",
    "Forecast",
    "Forecaster",
    "HarmonicRegression",
    "HoltWinters",
    "SeasonalMedian",
    "SeasonalNaive",
    "Theta",
    "UnobservedComponents",
]
