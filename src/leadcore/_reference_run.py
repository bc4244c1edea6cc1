"""A run on the reference engine: the same tables and the same result, recomputed by the slow twin."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any, cast

import numpy as np

from leadcore._arrow import ArrowStream, Table
from leadcore._inputs import EVENT_COLUMNS, LEAD_COLUMNS
from leadcore._plan import Plan
from leadcore._reference import replay, score
from leadcore._reference.replay import ReplayResult
from leadcore._replay_rows import tables_of_rows
from leadcore._replay_tables import FinishedTables, Tables
from leadcore._run import Answers, Asks, Reading, Request
from leadcore._time import to_micros
from leadcore.model import Model
from leadcore.replay import ReplayCounts


def reference_answers(
    model: Model, plan: Plan, request: Request, reading: Reading, asks: Asks
) -> tuple[Answers, dict[str, int]]:
    """What the reference engine says to the same asks; the request's tables must be re-readable."""
    ids = reading.encoder.ids(asks.lead).column("lead_id")
    pairs = [(lead if isinstance(lead, str) else int(lead), int(at)) for lead, at in zip(ids, asks.at, strict=True)]
    leads, events, aliases, _ = _tables(model, request, reading)
    result = score(model, leads, events or [], pairs, aliases)
    width, count = plan.tables["lines_size"], len(pairs)
    answers = Answers(
        np.zeros((count, len(plan.scores)), np.int64),
        np.zeros((count, len(plan.scores) if plan.grades else 0), np.int32),
        np.zeros(count if plan.ratings else 0, np.int32),
        np.zeros(count if plan.labels else 0, np.int32),
        np.zeros((count, 2 * width), np.int64),
    )
    place: dict[tuple[str | None, ...], int] = {
        (line.score, line.group, line.criterion, line.part): line.index for line in plan.lines
    }
    for i, (row, lines) in enumerate(zip(result.rows, result.lines, strict=True)):
        for j, name in enumerate(plan.scores):
            answers.scores[i, j] = row[name]
            if name in plan.grades:
                answers.grades[i, j] = plan.grades[name].index(row[f"{name}_grade"])
        if plan.ratings:
            answers.rating[i] = plan.ratings.index(row["rating"])
        if plan.labels:
            answers.label[i] = plan.labels.index(row["label"])
        for *what, value in lines:
            index = place[tuple(what)]
            answers.lines[i, index] = (value + 2**63) % 2**64 - 2**63
            answers.lines[i, width + index] = value >> 64
    overflow = result.unique_by_overflow
    return answers, {"": overflow} if overflow else {}


def reference_replay(
    model: Model,
    request: Request,
    reading: Reading,
    kernel: Tables,
    counts: ReplayCounts,
    rejected: Any,
    micropoints: bool,
) -> tuple[FinishedTables, ReplayCounts]:
    """What the reference engine says of the same replay; the kernel's tables tell whether score changes were asked for."""
    leads, events, aliases, start = _tables(model, request, reading)
    if request.instant is None:
        raise TypeError("a replay ends at one instant")
    result = replay(
        model, leads, events or [], request.instant, aliases, cast("Any", request.unknown_leads), start,
        kernel.score_changes is not None,
    )  # fmt: skip
    _complete(model, request, kernel, result)
    counts = replace(
        counts, loop_stops=result.loop_stops, manual_current=result.manual_current, manual_unknown=result.manual_unknown
    )
    changes = kernel.score_changes is not None
    return tables_of_rows(model, result, reading.encoder, micropoints, changes, rejected), counts


def _complete(model: Model, request: Request, kernel: Tables, result: ReplayResult) -> None:
    """Add leads of rejected rows alone, which are no rows to the reference engine, and sort as was asked."""
    place = {row["lead_id"]: i for i, row in enumerate(kernel.states.select(["lead_id"]).to_dicts())}
    if request.reject and request.instant is not None:
        known = {row["lead_id"] for row in result.states}
        alone = [{"lead_id": lead_id} for lead_id in place if lead_id not in known]
        result.states += replay(model, alone, [], request.instant).states
    if request.reject or request.sort:
        for rows in (result.transitions, result.spans, result.alerts, result.states, result.score_changes):
            rows.sort(key=lambda row: place[row["lead_id"]])


def _tables(model: Model, request: Request, reading: Reading) -> tuple[list[dict[str, Any]] | None, ...]:
    """Rows of leads, events, aliases and start, less those the edge rejected."""
    gone: dict[str, set[int]] = {}
    for fault in reading.rejects().to_dicts():
        gone.setdefault(fault["table"], set()).add(fault["row"])

    def rows(name: str, table: ArrowStream | None, names: dict[str, str]) -> list[dict[str, Any]] | None:
        return None if table is None else _rows(table, names, model, gone.get(name, set()))

    return (
        rows("leads", request.leads, request.names.leads),
        rows("events", request.events, request.names.events),
        rows("aliases", request.aliases, {}),
        rows("start", request.start, {}),
    )


def _rows(table: ArrowStream, names: dict[str, str], model: Model, gone: set[int]) -> list[dict[str, Any]]:
    """Rows under the model's names, instants in microseconds, less those the edge rejected; extra columns ignored."""
    declared = [*model.attributes.items(), *(field for fields in model.events.values() for field in fields.items())]
    instants = {
        "at",
        "created_at",
        "valid_from",
        "entered_at",
        *(name for name, field in declared if field.type == "instant"),
    }
    known = {*LEAD_COLUMNS, *EVENT_COLUMNS, "same_as", "stage", "entered_at", *(name for name, _ in declared)}
    whole = Table.collect(table)
    columns = {names.get(name, name): name for name in known}  # a name that is mapped is read there and nowhere else
    found = whole.select([column for column in whole.column_names if column in columns])
    rows = [
        {columns[column]: value for column, value in row.items()}
        for i, row in enumerate(found.to_dicts())
        if i not in gone
    ]
    for row in rows:
        for name, value in row.items():
            if isinstance(value, (datetime, date)) or (name in instants and isinstance(value, str)):
                row[name] = to_micros(value)
    return rows
