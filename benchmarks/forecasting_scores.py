"""How good forecasts are: point, quantile and interval scores of each series."""

from __future__ import annotations

import numpy as np
import pandas as pd

from series import FloatArray

# Changes this much smaller than the values are rounding: the series counts as constant and has no scaled score.
_ROUNDING = 1e-9
SCORES = ("mase", "smape", "weighted_quantile_loss", "coverage", "msis")


def scores(
    history: FloatArray, actual: FloatArray, forecast: FloatArray, *, season: int, coverage: float
) -> dict[str, float]:
    """Score the forecast of one series.

    Parameters
    ----------
    history : (n_steps,) float64
    actual : (n_targets,) float64
        NaN counts nowhere.
    forecast : (3, n_targets) float64
        Mean, lower and upper.
    season : int
        Steps; the scale of MASE and MSIS is the error of repeating the last season inside the history.
    coverage : float
        What the interval was asked to cover.

    Returns
    -------
    dict
        `mase`, `smape` (ratio, 0 to 2), `weighted_quantile_loss` (mean over the two ends of the interval and the
        median), `coverage`, `msis`, and what pooled ratios need: `loss` and `volume`. NaN where undefined.

    References
    ----------
    Makridakis, Spiliotis and Assimakopoulos (2020), The M4 Competition (MASE, sMAPE, MSIS); Gasthaus et al. (2019),
    Probabilistic forecasting with spline quantile function RNNs (weighted quantile loss as an estimate of CRPS).
    """
    known = np.isfinite(actual)
    actual, (mean, lower, upper) = actual[known], forecast[:, known]
    scale = naive_error(history, season)
    volume = float(np.abs(actual).sum())
    loss = float(
        np.mean([pinball(actual, quantile, bound) for quantile, bound in _quantiles(mean, lower, upper, coverage)])
    )
    size = np.abs(actual) + np.abs(mean)
    outside = np.maximum(lower - actual, 0) + np.maximum(actual - upper, 0)
    return {
        "mase": float(np.mean(np.abs(actual - mean))) / scale,
        "smape": float(np.mean(2 * np.abs(actual - mean) / np.where(size > 0, size, 1.0))),
        "weighted_quantile_loss": loss / volume if volume else np.nan,
        "coverage": float(np.mean((actual >= lower) & (actual <= upper))),
        "msis": float(np.mean(upper - lower + 2 / (1 - coverage) * outside)) / scale,
        "loss": loss,
        "volume": volume,
    }


def naive_error(history: FloatArray, season: int) -> float:
    """Mean absolute error of repeating the last season inside the history; NaN for a constant one."""
    lag = season if len(history) > season else 1
    error = np.abs(history[lag:] - history[:-lag])
    mean = float(np.mean(error[np.isfinite(error)])) if np.isfinite(error).any() else 0.0
    return mean if mean > _ROUNDING * float(np.nanmean(np.abs(history))) else np.nan


def pinball(actual: FloatArray, quantile: float, forecast: FloatArray) -> float:
    """Twice the sum of the quantile loss: the absolute error for the median."""
    missed = actual - forecast
    return 2 * float(np.maximum(quantile * missed, (quantile - 1) * missed).sum())


def summary(table: pd.DataFrame) -> dict[str, float | int]:
    """Means over series, the weighted quantile loss also pooled over all samples of all series."""
    figures: dict[str, float | int] = {score: _rounded(table[score].mean()) for score in SCORES}
    figures["mase_median"] = _rounded(table["mase"].median())
    figures["msis_median"] = _rounded(table["msis"].median())
    figures["weighted_quantile_loss_median"] = _rounded(table["weighted_quantile_loss"].median())
    figures["weighted_quantile_loss_pooled"] = _rounded(table["loss"].sum() / table["volume"].sum())
    figures["series"] = len(table)
    figures["series_scored"] = int(table["mase"].notna().sum())
    return figures


def _quantiles(
    mean: FloatArray, lower: FloatArray, upper: FloatArray, coverage: float
) -> tuple[tuple[float, FloatArray], ...]:
    return (((1 - coverage) / 2, lower), (0.5, mean), ((1 + coverage) / 2, upper))


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
