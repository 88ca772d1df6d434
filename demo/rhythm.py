"""How busy each workload is at each time: day and week, the close of the month, growth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demo.workloads import NIGHTLY, Workload

FloatArray = npt.NDArray[np.float64]

DAY = 86_400.0
WEEK = 7 * DAY
EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday; Monday is 0


@dataclass(frozen=True)
class Rhythm:
    """Activity of all workloads: 1 at the usual peak of a working day.

    Parameters
    ----------
    workloads : tuple of Workload
    origin : float
        When the history begins, seconds since the epoch; growth counts from here.
    month_close : float
        When the accounting month closes, seconds since the epoch. The demo puts it into the history rather than on
        the calendar, so that every demo shows one, whatever the date.
    nightly_at : tuple of float, one for each workload
        Time of day of a nightly workload's run, in seconds after midnight UTC; ignored for the others.
    seed : int
    """

    workloads: tuple[Workload, ...]
    origin: float
    month_close: float
    nightly_at: tuple[float, ...]
    seed: int

    def activity(self, times: FloatArray) -> FloatArray:
        """(n_workloads, n_times): how busy, never below 0. Nightly workloads have none."""
        rows = [self._row(workload, index, times) for index, workload in enumerate(self.workloads)]
        return np.stack(rows)

    def due(self, index: int, start: FloatArray, seconds: float) -> FloatArray:
        """(n_times,): 1 where the nightly run of workload `index` falls into [start, start + seconds)."""
        nights = np.arange(np.floor(start[0] / DAY) - 1, np.floor(start[-1] / DAY) + 2)
        runs = np.array([self._nightly_run(index, int(night)) for night in nights])
        found = np.searchsorted(start, runs, side="right") - 1
        inside = (found >= 0) & (runs < start[found] + seconds)
        return np.bincount(found[inside], minlength=len(start)).astype(np.float64)

    def _nightly_run(self, index: int, night: int) -> float:
        jitter = np.random.default_rng([self.seed, index, night]).uniform(-60, 60)
        return night * DAY + self.nightly_at[index] + float(jitter)

    def _row(self, workload: Workload, index: int, times: FloatArray) -> FloatArray:
        if workload.rhythm == NIGHTLY:
            return np.zeros_like(times)
        own = np.random.default_rng([self.seed, index])
        local = times + own.uniform(-5_400, 5_400)  # teams do not start at the same minute
        hour = local % DAY / 3_600
        weekend = (np.floor(local / DAY) + EPOCH_WEEKDAY) % 7 >= 5
        busy = _DAILY[workload.rhythm](hour) * np.where(weekend, _WEEKEND[workload.rhythm], 1.0)
        growth = np.exp(own.uniform(0.0, 0.02) * (times - self.origin) / WEEK)
        close = 1.0 + 0.5 * workload.month_end * np.exp(-(((times - self.month_close) / DAY) ** 2))
        return np.asarray(busy * growth * close, dtype=np.float64)


def _peak(hour: FloatArray, at: float, width: float) -> FloatArray:
    """One bell per day around the hour `at`, joined across midnight."""
    distance = (hour - at + 12) % 24 - 12
    return np.asarray(np.exp(-((distance / width) ** 2)), dtype=np.float64)


def _steady(hour: FloatArray) -> FloatArray:
    return np.asarray(0.92 + 0.08 * np.sin((hour - 9) * np.pi / 12), dtype=np.float64)


def _office(hour: FloatArray) -> FloatArray:
    return np.asarray(0.08 + 0.92 * np.maximum(_peak(hour, 10.5, 2.5), _peak(hour, 15, 2.5)), dtype=np.float64)


def _consumer(hour: FloatArray) -> FloatArray:
    return 0.25 + 0.35 * _peak(hour, 12.5, 3) + 0.75 * _peak(hour, 20, 3)


def _night(hour: FloatArray) -> FloatArray:
    return 0.1 + 0.9 * _peak(hour, 2, 2.5)


_DAILY = {"steady": _steady, "office": _office, "consumer": _consumer, "night": _night}
_WEEKEND = {"steady": 0.9, "office": 0.2, "consumer": 1.15, "night": 0.8}
