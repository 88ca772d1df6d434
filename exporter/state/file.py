"""A file of state: either whole or not there.

The first line names the format, the checksum of all that follows and the length of the header; the header is JSON; then
come the arrays, each on a multiple of 8 bytes. Nothing in it is executed on reading.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FORMAT = b"forethought-state"
VERSION = 3
UNFINISHED = ".part"
_ALIGNED = 8
# Longest first line: enough for three numbers.
_FIRST_LINE = 100

Payload = npt.NDArray[np.uint8]


def write(file: Path, header: bytes, arrays: Iterable[npt.NDArray[Any]]) -> None:
    """Write a file; a crash meanwhile leaves the former one.

    Raises
    ------
    OSError
        Where the disk is full or gone.
    """
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.stem}-", suffix=UNFINISHED, delete=False) as part:
        try:
            # The checksum stands before what it is of, so the line is written twice.
            part.write(_first_line(0, len(header)))
            crc = 0
            for piece in _pieces(header, arrays):
                part.write(piece)
                crc = zlib.crc32(piece, crc)
            part.seek(0)
            part.write(_first_line(crc, len(header)))
            part.flush()
            os.fsync(part.fileno())
            Path(part.name).replace(file)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise
    _sync(file.parent)


def read(file: Path) -> tuple[bytes, Payload]:
    """Give the header and the bytes of the arrays, which are only read from disk when looked at.

    Raises
    ------
    FileNotFoundError
    OSError
        Where it cannot be read.
    ValueError
        Where it is damaged, foreign or of another version.
    """
    if file.stat().st_size == 0:
        raise ValueError("must be a file of state. It is empty.")
    content: Payload = np.memmap(file, dtype=np.uint8, mode="r")
    line, end, _ = content[:_FIRST_LINE].tobytes().partition(b"\n")
    words = line.split()
    if not end or len(words) != 4 or words[0] != FORMAT or not all(word.isdigit() for word in words[1:]):
        raise ValueError(f"must begin with {FORMAT.decode()!r}. It is of another kind.")
    version, crc, length = (int(word) for word in words[1:])
    if version != VERSION:
        raise ValueError(f"must be of version {VERSION}. Got {version}.")
    rest = content[len(line) + 1 :]
    if crc != zlib.crc32(rest.data):
        raise ValueError("the checksum must match the content. The file is damaged.")
    return rest[:length].tobytes(), rest[_padded(length) :]


def _first_line(crc: int, length: int) -> bytes:
    # Of one width, so that it can be written over; what follows lies on a multiple of 8 bytes.
    line = FORMAT + f" {VERSION} {crc:010d} {length:012d}".encode()
    return line + b" " * (_padded(len(line) + 1) - len(line) - 1) + b"\n"


def _pieces(header: bytes, arrays: Iterable[npt.NDArray[Any]]) -> Iterator[bytes | memoryview]:
    yield header
    yield b" " * (_padded(len(header)) - len(header))
    for array in arrays:
        if array.nbytes:
            yield np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        yield bytes(_padded(array.nbytes) - array.nbytes)


def _padded(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED


def _sync(folder: Path) -> None:
    """Make the new name last: a rename is not on disk before its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
