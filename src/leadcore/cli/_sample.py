"""What columns of a file look like: their kinds and frequent values, from its first rows (for ``init``)."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from leadcore._arrow import Table, TableReader
from leadcore._sources import Format
from leadcore._time import to_micros

ROWS = 50_000
"""Rows looked at."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class ColumnSample:
    """One column of a file.

    Attributes:
        name: Its name in the file.
        kind: ``text``, ``number``, ``boolean`` or ``instant``; None where it is empty or of another kind.
        values: Its values in the first rows, without nulls.
        filled: The share of rows with a value.
    """

    name: str
    kind: str | None
    values: list[Any]
    filled: float

    def distinct(self) -> Counter[str]:
        """How often each text occurs, by the text as it is."""
        return Counter(str(value) for value in self.values)


def sample(path: str, format: Format) -> list[ColumnSample]:
    """The columns of a file, in its order.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not of its format.
    """
    match format:
        case "csv":
            with _text(path) as file:
                rows = csv.reader(file)
                names = next(rows, [])
                read = [row for row in itertools.islice(rows, ROWS) if len(row) == len(names)]
            columns = [[row[i] or None for row in read] for i in range(len(names))]
            return [_column(name, values, True) for name, values in zip(names, columns, strict=True)]
        case "jsonl":
            with _text(path) as file:
                objects = [json.loads(line) for line in itertools.islice(file, ROWS) if line.strip()]
            names = list(dict.fromkeys(name for row in objects if isinstance(row, dict) for name in row))
            return [_column(name, [row.get(name) for row in objects], False) for name in names]
        case "parquet":
            names = TableReader([path], format, {}).column_names
            table = Table.collect(TableReader([path], format, dict.fromkeys(names, "text")), ROWS)
            return [_column(name, _listed(table, name), False) for name in names]


def _text(path: str) -> TextIO:
    if path.lower().endswith(".gz"):
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8-sig", newline="")
    return Path(path).open(encoding="utf-8-sig", newline="")


def _listed(table: Table, name: str) -> list[Any]:
    try:
        values = table.column(name)
    except (TypeError, ValueError):  # nested or binary: nothing a model could use
        return []
    return values if isinstance(values, list) else list(values.tolist())


def _column(name: str, values: Sequence[Any], lexical: bool) -> ColumnSample:
    given = [value for value in values if value is not None]
    return ColumnSample(name, _kind(given, lexical), given, len(given) / len(values) if values else 0.0)


def _kind(values: list[Any], lexical: bool) -> str | None:
    """The narrowest kind all values fit; text of CSV may be anything."""
    if not values:
        return None
    if all(isinstance(value, bool) for value in values):
        return "boolean"
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return "number"
    if all(isinstance(value, date) for value in values):
        return "instant"
    if not all(isinstance(value, str) for value in values):
        return None
    if lexical and all(value in ("true", "false") for value in values):
        return "boolean"
    if lexical and all(_NUMBER.fullmatch(value) for value in values):
        return "number"
    return "instant" if _instants(values) else "text"


def _instants(values: Iterable[str]) -> bool:
    try:
        for value in values:
            if len(value) < 8 or value.isdecimal():
                return False
            to_micros(value)
    except ValueError:
        return False
    return True
