"""Leads moved from one model to another: what was told stays told, or all is told anew (spec 10.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from leadcore._replay_log import Moves
from leadcore._replay_tables import rule_names, stage_names
from leadcore._run import Request
from leadcore._time import to_text
from leadcore.errors import LeadcoreError
from leadcore.ledger.book import Book
from leadcore.ledger.compiled import CompiledLedger
from leadcore.ledger.facts import SINCE_EVER, LeadId, id_key
from leadcore.ledger.told import Parts, Told
from leadcore.model import Model

_GIVE_ALL = "to migrate, give all events and leads that the ledger was told; a store keeps them itself"
Step = tuple[int, int, int, int, int, LeadId | None, tuple[int, ...]]
"""A move: instant, stage left, stage entered, rule, cause, event id, scores."""


def migrate(old: Book, compiled: CompiledLedger, at: int | None, request: Request) -> tuple[Book, Told]:
    """A book of the same leads under another model; the old one stays as it is.

    Args:
        old: The book.
        compiled: The other model.
        at: Up to this instant everything stays as it was told; leads keep their stage, and the rules of the other model
            hold from then on. None: as if they always had.
        request: All events and rows of leads that the old book was told.

    Raises:
        DataError: A table is faulty.
        LeadcoreError: The tables lack what the old book was told, a stage is missing in the other model, or ``at`` lies
            before what is kept of a lead.
    """
    names = _Names(old.compiled.model, compiled.model)
    past = old if at is None else _brought(old, at)
    book = Book(compiled, old.late)
    for lead_id in old.lead_ids():
        moves, adoption = _kept(past, lead_id, at, names)
        told = past.head(lead_id)
        if adoption is not None:  # one that is not there any more was not brought on
            told = max(told, adoption[0])
        dead = [(when, key) for when, key, taken_back in old.facts(old.ids[lead_id])[0] if taken_back]
        book.seed(lead_id, told, past.newest(lead_id), moves, adoption, dead)
    for record, lead_id in old.aliases.items():
        book.alias(record, lead_id)
    book.clock = old.clock if at is None else max(old.clock, at)
    given = book.apply(request, SINCE_EVER, anew=True)
    declared = old.compiled.model.events
    _check_whole(old, book, sum(rows for type_, rows in given.counts.ignored.items() if type_ in declared))
    book.bring(book.slots_of(set(book.lead_ids()) - set(given.lead_ids)), book.clock)
    if at is None or names.old.lifecycle is None:  # without a lifecycle there is nothing to stay as it was told
        at = SINCE_EVER
    return book, _told(old, book, names, at)


class _Names:
    """Stages, rules and scores of two models by name: those of the new one first, then those only the old one has."""

    def __init__(self, old: Model, new: Model) -> None:
        self.old, self.new = old, new
        self.stages = [*stage_names(new), *(name for name in stage_names(old) if name not in stage_names(new))]
        self.rules = [*rule_names(new), *(name for name in rule_names(old) if name not in rule_names(new))]
        self._stage = [self.stages.index(name) for name in stage_names(old)] + [-1]
        self._rule = [self.rules.index(name) for name in rule_names(old)] + [-1]
        scores = list(old.scores)
        self.score = [scores.index(name) if name in scores else -1 for name in new.scores]
        thresholds = list(old.thresholds)
        self.threshold = [thresholds.index(name) if name in thresholds else -1 for name in new.thresholds]

    def stage(self, stage: int) -> int:
        """A stage of the old model, -1 for none, among all."""
        return self._stage[stage]

    def step(self, step: Step) -> Step:
        """A move by the old model, by the names of both."""
        at, left, entered, rule, cause, event_id, scores = step
        moved = (self._stage[left], self._stage[entered], self._rule[rule])
        return (at, *moved, cause, event_id, tuple(0 if i < 0 else scores[i] for i in self.score))

    def columns(self, values: Any, places: list[int]) -> Any:
        """Columns of the old model as those of the new; zeros where the old one has none."""
        return np.stack(
            [np.zeros(len(values), values.dtype) if i < 0 else values[:, i] for i in places], axis=1
        ) if places else np.zeros((len(values), 0), values.dtype)  # fmt: skip


def _brought(old: Book, at: int) -> Book:
    """A copy of a book, brought to an instant by its own rules."""
    copy = Book(old.compiled, old.late)
    copy.clock = old.clock
    for lead_id in old.lead_ids():
        copy.put(lead_id, old.image(lead_id))
    told = np.array([copy.told(lead_id) for lead_id in copy.lead_ids()], np.int64)
    copy.bring(np.flatnonzero(told < at), at)
    return copy


def _kept(past: Book, lead_id: LeadId, at: int | None, names: _Names) -> tuple[list[Any], tuple[Any, ...] | None]:
    """What a lead begins with under the other model: its moves, and how it is taken over."""
    if at is None or past.compiled.model.lifecycle is None or names.new.lifecycle is None:
        return [], None
    slot = past.ids[lead_id]
    stage, entered, visits, reached = past.stand(slot, at)
    if stage < 0:
        return [], None
    known = stage_names(names.new)
    kept = [names.step(step) for step in _steps(past, slot) if step[0] <= at]
    for here in {*(step[2] for step in kept), names.stage(stage)}:
        if here >= len(known):
            raise LeadcoreError(
                f"lead {lead_id!r} was in stage {names.stages[here]!r} by {to_text(at)}, which {names.new.name!r} does not "
                "have: keep the stage in the new model, or migrate without at"
            )
    counted = [0] * len(known)
    for i, count in enumerate(visits):
        if names.stage(i) < len(known):
            counted[names.stage(i)] = count
    marks = [2 if i < 0 else int(reached[i]) for i in names.threshold]
    rules = len(rule_names(names.new))
    moves = [
        (*step[:3], step[3] if step[3] < rules else -1, step[4], b"" if step[5] is None else id_key(step[5]), step[6])
        for step in kept
    ]
    return moves, (at, names.stage(stage), entered, counted, marks)


def _check_whole(old: Book, book: Book, ignored: int) -> None:
    """The tables must tell at least what the old book still keeps, but for events taken back.

    Of ``ignored`` rows, whose types only the old model declares, nobody has looked whose they are: so many may be lacking.
    """
    lacking, first = 0, ""
    for lead_id in old.lead_ids():
        (events, rows), (given, given_rows) = (each.facts(each.ids[lead_id]) for each in (old, book))
        for since, _ in sorted({*rows} - {*given_rows}):
            since_when = "in force since ever" if since == SINCE_EVER else f"in force from {to_text(since)}"
            raise LeadcoreError(f"the leads given lack a row of lead {lead_id!r}, {since_when}: {_GIVE_ALL}")
        floor = SINCE_EVER if old.late < 0 else book.newest(lead_id) - old.late
        wanted = Counter(_identity(at, key) for at, key, taken_back in events if at >= floor and not taken_back)
        missing = wanted - Counter(_identity(at, key) for at, key, _ in given)
        lacking += missing.total()
        if missing and not first:
            first = f"lead {lead_id!r} at {to_text(min(at for at, _ in missing))}"
    if lacking > ignored:
        raise LeadcoreError(
            f"the events given lack {lacking:,} that the ledger still knows, such as one of {first}: {_GIVE_ALL}"
        )


def _identity(at: int, key: bytes) -> tuple[int, bytes]:
    """What an event is under any model: its instant, and its id if it has one."""
    return at, key if key[0] else b""


def _steps(book: Book, slot: int) -> list[Step]:
    """The moves of a lead as they stand."""
    moves, _, event_ids = book.log(slot)
    columns = (moves.at, moves.from_stage, moves.to_stage, moves.rule, moves.cause, moves.event)
    return [
        (at, left, entered, rule, cause, None if event < 0 else event_ids[event], tuple(scores))
        for at, left, entered, rule, cause, event, scores in zip(
            *(column.tolist() for column in columns), moves.scores.tolist(), strict=True
        )
    ]  # fmt: skip


def _told(old: Book, book: Book, names: _Names, since: int) -> Told:
    """What is otherwise now than it was told."""
    lead_ids = book.lead_ids()
    known = np.array([lead_id in old.ids for lead_id in lead_ids], bool)
    before = old.standing([lead_id for lead_id in lead_ids if lead_id in old.ids])
    after = book.standing(lead_ids)
    scores, reached = np.zeros_like(after.scores), np.zeros_like(after.reached)
    scores[known], reached[known] = (
        names.columns(before.scores, names.score),
        names.columns(before.reached, names.threshold),
    )
    told_at = np.full(len(lead_ids), SINCE_EVER, np.int64)
    told_at[known] = before.at
    rows: list[tuple[int, Step, int, int]] = []
    for place, lead_id in enumerate(lead_ids):
        was = [names.step(step) for step in _steps(old, old.ids[lead_id])] if known[place] else []
        rows += _difference(place, was, _steps(book, book.ids[lead_id]))
    event_ids: list[LeadId | None] = [step[5] for _, step, _, _ in rows]

    def column(i: int, kind: type[Any]) -> Any:
        return np.array([step[i] for _, step, _, _ in rows], kind)

    moves = Moves(
        lead=np.array([place for place, *_ in rows], np.int64), at=column(0, np.int64), from_stage=column(1, np.int32),
        to_stage=column(2, np.int32), rule=column(3, np.int32), cause=column(4, np.int32),
        event=np.array([-1 if event_id is None else i for i, event_id in enumerate(event_ids)], np.int64),
        scores=np.array([step[6] for _, step, _, _ in rows], np.int64).reshape(len(rows), len(names.new.scores)),
    )  # fmt: skip
    parts = Parts(
        before_at=told_at, after_at=after.at, scores_before=scores, scores_after=after.scores, reached_before=reached,
        reached_after=after.reached, open_stage=np.full(len(lead_ids), -1, np.int32), open_entered=np.zeros(len(lead_ids), np.int64), moves=moves,
        change=np.array([change for _, _, change, _ in rows], np.int32),
        ordinal=np.array([ordinal for *_, ordinal in rows], np.int32), event_ids=event_ids,
        live=np.full(len(lead_ids), SINCE_EVER, np.int64),
    )  # fmt: skip
    return Told(lead_ids, lambda: parts, before=names.old, since=since)


def _difference(place: int, was: Sequence[Step], now: Sequence[Step]) -> list[tuple[int, Step, int, int]]:
    """All moves of a lead, those told, then those that hold now: alerts may differ where moves do not (`Told.change`)."""
    told = [(step, _ordinal(was, i)) for i, step in enumerate(was)]
    holds = [(step, _ordinal(now, i)) for i, step in enumerate(now)]
    both = {*told} & {*holds}
    return [
        *((place, one[0], -2 if one in both else -1, one[1]) for one in told),
        *((place, one[0], 2 if one in both else 1, one[1]) for one in holds),
    ]


def _ordinal(steps: Sequence[Step], which: int) -> int:
    return sum(step[:6] == steps[which][:6] for step in steps[:which])
