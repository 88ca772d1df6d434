"""The `/metrics` page of results: rendered when a cycle ends, served as bytes."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from exporter.exposition import Lines, header
from exporter.metrics import RESULTS, Family
from exporter.results import Results


@dataclass(frozen=True, eq=False)
class Block:
    """Rendered results of one query.

    Attributes
    ----------
    shards : sequence of mapping of Family to list of bytes
        For each shard the text of its families, in pieces.
    expires : float
        Seconds since the epoch after which they are too old to be shown as the present.
    samples : int
    """

    shards: Sequence[Mapping[Family, list[bytes]]]
    expires: float
    samples: int

    @classmethod
    def of(cls, results: Results, lines: Lines) -> Block:
        """Render results."""
        shards: list[dict[Family, list[bytes]]] = [{} for _ in range(lines.shards)]
        _render(results, lines, shards)
        for place, other in enumerate(results.beside):
            _render(other, lines.beside(place), shards)
        return cls(shards, results.expires, results.samples)


def _render(results: Results, lines: Lines, shards: Sequence[dict[Family, list[bytes]]]) -> None:
    for column in results.columns:
        for families, pieces in zip(shards, lines.render(results.keys, column), strict=True):
            if pieces:
                families.setdefault(column.family, []).extend(pieces)
    for notes in results.notes:
        for families, text in zip(shards, lines.render_notes(results.keys, notes), strict=True):
            if text:
                families.setdefault(notes.family, []).append(text)


class _Text:
    """One page as long as it holds; whole and compressed it is made once, when first asked for."""

    def __init__(self, blocks: Iterable[Mapping[Family, list[bytes]]]) -> None:
        self._blocks = list(blocks)
        self._lock = threading.Lock()
        self._whole: bytes | None = None
        self._compressed: bytes | None = None
        self.n_bytes = sum(map(len, self._pieces()))

    def whole(self) -> bytes:
        with self._lock:
            if self._whole is None:
                self._whole = b"".join(self._pieces())
            return self._whole

    def compressed(self) -> bytes:
        with self._lock:
            if self._compressed is None:
                self._compressed = gzip_member(self._pieces())
            return self._compressed

    def _pieces(self) -> Iterator[bytes]:
        for family in RESULTS:
            some = [block[family] for block in self._blocks if family in block]
            if some:
                yield header(family)
            for pieces in some:
                yield from pieces


class _Pages:
    """The shards of a set of blocks, and the page of everything."""

    def __init__(self, blocks: Mapping[str, Block], shards: int) -> None:
        self.blocks = blocks
        self.expires = min((block.expires for block in blocks.values()), default=float("inf"))
        self.shards = [_Text(block.shards[number] for block in blocks.values()) for number in range(shards)]
        # One shard is everything.
        every = [families for block in blocks.values() for families in block.shards]
        self.everything = self.shards[0] if shards == 1 else _Text(every)


class ResultPage:
    """Newest results of every query, swapped in whole: a scrape sees a finished page or the one before.

    Parameters
    ----------
    clock : callable
        Gives the seconds since the epoch.
    shards : int, default 1
        Pages the series are spread over.
    max_bytes : int or None
        A larger page is withheld.
    """

    def __init__(self, clock: Callable[[], float], shards: int = 1, max_bytes: int | None = None) -> None:
        self.shards = shards
        self.max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._pages = _Pages({}, shards)

    def publish(self, query: str, block: Block) -> None:
        """Put the results of a finished cycle in the place of the query's former ones."""
        self._swap({query: block}, drop=())

    def withdraw(self, *queries: str) -> None:
        """Take the results of queries off the page."""
        self._swap({}, drop=queries)

    def shows(self, query: str) -> bool:
        """True while results of a query are on the page, and no older than they may be."""
        return query in self._current().blocks

    def sizes(self) -> list[int]:
        """Bytes of each shard, withheld or not."""
        return [text.n_bytes for text in self._current().shards]

    def is_withheld(self, n_bytes: int) -> bool:
        """True for a page of that size."""
        return self.max_bytes is not None and n_bytes > self.max_bytes

    def body(self, shard: int | None = None) -> bytes:
        """A shard, or the page of everything, as text.

        A page above `max_bytes` is withheld: what is left of it is a comment that says so.
        """
        text = self._text(shard)
        return self._withheld(text) if self.is_withheld(text.n_bytes) else text.whole()

    def compressed(self, shard: int | None = None) -> bytes:
        """The same as one gzip member, compressed once per cycle."""
        text = self._text(shard)
        return gzip_member([self._withheld(text)]) if self.is_withheld(text.n_bytes) else text.compressed()

    def _text(self, shard: int | None) -> _Text:
        pages = self._current()
        return pages.everything if shard is None else pages.shards[shard]

    def _withheld(self, text: _Text) -> bytes:
        return (
            f"# The results are withheld: a page may have at most {self.max_bytes} bytes (output.max_page_bytes). "
            f"Got {text.n_bytes}. Pages (output.shards): {self.shards}, /metrics?shard=0 and so on.\n"
        ).encode()

    def _current(self) -> _Pages:
        pages, now = self._pages, self._clock()
        if pages.expires <= now:
            self._swap({}, drop=[query for query, block in pages.blocks.items() if block.expires <= now])
        return self._pages

    def _swap(self, added: Mapping[str, Block], drop: Sequence[str]) -> None:
        with self._lock:
            blocks = {query: block for query, block in self._pages.blocks.items() if query not in drop}
            self._pages = _Pages(blocks | dict(added), self.shards)


def gzip_member(pieces: Iterable[bytes]) -> bytes:
    """Compress into one member of a gzip stream; members one behind the other are a valid stream (RFC 1952)."""
    # Level 1 is eight times faster than the default and a tenth larger.
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*map(packer.compress, pieces), packer.flush()])
