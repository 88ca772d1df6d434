"""What outlives a restart: the samples of every query, as files that are either whole or not there.

A file is one line of JSON (what it holds, for which query, checksum of the rest), then the arrays. Nothing in it
is executed on reading, and a file that is damaged, foreign or of another version is set aside and counted.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import structlog

from series import BoolArray, Grid, SeriesKey, Window
from series.store import RingStore, StoreFull

log = structlog.get_logger("forethought.state")

_VERSION = 1
_UNFINISHED = ".part"


class _Header(msgspec.Struct):
    forethought_state: int
    signature: str
    start: int
    step: int
    n_steps: int
    keys: list[dict[str, str]]
    crc32: int


class StateError(Exception):
    """The folder for state cannot be used."""


class StateFolder:
    """A folder with one file a query.

    Parameters
    ----------
    path : Path
        Made where it is missing.

    Raises
    ------
    StateError
        Where the folder cannot be made or written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
            for left in path.glob(f".*{_UNFINISHED}"):  # by a process that was killed while it wrote
                left.unlink(missing_ok=True)
        except OSError as error:
            raise StateError(
                f"{path}: must be a folder that can be written to. Got: {error.strerror or error}. "
                "Name another one with --storage.path."
            ) from error

    def save(self, name: str, signature: str, store: RingStore) -> None:
        """Write the samples of a query; a crash meanwhile leaves the former file.

        Raises
        ------
        OSError
            Where the disk is full or gone.
        """
        grid = store.grid
        if grid is None:
            return
        window, pulled = store.window(), store.pulled
        values = np.ascontiguousarray(window.values).reshape(-1).view(np.uint8)
        payload: list[bytes | memoryview] = [values.data, np.packbits(pulled).tobytes()]
        header = _Header(
            forethought_state=_VERSION,
            signature=signature,
            start=grid.start,
            step=grid.step,
            n_steps=grid.n_steps,
            keys=[dict(key.pairs) for key in window.keys],
            crc32=_crc(payload),
        )
        with tempfile.NamedTemporaryFile(dir=self.path, prefix=f".{name}-", suffix=_UNFINISHED, delete=False) as file:
            try:
                for part in (msgspec.json.encode(header), b"\n", *payload):
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(self._file(name))
            except OSError:
                Path(file.name).unlink(missing_ok=True)
                raise

    def restore(self, name: str, signature: str, store: RingStore) -> bool:
        """Fill an empty store from the file of a query.

        Returns
        -------
        False where there is no file that fits. A damaged one is renamed to ``NAME.damaged`` and logged.
        """
        file = self._file(name)
        try:
            header, payload = _read(file)
        except FileNotFoundError:
            return False
        except (OSError, ValueError) as error:
            log.warning("state set aside", file=str(file), error=str(error))
            self._set_aside(file)
            return False
        if header.signature != signature:
            log.info("state is of another configuration; starting cold", query=name)
            return False
        try:
            grid, window, pulled = _decode(header, payload)
            store.fill(window, grid, pulled)
        except StoreFull as error:
            log.warning("state does not fit into memory; starting cold", query=name, problem=str(error))
            return False
        except ValueError as error:  # the checksum covers the samples, not the header
            log.warning("state set aside", file=str(file), error=str(error))
            self._set_aside(file)
            return False
        return True

    def forget(self, name: str) -> None:
        """Remove the file of a query that is no longer configured."""
        self._file(name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.samples"

    def _set_aside(self, file: Path) -> None:
        try:
            file.replace(file.with_suffix(".damaged"))
        except OSError as error:
            log.warning("state cannot be set aside", file=str(file), error=str(error))


def _read(file: Path) -> tuple[_Header, bytes]:
    line, _, payload = file.read_bytes().partition(b"\n")
    try:
        header = msgspec.json.decode(line, type=_Header)
    except msgspec.MsgspecError as error:
        raise ValueError(f"must begin with a header. {error}.") from error
    if header.forethought_state != _VERSION:
        raise ValueError(f"must be of version {_VERSION}. Got {header.forethought_state}.")
    if header.crc32 != _crc([payload]):
        raise ValueError("the checksum must match the content. The file is damaged.")
    return header, payload


def _decode(header: _Header, payload: bytes) -> tuple[Grid, Window, BoolArray]:
    """Give grid, window and pulled columns; a ValueError where header and samples do not belong together."""
    grid = Grid(header.start, header.step, header.n_steps)
    keys = tuple(SeriesKey(labels) for labels in header.keys)
    size = 8 * len(keys) * grid.n_steps
    if len(payload) != size + -(-grid.n_steps // 8):
        raise ValueError(f"must hold {len(keys)} series of {grid.n_steps} steps. Got {len(payload)} bytes.")
    values = np.frombuffer(payload[:size], dtype=np.float64).reshape(len(keys), grid.n_steps)
    pulled = np.unpackbits(np.frombuffer(payload[size:], dtype=np.uint8), count=grid.n_steps).astype(bool)
    return grid, Window(keys, grid.times, values), pulled


def _crc(parts: Sequence[bytes | memoryview]) -> int:
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return crc
