"""Where each point lies in an instant answer of Prometheus' compact layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sources.frame import LABELS, RESULT, Body, Envelope, envelope_around

Positions = npt.NDArray[np.intp]
Bytes = npt.NDArray[np.uint8]

# A double has at most 24 characters in Prometheus' spelling, then comes a quotation mark.
WIDTH = 32
_VALUE = b'},"value":['
_BETWEEN = b'"]},' + LABELS  # closes a point and opens the next


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
    def of(cls, body: Body) -> Points | None:
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
        opens = np.flatnonzero(_same(text, at - len(_VALUE) + 1, _VALUE))
        if not len(opens) or opens[-1] + 1 >= len(at):
            return None
        return cls._between(body, text, start, at[opens], at[opens + 1])

    @classmethod
    def _between(cls, body: Body, text: Bytes, start: int, opens: Positions, closes: Positions) -> Points | None:
        stamp = bytes(body[opens[0] : body.find(b'"', int(opens[0])) + 1])  # [1700000000.123,"
        values = opens + len(stamp)
        lengths = closes - 1 - values
        if (
            not 3 <= len(stamp) <= WIDTH
            or not _same(text, opens, stamp).all()
            or not _same(text, closes[:-1] - 1, _BETWEEN).all()
            or lengths.min() < 1
            or lengths.max() >= WIDTH
            or body[closes[-1] - 1 : closes[-1] + 3] != b'"]}]'
        ):
            return None
        envelope = envelope_around(body, start, int(closes[-1]) + 2)
        if envelope is None:
            return None
        starts = np.concatenate(([start + len(LABELS) - 1], closes[:-1] + len(_BETWEEN) - 2))
        return cls(text, float(stamp[1:-2]), starts, opens - len(_VALUE) + 2, values, lengths, envelope)

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
