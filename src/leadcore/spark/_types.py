"""Spark's types as Arrow's, and back: those that columns of a model and of results have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from leadcore.errors import DataError, Problem
from leadcore.frame import imported

if TYPE_CHECKING:
    import pyarrow as pa

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


def pyarrow() -> Any:
    """The module.

    Raises:
        LeadcoreError: It is not installed.
    """
    return imported("pyarrow", "spark")


def arrow_schema(table: str, schema: Any) -> pa.Schema:
    """Columns as Spark hands them to Python.

    Raises:
        DataError: A column has a type that no column of a model has.
    """
    kinds = {kind: found for found, kind in _kinds().items()}
    fields = []
    for one in schema:
        kind = one.dataType.simpleString()
        if (number := _DECIMAL.fullmatch(kind)) is not None:
            found = pyarrow().decimal128(*map(int, number.groups()))
        else:
            found = kinds.get("string" if kind.startswith("string ") else kind)  # what a collation says is of no matter
        if found is None:
            reason = f"is {kind}: text, a number, a boolean, a timestamp or a date is wanted"
            raise DataError([Problem(table, None, one.name, None, reason)])
        fields.append((one.name, found))
    return pyarrow().schema(fields)


def ddl(schema: pa.Schema) -> str:
    """Columns of a result as Spark's schema text."""
    kinds = _kinds() | {
        pyarrow().timestamp("us", "UTC"): "timestamp_ltz"
    }  # what `timestamp` means is the session's choice
    return ", ".join(f"`{one.name}` {kinds[one.type]}" for one in schema)


def plain(kind: pa.DataType) -> pa.DataType:
    """A type without its dictionary."""
    return kind.value_type if pyarrow().types.is_dictionary(kind) else kind


def _kinds() -> dict[pa.DataType, str]:
    pa = pyarrow()
    return {
        pa.bool_(): "boolean", pa.int8(): "tinyint", pa.int16(): "smallint", pa.int32(): "int", pa.int64(): "bigint",
        pa.float32(): "float", pa.float64(): "double", pa.string(): "string", pa.date32(): "date",
        pa.timestamp("us", "UTC"): "timestamp", pa.timestamp("us"): "timestamp_ntz", pa.list_(pa.string()): "array<string>",
        pa.binary(): "binary", pa.null(): "void",
    }  # fmt: skip
