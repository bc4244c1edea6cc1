"""What ends a command: plain sentences on stderr and an exit code (spec 12)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from leadcore._files import STANDARD_STREAM, TableFile, lines_of_rows
from leadcore.errors import DataError, LeadcoreError, ModelError, Problem

DONE, OTHER, USAGE, DATA = 0, 1, 2, 3

_ROWS_TOLD = "rows count from 0, the header is not one of them"


class Stop(Exception):  # noqa: N818 - it is no error of the program
    """Ends a command with a sentence for its user and an exit code."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        self.code = code
        super().__init__(message)


@contextmanager
def telling_files(files: Mapping[str, TableFile | None]) -> Iterator[None]:
    """Name files and, where they are certain, lines in faults of tables.

    Args:
        files: The file of each table.
    """
    try:
        yield
    except DataError as error:
        raise Stop("\n".join(problem_lines(error, files)), DATA) from error


def problem_lines(error: DataError, files: Mapping[str, TableFile | None]) -> list[str]:
    """The problems of a table as sentences."""
    lines: dict[str, dict[int, int]] = {}
    for table, file in files.items():
        rows = {p.row for p in error.problems if p.table == table and p.row is not None}
        lines[table] = {} if file is None else lines_of_rows(file.path, file.format, rows)
    told = [_told(problem, files.get(problem.table), lines.get(problem.table, {})) for problem in error.problems]
    if error.total > 1:
        told = [f"{error.total:,} problems in the data", *(f"  {line}" for line in told)]
    if error.total > len(error.problems):
        told.append(f"  ... and {error.total - len(error.problems):,} more")
    if any(problem.row is not None for problem in error.problems):
        told.append(f"({_ROWS_TOLD})")
    for table in dict.fromkeys(p.table for p in error.problems if p.row is None and p.reason.endswith("is missing")):
        file = files.get(table)
        if file is not None and table in ("leads", "events"):
            told.append(
                f"({file.path} has {', '.join(file.column_names)}: map them with --columns {table}.NAME=COLUMN)"
            )
    return told


def _told(problem: Problem, file: TableFile | None, lines: Mapping[int, int]) -> str:
    where = problem.table
    if file is not None:
        where = "standard input" if file.path == STANDARD_STREAM else file.path
    if problem.row is not None:
        where += f", row {problem.row}"
        if file is not None and problem.row in lines:
            where += f" (line {lines[problem.row]})"
    if problem.column is None:  # the row as a whole
        found = f", found '{problem.value}'" if problem.value is not None else ""
        return f"{where}: {problem.reason}{found}"
    where += f", column {problem.column}"
    return f"{where} {problem.reason}" if problem.value is None else f"{where}: '{problem.value}' {problem.reason}"


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
