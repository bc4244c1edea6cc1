"""What callers hand to a ledger, checked and brought into one form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    if value is None:
        raise DataError([Problem(name, None, None, None, "is missing: give a datetime, a date or ISO 8601 text")])
    if instant is None:
        reason = "is not one instant: give a datetime, a date or ISO 8601 text"
        raise DataError([Problem(name, None, None, type(value).__name__, reason)])
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


def event_lead(lead_id: Any, properties: Any) -> Id:
    """The lead id of one event, and its properties looked at.

    Raises:
        DataError: They are no lead id, or no properties.
    """
    if type(lead_id) is not str or not lead_id.isascii():
        reason = no_id(lead_id)
        if reason is not None:
            value = None if lead_id is None else ascii(lead_id)[:32]
            raise DataError([Problem("events", 0, "lead_id", value, reason)])
    lead: Id = lead_id if isinstance(lead_id, str) else int(lead_id)
    if properties is not None and type(properties) is not dict and not isinstance(properties, Mapping):
        found = type(properties).__name__
        raise DataError([Problem("events", 0, None, None, f"properties are a mapping by name, not {found}")])
    return lead


def no_id(value: Any) -> str | None:
    """Why a value is no id, in words."""
    if value is None:
        return "is null"
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return None if -(2**63) <= value < 2**63 else "does not fit 64 bits: give it as text"
    if not isinstance(value, str):
        return "is neither an integer nor text"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "is no valid text"
    return None


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
    if events is None:
        raise DataError([Problem("events", None, None, None, "a table (lead_id, event_id) is missing")])
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
