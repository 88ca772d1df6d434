"""Results that took long to compute, kept while all they depend on is the same."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from series import Window

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Same:
    """One object, and no other that is like it; as part of a basis it keeps the object, and so its identity, alive."""

    it: object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.it is other.it

    def __hash__(self) -> int:
        return id(self.it)


def fingerprint(window: Window) -> Hashable:
    """The same for windows with the same series, times and samples only.

    Examples
    --------
    >>> one, other = (Window.of([[1.0, last]], step=60) for last in (2.0, 3.0))
    >>> fingerprint(one) == fingerprint(one.until(2)), fingerprint(one) == fingerprint(other)
    (True, False)
    """
    values = hashlib.blake2b(np.ascontiguousarray(window.values).data, digest_size=16).digest()
    return window.keys, window.values.dtype.str, window.times[:1].tobytes(), window.times[-1:].tobytes(), values


class Remembered(Generic[T]):
    """Keeps the results that were asked for last; one that is being computed is waited for, not computed twice.

    Parameters
    ----------
    most : int
        Results that are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, Future[T]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._known)

    def at_hand(self, basis: Hashable) -> T | None:
        """The result for `basis` where it is there already, without waiting for anything."""
        with self._lock:
            known = self._known.get(basis)
            if known is None or not known.done() or known.exception() is not None:
                return None
            self._known.move_to_end(basis)
            return known.result()

    def get(self, basis: Hashable, compute: Callable[[], T]) -> T:
        """The result for `basis`, all that it depends on; what `compute` raises is raised, and not kept."""
        with self._lock:
            known = self._known.get(basis)
            if known is None:
                ours: Future[T] = Future()
                self._known[basis] = ours
                while len(self._known) > self._most:
                    self._known.popitem(last=False)
            else:
                self._known.move_to_end(basis)
        if known is not None:
            return known.result()
        try:
            ours.set_result(compute())
        except BaseException as error:
            with self._lock:
                if self._known.get(basis) is ours:
                    del self._known[basis]
            ours.set_exception(error)
            raise
        return ours.result()
