"""What waits to be sent: in order, in memory, and never more than a set number of bytes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from exporter.remote_write.request import WriteRequest


class WriteQueue:
    """A queue that gives its oldest entries up where a new one has no room. Thread-safe.

    Parameters
    ----------
    max_bytes : int
        Most bytes of all bodies together.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._waiting: deque[WriteRequest] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = False

    @property
    def n_bytes(self) -> int:
        """Bytes that wait."""
        return self._bytes

    def put(self, requests: Iterable[WriteRequest]) -> list[WriteRequest]:
        """Add requests behind the others.

        Returns
        -------
        list of WriteRequest
            What was given up: the oldest, or all that came after `close`.
        """
        with self._changed:
            if self._closed:
                return list(requests)
            for request in requests:
                self._waiting.append(request)
                self._bytes += len(request.body)
            self._changed.notify()
            dropped = []
            while self._bytes > self.max_bytes:
                dropped.append(self._pop())
            return dropped

    def take(self, timeout: float) -> WriteRequest | None:
        """Wait for the oldest and take it; None where none comes within `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout)
            return self._pop() if self._waiting else None

    def close(self) -> None:
        """Take nothing new, and let nobody wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _pop(self) -> WriteRequest:
        request = self._waiting.popleft()
        self._bytes -= len(request.body)
        return request
