"""Several tables laid out in one: each row is of one of them, and fills the slots that its columns have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

TABLE = "table"
"""The column that says which table a row is of, by its place in the layout."""
KEY = "key"
"""The column by which rows are brought together, where no slot holds it."""


@dataclass(frozen=True)
class Layout:
    """Where the columns of several tables stand in one.

    A slot is shared by columns of one type, at most one of each table: so a row is hardly wider than in the widest
    table, and what is null in it costs next to nothing.

    Attributes:
        columns: By table its columns, in order: name and slot.
        types: The type of each slot, Spark's or Arrow's.
    """

    columns: Mapping[str, tuple[tuple[str, int], ...]]
    types: tuple[Any, ...]

    @classmethod
    def of(cls, tables: Mapping[str, Sequence[tuple[str, Any]]]) -> Layout:
        """Lay out tables given by the names and types of their columns; the first columns get the first slots."""
        types: list[Any] = []
        columns: dict[str, tuple[tuple[str, int], ...]] = {}
        for table, fields in tables.items():
            free = list(range(len(types)))
            places = []
            for name, kind in fields:
                slot = next((i for i in free if types[i] == kind), len(types))
                if slot == len(types):
                    types.append(kind)
                else:
                    free.remove(slot)
                places.append((name, slot))
            columns[table] = tuple(places)
        return cls(columns, tuple(types))

    @property
    def tables(self) -> list[str]:
        """Names of the tables, in order."""
        return list(self.columns)

    # in Spark

    def pack(self, frames: Mapping[str, DataFrame], keys: bool) -> DataFrame:
        """Rows of all tables as one DataFrame: ``table``, the slots, and with ``keys`` the column `KEY` of each."""
        from pyspark.sql import functions as sql

        packed = None
        for place, (table, columns) in enumerate(self.columns.items()):
            names = {slot: name for name, slot in columns}
            slots = [
                (quoted(names[slot]) if slot in names else sql.lit(None).cast(kind)).alias(slot_name(slot))
                for slot, kind in enumerate(self.types)
            ]
            key = [sql.col(KEY)] if keys else []
            rows = frames[table].select(sql.lit(place).cast("byte").alias(TABLE), *slots, *key)
            packed = rows if packed is None else packed.unionAll(rows)
        return packed

    def unpack(self, packed: DataFrame, table: str) -> DataFrame:
        """The rows of one table, under its own names."""
        from pyspark.sql import functions as sql

        columns = [sql.col(slot_name(slot)).alias(name) for name, slot in self.columns[table]]
        return packed.where(sql.col(TABLE) == self.tables.index(table)).select(*columns)

    # in Arrow

    def split(self, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        """The rows of each table in a batch, under its own names; no batch for a table without rows."""
        import pyarrow.compute as pc

        marks = batch.column(TABLE)
        for place, table in enumerate(self.columns):
            mask = pc.equal(marks, place)
            count = pc.sum(mask).as_py()
            if count:
                rows = self.view(batch, table)
                yield table, rows if count == batch.num_rows else rows.filter(mask)

    def view(self, batch: pa.RecordBatch, table: str) -> pa.RecordBatch:
        """Every row of a batch as if it were of this table."""
        import pyarrow as pa

        columns = self.columns[table]
        arrays = [batch.column(slot_name(slot)) for _, slot in columns]
        return pa.RecordBatch.from_arrays(arrays, [name for name, _ in columns])

    def join(self, table: str, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Rows of a table put where its columns stand."""
        import pyarrow as pa

        count, place = rows.num_rows, self.tables.index(table)
        given = {slot: rows.column(name) for name, slot in self.columns[table]}
        slots = [given.get(slot, pa.nulls(count, kind)) for slot, kind in enumerate(self.types)]
        names = [TABLE, *map(slot_name, range(len(slots)))]
        return pa.RecordBatch.from_arrays([pa.array([place], pa.int8()).take(pa.repeat(0, count)), *slots], names)

    @property
    def schema(self) -> pa.Schema:
        """Of a layout with Arrow's types: what `join` gives."""
        import pyarrow as pa

        return pa.schema([(TABLE, pa.int8()), *((slot_name(i), kind) for i, kind in enumerate(self.types))])


def slot_name(slot: int) -> str:
    """What a slot's column is called."""
    return f"slot_{slot}"


def quoted(name: str) -> Any:
    """A column by its name, whatever signs are in it."""
    from pyspark.sql import functions as sql

    return sql.col("`" + name.replace("`", "``") + "`")
