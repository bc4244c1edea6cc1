"""Spark's DataFrames as tables of a model: what is wanted of them, and which rows belong together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leadcore._aliases import canonical_codes
from leadcore._arrow import Table
from leadcore._files import wanted_fields
from leadcore._ids import id_encoder
from leadcore._inputs import Names, data_errors
from leadcore.errors import LeadcoreError
from leadcore.frame import imported
from leadcore.model import Model
from leadcore.spark._layout import KEY, Layout, quoted, slot_name
from leadcore.spark._types import arrow_schema, pyarrow

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame

IDS = ("lead_id", "same_as")
_MOST_SENT = 1_000_000
"""Pairs of aliases up to which they are sent to every executor, rather than shuffled."""


@dataclass(frozen=True)
class Inputs:
    """The tables of a run, each with the columns that are wanted of it, ids first.

    Attributes:
        frames: By table; ``lead_id`` of integers is bigint.
        names: Your column names by the model's.
        key: The column, in every table, by which rows belong together.
    """

    frames: Mapping[str, DataFrame]
    names: Names
    key: str = "lead_id"

    @classmethod
    def of(cls, model: Model, names: Names, tables: Mapping[str, Any], further: tuple[str, ...] = ()) -> Inputs:
        """Take what a model wants of its tables; those that are None are left out.

        Args:
            model: The model.
            names: Your column names by the model's.
            tables: ``leads``, ``events``, ``aliases``, ``as_of``, ``start``: Spark DataFrames or None.
            further: Columns of ``leads`` beside those of the model.

        Raises:
            LeadcoreError: pyspark or pyarrow is missing, or a table is none of Spark's.
        """
        imported("pyspark", "spark")
        pyarrow()
        frames = {}
        for table, frame in tables.items():
            if frame is None:
                continue
            if not hasattr(frame, "mapInArrow"):
                found = type(frame).__name__
                raise LeadcoreError(
                    f"{table} is a Spark DataFrame here, not {found}: for tables of this process there is leadcore.Scorer"
                )
            wanted = [*wanted_fields(model, table, names), *(further if table == "leads" else ())]
            ids = [mapped(names, table, name) for name in IDS]
            order = sorted(dict.fromkeys(wanted), key=lambda name: name not in ids)
            frames[table] = frame.select([_column(frame, name, name in ids) for name in order if name in frame.columns])
        if not frames:
            raise LeadcoreError("there are neither events nor leads: give at least one as a Spark DataFrame")
        return cls(frames, names)

    def empty(self) -> dict[str, pa.Table]:
        """Tables without rows and of the same columns: what is wrong with the columns is wrong with these.

        Raises:
            DataError: A column has a type that no column of a model has.
        """
        return {table: arrow_schema(table, frame.schema).empty_table() for table, frame in self.frames.items()}

    def with_column(self, table: str, name: str, made: Callable[[Column], Column]) -> DataFrame:
        """A table with a column made of its keys put before the others."""
        frame = self.frames[table]
        return frame.select(made(_key(frame, mapped(self.names, table, self.key))).alias(name), "*")

    def together(self, partitions: int | None, reject: bool, placed: bool) -> tuple[Layout, DataFrame]:
        """All tables in one DataFrame whose partitions hold all rows of a key: whole leads, with all their records.

        Aliases are read here, and stand in the result with their chains followed.

        Args:
            partitions: How many; None leaves it to the session.
            reject: Whether faulty rows of aliases are let pass, for the run to reject them.
            placed: Whether keys are numbers of partitions; Spark from 4.1 on then takes them as they are.

        Raises:
            DataError: Aliases are faulty, go round in a circle, or name two leads for one record.
        """
        layout = Layout.of({t: [(f.name, f.dataType) for f in frame.schema] for t, frame in self.frames.items()})
        frames, key = dict(self.frames), slot_name(0)
        if not self._in_one_slot(layout):
            frames, key = self._keyed(reject), KEY
        packed = layout.pack(frames, key == KEY)
        count = () if partitions is None else (partitions,)
        by_key = getattr(packed, "repartitionById", packed.repartition) if placed else packed.repartition
        return layout, by_key(*count, key).drop(KEY)

    def _in_one_slot(self, layout: Layout) -> bool:
        """Whether lead ids are all in the first slot, in a form in which equal ids are equal to Spark."""
        return (
            "aliases" not in self.frames
            and layout.types[0].simpleString() in ("int", "bigint", "string")
            and all(columns[0] == (mapped(self.names, table, self.key), 0) for table, columns in layout.columns.items())
        )

    def _keyed(self, reject: bool) -> dict[str, DataFrame]:
        """The tables with a column `KEY`: the id of the lead to which a row belongs."""
        from pyspark.sql import functions as sql

        frames = {table: _with_key(frame, mapped(self.names, table, self.key)) for table, frame in self.frames.items()}
        if "aliases" not in frames:
            return frames
        schema, session = self.frames["aliases"].schema, self.frames["aliases"].sparkSession
        pairs, faulty = followed(self.frames["aliases"], reject)
        frames["aliases"] = _with_key(session.createDataFrame(pairs + faulty, schema), "lead_id")
        known = session.createDataFrame(pairs, schema)
        lookup = known.select(_key(known, "lead_id").alias("record"), _key(known, "same_as").alias("person")).distinct()
        if len(pairs) <= _MOST_SENT:
            lookup = sql.broadcast(lookup)
        return {table: _brought_together(frame, lookup) for table, frame in frames.items()}


def mapped(names: Names, table: str, name: str) -> str:
    """What a column of the model is called in a table of yours."""
    return {"leads": names.leads, "events": names.events}.get(table, {}).get(name, name)


def id_kinds(inputs: Inputs) -> tuple[Any, Any]:
    """Arrow's types of lead ids and event ids in results: integers or text."""
    found = []
    for name in ("lead_id", "event_id"):
        schemas = [
            (table, frame.schema[mapped(inputs.names, table, name)])
            for table, frame in inputs.frames.items()
            if mapped(inputs.names, table, name) in frame.columns and (name, table) != ("event_id", "leads")
        ]
        kinds = [arrow_schema(table, [one]).types[0] for table, one in schemas]
        found.append(pyarrow().string() if not kinds or kinds[0] == pyarrow().string() else pyarrow().int64())
    return found[0], found[1]


def followed(aliases: DataFrame, reject: bool) -> tuple[list[tuple[Any, Any]], list[tuple[Any, Any]]]:
    """Rows of aliases (spec 2.8): good ones with chains followed to their end, and faulty ones as they are.

    Raises:
        DataError: There are faulty ones and they are not rejected, a circle, or two leads for one record.
    """
    rows = [tuple(row) for row in aliases.select(*IDS).collect()]
    schema = arrow_schema("aliases", aliases.select(*IDS).schema)
    encoder = id_encoder(reject)
    with data_errors("aliases"):
        columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[], []]
        given = Table.collect(pyarrow().table(columns, schema=schema))
        codes = encoder.read_pairs(given, "aliases", {}, list(IDS), [])

    def id_of(code: int) -> Any:
        return encoder.ids(np.array([code], np.uint32)).row(0)["lead_id"]

    canonical = canonical_codes(codes["lead_id"], codes["same_as"], encoder.lead_count, id_of)
    people = iter(list(encoder.ids(canonical[codes["lead_id"]]).column("lead_id")))
    rejected = {row["row"] for row in encoder.rejects().to_dicts()}
    good = [(one, type(other)(next(people))) for i, (one, other) in enumerate(rows) if i not in rejected]
    return good, [row for i, row in enumerate(rows) if i in rejected]


def _brought_together(frame: DataFrame, lookup: DataFrame) -> DataFrame:
    """The table with the person's key for that of each record."""
    from pyspark.sql import functions as sql

    both = frame.join(lookup, sql.col(KEY) == sql.col("record"), "left")
    person = sql.coalesce(sql.col("person"), sql.col(KEY)).alias(KEY)
    return both.select(*(quoted(name) for name in frame.columns if name != KEY), person)


def _with_key(frame: DataFrame, name: str) -> DataFrame:
    return frame.withColumn(KEY, _key(frame, name))


def _column(frame: DataFrame, name: str, is_id: bool) -> Column:
    from pyspark.sql import types

    integer = (types.ByteType, types.ShortType, types.IntegerType)
    column = quoted(name)
    return column.cast("bigint").alias(name) if is_id and isinstance(frame.schema[name].dataType, integer) else column


def _key(frame: DataFrame, name: str) -> Column:
    """An id in the one form by which Spark brings rows together: equal ids, equal keys."""
    from pyspark.sql import functions as sql
    from pyspark.sql import types

    if name not in frame.columns:  # told when the columns are looked at
        return sql.lit(None).cast("string")
    if isinstance(frame.schema[name].dataType, types.NumericType):
        return sql.expr(f"try_cast(`{name.replace('`', '``')}` as bigint)")
    return quoted(name).cast("string")
