"""What callers hand to a ledger, checked and brought into one form."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import numpy as np

from leadcore._arrow import Encoder, Program, Table
from leadcore._inputs import as_stream, column_names, data_errors, one_instant
from leadcore._run import Request
from leadcore.errors import DataError, LeadcoreError, Problem
from leadcore.ledger.ids import Id, one_id
from leadcore.model import Model
from leadcore.model.duration import LONGEST, Duration

ALL = -1
"""Lateness without bound."""


def moment(value: Any, name: str) -> int:
    """Microseconds of an instant given as the argument ``name``.

    Raises:
        DataError: It is none.
    """
    instant = one_instant(value, name)
    if instant is None:
        reason = "is not one instant: give a datetime, a date or ISO 8601 text"
        raise DataError([Problem(name, None, None, "None" if value is None else type(value).__name__, reason)])
    return instant


def duration(value: Any, name: str, such_as: str) -> int:
    """Microseconds of a duration given as the argument ``name``.

    Raises:
        LeadcoreError: It is none, negative or longer than a hundred years.
    """
    if not isinstance(value, (str, timedelta)):
        raise LeadcoreError(f"{name} is {such_as}, not {value!r}")
    try:
        found = Duration(value)
    except ValueError as fault:
        raise LeadcoreError(f"{name}={value!r}: {fault}") from None
    if not 0 <= found <= LONGEST:
        what = "is negative" if found < 0 else "is longer than 36525d, a hundred years"
        raise LeadcoreError(f"{name}={value!r} {what}")
    return int(found)


def lateness(value: Any) -> int:
    """Microseconds of ``late``, `ALL` for ``"all"``."""
    return ALL if value == "all" else duration(value, "late", 'a duration such as "7d", a timedelta, or "all"')


def ids(leads: Any) -> list[Id] | None:
    """Lead ids asked for, None for all.

    Raises:
        LeadcoreError: ``leads`` is no list of ids.
    """
    if leads is None:
        return None
    if isinstance(leads, (str, bytes)) or not isinstance(leads, Iterable):
        raise LeadcoreError(f"leads is a list of lead ids, not {leads!r}: for one lead give [{leads!r}]")
    return [one_id(one, "a lead id") for one in leads]


def check_threads(threads: Any) -> None:
    """Refuse what is no number of threads."""
    if threads is not None and (type(threads) is not int or threads < 1):
        raise LeadcoreError(f"threads is a whole number of at least 1, not {threads!r}")


def request(model: Model, events: Any, leads: Any, columns: Any, threads: Any) -> Request:
    """Tables for a ledger to take in.

    Raises:
        DataError: One is no table, or ``columns`` names what the model has not.
        LeadcoreError: An argument is of another kind.
    """
    check_threads(threads)
    return Request(
        events=as_stream(events, "events"),
        leads=as_stream(leads, "leads"),
        aliases=None,
        names=column_names(model, columns),
        instant=None,
        column=None,
        asks=None,
        unknown_leads="score",
        reject=False,
        sort=False,
        threads=threads,
    )


def retractions(program: Program, events: Any) -> list[tuple[Id, Id]]:
    """Lead and event ids of a table of events to take back.

    Raises:
        DataError: It is no table, a column is missing or no ids, or an id is null.
    """
    stream = as_stream(events, "events")
    if stream is None:
        return []
    columns: list[list[Id]] = []
    with data_errors("events"):
        table = Table.collect(stream)
        for name in ("lead_id", "event_id"):
            encoder = Encoder(program)
            codes = encoder.read_pairs(table, "events", {}, [name], [])[name]
            found = encoder.ids(codes).column("lead_id")
            columns.append(found.tolist() if isinstance(found, np.ndarray) else found)
    return list(zip(*columns, strict=True))
