"""Tables of samples as Parquet: the same columns as CSV, with types."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from series import FloatArray
from sources.errors import QueryRefused, shorten
from sources.recording import Recording, RowBuilder
from sources.table import TIMESTAMP, VALUE, Header, seconds

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 1 << 18


def read_parquet(path: Path) -> Recording:
    """Read a Parquet file.

    ``timestamp`` is a timestamp (UTC where it has no zone), seconds since the epoch as a number, or ISO 8601 as text.
    ``value`` is a number; null is no sample. Columns of text are labels, null and empty ones are absent. Other
    columns, such as flags of each sample, are left out.

    Raises
    ------
    QueryRefused
        With the file and column, and where pyarrow is not installed.
    OSError
        For a file that cannot be read.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        message = f"{path}: Parquet files need pyarrow. Install it by: pip install 'forethought[parquet]'"
        raise QueryRefused(str(path), message) from error
    samples = RowBuilder()
    try:
        with path.open("rb") as raw, pq.ParquetFile(raw) as file:
            names = [field.name for field in file.schema_arrow if _is_wanted(field)]
            header = Header.of(path, names)
            for batch in file.iter_batches(batch_size=_ROWS, columns=names):
                _add(path, header, batch.select(names), samples)
    except pa.ArrowException as error:
        raise QueryRefused(str(path), f"{path}: must be a Parquet file. Got {shorten(str(error), 160)}") from error
    return samples.recording(path)


def _is_wanted(field: pa.Field) -> bool:
    return field.name in (TIMESTAMP, VALUE) or _is_text(field.type)


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_string_view(inner))


def _add(path: Path, header: Header, batch: pa.RecordBatch, samples: RowBuilder) -> None:
    columns = batch.columns
    values = _floats(path, VALUE, columns[header.value])
    samples.add(_rows(header, columns, samples), _times(path, columns[header.time]), values)


def _rows(header: Header, columns: list[pa.Array], samples: RowBuilder) -> npt.NDArray[np.int64]:
    """Row of each sample. Each combination of labels is looked up once a batch."""
    labels = [columns[place].cast("string").fill_null("") for place in header.labels]
    codes = np.zeros(len(columns[header.time]), np.int64)
    for label in labels:
        coded = label.dictionary_encode()
        _, codes = np.unique(codes * len(coded.dictionary) + coded.indices.to_numpy(), return_inverse=True)
    _, firsts, inverse = np.unique(codes, return_index=True, return_inverse=True)
    names = zip(*(label.take(firsts).to_pylist() for label in labels), strict=True) if labels else [()]
    return np.array([samples.row(name, header.key) for name in names], np.int64)[inverse]


def _floats(path: Path, name: str, column: pa.Array) -> FloatArray:
    import pyarrow as pa

    try:
        floats: FloatArray = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowException as error:
        raise QueryRefused(str(path), f"{path}: {name} must be a number. Got {column.type}.") from error
    return floats


def _times(path: Path, column: pa.Array) -> FloatArray:
    import pyarrow as pa

    if column.null_count:
        raise QueryRefused(str(path), f"{path}: every row must have a {TIMESTAMP}. Got null.")
    if pa.types.is_timestamp(column.type):
        micros: FloatArray = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast("int64").to_numpy() / 1e6
        return micros
    if _is_text(column.type):
        try:
            return np.fromiter(map(seconds, column.cast("string").to_pylist()), np.float64, len(column))
        except ValueError as error:
            message = f"{path}: {TIMESTAMP} must be seconds since the epoch or ISO 8601. Got {shorten(str(error), 80)}."
            raise QueryRefused(str(path), message) from error
    return _floats(path, TIMESTAMP, column)
