"""How far the members of a query's ensemble kept their promises, from day to day."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from detectors.ensemble import MEMBERS, Ensemble
from detectors.live_error import LiveError
from exporter.models.stored import Tree
from series import FloatArray, SeriesKey

# Days of which the excess is kept, so that the past can be judged again with the weights of then.
_DAYS_KEPT = 400


class LiveErrorSlot:
    """The live error of a query's members, as it was known at any time.

    Parameters
    ----------
    step : float
        Seconds between two samples.
    """

    def __init__(self, step: float) -> None:
        self._error = LiveError(rate=Ensemble.rate, step=step)
        self._keys: tuple[SeriesKey, ...] = ()
        # When each was known, oldest first: (n,), (n, n_members). Exchanged whole, as other threads read it.
        self._known: tuple[FloatArray, FloatArray] = np.empty(0), np.empty((0, len(MEMBERS)))

    def note(self, keys: tuple[SeriesKey, ...], times: FloatArray, votes: npt.NDArray[np.floating]) -> None:
        """Take in votes on steps that are new.

        Parameters
        ----------
        keys : tuple of SeriesKey, length n_series
        times : (n_steps,) float64
        votes : (len(MEMBERS), n_series, n_steps) floating
            NaN where a member takes no part.
        """
        if keys is not self._keys:
            self._take(keys)
        if self._error.note(times, votes):
            known, excess = self._known
            earlier = np.flatnonzero(known < times[-1])[1 - _DAYS_KEPT :]  # all, unless the clock was set back
            added = self._error.excess()[None]
            self._known = np.append(known[earlier], times[-1]), np.concatenate([excess[earlier], added])

    def excess(self, time: float) -> dict[str, float]:
        """How many times as often as it promises each member called alone, by what was known at `time`."""
        known, excess = self._known
        latest = int(np.searchsorted(known, time, side="right")) - 1
        return dict(zip(MEMBERS, excess[latest].tolist(), strict=True)) if latest >= 0 else {}

    def dump(self, number: Callable[[SeriesKey], int]) -> Tree:
        """What outlives a restart; `number` gives each series a number to stand for it."""
        keys = np.fromiter((number(key) for key in self._keys), dtype=np.int64, count=len(self._keys))
        return {"keys": keys, "error": self._error, "known": self._known}

    def load(self, kept: Tree, keys: Sequence[SeriesKey]) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers.

        Raises
        ------
        LookupError, TypeError, ValueError
            Where it is something else.
        """
        error, (known, excess) = kept["error"], kept["known"]
        if not all(isinstance(part, np.ndarray) for part in (kept["keys"], known, excess)):
            raise TypeError("the live error must be kept as arrays.")
        own = tuple(keys[number] for number in kept["keys"].tolist())
        if not isinstance(error, LiveError) or error.days.shape not in ((len(MEMBERS), len(own)), (0, 0)):
            raise TypeError(f"the live error must be of {len(MEMBERS)} members and {len(own)} series.")
        if excess.shape != (len(known), len(MEMBERS)):
            raise ValueError(f"each known excess must be of {len(MEMBERS)} members. Got {excess.shape}.")
        self._error, self._keys, self._known = error, own, (known, excess)

    def _take(self, keys: tuple[SeriesKey, ...]) -> None:
        if keys != self._keys:
            place = {key: row for row, key in enumerate(self._keys)}
            self._error.take(np.fromiter((place.get(key, -1) for key in keys), dtype=np.intp, count=len(keys)))
        self._keys = keys
