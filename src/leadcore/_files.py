"""Tables in files: which of their columns a model wants, opened anew for every reading."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

from leadcore._arrow import TableReader
from leadcore._inputs import LEAD_COLUMNS, Names
from leadcore.errors import DataError, LeadcoreError, Problem
from leadcore.model import Model

STANDARD_STREAM = "-"

Format = Literal["parquet", "csv", "jsonl"]
FORMATS: tuple[Format, ...] = ("parquet", "csv", "jsonl")
ENDINGS: dict[str, Format] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl",
    ".ndjson.gz": "jsonl",
}

_MOST_LINES = 20_000_000


def format_of(path: str) -> Format | None:
    """The format a file name's ending stands for, or None.

    Example:
        >>> format_of("exports/events.CSV.gz")
        'csv'
    """
    name = Path(path).name.lower()
    return next((kind for ending, kind in ENDINGS.items() if name.endswith(ending)), None)


class TableFile:
    """A file as an Arrow stream that may be read any number of times; the standard stream only once.

    Attributes:
        path: File name, or ``-``.
        format: ``parquet``, ``csv`` or ``jsonl``.
        fields: The columns read, by their name in the file, and their kind.
    """

    def __init__(self, path: str, format: Format, fields: Mapping[str, str]) -> None:
        self.path, self.format, self.fields = path, format, dict(fields)
        self._reader = TableReader(path, format, self.fields)
        self._taken = False

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The file from its start.

        Raises:
            LeadcoreError: The standard stream was read before.
        """
        if self._taken:
            if self.path == STANDARD_STREAM:
                raise LeadcoreError("the standard stream can be read only once")
            self._reader = TableReader(self.path, self.format, self.fields)
        self._taken = True
        return self._reader.__arrow_c_stream__(requested_schema)

    @property
    def rereadable(self) -> bool:
        """Whether it may be read again."""
        return self.path != STANDARD_STREAM

    @property
    def column_names(self) -> list[str]:
        """Columns of the file, read or not."""
        return self._reader.column_names

    @property
    def rows_total(self) -> int | None:
        """Rows in the file where its format says so."""
        return self._reader.rows_total

    @property
    def progress(self) -> tuple[int, int | None]:
        """Bytes or rows handed out so far, and in all where known."""
        return self._reader.progress


def open_table(path: str, model: Model, table: str, names: Names, format: Format | None = None) -> TableFile:
    """Open a file as a table of a model: only the columns the model asks for are read.

    Args:
        path: File name, or ``-`` for the standard stream.
        model: What is asked of the table.
        table: ``leads``, ``events``, ``aliases``, ``as_of`` or ``start``.
        names: The file's column names by the model's.
        format: The format where the file's name does not say it.

    Raises:
        LeadcoreError: The file's name does not say its format.
        DataError: One column is wanted as two kinds.
        OSError: The file cannot be opened.
    """
    known = format or format_of(path)
    if known is None:
        raise LeadcoreError(f"{path}: the ending of a table's name is one of {', '.join(ENDINGS)}")
    return TableFile(path, known, wanted_fields(model, table, names))


def wanted_fields(model: Model, table: str, names: Names) -> dict[str, str]:
    """Kind by column of the file: ``id``, ``text``, ``number``, ``boolean`` or ``instant``.

    Raises:
        DataError: One column is wanted as two kinds.
    """
    kinds, columns = _kinds(model, table), {"leads": names.leads, "events": names.events}.get(table, {})
    fields: dict[str, str] = {}
    for name, kind in kinds.items():
        column = columns.get(name, name)
        other = fields.get(column, kind)
        if {other, kind} == {"id", "text"}:
            kind = "text"
        elif other != kind:
            reason = f"is to be read both as {other} and as {kind}"
            raise DataError([Problem(table, None, column, None, reason)])
        fields[column] = kind
    return fields


def _kinds(model: Model, table: str) -> dict[str, str]:
    match table:
        case "leads":
            kinds = dict.fromkeys(LEAD_COLUMNS, "instant") | {"lead_id": "id", "account_id": "id"}
            if model.accounts is None:
                del kinds["account_id"]
            return kinds | {name: declared.type for name, declared in model.attributes.items()}
        case "events":
            kinds = {"lead_id": "id", "at": "instant", "type": "text", "event_id": "id"}
            return kinds | {name: p.type for declared in model.events.values() for name, p in declared.items()}
        case "aliases":
            return {"lead_id": "id", "same_as": "id"}
        case "as_of":
            return {"lead_id": "id", "as_of": "instant"}
        case "start":
            return {"lead_id": "id", "stage": "text", "entered_at": "instant"}
    raise LeadcoreError(f"no table {table!r}: leads, events, aliases, as_of, start")


def lines_of_rows(path: str, format: Format, rows: Iterable[int]) -> dict[int, int]:
    """Lines (from 1) of rows (from 0) in a text file, as far as lines and rows certainly go side by side.

    Left out are rows after the first empty line or the first line with a quoted line break, and files of which no
    line can be told: Parquet, the standard stream, what cannot be read again.
    """
    wanted = {row + (2 if format == "csv" else 1): row for row in rows}
    if format == "parquet" or path == STANDARD_STREAM or not wanted or max(wanted) > _MOST_LINES:
        return {}
    try:
        return dict(_lines(path, format, wanted))
    except (OSError, EOFError):
        return {}


def _lines(path: str, format: Format, wanted: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    last = max(wanted)
    with Path(path).open("rb") as plain, ExitStack() as stack:
        file: Any = stack.enter_context(gzip.open(plain)) if path.lower().endswith(".gz") else plain
        for number, line in enumerate(file, 1):
            if not line.strip() or (format == "csv" and line.count(b'"') % 2):
                return
            if number in wanted:
                yield wanted[number], number
            if number == last:
                return
