"""What was chosen for a series, and how good it was where it could be checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forecasting.blend import Blend
from forecasting.origins import came, trials
from forecasting.plan import Plan
from forecasting.shapes import Steps
from series import FloatArray

Names = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Choice:
    """The candidates that weigh most, and the errors of the trials.

    Attributes
    ----------
    name : (n_series,) str
        The kind of candidate with the largest share of the weight; empty where there is no forecast.
    error, naive_error : (n_series,) float64
        Mean absolute scaled error of the blend and of repeating the last season, from the same origins and for the
        same leads; NaN where nothing can be compared. The scale is the error of repeating a season in the history.
    """

    name: Names
    error: FloatArray
    naive_error: FloatArray

    @classmethod
    def nothing(cls, n_series: int) -> Choice:
        """No forecast for any series."""
        return cls(np.full(n_series, "", dtype="<U32"), np.full(n_series, np.nan), np.full(n_series, np.nan))

    def put(self, rows: Steps, part: Choice) -> None:
        """Fill in what is known of some rows."""
        self.name[rows], self.error[rows], self.naive_error[rows] = part.name, part.error, part.naive_error


def chosen(blend: Blend, names: tuple[str, ...]) -> Names:
    """(n_series,): the name whose candidates together weigh most, over all leads."""
    kinds = list(dict.fromkeys(names))
    kind_of = np.array([kinds.index(name) for name in names])
    share = np.zeros((len(blend.kept), len(kinds)))
    np.add.at(share, (np.arange(len(share))[:, np.newaxis], kind_of[blend.kept]), blend.weights.mean(axis=1))
    names_of: Names = np.array(kinds, dtype="<U32")[share.argmax(axis=1)]
    return names_of


def scaled_errors(
    samples: FloatArray, whole: FloatArray, told: FloatArray, plan: Plan
) -> tuple[FloatArray, FloatArray]:
    """Errors of forecasts from the plan's origins and of the seasonal naive forecast from there.

    Parameters
    ----------
    samples, whole : (n_series, n_steps) float64
        NaN where there is no sample; and with the gaps filled.
    told : (n_origins, n_series, n_leads) float64

    Returns
    -------
    error, naive_error : (n_series,) float64
    """
    period = plan.seasons.periods[0] if plan.seasons.periods else 1

    def repeat(origin: int, ahead: Steps) -> FloatArray:
        repeated: FloatArray = whole[:, origin - period + (ahead - 1) % period]
        return repeated

    actual = came(samples, plan.origins, plan.leads)
    naive = trials(repeat, plan.n_steps, plan.origins, plan.leads)
    both = np.isfinite(actual) & np.isfinite(told)
    scale = _mean(np.abs(samples[:, period:] - samples[:, :-period]), axis=1)
    scale[~(scale > 0)] = np.nan
    own, other = (_mean(np.where(both, np.abs(actual - one), np.nan), axis=(0, 2)) for one in (told, naive))
    return own / scale, other / scale


def _mean(values: FloatArray, axis: int | tuple[int, ...]) -> FloatArray:
    known = np.isfinite(values)
    count = np.asarray(known.sum(axis=axis))
    total = np.where(known, values, 0.0).sum(axis=axis)
    mean: FloatArray = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean
