"""Where the tables of a job come from: files, or a query."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

from leadcore._arrow import ArrowStream
from leadcore._files import FileTable, open_table
from leadcore._inputs import Names
from leadcore._sources import STANDARD_STREAM, Format, Source
from leadcore.batch.sql import QueryTable, is_query
from leadcore.model import Model

Given = Source | FileTable | QueryTable
"""A file, a glob, a folder, several of these, or a query (see `leadcore.batch.sql`); or one of them open already."""

_HEAD = 1 << 16
"""Bytes looked at to judge how long lines are."""


class Input(ArrowStream, Protocol):
    """A table of a job: a stream that may be read again unless it is the standard stream."""

    @property
    def fields(self) -> dict[str, str]:
        """The columns read, by their name there, and their kind."""

    @property
    def column_names(self) -> list[str]:
        """Columns of the table, read or not."""

    @property
    def rereadable(self) -> bool:
        """Whether it may be read again."""

    @property
    def rows_total(self) -> int | None:
        """Rows, where they are known before they are read."""

    @property
    def progress(self) -> tuple[int, int | None]:
        """Bytes or rows handed out so far, and in all where known."""


def open_any(
    given: Given, model: Model, table: str, names: Names, format: Format | None = None
) -> FileTable | QueryTable:
    """Open a table of a job: only the columns the model asks for are read.

    Raises:
        LeadcoreError: Nothing says the format of a file, a query is none, or an extra is not installed.
        OSError: A file cannot be read.
        DataError: One column is wanted as two kinds.
    """
    if isinstance(given, (FileTable, QueryTable)):
        return given
    if isinstance(given, str) and is_query(given):
        return QueryTable(given, model, table, names)
    return open_table(given, model, table, names, format)


def identity(source: Input) -> Any:
    """What must be the same for a job to go on: names, sizes and times of files; a query, as a digest, and its file."""
    if isinstance(source, QueryTable):
        return {
            "query": blake2b(source.query.encode(), digest_size=16).hexdigest(),
            "files": stamps([source.file] if source.file else []),
        }
    assert isinstance(source, FileTable)
    return {"format": source.format, "files": stamps(source.paths)}


def stamps(paths: Sequence[str]) -> list[list[Any]]:
    """Names, sizes and times of files; of the standard stream its name."""
    found = []
    for path in paths:
        status = None if path == STANDARD_STREAM else Path(path).stat()
        found.append([path, status and status.st_size, status and status.st_mtime_ns])
    return found


def rows_of(source: Input) -> int | None:
    """How many rows there are, or hardly more; None where nobody can tell."""
    if source.rows_total is not None or not isinstance(source, FileTable):
        return source.rows_total
    if STANDARD_STREAM in source.paths:
        return None
    header = 1 if source.format == "csv" else 0
    return sum(max(_lines(Path(path)) - header, 0) for path in source.paths)


def _lines(path: Path) -> int:
    """Lines of a file of text, judged by its first ones."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
        read = len(head)
        if head.startswith(b"\x1f\x8b"):
            file.seek(0)
            try:
                with gzip.open(file) as unpacked:
                    head = unpacked.read(16 * _HEAD)
            except (OSError, EOFError):
                head = b""
            read = file.tell()
    lines = head.count(b"\n")
    return lines + (not head.endswith(b"\n")) if read == size else size * lines // max(read, 1)
