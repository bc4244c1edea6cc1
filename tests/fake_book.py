"""A book that keeps every fact and runs the batch at every call: the ledger's face is tested over it too."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from leadcore._arrow import Table
from leadcore._plan import plan_model
from leadcore._replay_log import CAUSES, Moves
from leadcore._time import to_micros, to_text
from leadcore.ledger.counts import LateRow, LedgerCounts
from tests.ledger_oracle import Lead, OracleLedger
from tests.ledger_oracle import Told as State

BEFORE_ALL = -(2**63)
MOVE = ("at", "from_stage", "to_stage", "rule", "cause", "event_id")


@dataclass
class Told:
    """What one call did."""

    lead_ids: list
    slots: Any
    before_at: Any
    after_at: Any
    scores_before: Any
    scores_after: Any
    reached_before: Any
    reached_after: Any
    open_stage: Any
    open_entered: Any
    moves: Moves
    change: Any
    event_ids: list
    counts: LedgerCounts
    late: list


class FakeBook:
    """`leadcore.ledger.book.Book`, slow and plain."""

    def __init__(self, scorer, late):
        self.scorer, self.model, self.plan = scorer, scorer.model, plan_model(scorer.model)
        self.oracle = OracleLedger(scorer, "all" if late < 0 else timedelta(microseconds=late))

    @property
    def clock(self):
        return BEFORE_ALL if self.oracle.clock is None else self.oracle.clock

    @clock.setter
    def clock(self, value):
        self.oracle.clock = None if value == BEFORE_ALL else value

    @property
    def aliases(self):
        return _Aliases(self.oracle)

    @property
    def ids(self):
        return _Slots(self.oracle)

    def lead_ids(self):
        return list(self.oracle)

    def image(self, lead_id):
        return pickle.dumps(self.oracle.leads[lead_id])

    def put(self, lead_id, image):
        try:
            lead = pickle.loads(image)
        except Exception:
            raise ValueError("no valid image") from None
        if not isinstance(lead, Lead):
            raise ValueError("no valid image")
        self.oracle.leads[lead_id] = lead

    def apply(self, request, until, set_aside):
        events, leads = _rows(request.events, request.names.events), _rows(request.leads, request.names.leads)
        return self._told(
            lambda: self.oracle.apply(events, leads, until=until, on_late="set_aside" if set_aside else "")
        )

    def add(self, lead_id, at, type_, properties, event_id):
        return self._told(lambda: self.oracle.add(lead_id, to_micros(at), type_, properties, event_id))

    def advance(self, until, threads):
        return self._told(lambda: self.oracle.advance(until))

    def retract(self, pairs):
        return self._told(lambda: self.oracle.retract([{"lead_id": one, "event_id": event} for one, event in pairs]))

    def forget(self, lead_id):
        return self.oracle.forget(lead_id)

    def merge(self, a, into):
        return self._told(lambda: self.oracle.merge(a, into))

    def told(self, slot):
        return self.oracle.leads[self._id(slot)].told

    def score(self, slots, at):
        rows = {row["lead_id"]: row for row in self.oracle.score(at, [self._id(slot) for slot in slots])}
        found = [rows[self._id(slot)] for slot in slots]
        plan, n = self.plan, len(found)
        scores = np.array([[row[name] for name in plan.scores] for row in found], np.int64).reshape(n, len(plan.scores))
        grades = np.zeros((n, len(plan.scores) if plan.grades else 0), np.int32)
        for i, name in enumerate(plan.scores):
            if name in plan.grades:
                grades[:, i] = [plan.grades[name].index(row[f"{name}_grade"]) for row in found]
        rating = np.array([plan.ratings.index(row["rating"]) for row in found] if plan.ratings else [], np.int32)
        label = np.array([plan.labels.index(row["label"]) for row in found] if plan.labels else [], np.int32)
        states = [self.oracle.lead(self._id(slot), at).reached for slot in slots]
        reached = np.array([[state.get(t, False) for t in self.model.thresholds] for state in states], np.uint8)
        return scores, grades, rating, label, reached.reshape(n, len(self.model.thresholds))

    def lines(self, slot, at):
        events, leads, aliases = self.oracle.tables([self._id(slot)])
        scores = self.scorer.score(events, leads, as_of=to_text(at), aliases=aliases)
        return scores._asked.lines(0)

    def next_change(self, slots, as_of, until):
        n = np.arange(len(slots))
        rows = len(n) * (len(self.model.thresholds) > 0)
        return n[:rows], np.zeros(rows), np.zeros(rows), np.full(rows, until), np.ones(rows)

    def log(self, slot):
        transitions = self.oracle.leads[self._id(slot)].state.transitions
        return self._moves([(0, row) for row in transitions]), [row["event_id"] for row in transitions]

    def _id(self, slot):
        return list(self.oracle.leads)[int(slot)]

    def _told(self, call):
        before = {one: (lead.told, lead.state) for one, lead in self.oracle.leads.items()}
        changed = call()
        after = {one: (lead.told, lead.state) for one, lead in self.oracle.leads.items()}
        gone = [one for one in before if one not in after]
        ids = gone + [one for one in after if after[one] != before.get(one)]
        moves, signs, opens = [], [], []
        for row, one in enumerate(ids):
            old, new = (side.get(one, (None, State()))[1].transitions for side in (before, after))
            kept = 0
            while kept < min(len(old), len(new)) and old[kept] == new[kept]:
                kept += 1
            opens.append(old[kept - 1] if kept else None)
            moves += [(row, move) for move in old[kept:]] + [(row, move) for move in new[kept:]]
            signs += [-1] * (len(old) - kept) + [1] * (len(new) - kept)
        stages = [] if self.model.lifecycle is None else [stage.name for stage in self.model.lifecycle.stages]
        sides = [[side.get(one, (None, State())) for one in ids] for side in (before, after)]
        at = [np.array([BEFORE_ALL if told is None else told for told, _ in side], np.int64) for side in sides]
        scores = [
            np.array([[(state.scores or {}).get(name, 0) for name in self.model.scores] for _, state in side], np.int64)
            for side in sides
        ]
        reached = [
            np.array([[state.reached.get(name, 0) for name in self.model.thresholds] for _, state in side], np.uint8)
            for side in sides
        ]
        return Told(
            ids, np.zeros(len(ids), np.int64), *at, *(a.reshape(len(ids), len(self.model.scores)) for a in scores),
            *(a.reshape(len(ids), len(self.model.thresholds)) for a in reached),
            np.array([-1 if one is None else stages.index(one["to_stage"]) for one in opens], np.int32),
            np.array([0 if one is None else one["at"] for one in opens], np.int64),
            self._moves(moves), np.array(signs, np.int8), [row["event_id"] for _, row in moves],
            LedgerCounts(**changed.counts),
            [LateRow(**row, reason="is older than late allows") for row in changed.late],
        )  # fmt: skip

    def _moves(self, rows):
        lifecycle = self.model.lifecycle
        stages = {None: -1} | {stage.name: i for i, stage in enumerate(lifecycle.stages if lifecycle else ())}
        rules = {None: -1} | {rule.name: i for i, rule in enumerate(lifecycle.transitions if lifecycle else ())}

        def small(values):
            return np.array(list(values), np.int32)

        return Moves(
            np.array([lead for lead, _ in rows], np.int64), np.array([row["at"] for _, row in rows], np.int64),
            small(stages[row["from_stage"]] for _, row in rows), small(stages[row["to_stage"]] for _, row in rows),
            small(rules[row["rule"]] for _, row in rows), small(CAUSES.index(row["cause"]) for _, row in rows),
            np.array([-1 if row["event_id"] is None else i for i, (_, row) in enumerate(rows)], np.int64),
            np.array([[row[name] for name in self.model.scores] for _, row in rows], np.int64).reshape(
                len(rows), len(self.model.scores)
            ),
        )  # fmt: skip


class _Slots(dict):
    def __init__(self, oracle):
        leads = {one: i for i, one in enumerate(oracle.leads)}
        super().__init__(leads | {one: leads[oracle.person(one)] for one in oracle.aliases})
        self.oracle = oracle

    def __setitem__(self, key, value):
        pass


class _Aliases(dict):
    def __init__(self, oracle):
        super().__init__({one: oracle.person(one) for one in oracle.aliases})
        self.oracle = oracle

    def __setitem__(self, key, value):
        self.oracle.aliases[key] = value


def _rows(stream, names):
    """Rows of a table in the oracle's form."""
    own = {mapped: name for name, mapped in names.items()}
    if stream is None:
        return []
    found = []
    for row in Table.collect(stream).to_dicts():
        plain = {own.get(name, name): value for name, value in row.items()}
        for name in ("at", "valid_from", "created_at"):
            if isinstance(plain.get(name), (str, datetime)):
                plain[name] = to_micros(plain[name])
        found.append(plain)
    return found
