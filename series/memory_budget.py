"""Memory that the stores of all queries share."""

from __future__ import annotations

import threading
import weakref
from typing import Protocol


class Sized(Protocol):
    """What takes memory, and can say how much."""

    @property
    def nbytes(self) -> int:
        """Bytes it holds."""
        ...


class StoreFull(Exception):
    """The samples would take more memory than all stores together may have."""


class MemoryBudget:
    """Memory that several stores share. A store that is no longer used gives its part back by itself.

    Parameters
    ----------
    limit : int or None
        Bytes; None for no limit.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self._lock = threading.Lock()  # stores grow in several threads, and a set must not change while it is summed
        self._stores: weakref.WeakSet[Sized] = weakref.WeakSet()

    @property
    def used(self) -> int:
        """Bytes held by all stores."""
        with self._lock:
            stores = list(self._stores)
        return sum(store.nbytes for store in stores)

    def allow(self, store: Sized, nbytes: int) -> None:
        """Let `store` grow to `nbytes`.

        Raises
        ------
        StoreFull
            Where the limit would be passed.
        """
        with self._lock:
            self._stores.add(store)
        wanted = self.used - store.nbytes + nbytes
        if self.limit is not None and wanted > self.limit:
            raise StoreFull(
                f"the samples of all queries may take {self.limit:,} bytes. With this query it would be {wanted:,}."
            )
