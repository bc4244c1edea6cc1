"""What came in, as rows to keep; and kept rows as tables again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import numpy as np

from leadcore import _kernel
from leadcore._arrow import ArrowStream, Encoder, Program, Table
from leadcore._inputs import Names, column_names, data_errors
from leadcore._plan import Plan
from leadcore._run import Request
from leadcore._time import to_micros
from leadcore.errors import LeadcoreError, StateError
from leadcore.ledger.stores.base import BEFORE_ALL, AttributeRow, EventRow, LeadId
from leadcore.ledger.stores.keys import lead_id_of, lead_key
from leadcore.model import Model

_NO_CREATION = 2**63 - 1

in_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
"""The one form of JSON that is kept."""


class Given:
    """Facts of one call, each row as it is kept; `EventRow.lead` is the record's own key until it is known better.

    Attributes:
        events: Rows of declared types, with their places in the events table.
        attributes: Rows of the leads table, with theirs.
    """

    def __init__(self, events: list[tuple[int, EventRow]], attributes: list[tuple[int, AttributeRow]]) -> None:
        self.events, self.attributes = events, attributes

    @property
    def keys(self) -> list[bytes]:
        """Keys of all records concerned, each once."""
        return list(
            dict.fromkeys([*(row.record for _, row in self.events), *(row.record for _, row in self.attributes)])
        )


def given_tables(model: Model, plan: Plan, program: Program, request: Request) -> Given:
    """Read the tables of a request, which can be read again afterwards.

    Raises:
        DataError: One is faulty.
    """
    encoder = Encoder(program, False, True)
    attributes = _read_leads(encoder, request) if request.leads is not None else None
    events = _read_events(plan, encoder, request) if request.events is not None else None
    found = Given([], [])
    if attributes is not None:
        assert isinstance(request.leads, Table)
        found.attributes = list(enumerate(_attribute_rows(model, encoder, request.leads, request.names, attributes)))
    if events is not None:
        assert isinstance(request.events, Table)
        found.events = _event_rows(model, encoder, request.events, request.names, *events)
    return found


def given_event(
    model: Model, program: Program, lead_id: LeadId, at: Any, type_: str, properties: Mapping[str, Any] | None,
    event_id: LeadId | None,
) -> Given:  # fmt: skip
    """One event whose values a book has taken; of an undeclared type nothing is kept."""
    encoded = program.encode_event(type_, at, properties, event_id)
    if encoded is None:
        return Given([], [])
    key = lead_key(lead_id)
    values = {
        name: value
        for name, field in model.events[type_].items()
        if (value := _value(field.type, (properties or {}).get(name))) is not None
    }
    event = None if event_id is None else lead_key(event_id)
    return Given([(0, EventRow(key, key, event, encoded[0], type_, in_json(values)))], [])


def kept_requests(model: Model, events: Sequence[EventRow], attributes: Sequence[AttributeRow]) -> Iterator[Request]:
    """Kept rows to be taken in anew, each record under its own id.

    A table has ids of one kind, all integers or all text: rows that mix them come in several requests.
    """
    names = column_names(model, None)
    for records_are_integers in (False, True):
        some = [row for row in events if (row.record[:1] == b"i") == records_are_integers]
        rows = [row for row in attributes if (row.record[:1] == b"i") == records_are_integers]
        integers = [row for row in some if row.event_id is not None and row.event_id[:1] == b"i"]
        texts = [row for row in some if row.event_id is None or row.event_id[:1] != b"i"]
        if all(row.event_id is None for row in texts):
            integers, texts = [*integers, *texts], []
        for part in [part for part in (integers, texts) if part] or [[]]:
            if part or rows:
                yield Request(
                    events=_events_table(model, part) if part else None,
                    leads=_leads_table(model, rows) if rows else None,
                    aliases=None, names=names, instant=None, column=None, asks=None, unknown_leads="score",
                    reject=False, sort=False, threads=1,
                )  # fmt: skip
                rows = []


def collected(request: Request) -> Request:
    """The request with its tables read whole, so that they can be read again."""

    def whole(table: ArrowStream | None, name: str) -> ArrowStream | None:
        with data_errors(name):
            return table if table is None or isinstance(table, Table) else Table.collect(table)

    return replace(request, events=whole(request.events, "events"), leads=whole(request.leads, "leads"))


# what came in


def _read_leads(encoder: Encoder, request: Request) -> dict[str, Any]:
    assert request.leads is not None
    with data_errors("leads"):
        return encoder.read_leads(request.leads, request.names.leads)


def _read_events(plan: Plan, encoder: Encoder, request: Request) -> tuple[Any, ...]:
    """Lead code, instant, place in the table and identity number of every row of a declared type."""
    assert request.events is not None
    n = _kernel.BLOCK
    block = (
        np.empty(n, np.uint32), np.empty(n, np.int64), np.empty(n, np.uint32), np.empty(n, np.int64),
        np.empty(n, np.uint32), np.empty(n, np.uint32),
        np.empty((plan.codes, n), np.uint32), np.empty((plan.numbers, n), np.float64),
    )  # fmt: skip
    parts = []
    with data_errors("events"):
        encoder.open_events(request.events, request.names.events)
        while count := encoder.next_block(*block):
            parts.append(tuple(block[i][:count].copy() for i in (0, 1, 3, 4)))
    if not parts:
        return tuple(np.empty(0, np.int64) for _ in range(4))
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


def _event_rows(
    model: Model, encoder: Encoder, table: Table, names: Names, lead: Any, at: Any, row: Any, identity: Any
) -> list[tuple[int, EventRow]]:
    key_of = _keys(encoder, lead)
    identities, place = np.unique(identity, return_inverse=True)
    known = encoder.event_ids(identities.astype(np.uint32)).column("event_id")
    ids = [None if value is None else lead_key(value) for value in _plain(known)]
    here = table.take(row)
    types = [str(value) for value in _column(here, names.events, "type")]
    wanted = {name: field.type for declared in model.events.values() for name, field in declared.items()}
    columns = {name: _values(here, names.events, name, kind) for name, kind in wanted.items()}
    declared = {type_: [(name, columns[name]) for name in fields] for type_, fields in model.events.items()}
    rows = []
    for i, (place_, code, instant, which, type_) in enumerate(
        zip(row.tolist(), lead.tolist(), at.tolist(), place.tolist(), types, strict=True)
    ):
        values = {name: column[i] for name, column in declared[type_] if column[i] is not None}
        key = key_of[code]
        rows.append((place_, EventRow(key, key, ids[which], instant, type_, in_json(values))))
    return rows


def _attribute_rows(
    model: Model, encoder: Encoder, table: Table, names: Names, read: dict[str, Any]
) -> list[AttributeRow]:
    code = read["code"]
    key_of = _keys(encoder, code)
    count = len(code)
    valid_from = read.get("valid_from", np.full(count, BEFORE_ALL, np.int64)).tolist()
    created_at = read.get("created_at", np.full(count, _NO_CREATION, np.int64)).tolist()
    columns = {name: _values(table, names.leads, name, field.type) for name, field in model.attributes.items()}
    if model.accounts is not None and names.leads.get("account_id", "account_id") in table.column_names:
        columns["account_id"] = [None if v is None else v for v in _plain(_column(table, names.leads, "account_id"))]
    rows = []
    for i in range(count):
        values = {name: column[i] for name, column in columns.items() if column[i] is not None}
        key, created = key_of[int(code[i])], created_at[i]
        rows.append(
            AttributeRow(key, key, valid_from[i], None if created == _NO_CREATION else created, in_json(values))
        )
    return rows


def _keys(encoder: Encoder, codes: Any) -> dict[int, bytes]:
    distinct = np.unique(codes).astype(np.uint32)
    ids = _plain(encoder.ids(distinct).column("lead_id"))
    return {int(code): lead_key(lead_id) for code, lead_id in zip(distinct.tolist(), ids, strict=True)}


def _column(table: Table, names: Mapping[str, str], name: str) -> Any:
    return table.column(names.get(name, name))


def _plain(column: Any) -> list[Any]:
    found: list[Any] = column.tolist() if isinstance(column, np.ndarray) else column
    return found


def _values(table: Table, names: Mapping[str, str], name: str, kind: str) -> list[Any]:
    """A column as values for JSON: instants as microseconds, numbers as floats."""
    if names.get(name, name) not in table.column_names:
        return [None] * len(table)  # it is optional, or the edge had refused the table
    column = _column(table, names, name)
    if isinstance(column, np.ndarray):
        if kind == "instant":
            whole = column.astype("datetime64[us]").astype(np.int64)
            return [None if value == BEFORE_ALL else value for value in whole.tolist()]
        if kind == "number":
            column = column.astype(np.float64)
        elif kind == "boolean":
            column = column.astype(bool)
    return [_value(kind, value) for value in _plain(column)]


def _value(kind: str, value: Any) -> Any:
    """A value that the edge has found to be of its kind, in the one form that JSON keeps."""
    if value is None:
        return None
    if kind == "text":
        return str(value)
    if isinstance(value, str) and not value:
        return None  # an empty field of a CSV file
    if kind == "number":
        number = float(value)
        return None if math.isnan(number) else number + 0.0  # -0.0 is 0.0
    if kind == "boolean":
        return value == "true" if isinstance(value, str) else bool(value)
    if isinstance(value, np.datetime64):
        micros = int(value.astype("datetime64[us]").astype(np.int64))
        return None if micros == BEFORE_ALL else micros
    if isinstance(value, int):
        return value
    return to_micros(value if isinstance(value, (str, date, datetime)) else str(value))


# kept rows as tables


def _events_table(model: Model, rows: Sequence[EventRow]) -> Table:
    kinds = {name: field.type for declared in model.events.values() for name, field in declared.items()}
    values = [_object(row.properties) for row in rows]
    ids = [None if row.event_id is None else lead_id_of(row.event_id) for row in rows]
    return Table.build(
        [
            ("lead_id", _ids([lead_id_of(row.record) for row in rows])),
            ("at", ("instant", np.array([row.at for row in rows], np.int64), None)),
            ("type", ("text", [row.type for row in rows])),
            ("event_id", _ids(ids)),
            *((name, _typed(kind, [value.get(name) for value in values])) for name, kind in kinds.items()),
        ]
    )


def _leads_table(model: Model, rows: Sequence[AttributeRow]) -> Table:
    kinds = {name: field.type for name, field in model.attributes.items()}
    values = [_object(row.attributes) for row in rows]
    since = [None if row.valid_from == BEFORE_ALL else row.valid_from for row in rows]
    columns = [
        ("lead_id", _ids([lead_id_of(row.record) for row in rows])),
        ("valid_from", _typed("instant", since)),
        ("created_at", _typed("instant", [row.created_at for row in rows])),
        *((name, _typed(kind, [value.get(name) for value in values])) for name, kind in kinds.items()),
    ]
    if model.accounts is not None:
        columns.append((model.accounts.key, _ids([value.get("account_id") for value in values])))
    return Table.build(columns)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise StateError(f"the store is damaged: {text[:32]!r} is no JSON object")
    return found


def _typed(kind: str, values: list[Any]) -> Any:
    kinds: dict[str, Any] = {"number": (int, float), "boolean": bool, "instant": int, "text": str}
    for value in values:
        if value is not None and not isinstance(value, kinds[kind]):
            raise LeadcoreError(
                f"{value!r} was kept by a model in which it was no {kind}: to migrate, give events and leads anew"
            )
    if kind == "text":
        return ("text", values)
    dtype: Any = {"number": np.float64, "boolean": np.bool_, "instant": np.int64}[kind]
    valid = np.array([value is not None for value in values], bool)
    filled = np.array([value or 0 for value in values], dtype)
    return ("instant" if kind == "instant" else "nullable", filled, valid)


def _ids(ids: list[LeadId | None]) -> Any:
    """Integers if all are; a table has ids of one kind."""
    if all(value is None or isinstance(value, int) for value in ids) and any(value is not None for value in ids):
        return ("nullable", np.array([value or 0 for value in ids], np.int64), np.array([v is not None for v in ids]))
    return ("text", [None if value is None else str(value) for value in ids])


__all__ = ["Given", "collected", "given_event", "given_tables", "in_json", "kept_requests"]
