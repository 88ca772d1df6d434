"""The `/metrics` page of results: rendered when a cycle ends, served as bytes."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from exporter.exposition import header
from exporter.metrics import RESULTS, Family


@dataclass(frozen=True, eq=False)
class Block:
    """Rendered results of one query.

    Attributes
    ----------
    lines : mapping of Family to bytes
        Sample lines of each family.
    expires : float
        Seconds since the epoch after which they are too old to be shown as the present.
    samples : int
    """

    lines: Mapping[Family, bytes]
    expires: float
    samples: int


@dataclass(frozen=True, eq=False)
class _Rendered:
    blocks: Mapping[str, Block]
    expires: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "expires", min((b.expires for b in self.blocks.values()), default=float("inf")))

    @cached_property
    def body(self) -> bytes:
        parts = []
        for family in RESULTS:
            lines = [block.lines[family] for block in self.blocks.values() if block.lines.get(family)]
            if lines:
                parts += [header(family), *lines]
        return b"".join(parts)

    @cached_property
    def compressed(self) -> bytes:
        return gzip_member(self.body)


class ResultPage:
    """Newest results of every query, swapped in whole: a scrape sees a finished page or the one before.

    Parameters
    ----------
    clock : callable
        Gives the seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._page = _Rendered({})

    def publish(self, query: str, block: Block) -> None:
        """Put the results of a finished cycle in the place of the query's former ones."""
        self._swap({query: block}, drop=())

    def withdraw(self, *queries: str) -> None:
        """Take the results of queries off the page."""
        self._swap({}, drop=queries)

    def body(self) -> bytes:
        """The page as text."""
        return self._current().body

    def compressed(self) -> bytes:
        """The page as one gzip member, compressed once per cycle."""
        return self._current().compressed

    def _current(self) -> _Rendered:
        page, now = self._page, self._clock()
        if page.expires <= now:
            self._swap({}, drop=[query for query, block in page.blocks.items() if block.expires <= now])
        return self._page

    def _swap(self, added: Mapping[str, Block], drop: tuple[str, ...] | list[str]) -> None:
        with self._lock:
            blocks = {query: block for query, block in self._page.blocks.items() if query not in drop}
            page = _Rendered(blocks | dict(added))
            _ = page.body  # joined by the cycle that ends, not by the scrape that comes
            self._page = page


def gzip_member(body: bytes) -> bytes:
    """Compress into one member of a gzip stream; members one behind the other are a valid stream (RFC 1952)."""
    # Level 1 is eight times faster than the default and a tenth larger.
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()
