"""Tables of a partition, kept on disk while it is worked on: read as often as wanted, never held whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from leadcore.spark._layout import Layout

if TYPE_CHECKING:
    import pyarrow as pa


class SpooledTable:
    """A table in a file of Arrow batches: a stream that can be read again."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow as pa

        self.schema, self.rows = schema, 0
        self._path, self._writer = path, pa.ipc.new_stream(str(path), schema)

    def append(self, batch: pa.RecordBatch) -> None:
        """Put rows behind those there are."""
        self._writer.write_batch(batch)
        self.rows += batch.num_rows

    def close(self) -> None:
        """No more rows come."""
        self._writer.close()

    def remove(self) -> None:
        """Nobody reads it any more."""
        self._path.unlink()

    def __len__(self) -> int:
        return self.rows

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table from its start."""
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(self.schema, self.batches()).__arrow_c_stream__(requested_schema)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Its rows, some at a time."""
        import pyarrow as pa

        with pa.OSFile(str(self._path)) as file:
            yield from pa.ipc.open_stream(file)

    def take(self, rows: npt.NDArray[np.int64], names: list[str]) -> pa.Table:
        """These columns of these rows, in that order."""
        import pyarrow as pa

        wanted = np.unique(rows)
        parts, begin = [], 0
        for batch in self.batches():
            end = begin + batch.num_rows
            here = wanted[np.searchsorted(wanted, begin) : np.searchsorted(wanted, end)]
            if len(here):
                parts.append(batch.select(names).take(pa.array(here - begin)))
            begin = end
        schema = pa.schema([self.schema.field(name) for name in names])
        return pa.Table.from_batches(parts, schema).take(pa.array(np.searchsorted(wanted, rows)))


class Spool:
    """A folder of tables, in one part or more; gone when it is left.

    It lies where Spark keeps its own shuffle files, which Spark clears if this process is killed.
    """

    def __init__(self) -> None:
        folders = [one for one in os.environ.get("SPARK_LOCAL_DIRS", "").split(",") if one and Path(one).is_dir()]
        where = folders[os.getpid() % len(folders)] if folders else None
        self._folder = tempfile.TemporaryDirectory(prefix="leadcore-", dir=where)
        self._parts: dict[int, dict[str, SpooledTable]] = {}

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def part(self, part: int, layout: Layout, batch: pa.RecordBatch) -> dict[str, SpooledTable]:
        """The tables of a part, empty ones too; of the types that a batch of all of them has."""
        if part not in self._parts:
            schemas = {table: layout.view(batch[:0], table).schema for table in layout.columns}
            self._parts[part] = {
                table: SpooledTable(Path(self._folder.name, f"{part}-{table}"), schema)
                for table, schema in schemas.items()
            }
        return self._parts[part]

    def parts(self) -> Iterator[dict[str, SpooledTable]]:
        """The tables of each part, all rows being there, part by part; none if there are no rows."""
        for part in sorted(self._parts):
            tables = self._parts[part]
            for table in tables.values():
                table.close()
            yield tables
            for table in tables.values():
                table.remove()
