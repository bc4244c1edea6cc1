"""Both engines behind one function, plain rows in and plain rows out, to run the same tests over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import pyarrow as pa

import leadcore as lc
from leadcore import _reference
from leadcore._time import to_micros, to_text
from leadcore.model import Model

ENGINES = ("reference", "kernel")
"""The engines that tests run over."""

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Answer:
    """What an engine said.

    Attributes:
        rows: One per lead and T, scores in micropoints, columns as in spec 12.
        accounts: One per account (spec 6.6).
        lines: Each row's explanation: (score, group, criterion, part, micropoints), spec 7.
        ignored: Rows of each undeclared event type.
    """

    rows: list[dict[str, Any]]
    accounts: list[dict[str, Any]]
    lines: list[list[tuple[Any, ...]]]
    ignored: dict[str, int]


@dataclass(frozen=True)
class Replayed:
    """What an engine said of a replay: rows as of the reference engine, instants in microseconds, scores in micropoints.

    Attributes:
        transitions, spans, alerts, states: The tables of spec 8.10.
        score_changes: Empty if not asked for.
        ignored: Rows of each undeclared event type.
        loop_stops: By transition, how often it was passed over (spec 8.5).
        manual_current, manual_unknown: Manual events that moved nobody (spec 8.7).
    """

    transitions: list[dict[str, Any]]
    spans: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    states: list[dict[str, Any]]
    score_changes: list[dict[str, Any]]
    ignored: dict[str, int]
    loop_stops: dict[str, int]
    manual_current: int
    manual_unknown: int


def run(
    engine: str,
    model: Model,
    leads: Rows | None,
    events: Rows,
    as_of: Any,
    aliases: Rows | None = None,
    unknown_leads: Any = "score",
    **options: Any,
) -> Answer:
    """Score with the engine of this name; arguments as for the reference engine, instants in microseconds;
    ``options`` go to the kernel's `Scorer.score`."""
    if engine == "reference":
        result = _reference.score(model, leads, events, as_of, aliases, unknown_leads)
        return Answer(result.rows, result.accounts, list(result.lines), result.ignored)
    if engine == "kernel":
        return _kernel(model, leads, events, as_of, aliases, unknown_leads, **options)
    raise NotImplementedError(engine)


def _kernel(
    model: Model,
    leads: Rows | None,
    events: Rows,
    as_of: Any,
    aliases: Rows | None,
    unknown_leads: Any,
    layout: Callable[[pa.Table], Any] = lambda table: table,
    **options: Any,
) -> Answer:
    """Through the public scorer and Arrow, back to plain rows; ``layout`` may lay the same tables out anew."""
    properties = {name: field.type for declared in model.events.values() for name, field in declared.items()}
    attributes = {name: field.type for name, field in model.attributes.items()}
    asked: Any = as_of
    if isinstance(as_of, int):
        asked = to_text(as_of)
    elif isinstance(as_of, Mapping):
        asked = lc.column("as_of")
        leads = [{**row, "as_of": as_of.get(row["lead_id"])} for row in leads or []]
        attributes = {**attributes, "as_of": "instant"}
    else:
        asked = arrow([{"lead_id": lead, "as_of": now} for lead, now in as_of], {"as_of": "instant"})
    scores = lc.Scorer(model).score(
        layout(arrow(events, {"at": "instant", "type": "text", **properties})),
        None
        if leads is None
        else layout(arrow(leads, {"created_at": "instant", "valid_from": "instant", **attributes})),
        as_of=asked,
        aliases=None if not aliases else arrow(aliases, {}),
        unknown_leads=unknown_leads,
        explain=True,
        micropoints=True,
        **options,
    )
    rows = [
        {name: to_micros(value) if name == "as_of" else value for name, value in row.items()}
        for row in scores.to_dicts()
    ]
    lines = [
        [(line.score, line.group, line.criterion, line.part, line.micropoints) for line in one.explain().lines]
        for one in scores
    ]
    accounts = [] if model.accounts is None or not isinstance(as_of, int) else scores.accounts.to_dicts()
    return Answer(rows, accounts, lines, scores.counts.ignored)


def replay(
    engine: str,
    model: Model,
    leads: Rows | None,
    events: Rows,
    until: int,
    aliases: Rows | None = None,
    unknown_leads: Any = "score",
    start: Rows | None = None,
    score_changes: bool = False,
    **options: Any,
) -> Replayed:
    """Replay with the engine of this name; arguments as for the reference engine, instants in microseconds;
    ``options`` go to the kernel's `Scorer.replay`."""
    if engine == "reference":
        result = _reference.replay(model, leads, events, until, aliases, unknown_leads, start, score_changes)
        return Replayed(**{field.name: getattr(result, field.name) for field in fields(Replayed)})
    if engine == "kernel":
        return _kernel_replay(model, leads, events, until, aliases, unknown_leads, start, score_changes, **options)
    raise NotImplementedError(engine)


def _kernel_replay(
    model: Model,
    leads: Rows | None,
    events: Rows,
    until: int,
    aliases: Rows | None,
    unknown_leads: Any,
    start: Rows | None,
    score_changes: bool,
    layout: Callable[[pa.Table], Any] = lambda table: table,
    **options: Any,
) -> Replayed:
    """Through the public scorer and Arrow, back to plain rows; ``layout`` may lay the same tables out anew."""
    properties = {name: field.type for declared in model.events.values() for name, field in declared.items()}
    attributes = {name: field.type for name, field in model.attributes.items()}
    result = lc.Scorer(model).replay(
        layout(arrow(events, {"at": "instant", "type": "text", **properties})),
        None
        if leads is None
        else layout(arrow(leads, {"created_at": "instant", "valid_from": "instant", **attributes})),
        until=to_text(until),
        start=None if start is None else layout(arrow(start, {"stage": "text", "entered_at": "instant"})),
        aliases=None if not aliases else arrow(aliases, {}),
        unknown_leads=unknown_leads,
        score_changes=score_changes,
        micropoints=True,
        **options,
    )

    def rows(frame: Any) -> list[dict[str, Any]]:
        """Instants back in microseconds."""
        return [
            {name: to_micros(value) if isinstance(value, datetime) else value for name, value in row.items()}
            for row in frame.to_dicts()
        ]

    return Replayed(
        rows(result.transitions),
        rows(result.spans),
        rows(result.alerts),
        rows(result.states),
        rows(result.score_changes) if score_changes else [],
        result.counts.ignored,
        result.counts.loop_stops,
        result.counts.manual_current,
        result.counts.manual_unknown,
    )


ARROW = {
    "text": pa.string(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "instant": pa.timestamp("us", "UTC"),
}


def arrow(rows: Rows, types: Mapping[str, str]) -> pa.Table:
    """Rows as an Arrow table of declared types; ids keep theirs."""
    names = list(dict.fromkeys([*types, *(name for row in rows for name in row), "lead_id"]))
    optional = {"created_at", "valid_from", "account_id", "event_id"}
    names = [name for name in names if name not in optional or any(name in row for row in rows)]
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        if name in types and not any(isinstance(value, int) and abs(value) > 2**53 for value in values):
            columns[name] = pa.array(values, ARROW[types[name]])
        elif types.get(name) == "instant":
            columns[name] = pa.array(values, pa.timestamp("us", "UTC"))
        else:
            columns[name] = pa.array(values)  # ids: integers, text, or nothing at all
    return pa.table(columns)
