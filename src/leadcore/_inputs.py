"""What callers hand in, brought into one form: tables, column names, instants of evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from leadcore._arrow import ArrowStream, EdgeError, from_python
from leadcore._time import to_micros
from leadcore.errors import DataError, LeadcoreError, Problem
from leadcore.model import Model

TableLike = ArrowStream | Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""Anything with ``__arrow_c_stream__``, a dict of lists or numpy arrays, or a list of dicts."""

LEAD_COLUMNS = ("lead_id", "account_id", "created_at", "valid_from")
EVENT_COLUMNS = ("lead_id", "at", "type", "event_id")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the leads table that gives each lead its own instant."""

    name: str


def column(name: str) -> Column:
    """Score each lead as of the instant in this column of ``leads``.

    Example:
        >>> column("demo_booked_at")
        Column(name='demo_booked_at')
    """
    return Column(name)


AsOf = datetime | date | str | Column | TableLike
"""One instant, a `Column` of leads, or a table (lead_id, as_of)."""


@contextmanager
def data_errors(table: str) -> Iterator[None]:
    """Turn faults the edge finds, and whatever a caller's table raises, into `DataError`.

    Errors of files and of memory pass.
    """
    try:
        yield
    except EdgeError as fault:
        problems = [Problem(p[0] or table, *p[1:]) for p in fault.problems]
        raise DataError(problems, fault.total) from None
    except (LeadcoreError, OSError, MemoryError):
        raise
    except Exception as fault:
        told = f"it cannot be read as a table: {type(fault).__name__}: {fault}"
        raise DataError([Problem(table, None, None, None, told)]) from fault


def as_stream(table: TableLike | None, name: str) -> ArrowStream | None:
    """The table as something with ``__arrow_c_stream__``; None, and a list without rows, as None.

    Raises:
        DataError: It is none of the forms of `TableLike`, or its columns mix types or lengths.
    """
    if table is None or hasattr(table, "__arrow_c_stream__"):
        return table
    if isinstance(table, list) and not table:
        return None
    if isinstance(table, Mapping) or (isinstance(table, Sequence) and not isinstance(table, (str, bytes))):
        with data_errors(name):
            return from_python(table)
    raise DataError(
        [
            Problem(
                name,
                None,
                None,
                type(table).__name__,
                "is no table: give anything with __arrow_c_stream__ (Polars, pandas, pyarrow, DuckDB ...), a dict of "
                "columns or a list of dicts",
            )
        ]
    )  # fmt: skip


def one_instant(value: Any, name: str = "as_of") -> int | None:
    """Microseconds of an instant given directly as the argument ``name``, or None if ``value`` is a column or a table.

    Raises:
        DataError: Text that is no instant.
    """
    if isinstance(value, (str, date)):
        try:
            return to_micros(value)
        except ValueError as fault:
            raise DataError([Problem(name, None, None, None, str(fault))]) from None
    return None


@dataclass(frozen=True, slots=True)
class Names:
    """Column names by spec name, per table (spec 2.3)."""

    leads: dict[str, str]
    events: dict[str, str]


def column_names(model: Model, columns: Mapping[str, Any] | None) -> Names:
    """Read ``columns={"events": {...}, "leads": {...}}`` or a flat map that applies to both.

    Raises:
        DataError: A name that neither table has.
    """
    properties = {name for declared in model.events.values() for name in declared}
    known = {"leads": {*LEAD_COLUMNS, *model.attributes}, "events": {*EVENT_COLUMNS, *properties}}
    if model.accounts is not None:
        known["leads"].add("account_id")
    if columns is not None and not isinstance(columns, Mapping):
        raise LeadcoreError(f"columns is a mapping of the model's names to yours, not {type(columns).__name__}")
    given = dict(columns or {})
    if any(isinstance(value, Mapping) for value in given.values()):
        maps = {table: dict(given.pop(table, {})) for table in known}
        unknown = [("columns", name) for name in given]
        unknown += [(table, name) for table, names in maps.items() for name in names if name not in known[table]]
    else:
        maps = {table: {n: c for n, c in given.items() if n in names} for table, names in known.items()}
        unknown = [("columns", name) for name in given if not any(name in names for names in known.values())]
    for names in maps.values():
        for name, mapped in names.items():
            if not isinstance(mapped, str):
                raise LeadcoreError(f"columns: {name} is mapped to a column's name, not to {mapped!r}")
    if unknown:
        raise DataError(
            [Problem(table, None, name, None, "is not a name of the model: columns maps the model's names to yours")
             for table, name in unknown]
        )  # fmt: skip
    if model.accounts is not None and model.accounts.key != "account_id":
        maps["leads"].setdefault("account_id", model.accounts.key)
    return Names(maps["leads"], maps["events"])
