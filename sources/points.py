"""Where each point lies in an answer of one point a series, in Prometheus' compact layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sources.frame import LABELS, RESULT, Body, Envelope, envelope_around

Positions = npt.NDArray[np.intp]
Bytes = npt.NDArray[np.uint8]

# A double has at most 24 characters in Prometheus' spelling, then comes a quotation mark.
WIDTH = 32


@dataclass(frozen=True)
class Layout:
    """What stands around the one point of a series, in Prometheus' compact JSON.

    Attributes
    ----------
    kind : str
        Type of the result.
    opening, closing : bytes
        From the end of the labels to the point, and from the end of its number to the end of the series.
    """

    kind: str
    opening: bytes
    closing: bytes

    @property
    def between(self) -> bytes:
        """What closes a series and opens the next."""
        return self.closing + b"," + LABELS


INSTANT = Layout("vector", b'},"value":[', b'"]}')
ONE_STEP = Layout("matrix", b'},"values":[[', b'"]]}')


@dataclass(frozen=True, eq=False)
class Points:
    """Positions of labels and numbers in an answer of Prometheus' compact layout."""

    text: Bytes
    time: float
    label_starts: Positions
    label_ends: Positions
    values: Positions
    lengths: Positions
    envelope: Envelope

    @classmethod
    def of(cls, body: Body, layout: Layout = INSTANT) -> Points | None:
        """Find them, or None where the layout differs in anything."""
        start = body.find(RESULT) + len(RESULT)
        if start < len(RESULT) or not body.startswith(LABELS, start):
            return None
        text = np.frombuffer(body + b" " * WIDTH, np.uint8)
        brackets = text == ord("[")
        brackets |= text == ord("]")
        at = np.flatnonzero(brackets)
        at = at[np.searchsorted(at, start + len(LABELS)) :]
        # No label holds this: inside of a string the quotation mark would have a backslash before it.
        opens = np.flatnonzero(_same(text, at - len(layout.opening) + 1, layout.opening))
        if not len(opens) or opens[-1] + 1 >= len(at):
            return None
        return cls._between(body, text, start, at[opens], at[opens + 1], layout)

    @classmethod
    def _between(
        cls, body: Body, text: Bytes, start: int, opens: Positions, closes: Positions, layout: Layout
    ) -> Points | None:
        stamp = bytes(body[opens[0] : body.find(b'"', int(opens[0])) + 1])  # [1700000000.123,"
        values = opens + len(stamp)
        lengths = closes - 1 - values
        if (
            not 3 <= len(stamp) <= WIDTH
            or not _same(text, opens, stamp).all()
            or not _same(text, closes[:-1] - 1, layout.between).all()
            or lengths.min() < 1
            or lengths.max() >= WIDTH
            or not body.startswith(layout.closing + b"]", int(closes[-1]) - 1)
        ):
            return None
        envelope = envelope_around(body, start, int(closes[-1]) - 1 + len(layout.closing))
        if envelope is None:
            return None
        starts = np.concatenate(([start + len(LABELS) - 1], closes[:-1] + len(layout.between) - 2))
        return cls(text, float(stamp[1:-2]), starts, opens - len(layout.opening) + 2, values, lengths, envelope)

    def labels(self) -> list[bytes]:
        """The raw JSON labels of each point."""
        whole = self.text.tobytes()
        return [
            whole[start:end] for start, end in zip(self.label_starts.tolist(), self.label_ends.tolist(), strict=True)
        ]


def windows(text: Bytes, starts: Positions, width: int) -> Bytes:
    """(n, width) bytes from each start on."""
    blocks = np.ndarray((len(text) - width + 1,), f"V{width}", text, strides=(1,))
    return blocks[starts].view(np.uint8).reshape(-1, width)


def _same(text: Bytes, starts: Positions, wanted: bytes) -> npt.NDArray[np.bool_]:
    """(n,) bool: the bytes from each start on are the wanted ones."""
    width = -(-len(wanted) // 8) * 8
    words = windows(text, starts, width).view(np.uint64)
    masks = np.frombuffer((b"\xff" * len(wanted)).ljust(width, b"\0"), np.uint64)
    same = np.ones(len(starts), np.bool_)
    for column, word in enumerate(np.frombuffer(wanted.ljust(width, b"\0"), np.uint64)):
        same &= (words[:, column] & masks[column]) == word
    return same
