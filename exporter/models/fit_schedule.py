"""When a model learns, and from which steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from series import Window


@dataclass(frozen=True)
class FitSchedule:
    """Fits at fixed times of the clock, from a fixed number of steps before them.

    So what a model learned is a function of the samples alone: a process that was restarted a minute ago says the
    same as one that has run for weeks.

    Parameters
    ----------
    every : float
        Seconds between two fits.
    offset : float
        Seconds past a multiple of `every`, so that the models of many queries do not all learn at once.
    """

    every: float
    offset: float = 0.0

    def last_fit(self, window: Window, *, spare: int) -> int:
        """Give the column that is the last one a model learns from.

        Parameters
        ----------
        window : Window
            2 steps or more.
        spare : int
            Newest columns it may not know: 1 where the last step is to be judged by what was known before it.

        Returns
        -------
        int
            0 or more.
        """
        newest = window.n_steps - 1 - spare
        every, last = self._every(window), float(window.times[newest])
        due = math.floor((last - self.offset) / every) * every + self.offset
        return max(0, newest - math.ceil((last - due) / window.step))

    def last_fits(self, window: Window, *, spare: int) -> npt.NDArray[np.intp]:
        """(n_steps,): `last_fit` for each step as it was when it was the newest."""
        every, newest = self._every(window), window.times - spare * window.step
        due = np.floor((newest - self.offset) / every) * every + self.offset
        behind = np.ceil((newest - due) / window.step).astype(np.intp)
        return np.asarray(np.maximum(0, np.arange(window.n_steps) - spare - behind))

    def history(self, window: Window, last: int) -> Window:
        """Give the steps a fit learns from: as many as every process has at hand until the next fit."""
        # The step that is judged is not known to the fit, and the next fit may be a whole `every` away.
        kept = max(2, window.n_steps - 1 - math.ceil(self._every(window) / window.step))
        return window.until(last + 1).since(max(0, last + 1 - kept))

    def _every(self, window: Window) -> float:
        """Seconds between two fits, at most half of the window: the rest is what there is to learn from."""
        return min(self.every, window.n_steps // 2 * window.step)
