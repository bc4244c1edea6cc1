"""Tables made from moves, and tables made from rows, say what the reference engine says of random lifecycles (spec 8.9, 8.10)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest

from leadcore import _reference
from leadcore._replay_log import CAUSES, Changes, Moves, ReplayLog
from leadcore._replay_rows import lead_codes, tables_of_rows
from leadcore._replay_tables import NAMES, ReplayTables, criterion_names
from leadcore._time import to_micros
from leadcore.model import Model
from tests.random_lifecycles import replay_case
from tests.replay_logs import encoder_of
from tests.replayed import rows_differ

CASES, BLOCKS = 300, 10


def rows_of(table: Any) -> list[dict[str, Any]]:
    """A table as the reference engine gives it: instants in microseconds."""
    return [
        {name: to_micros(value) if isinstance(value, datetime) else value for name, value in row.items()}
        for row in table.to_dicts()
    ]


def log_of_rows(model: Model, told: _reference.ReplayResult, encoder: Any, event_ids: list[Any]) -> ReplayLog:
    """What a kernel would have said, from the reference's transitions, states and score changes alone."""
    scores, criteria = list(model.scores), criterion_names(model)
    stages = {stage.name: i for i, stage in enumerate(model.lifecycle.stages)} | {None: -1}
    rules = {rule.name: i for i, rule in enumerate(model.lifecycle.transitions)} | {None: -1}
    place = {row["lead_id"]: i for i, row in enumerate(told.states)}
    number = {event: i for i, event in enumerate(event_ids)} | {None: -1}

    def ints(rows: list[dict[str, Any]], of: Any, kind: Any = np.int64) -> Any:
        return np.array([of(row) for row in rows], kind)

    def table(rows: list[dict[str, Any]]) -> Any:
        return np.array([[row[name] for name in scores] for row in rows], np.int64).reshape(-1, len(scores))

    moves, changes, states = told.transitions, told.score_changes, told.states
    return ReplayLog(
        lead=lead_codes(states, encoder),
        stage=ints(states, lambda row: stages[row["stage"]], np.int32),
        entered=ints(states, lambda row: row["entered_at"] or 0),
        scores=table(states),
        thresholds=np.array([[row[name] for name in model.thresholds] for row in states], np.uint8).reshape(
            len(states), len(model.thresholds)
        ),
        moves=Moves(
            ints(moves, lambda row: place[row["lead_id"]]), ints(moves, lambda row: row["at"]),
            ints(moves, lambda row: stages[row["from_stage"]], np.int32),
            ints(moves, lambda row: stages[row["to_stage"]], np.int32), ints(moves, lambda row: rules[row["rule"]], np.int32),
            ints(moves, lambda row: CAUSES.index(row["cause"]), np.int32), ints(moves, lambda row: number[row["event_id"]]),
            table(moves),
        ),
        changes=Changes(
            ints(changes, lambda row: place[row["lead_id"]]), ints(changes, lambda row: row["at"]),
            ints(changes, lambda row: CAUSES.index(row["cause"]), np.int32), ints(changes, lambda row: number[row["event_id"]]),
            ints(changes, lambda row: scores.index(row["score"]), np.int32), ints(changes, lambda row: row["before"]),
            ints(changes, lambda row: row["after"]),
            ints(changes, lambda row: -1 if row["criterion"] is None else criteria.index(row["criterion"]), np.int32),
        ),
        loop_stops=np.zeros(len(rules) - 1, np.int64), manual_current=0, manual_unknown=0,
    )  # fmt: skip


@pytest.mark.parametrize("block", range(BLOCKS))
def test_tables_are_those_of_the_reference(block):
    """From its transitions alone come the reference's spans, alerts and everything else, by both ways of making tables."""
    for seed in range(block * CASES // BLOCKS, (block + 1) * CASES // BLOCKS):
        case = replay_case(seed)
        model = Model.model_validate(case.document)
        told = _reference.replay(
            model, case.leads, case.events, case.until, case.aliases, case.unknown_leads, case.start, score_changes=True
        )
        ids = [row["lead_id"] for row in told.states]
        event_ids = list(dict.fromkeys(row["event_id"] for row in case.events if row.get("event_id") is not None))
        if not ids:
            continue
        encoder = encoder_of(model, ids, event_ids)
        log = log_of_rows(model, told, encoder, event_ids)
        made = ReplayTables(model, log, encoder, case.until, micropoints=True)
        written = tables_of_rows(model, told, encoder, micropoints=True, score_changes=True)
        points = tables_of_rows(model, told, encoder)
        for name in (*NAMES, "score_changes"):
            said = rows_differ(rows_of(getattr(made, name)), getattr(told, name))
            assert said is None, f"replay_case({seed}), {name} from moves: {said}"
            said = rows_differ(rows_of(getattr(written, name)), getattr(told, name))
            assert said is None, f"replay_case({seed}), {name} from rows: {said}"
            assert made.leads(name).tolist() == written.leads(name).tolist()
            if name != "score_changes":
                plain = ReplayTables(model, log, encoder, case.until)
                assert rows_of(getattr(plain, name)) == rows_of(getattr(points, name))
        assert points.score_changes is None
