"""Replays put together by hand: what a kernel would say, lead by lead, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import leadcore as lc
from leadcore._arrow import Encoder, Program, Table
from leadcore._plan import plan_model
from leadcore._replay_log import CAUSES, Changes, Moves, ReplayLog
from leadcore._replay_tables import ReplayTables
from leadcore._run import Counts
from leadcore._time import to_micros
from leadcore.replay import Replay, ReplayCounts


@dataclass(frozen=True)
class Step:
    """One transition: the stage entered, when, by which rule and cause, at which event (its place), the scores then."""

    to: str
    at: str
    rule: str | None = None
    cause: str = "birth"
    event: int = -1
    scores: tuple[float, ...] = ()


def log_of(model: lc.Model, steps: Sequence[Sequence[Step]], **more: Any) -> ReplayLog:
    """What a kernel would say of leads 0, 1, ... that took these steps; leads without steps have no stage."""
    stages = [stage.name for stage in model.lifecycle.stages]
    rules = [rule.name for rule in model.lifecycle.transitions]
    flat = [(lead, step) for lead, taken in enumerate(steps) for step in taken]

    def micropoints(step: Step | None) -> list[int]:
        return [round(p * 10**6) for p in (step.scores if step and step.scores else (0,) * len(model.scores))]

    before = [
        -1 if i == 0 or flat[i - 1][0] != lead else stages.index(flat[i - 1][1].to) for i, (lead, _) in enumerate(flat)
    ]
    moves = Moves(
        lead=np.array([lead for lead, _ in flat], np.int64),
        at=np.array([to_micros(step.at) for _, step in flat], np.int64),
        from_stage=np.array(before, np.int32),
        to_stage=np.array([stages.index(step.to) for _, step in flat], np.int32),
        rule=np.array([-1 if step.rule is None else rules.index(step.rule) for _, step in flat], np.int32),
        cause=np.array([CAUSES.index(step.cause) for _, step in flat], np.int32),
        event=np.array([step.event for _, step in flat], np.int64),
        scores=np.array([micropoints(step) for _, step in flat], np.int64).reshape(-1, len(model.scores)),
    )
    last = [taken[-1] if taken else None for taken in steps]
    return ReplayLog(
        **{
            "lead": np.arange(len(steps), dtype=np.uint32),
            "stage": np.array([-1 if step is None else stages.index(step.to) for step in last], np.int32),
            "entered": np.array([0 if step is None else to_micros(step.at) for step in last], np.int64),
            "scores": np.array([micropoints(step) for step in last], np.int64).reshape(-1, len(model.scores)),
            "thresholds": np.zeros((len(steps), len(model.thresholds)), np.uint8),
            "moves": moves,
            "changes": None,
            "loop_stops": np.zeros(len(rules), np.int64),
            "manual_current": 0,
            "manual_unknown": 0,
            **more,
        }
    )


def changes_of(model: lc.Model, rows: Sequence[tuple[int, str, str, int, str, float, float, int]]) -> Changes:
    """Score changes from rows (lead, at, cause, event, score, before, after, criterion)."""
    columns = list(zip(*rows, strict=True))
    scores = list(model.scores)
    return Changes(
        np.array(columns[0], np.int64), np.array([to_micros(at) for at in columns[1]], np.int64),
        np.array([CAUSES.index(cause) for cause in columns[2]], np.int32), np.array(columns[3], np.int64),
        np.array([scores.index(score) for score in columns[4]], np.int32),
        np.array([round(p * 10**6) for p in columns[5]], np.int64),
        np.array([round(p * 10**6) for p in columns[6]], np.int64), np.array(columns[7], np.int32),
    )  # fmt: skip


def encoder_of(model: lc.Model, ids: Sequence[Any], event_ids: Sequence[Any] = ()) -> Encoder:
    """An encoder that has read leads of these ids, and events of these ids, numbered as they stand."""
    encoder = Encoder(Program(plan_model(model).program))
    lead = {"lead_id": list(ids)} | {name: [None] * len(ids) for name in model.attributes}
    encoder.read_leads(lc._arrow.from_python(lead), {})
    if event_ids:
        properties = {name for fields in model.events.values() for name in fields}
        n = len(event_ids)
        rows = {"lead_id": [ids[0]] * n, "at": ["2026-01-01"] * n, "type": [next(iter(model.events))] * n}
        table = lc._arrow.from_python(rows | {name: [None] * n for name in properties} | {"event_id": list(event_ids)})
        assert encoder.open_events(table, {}) == (True, True)
        whole = [np.empty(n, kind) for kind in (np.uint32, np.int64, np.uint32, np.int64, np.uint32, np.uint32)]
        plan = plan_model(model)
        assert encoder.next_block(*whole, np.empty((plan.codes, n), np.uint32), np.empty((plan.numbers, n))) == n
        assert whole[4].tolist() == list(range(n))
    return encoder


def replay_of(
    model: lc.Model, ids: Sequence[Any], steps: Sequence[Sequence[Step]], until: str, *,
    event_ids: Sequence[Any] = (), micropoints: bool = False, rejected_rows: Any = None, score_at: Any = None, **more: Any,
) -> Replay:  # fmt: skip
    """A replay of leads with these ids that took these steps."""
    log, encoder = log_of(model, steps, **more), encoder_of(model, ids, event_ids)
    tables = ReplayTables(model, log, encoder, to_micros(until), micropoints, rejected_rows)
    counts = ReplayCounts.of(Counts(leads=len(ids)), model, log)
    place = {one: i for i, one in enumerate(ids)}

    def nothing(pairs: Table) -> Any:
        return np.zeros((len(pairs), len(model.scores)), np.int64)

    return Replay(
        model, to_micros(until), tables, counts, micropoints, encoder.rejects, place.get, score_at or nothing
    )  # fmt: skip
