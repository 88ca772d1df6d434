"""Series of a query that stop delivering, or whose values stop changing, and what many of them have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.absence import Absence, Outage, Usual, outages
from exporter.models.stored import Tree
from series import BoolArray, FloatArray, SeriesKey, Window
from series.calendar import DAY

Steps = npt.NDArray[np.int64]

# Columns that are looked at first for the last change of a value: most values change within a few steps.
_NEAR = 8


@dataclass(frozen=True, eq=False)
class Silence:
    """What is silent or still at the last step.

    Attributes
    ----------
    silence : (n_series,) float64
        1 is the threshold; NaN for a series with a sample, one that an outage explains, and one that is gone for good.
    stillness : (n_series,) float64
        The same of a value that does not change; NaN where it just has.
    outages : tuple of Outage
        The largest first.
    """

    silence: FloatArray
    stillness: FloatArray
    outages: tuple[Outage, ...]


class SilenceSlot:
    """What a query's series are used to, learned when its models are.

    Parameters
    ----------
    step : float
        Seconds between two samples.
    lasts : float, default 86400
        Seconds after the threshold was passed for which a silence is told: what is gone for good must not be told of
        for weeks.
    """

    def __init__(self, step: float, lasts: float = float(DAY)) -> None:
        self._rule = Absence()
        self._most = max(1.0, lasts / step)
        self._keys: tuple[SeriesKey, ...] = ()
        # samples, silence, changes and stillness of `Usual`, a column each; no samples for what was never learned.
        self._usual: Steps = np.zeros((0, 4), dtype=np.int64)
        self._found: tuple[BoolArray, BoolArray, tuple[Outage, ...]] = (np.zeros(0, bool), np.zeros(0, bool), ())
        self._before = _Before(np.zeros(0, dtype=np.int64), 0.0)

    def place(self, keys: tuple[SeriesKey, ...]) -> None:
        """Find the series of a window again; `keys` are its rows."""
        if keys is self._keys:
            return
        place = {key: row for row, key in enumerate(self._keys)}
        old = np.fromiter((place.get(key, -1) for key in keys), dtype=np.intp, count=len(keys))
        usual = np.zeros((len(keys), 4), dtype=np.int64)
        usual[old >= 0] = self._usual[old[old >= 0]]
        self._keys, self._usual = keys, usual
        self._found = (np.zeros(0, bool), np.zeros(0, bool), ())
        self._before = _Before(np.zeros(0, dtype=np.int64), 0.0)

    def learn(self, rows: npt.NDArray[np.intp], history: Window) -> None:
        """Learn from the past of the series in `rows` of the window that was placed last."""
        usual = self._rule.usual(history.values)
        self._usual[rows] = np.stack([usual.samples, usual.silence, usual.changes, usual.stillness], axis=1)

    def judge(self, window: Window, silent: Steps, quiet: BoolArray) -> Silence:
        """Say what is silent now.

        Parameters
        ----------
        window : Window
            That was placed last.
        silent : (n_series,) int64
            Steps since the last sample of each, 0 for one at the last step.
        quiet : (n_series,) bool
            Series of which nothing is told now.
        """
        usual = Usual(*self._usual.T)
        silence = self._told(self._rule.silence_score(usual, silent), silent, usual.silence, quiet)
        still = self._still(window, np.flatnonzero(self._rule.lively(usual) & (silent == 0)))
        stillness = self._told(self._rule.stillness_score(usual, still), still, usual.stillness, quiet)
        found = self._outages(window.keys, silence > 1, ((silent == 0) & ~quiet) | (silence > 1))
        for outage in found:
            silence[list(outage.rows)] = np.nan
        return Silence(silence, stillness, found)

    def dump(self, number: Callable[[SeriesKey], int]) -> Tree:
        """What outlives a restart; `number` gives each series a number to stand for it."""
        keys = np.fromiter((number(key) for key in self._keys), dtype=np.int64, count=len(self._keys))
        return {"keys": keys, "usual": self._usual}

    def load(self, kept: Tree, keys: Sequence[SeriesKey]) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers."""
        self._keys = tuple(keys[number] for number in kept["keys"].tolist())
        self._usual = kept["usual"].reshape(len(self._keys), 4)

    def _told(self, score: FloatArray, now: Steps, longest: Steps, quiet: BoolArray) -> FloatArray:
        gone = now - self._rule.limit(longest) > self._most
        return np.where((score > 0) & ~gone & ~quiet, score, np.nan)

    def _outages(self, keys: tuple[SeriesKey, ...], silent: BoolArray, there: BoolArray) -> tuple[Outage, ...]:
        """Looked for where something changed only: among many thousand silent series it takes a while."""
        if not (np.array_equal(self._found[0], silent) and np.array_equal(self._found[1], there)):
            self._found = (silent, there, tuple(outages(keys, silent, there)))
        return self._found[2]

    def _still(self, window: Window, rows: npt.NDArray[np.intp]) -> Steps:
        """(n_series,): steps since the last change of the value of `rows`, 0 for the others."""
        still, n_steps = np.zeros(window.n_series, dtype=np.int64), window.n_steps
        known = self._before.since(window)
        width = min(_NEAR, n_steps)
        while len(rows):
            since = _since_change(window.values[rows, n_steps - width :])
            same = since == width
            since[same] = np.maximum(since[same], known[rows[same]])
            still[rows] = since
            rows = rows[since == width] if width < n_steps else rows[:0]
            width = min(8 * width, n_steps)
        self._before = _Before(still, float(window.times[-1]))
        return still


@dataclass(frozen=True, eq=False)
class _Before:
    """Steps without a change as they were at an earlier step: a value that stands still is not looked back at anew."""

    still: Steps
    time: float

    def since(self, window: Window) -> Steps:
        """(n_series,): the same now, for series that have not changed since then; 0 where that is not known."""
        steps = round((float(window.times[-1]) - self.time) / window.step) if window.n_steps > 1 else 0
        if len(self.still) != window.n_series or not 0 <= steps < _NEAR:
            return np.zeros(window.n_series, dtype=np.int64)
        return np.where(self.still > 0, self.still + steps, 0)


def _since_change(values: FloatArray) -> Steps:
    """(n_series,): columns after that of the last change; their number where the value changed in none."""
    last, n_steps = values[:, -1:], values.shape[1]
    known = ~np.isnan(values)
    column = np.arange(n_steps)
    before = np.where(known & (values != last), column, -1).max(axis=1, keepdims=True)
    first = np.where(known & (column > before), column, n_steps).min(axis=1)
    return np.asarray(np.where(before[:, 0] < 0, n_steps, n_steps - 1 - first), dtype=np.int64)
