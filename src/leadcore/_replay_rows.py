"""The tables of a replay from rows of plain Python values, as the reference engine gives them (spec 8.10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from leadcore._arrow import Encoder, Table
from leadcore._points import to_points
from leadcore._replay_log import CAUSES, Codes, Ints
from leadcore._replay_tables import STATUSES, Column, FinishedTables, criterion_names
from leadcore.model import Model

Rows = Sequence[dict[str, Any]]


class Told(Protocol):
    """Rows of every table: instants in microseconds, scores in micropoints."""

    transitions: list[dict[str, Any]]
    spans: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    states: list[dict[str, Any]]
    score_changes: list[dict[str, Any]]


def lead_codes(rows: Rows, encoder: Encoder) -> Codes:
    """The lead code of every row."""
    place = {lead_id: encoder.find(lead_id) for lead_id in dict.fromkeys(row["lead_id"] for row in rows)}
    return np.array([place[row["lead_id"]] for row in rows], np.uint32)


def tables_of_rows(
    model: Model, told: Told, encoder: Encoder, micropoints: bool = False, score_changes: bool = False,
    rejected_rows: Ints | None = None,
) -> FinishedTables:  # fmt: skip
    """The tables, with the columns and types the kernel's have.

    Args:
        model: The model, which has a lifecycle.
        told: The rows.
        encoder: The encoder that read the same tables: it knows what ids are.
        micropoints: Scores as whole micropoints.
        score_changes: Whether score changes were asked for.
        rejected_rows: Rejected rows by row of ``states``, where rows are rejected.
    """
    assert model.lifecycle is not None
    stages = [stage.name for stage in model.lifecycle.stages]
    rules = [rule.name for rule in model.lifecycle.transitions]
    owners = list(dict.fromkeys(stage.owner for stage in model.lifecycle.stages if stage.owner is not None))
    by = [*rules, "birth", "manual"]

    def lead_id(rows: Rows) -> Column:
        return "lead_id", ("column", encoder.ids(lead_codes(rows, encoder)))

    def points(rows: Rows, *names: str) -> list[Column]:
        values = [(name, np.array([row[name] for row in rows], np.int64)) for name in names]
        return [(name, value if micropoints else to_points(value)) for name, value in values]

    def event_id(rows: Rows) -> Column:
        values = [row["event_id"] for row in rows]
        if isinstance(encoder.event_ids(np.empty(0, np.uint32)).column("event_id"), list):
            return "event_id", ("text", values)
        known = np.array([value is not None for value in values], bool)
        return "event_id", ("nullable", np.array([value or 0 for value in values], np.int64), known)

    states: list[Column] = [
        lead_id(told.states), _word("stage", told.states, stages), _instant("entered_at", told.states),
        *points(told.states, *model.scores),
        *((name, np.array([row[name] for row in told.states], bool)) for name in model.thresholds),
    ]  # fmt: skip
    if rejected_rows is not None:
        states.append(("rejected_rows", rejected_rows))
    moves, spans, alerts, changes = told.transitions, told.spans, told.alerts, told.score_changes
    ends = np.cumsum([0, *(len(row["notify"]) for row in alerts)], dtype=np.int64)
    return FinishedTables(
        transitions=Table.build(
            [
                lead_id(moves), _instant("at", moves), _word("from_stage", moves, stages), _word("to_stage", moves, stages),
                _word("rule", moves, rules), _word("cause", moves, CAUSES), event_id(moves), *points(moves, *model.scores),
            ]
        ),
        spans=Table.build(
            [
                lead_id(spans), _word("stage", spans, stages), ("visit", np.array([row["visit"] for row in spans], np.int64)),
                _instant("entered_at", spans), _instant("left_at", spans), _word("entered_by", spans, by),
                _word("left_by", spans, by), _word("owner", spans, owners), _instant("sla_due_at", spans),
                _word("sla_status", spans, STATUSES),
            ]
        ),
        alerts=Table.build(
            [
                lead_id(alerts), _word("stage", alerts, stages), _instant("entered_at", alerts), _instant("at", alerts),
                ("level", np.array([row["level"] for row in alerts], np.int64)),
                ("notify", ("lists", ends, [name for row in alerts for name in row["notify"]])),
            ]
        ),
        states=Table.build(states),
        score_changes=Table.build(
            [
                lead_id(changes), _instant("at", changes), _word("cause", changes, CAUSES), event_id(changes),
                _word("score", changes, list(model.scores)), *points(changes, "before", "after"),
                _word("criterion", changes, criterion_names(model)),
            ]
        )
        if score_changes
        else None,
    )  # fmt: skip


def _word(name: str, rows: Rows, words: Sequence[str]) -> Column:
    """A column of texts out of a few, null where a row has none."""
    place = {word: i for i, word in enumerate(words)} | {None: -1}
    return name, ("dictionary", np.array([place[row[name]] for row in rows], np.int32), list(words))


def _instant(name: str, rows: Rows) -> Column:
    known = np.array([row[name] is not None for row in rows], bool)
    return name, ("instant", np.array([row[name] or 0 for row in rows], np.int64), known)
