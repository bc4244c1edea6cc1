"""Rows of leads and events, read and checked (spec 2)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leadcore._reference.calendar import FIRST, LAST
from leadcore._reference.conditions import Value
from leadcore.errors import DataError, Problem
from leadcore.model.document import FieldDeclaration, Model

Id = int | str
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """A row of leads: attributes in force from an instant on, None: since ever (spec 2.1)."""

    source: Id
    valid_from: int | None
    created_at: int | None
    account: Id | None
    attributes: dict[str, Value]
    row: int


@dataclass(frozen=True, slots=True)
class Event:
    """A row of events of a declared type, with that type's properties in document order (spec 2.2)."""

    lead_id: Id
    at: int
    type: str
    event_id: Id | None
    properties: dict[str, Value]
    row: int


@dataclass(slots=True)
class Problems:
    """Every fault of the tables, raised at once (spec 11)."""

    found: list[Problem] = field(default_factory=list)

    def add(self, table: str, row: int | None, column: str | None, value: Any, reason: str) -> None:
        """Note a fault; values are shown in at most 32 characters."""
        shown = None if value is None else str(value)[:32]
        self.found.append(Problem(table, row, column, shown, reason))

    def stop(self) -> None:
        """Raise if anything was noted."""
        if self.found:
            raise DataError(self.found)


def read_leads(model: Model, rows: Iterable[Row], problems: Problems) -> list[Facts]:
    """Rows of leads (spec 2.1): "unique per (`lead_id`, `valid_from`)"; without it a lead has one row."""
    key = model.accounts.key if model.accounts else "account_id"
    facts = []
    seen: dict[tuple[Id, int | None], int] = {}
    for number, row in enumerate(rows):
        reader = RowReader("leads", number, row, problems)
        lead = reader.id("lead_id")
        valid_from = reader.instant("valid_from", required=False)
        created_at = reader.instant("created_at", required=False)
        account = reader.id(key, required=False)
        attributes = {name: reader.value(name, declared) for name, declared in model.attributes.items()}
        if lead is None:
            continue
        if (lead, valid_from) in seen:
            reader.fault("lead_id", lead, f"row {seen[lead, valid_from]} is of the same lead and valid_from")
            continue
        seen[lead, valid_from] = number
        facts.append(Facts(lead, valid_from, created_at, account, attributes, number))
    return facts


def read_events(model: Model, rows: Iterable[Row], problems: Problems) -> tuple[list[Event], dict[str, int]]:
    """Rows of events of declared types, and how many rows there were of each other type (spec 2.2, 2.6).

    Spec 2.2: "a property that a row's type does not declare is not read"; spec 2.5: "Rows of undeclared types take no
    part", so nothing else of them is read either.
    """
    events = []
    ignored: dict[str, int] = {}
    for number, row in enumerate(rows):
        reader = RowReader("events", number, row, problems)
        type_ = row.get("type")
        if not isinstance(type_, str):
            reader.fault("type", type_, "an event type is wanted here")
            continue
        if type_ not in model.events:
            ignored[type_] = ignored.get(type_, 0) + 1
            continue
        lead = reader.id("lead_id")
        at = reader.instant("at", required=True)
        event_id = reader.id("event_id", required=False)
        properties = {name: reader.value(name, declared) for name, declared in model.events[type_].items()}
        if lead is not None and at is not None:
            events.append(Event(lead, at, type_, event_id, properties, number))
    return events, ignored


@dataclass(frozen=True, slots=True)
class RowReader:
    """One row's values, with a fault noted and null returned for each that does not fit its type (spec 2.7)."""

    table: str
    number: int
    row: Row
    problems: Problems

    def fault(self, column: str, value: Any, reason: str) -> None:
        """Note a fault of this row."""
        self.problems.add(self.table, self.number, column, value, reason)

    def id(self, column: str, required: bool = True) -> Id | None:
        """An id: a 64-bit integer or text (spec 2.1, 2.2)."""
        value = self.row.get(column)
        if value is None:
            if required:
                self.fault(column, None, "is null")
            return None
        if not is_id(value):
            self.fault(column, value, "an id is a 64-bit integer or text")
            return None
        return value  # type: ignore[no-any-return]  # checked above

    def instant(self, column: str, required: bool) -> int | None:
        """An instant within years 1 to 9999 (spec 1.1)."""
        value = self.row.get(column)
        if value is None and required:
            self.fault(column, None, "is null")
        return self._instant(column, value)

    def _instant(self, column: str, value: Any) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(column, value, "an instant in microseconds is wanted here")
            return None
        if not FIRST <= value <= LAST:
            self.fault(column, value, "instants lie within years 1 to 9999")
            return None
        return value

    def value(self, column: str, declared: FieldDeclaration) -> Value:
        """A value of a declared type (spec 2.7)."""
        value = self.row.get(column)
        if value is None:
            return None
        if declared.type == "instant":
            return self._instant(column, value)
        if declared.type == "number":
            return self._number(column, value)
        if isinstance(value, bool if declared.type == "boolean" else str):
            return value
        self.fault(column, value, f"a {declared.type} is wanted here")
        return None

    def _number(self, column: str, value: Any) -> float | None:
        """A number or null.

        Spec 2.7: "float64; integers convert exactly or are refused; NaN reads as null; infinities are refused; -0.0 is 0.0".
        """
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.fault(column, value, "a number is wanted here")
            return None
        if isinstance(value, int):
            if abs(value) >= 2**64 or int(float(value)) != value:
                self.fault(column, value, "this integer is no float64")
                return None
            return float(value)
        if math.isnan(value):
            return None
        if math.isinf(value):
            self.fault(column, value, "infinite")
            return None
        return value + 0.0


def is_id(value: Any) -> bool:
    """Whether a value can be an id: a 64-bit integer or text."""
    if isinstance(value, bool):
        return False
    return isinstance(value, str) or (isinstance(value, int) and -(2**63) <= value < 2**63)


def check_ids_agree(named: Sequence[tuple[str, int, str, Id | None]], problems: Problems) -> None:
    """Ids of one kind are integers or text throughout (spec 2.1, 2.2).

    Args:
        named: (table, row, column, id) of each.
        problems: Where to note the first that differs from the first.
    """
    kinds = [(type(value), table, row, column, value) for table, row, column, value in named if value is not None]
    for kind, table, row, column, value in kinds:
        if kind is not kinds[0][0]:
            problems.add(table, row, column, value, "ids are integers or text throughout, not both")
            return
