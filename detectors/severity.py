"""How bad is it? A number from 0 to 4 that says who is to be told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from series import BoolArray, FloatArray

NAMES = ("none", "info", "warning", "high", "critical")
IMPORTANCE = {"low": -1.0, "normal": 0.0, "high": 1.0}
"""Points for what a query or a workload is worth, by the word used in the configuration."""


@dataclass(frozen=True, kw_only=True)
class SeverityRule:
    r"""Severity of an alarm from its size, length, breadth and importance.

    .. math:: v = 1 + \log_2\max(s, 1)/d + \log_2(1 + l/h) /2 + 2\,b + i

    with the score s, the length l of the alarm in seconds, the share b of the query's series in alarm and the
    importance i; cut off to whole numbers and held between 1 and 4. Without an alarm it is 0.

    =======================  ==========================================================================
    points                   for
    =======================  ==========================================================================
    1                        being in alarm
    +1 each `doublings`      doublings of the score: at a score of 4 with the default of 2
    +1/2 each doubling       of the length, from `hour` on: 1/2 after an hour, 1 after three
    up to +2                 the share of series in alarm, from `fewest` of them on: 1 for half of them
    -1, 0 or +1              low, normal or high importance
    =======================  ==========================================================================

    Parameters
    ----------
    doublings : float, default 2
    hour : float, default 3600
        Seconds.
    fewest : int, default 3
        Series in alarm before their share counts: one of two is a half.

    Examples
    --------
    >>> SeverityRule().of(np.array([0.4, 1.5, 4.0, 40.0]), np.array([0.0, 60.0, 600.0, 7200.0]), 0.1)
    array([0, 1, 2, 4], dtype=int8)
    """

    doublings: float = 2.0
    hour: float = 3_600.0
    fewest: int = 3

    def __post_init__(self) -> None:
        for name in ("doublings", "hour", "fewest"):
            if not getattr(self, name) > 0:
                raise ValueError(f"SeverityRule.{name} must be above 0. Got {getattr(self, name)!r}.")

    def of(
        self,
        score: FloatArray,
        length: FloatArray,
        breadth: FloatArray | float = 0.0,
        importance: FloatArray | float = 0.0,
        alarm: BoolArray | None = None,
    ) -> np.typing.NDArray[np.int8]:
        """Severity of each series now.

        Parameters
        ----------
        score : (n_series,) float64
            1 is the threshold; best the highest of the alarm so far.
        length : (n_series,) float64
            Seconds for which it has been in alarm.
        breadth : (n_series,) float64 or float
            Share of the query's series in alarm, see `breadth`.
        importance : (n_series,) float64 or float
            See `IMPORTANCE`.
        alarm : (n_series,) bool or None
            Whether each is in alarm. By default those are whose score is above 1.
        """
        firing = np.asarray(score > 1 if alarm is None else alarm)
        points = sum(self.points(score, length, breadth, importance).values())
        return np.where(firing, np.clip(np.floor(points + 1e-9), 1, 4), 0).astype(np.int8)

    def points(
        self,
        score: FloatArray,
        length: FloatArray,
        breadth: FloatArray | float = 0.0,
        importance: FloatArray | float = 0.0,
    ) -> dict[str, FloatArray]:
        """What the severity of an alarm is the sum of, by what each part is given for: (n_series,) or one for all."""
        return {
            "alarm": np.asarray(1.0),
            "size": np.log2(np.maximum(np.nan_to_num(score), 1.0)) / self.doublings,
            "length": np.log2(1 + np.maximum(np.nan_to_num(length), 0.0) / self.hour) / 2,
            "breadth": 2.0 * np.asarray(breadth, dtype=np.float64),
            "importance": np.asarray(importance, dtype=np.float64),
        }

    def breadth(self, alarm: BoolArray, judged: BoolArray) -> float:
        """Share of the judged series (n_series,) that are in alarm; 0 for fewer than `fewest`."""
        firing = int((alarm & judged).sum())
        return firing / int(judged.sum()) if firing >= self.fewest else 0.0
