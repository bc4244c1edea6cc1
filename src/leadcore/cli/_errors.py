"""What ends a command: plain sentences on stderr and an exit code (spec 12)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from leadcore._files import FileTable, Place
from leadcore._sources import STANDARD_STREAM
from leadcore.errors import DataError, LeadcoreError, ModelError, Problem

DONE, OTHER, USAGE, DATA = 0, 1, 2, 3
INTERRUPTED = 130

_ROWS_TOLD = "rows count from 0, the header is not one of them"


class Stop(Exception):  # noqa: N818 - it is no error of the program
    """Ends a command with a sentence for its user and an exit code."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        self.code = code
        super().__init__(message)


@contextmanager
def telling_files(files: Mapping[str, object]) -> Iterator[None]:
    """Name files and, where they are certain, lines in faults of tables.

    Args:
        files: The file of each table.
    """
    try:
        yield
    except DataError as error:
        raise Stop("\n".join(problem_lines(error, files)), DATA) from error


def problem_lines(error: DataError, tables: Mapping[str, object]) -> list[str]:
    """The problems of a table as sentences."""
    files = {table: file for table, file in tables.items() if isinstance(file, FileTable)}
    places: dict[tuple[str, int], Place] = {}
    for table, file in files.items():
        rows = [p.row for p in error.problems if p.table == table and p.row is not None]
        if file is not None:
            places.update(zip(((table, row) for row in rows), file.places(rows), strict=True))
    told = [_told(problem, files.get(problem.table), places) for problem in error.problems]
    if error.total > 1:
        told = [f"{error.total:,} problems in the data", *(f"  {line}" for line in told)]
    if error.total > len(error.problems):
        told.append(f"  ... and {error.total - len(error.problems):,} more")
    if any(problem.row is not None for problem in error.problems):
        told.append(f"({_ROWS_TOLD})")
    for table in dict.fromkeys(p.table for p in error.problems if p.row is None and p.reason.endswith("is missing")):
        if table in files and table in ("leads", "events"):
            file = files[table]
            told.append(
                f"({file.source} has {', '.join(file.column_names)}: map them with --columns {table}.NAME=COLUMN)"
            )
    return told


def _told(problem: Problem, file: FileTable | None, places: Mapping[tuple[str, int], Place]) -> str:
    where = problem.table if file is None else _named(file.source)
    if problem.row is not None:
        place = places.get((problem.table, problem.row))
        if place is None:
            where += f", row {problem.row}"
        else:
            where = f"{_named(place.file)}, row {place.row_in_file}"
            where += f" (line {place.line})" if place.line is not None else ""
    (reason,) = [problem.reason] if file is None else file.reworded([problem.reason])
    if problem.column is None:  # the row as a whole
        found = f", found '{problem.value}'" if problem.value is not None else ""
        return f"{where}: {reason}{found}"
    where += f", column {problem.column}"
    return f"{where} {reason}" if problem.value is None else f"{where}: '{problem.value}' {reason}"


def _named(file: str) -> str:
    return "standard input" if file == STANDARD_STREAM else file


def exit_code(error: BaseException) -> int:
    """The exit code an error stands for."""
    match error:
        case Stop(code=code):
            return code
        case ModelError():
            return USAGE
        case DataError():
            return DATA
    return OTHER


def tell(error: BaseException) -> None:
    """Say on stderr what went wrong, in plain sentences; ``LEADCORE_DEBUG=1`` shows the traceback as well."""
    if os.environ.get("LEADCORE_DEBUG", "") not in ("", "0"):
        import traceback

        traceback.print_exception(error)
    match error:
        case OSError(strerror=str() as reason, filename=filename) if filename is not None:
            text = f"{filename}: {reason[:1].lower()}{reason[1:]}"
        case LeadcoreError() | Stop() | OSError():
            text = str(error)
        case MemoryError():
            text = "there is not enough memory for this"
        case _:
            text = f"something went wrong inside leadcore: {type(error).__name__}: {error}"
            text += "\nLEADCORE_DEBUG=1 shows where; please report it"
    print(f"leadcore: {text}", file=sys.stderr)
