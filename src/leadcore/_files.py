"""Tables in files: which of their columns a model wants, opened anew for every reading, and the place of every row."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from leadcore._arrow import Table, TableReader, lines_of_rows
from leadcore._inputs import LEAD_COLUMNS, Names
from leadcore._sources import STANDARD_STREAM, Format, Source, find_files, names_of
from leadcore.errors import DataError, LeadcoreError, Problem
from leadcore.model import Model


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row of a table stands.

    Attributes:
        file: The file's name, or ``-``.
        row_in_file: The row in it, from 0; a header is none.
        line: The line on which the row begins, from 1; None where there are no lines (Parquet) or the file cannot be
            read again.
    """

    file: str
    row_in_file: int
    line: int | None


class FileTable:
    """A table in one or many files, as an Arrow stream that may be read any number of times.

    The standard stream, and what else is no regular file, only once.

    Attributes:
        source: What the table was asked for by, for messages.
        paths: The files in order, or ``-``.
        format: ``parquet``, ``csv`` or ``jsonl``.
        fields: The columns read, by their name in the files, and their kind.
    """

    def __init__(
        self,
        paths: Sequence[str],
        format: Format,
        fields: Mapping[str, str],
        optional: Set[str] = frozenset(),
        source: str | None = None,
    ) -> None:
        self.paths, self.format, self.fields = list(paths), format, dict(fields)
        self.source = ", ".join(self.paths) if source is None else source
        self._optional = set(optional)
        self._reader = self._open()
        self._taken = False
        self._starts: list[int] | None = None

    def _open(self) -> TableReader:
        return TableReader(self.paths, self.format, self.fields, self._optional)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table from its start.

        Raises:
            LeadcoreError: The standard stream was read before.
        """
        if self._taken:
            if not self.rereadable:
                raise LeadcoreError(f"{_told(self.source)} can be read only once")
            self._reader = self._open()
        self._taken = True
        return self._reader.__arrow_c_stream__(requested_schema)

    @property
    def rereadable(self) -> bool:
        """Whether it may be read again."""
        return all(Path(path).is_file() for path in self.paths)

    @property
    def column_names(self) -> list[str]:
        """Columns of the files and of their paths, read or not."""
        return self._reader.column_names

    @property
    def rows_total(self) -> int | None:
        """Rows in all files where their format says so."""
        return self._reader.rows_total

    @property
    def bytes_total(self) -> int | None:
        """Bytes in all files, packed ones as they are; None of the standard stream."""
        return sum(Path(path).stat().st_size for path in self.paths) if self.rereadable else None

    @property
    def progress(self) -> tuple[int, int | None]:
        """Bytes or rows handed out so far, and in all where known."""
        return self._reader.progress

    @property
    def starts(self) -> list[int]:
        """For each file that was read, how many rows of the table lie before it."""
        return self._reader.starts if self._starts is None else self._starts

    def remember(self, starts: Sequence[int]) -> None:
        """Take over what ``starts`` was where the table was read before."""
        self._starts = list(starts)

    def place(self, row: int) -> Place:
        r"""Where a row stands that was read.

        Args:
            row: The row in the whole table, from 0.

        Raises:
            IndexError: There is no such row.

        Example:
            >>> import tempfile
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     one, two = Path(folder, "1.csv"), Path(folder, "2.csv")
            ...     _ = one.write_text("lead_id\n7\n8\n"), two.write_text("lead_id\n9\n")
            ...     table = FileTable([str(one), str(two)], "csv", {"lead_id": "id"})
            ...     read = Table.collect(table)
            ...     place = table.place(2)
            >>> Path(place.file).name, place.row_in_file, place.line
            ('2.csv', 0, 2)
        """
        return self.places([row])[0]

    def places(self, rows: Iterable[int]) -> list[Place]:
        """Where each of these rows stands: every file concerned is read once, whatever the number of rows.

        Args:
            rows: Rows in the whole table, from 0, in any order.

        Raises:
            IndexError: There is no such row.
        """
        file, inside, line = self.locate(np.fromiter(rows, np.int64))
        return [
            Place(self.paths[f], row, None if on < 0 else on)
            for f, row, on in zip(file.tolist(), inside.tolist(), line.tolist(), strict=True)
        ]

    def locate(
        self, rows: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The same as `places`, as arrays: which file, which row in it, which line (-1: none).

        Raises:
            IndexError: There is no such row.
        """
        starts = np.array(self.starts, np.int64)
        if rows.size and rows.min() < 0:
            raise IndexError(f"row {rows.min()} of a table")
        # A file without rows begins where the next one does: the last that begins so has the row.
        file = np.searchsorted(starts, rows, "right") - 1
        inside, line = rows - starts[file], np.full(len(rows), -1, np.int64)
        for number in np.unique(file).tolist():
            here = np.flatnonzero(file == number)
            asked, place = np.unique(inside[here], return_inverse=True)
            line[here] = self._lines(self.paths[number], asked)[place]
        return file, inside, line

    def reworded(self, reasons: Iterable[str]) -> list[str]:
        """Reasons as they are, but for those that name another row of the table: they name its place in a file."""
        return [OTHER_ROW.sub(self._other_row, reason) for reason in reasons]

    def _other_row(self, found: re.Match[str]) -> str:
        if len(self.paths) == 1:
            return found[0]
        starts = self.starts
        file = bisect_right(starts, int(found[2])) - 1
        return f"{found[1]}{int(found[2]) - starts[file]} of {self.paths[file]}"

    def _lines(self, path: str, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Lines of ascending rows of one file; -1 where they cannot be told."""
        if self.format != "parquet" and Path(path).is_file():
            try:
                return np.array(lines_of_rows(path, self.format, rows.tolist()), np.int64)
            except (OSError, ValueError):  # gone, or written anew, since it was read
                pass
        return np.full(len(rows), -1, np.int64)


# What is said of two rows that contradict each other: spec 2.1, 2.5 and the table of where leads begin.
OTHER_ROW = re.compile(r"^((?:stands in|is in|repeats an event_id .* than) row )(\d+)")


def _told(source: str) -> str:
    return "the standard stream" if source == STANDARD_STREAM else source


def open_table(source: Source, model: Model, table: str, names: Names, format: Format | None = None) -> FileTable:
    """Open files as a table of a model: only the columns the model asks for are read.

    A file may lack a column that the model declares ``optional``: it is null there.

    Args:
        source: A file, a folder, a glob, a list of these, or ``-`` for the standard stream.
        model: What is asked of the table.
        table: ``leads``, ``events``, ``aliases``, ``as_of`` or ``start``.
        names: The files' column names by the model's.
        format: The format where the files' names do not say it.

    Raises:
        LeadcoreError: Names do not say one format, or no file was found.
        DataError: One column is wanted as two kinds.
        OSError: A file cannot be opened.
        ValueError: A file is not of its format, or another has other columns.
    """
    paths, known = find_files(source, format)
    fields, optional = wanted_fields(model, table, names), optional_fields(model, table, names)
    return FileTable(paths, known, fields, optional, ", ".join(names_of(source)))


def wanted_fields(model: Model, table: str, names: Names) -> dict[str, str]:
    """Kind by column of the files: ``id``, ``text``, ``number``, ``boolean`` or ``instant``.

    Raises:
        DataError: One column is wanted as two kinds.
    """
    kinds, columns = _kinds(model, table), _columns(table, names)
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


def optional_fields(model: Model, table: str, names: Names) -> set[str]:
    """Columns of the files that the model declares optional (spec 2.3)."""
    match table:
        case "leads":
            declared = [dict(model.attributes)]
        case "events":
            declared = [dict(properties) for properties in model.events.values()]
        case _:
            declared = []
    columns = _columns(table, names)
    needed = {name for fields in declared for name, field in fields.items() if not field.optional}
    named = {name for fields in declared for name in fields}
    return {columns.get(name, name) for name in named} - {columns.get(name, name) for name in needed}


def _columns(table: str, names: Names) -> dict[str, str]:
    return {"leads": names.leads, "events": names.events}.get(table, {})


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


def located(rejects: Table, files: Mapping[str, object]) -> Table:
    """Rejected rows with their place: ``table``, ``file``, ``row``, ``line``, ``column``, ``value``, ``reason``.

    Args:
        rejects: ``table``, ``row``, ``column``, ``value``, ``reason``, as a scorer lists them (spec 12).
        files: What each table was read from.

    Returns:
        The same rows in the same order. ``row`` counts from 0 in its file. ``file`` is null, and ``row`` as it was, for
        a table that is no `FileTable`; ``line`` is null there, for Parquet and for the standard stream.
    """
    tables = np.array(rejects.column("table"), object)
    rows: Any = rejects.column("row")
    given = np.array([row is not None for row in rows], bool)
    inside = np.array([-1 if row is None else row for row in rows], np.int64)
    reasons = np.array(rejects.column("reason"), object)
    files_told, line = np.full(len(rejects), None, object), np.full(len(rejects), -1, np.int64)
    for table, source in files.items():
        if not isinstance(source, FileTable):
            continue
        here = np.flatnonzero((tables == table) & given)
        file, inside[here], line[here] = source.locate(inside[here])
        files_told[here] = np.array(source.paths, object)[file]
        reasons[here] = source.reworded(reasons[here])
    columns: list[tuple[str, Any]] = [
        ("table", ("column", rejects.select(["table"]))),
        ("file", ("text", files_told.tolist())),
        ("row", ("nullable", inside, given)),
        ("line", ("nullable", line, line > 0)),
        *((name, ("column", rejects.select([name]))) for name in ("column", "value")),
        ("reason", ("text", reasons.tolist())),
    ]
    return Table.build(columns)
