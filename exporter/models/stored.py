"""What models know, as JSON and arrays: read back without executing anything."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

Tree = Any
"""Numbers, text, dates, None, arrays, and lists, tuples, dicts and known dataclasses of these."""

Array = npt.NDArray[Any]

_ALIGNED = 8
# What a fit may leave in an array; objects would need a pickle.
_KINDS = "biuf"


class Packer:
    """Takes trees apart and puts them together again.

    Parameters
    ----------
    types : iterable of classes
        Dataclasses that may stand in a tree. Beside their fields, what they learned (attributes with an underscore at
        the end) is kept.
    """

    def __init__(self, types: Iterable[type[Any]]) -> None:
        self._types = {one.__name__: one for one in types}

    def pack(self, tree: Tree) -> tuple[Any, list[Array]]:
        """Give what JSON can hold, and the arrays in the order they are named there.

        Raises
        ------
        TypeError
            For what is neither.
        """
        arrays: list[Array] = []
        return self._take(tree, arrays), arrays

    def unpack(self, packed: Any, payload: npt.NDArray[np.uint8]) -> Tree:
        """Undo `pack`.

        Parameters
        ----------
        packed : what JSON held
        payload : (n,) uint8
            The arrays' bytes, each on a multiple of 8.

        Raises
        ------
        ValueError
            For what `pack` never gives.
        """
        reader = _Reader(payload)
        try:
            return self._put(packed, reader)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"what models know must be as it was written. Got {type(error).__name__}: {error}."
            ) from error

    def _take(self, tree: Tree, arrays: list[Array]) -> Any:
        if isinstance(tree, np.generic):
            tree = tree.item()
        if tree is None or isinstance(tree, bool | int | str):
            return tree
        if isinstance(tree, float):
            return tree if math.isfinite(tree) else {"float": str(tree)}
        if isinstance(tree, dt.datetime):
            return {"datetime": tree.isoformat()}
        if isinstance(tree, np.ndarray) and tree.dtype.kind in _KINDS:
            arrays.append(np.ascontiguousarray(tree))
            return {"array": [tree.dtype.str, list(tree.shape)]}
        if isinstance(tree, list):
            return [self._take(one, arrays) for one in tree]
        if isinstance(tree, tuple):
            return {"tuple": [self._take(one, arrays) for one in tree]}
        if isinstance(tree, dict):
            return {"dict": {name: self._take(one, arrays) for name, one in tree.items()}}
        return self._take_apart(tree, arrays)

    def _take_apart(self, tree: Tree, arrays: list[Array]) -> Any:
        name = type(tree).__name__
        if self._types.get(name) is not type(tree):
            raise TypeError(f"{name} must be an array, a number, or a known dataclass to be kept.")
        fields = {field.name: getattr(tree, field.name) for field in dataclasses.fields(tree) if field.init}
        learned = {key: value for key, value in vars(tree).items() if key.endswith("_") and key not in fields}
        return {"type": name, "fields": self._take(fields, arrays), "learned": self._take(learned, arrays)}

    def _put(self, packed: Any, reader: _Reader) -> Tree:
        if isinstance(packed, list):
            return [self._put(one, reader) for one in packed]
        if not isinstance(packed, dict):
            return packed
        if "float" in packed:
            return float(packed["float"])
        if "datetime" in packed:
            return dt.datetime.fromisoformat(packed["datetime"])
        if "array" in packed:
            return reader.next(*packed["array"])
        if "tuple" in packed:
            return tuple(self._put(one, reader) for one in packed["tuple"])
        if "dict" in packed:
            return {name: self._put(one, reader) for name, one in packed["dict"].items()}
        made = self._types[packed["type"]](**self._put(packed["fields"], reader))
        for name, value in self._put(packed["learned"], reader).items():
            object.__setattr__(made, name, value)  # also where the dataclass is frozen
        return made


class _Reader:
    def __init__(self, payload: npt.NDArray[np.uint8]) -> None:
        self._payload = payload
        self._at = 0

    def next(self, dtype: str, shape: list[int]) -> Array:
        kind = np.dtype(dtype)
        if kind.kind not in _KINDS:
            raise ValueError(f"an array must be of numbers. Got {dtype}.")
        size = math.prod(shape) * kind.itemsize
        if size > len(self._payload) - self._at:
            raise ValueError("the arrays must be as long as they say.")
        taken = self._payload[self._at : self._at + size]
        self._at += padded(size)
        return np.frombuffer(taken.tobytes(), dtype=kind).reshape(shape).copy()


def padded(size: int) -> int:
    """Bytes an array takes in a file."""
    return -(-size // _ALIGNED) * _ALIGNED
