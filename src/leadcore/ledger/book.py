"""The leads of a ledger, in memory: facts in, what happened out (spec 10.2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from leadcore import _kernel
from leadcore._inputs import data_errors
from leadcore._replay_run import MOST_MOVES
from leadcore._run import MOST_THREADS, WORTH_THREADS, Request, default_threads, in_threads, taken
from leadcore._time import FIRST, LAST, to_text
from leadcore.errors import DataError, LeadcoreError, Problem, StateError
from leadcore.ledger.compiled import CompiledLedger, compile_ledger
from leadcore.ledger.counts import LateRow
from leadcore.ledger.facts import NEVER, SINCE_EVER, Facts, LeadId, id_key, key_id
from leadcore.ledger.told import Ints, Moves, Parts, Told

Fault = tuple[int, int, int]
Log = tuple[Any, Ints, bytes, list[tuple[Literal["events", "leads"], int, int]]]

_TOO_MANY, _CONFLICT, _TOO_EARLY, _TOO_LONG = -2, -5, -6, -7
_CHUNK = 2_048
"""Leads a thread takes at a time."""


class Book:
    """Every lead of a ledger under one model. Whoever shares it between threads sees to it that they take turns.

    A call that raises has changed nothing.

    Args:
        compiled: The compiled model.
        late: How much older than a lead's newest event a fact may be, microseconds; -1: all facts are kept.

    Attributes:
        ids: Slot by lead id, of records merged into a lead too.
        aliases: By record merged into a lead: the lead.
        clock: Instant up to which all leads were told, -2^63: none.
        like: An id of the ledger, perhaps one that is in another book; None: it has none yet.
    """

    def __init__(self, compiled: CompiledLedger, late: int) -> None:
        self.compiled, self.late = compiled, late
        self.ids: dict[LeadId, int] = {}
        self.aliases: dict[LeadId, LeadId] = {}
        self.clock = SINCE_EVER
        self.like: LeadId | None = None
        self._names: list[LeadId | None] = []
        self._free: list[int] = []
        self._records: dict[int, list[LeadId]] = {}
        self._expected: dict[LeadId, list[LeadId]] = {}
        self._images = _kernel.Images()
        self._alert: Ints = np.empty(0, np.int64)
        self._keepers: list[_kernel.Keeper] = []
        self._grid: Any = None
        self._every, self._begin, self._end = 0, 0, -1
        self._halt = np.zeros(1, np.int32)
        self._scores, self._thresholds = len(compiled.model.scores), len(compiled.model.thresholds)
        lifecycle = compiled.model.lifecycle
        self._alerts = lifecycle is not None and any(stage.sla and stage.sla.alerts for stage in lifecycle.stages)

    def __len__(self) -> int:
        return len(self._names) - len(self._free)

    # leads

    def lead_ids(self) -> list[LeadId]:
        """Ids of all leads, in the order they came; records merged into a lead are not among them."""
        return [name for name in self._names if name is not None]

    def image(self, lead_id: LeadId) -> bytes:
        """What is remembered of a lead."""
        return self._images.image(self.ids[lead_id])

    def put(self, lead_id: LeadId, image: bytes) -> None:
        """Take a lead from what `image` gave.

        Raises:
            ValueError: These bytes are no image of a lead of this model.
        """
        known = lead_id in self.ids
        slot = self.ids[lead_id] if known else self._next_slot()
        with _Keeping(self, self.clock) as keeper:
            keeper.put(self._images, slot, image)
        if not known:
            self._name(lead_id, slot)
        self._alert[slot] = SINCE_EVER if image else NEVER

    def alias(self, lead_id: LeadId, of: LeadId) -> None:
        """Know a record merged into a lead, of whom nothing need be known yet."""
        self.aliases[lead_id] = self.like = of
        self.ids.pop(lead_id, None)
        slot = self.ids.get(of)
        if slot is None:
            self._expected.setdefault(of, []).append(lead_id)
        else:
            self.ids[lead_id] = slot
            self._records.setdefault(slot, []).append(lead_id)

    def told(self, lead_id: LeadId) -> int:
        """Instant up to which a lead was told, -2^63: it was not."""
        return max(int(self._images.told[self.ids[lead_id]]), self.clock)

    def head(self, lead_id: LeadId) -> int:
        """Instant up to which a lead itself was told; the clock may be later."""
        return int(self._images.told[self.ids[lead_id]])

    def due(self) -> Ints:
        """By slot: the earliest instant at which `advance` has something to do, 2^63 - 1 for none."""
        count = len(self._names)
        due: Ints = np.minimum(self._images.due[:count], self._alert[:count])
        return due

    def due_of(self, lead_id: LeadId) -> int:
        """The same of one lead."""
        slot = self.ids[lead_id]
        return min(int(self._images.due[slot]), int(self._alert[slot]))

    def size(self) -> int:
        """Bytes of all images."""
        return int(self._images.size())

    def _room(self, count: int) -> None:
        self._images.grow(count)
        if count > len(self._alert):
            more = np.full(max(count, 2 * len(self._alert) + 64), NEVER, np.int64)
            more[: len(self._alert)] = self._alert
            self._alert = more

    # facts in

    def apply(self, request: Request, until: int | None = None, set_aside: bool = False, anew: bool = False) -> Told:
        """Take in facts; all of them, or those not set aside, or none.

        Each lead touched is brought to its newest fact up to ``until``, or to the clock if that is later. With ``anew``
        the facts are all there are of these leads, and what was kept of them is let go, but for what was told.

        Raises:
            DataError: A table is faulty, a fact too late, or an event is told otherwise than before.
        """
        plan = self.compiled.plan
        facts = Facts.read(plan, self.compiled.program, request)
        if len(facts.trait_lead):  # all ids of a call are of one kind
            self.check_kind(facts.ids[int(facts.trait_lead[0])], "leads", 0, "lead_id")
        elif len(facts.lead):
            self.check_kind(facts.ids[int(facts.lead[0])], "events", int(facts.row[0]), "lead_id")
        slots, names, fresh = self._slots(facts.ids)
        unique, first = np.unique(slots, return_index=True)
        order = np.argsort(first, kind="stable")
        rank = np.empty(len(unique), np.int64)
        rank[order] = np.arange(len(unique))
        place = rank[np.searchsorted(unique, slots)]
        called = unique[order]
        owners = {code: id_key(one) for code, one in enumerate(facts.ids) if one in self.aliases}
        taken_in = facts.by_slot(place, called, owners)
        span = self._span(slots, facts)
        outcome = self._outcome(len(called))
        bound = NEVER if until is None else until

        def work(keeper: _kernel.Keeper, begin: int, end: int) -> Fault | None:
            return keeper.apply(self._images, taken_in, begin, end, self.clock, bound, outcome, anew)

        floors = self._floors(called)
        keepers, fault = self._run(work, len(called), 20 * len(facts.at), request.threads, *span)
        try:
            if fault is not None:
                raise self._fault(fault, names, facts)
            late = self._late([keeper.log() for keeper in keepers], facts, place, names, floors)
            told = self._told(names, outcome, late.logs)
            if late.found and not set_aside:
                raise late.error()
            twins = sum(keeper.twins for keeper in keepers)
            self._commit(keepers, called, outcome)
        finally:
            self._back(keepers)
        for one, slot in fresh.items():
            self._name(one, slot)
        told.late.extend(late.found)
        counts = told.counts
        counts.duplicates = twins
        counts.late = len(late.found)
        late_events = sum(fact.table == "events" for fact in late.found)
        counts.events = len(facts.at) - late_events - twins
        counts.leads = len(facts.trait_lead) - (counts.late - late_events)
        counts.ignored = facts.ignored
        return told

    def add(
        self, lead_id: LeadId, at: Any, type: str, properties: Mapping[str, Any] | None, event_id: LeadId | None
    ) -> Told:
        """Take in one event.

        Raises:
            DataError: It is faulty, too late, or told otherwise than before.
        """
        with data_errors("events"):
            event = self.compiled.program.encode_event(type, at, properties, event_id)
        if event is None:
            outcome = self._outcome(0)
            told = self._told([], outcome, [])
            told.counts.ignored = {type: 1}
            return told
        lead_id = self.aliases.get(lead_id, lead_id)
        slot = self.ids.get(lead_id)
        known = slot is not None
        if slot is None:
            self.check_kind(lead_id, "events", 0, "lead_id")
            slot = self._next_slot()
        names = [lead_id]
        outcome = self._outcome(1)
        begun, latest = self._images.span(slot)
        keeper = self._lent(min(event[0], begun), max(event[0], self.clock, latest))
        try:
            fault = keeper.add(self._images, slot, *event, self.clock, outcome)
            if fault is not None:
                if fault[0] == _CONFLICT:
                    raise DataError([_repeats(0, event_id)])
                raise self._fault(fault, names, None)
            log = keeper.log()
            if log is not None and log[3]:
                floor = int(self._images.newest[slot]) - self.late
                raise _too_late([_late("events", 0, lead_id, event[0], floor, "at")], 1)
            told = self._told(names, outcome, [log])
            twins = keeper.twins
            keeper.commit(self._images)
            if self._alerts:
                self._commit([keeper], np.array([slot]), outcome)
            else:
                self._alert[slot] = NEVER
        finally:
            self._back([keeper])
        if not known:
            self._name(lead_id, slot)
        told.counts.duplicates = twins
        told.counts.events = 1 - twins
        return told

    def advance(self, until: int, threads: int | None = None) -> Told:
        """Tell everything up to an instant, for all leads; nothing happens where the clock is there already."""
        if until <= self.clock:
            return self._told([], self._outcome(0), [])
        told = self.bring(np.flatnonzero(self._waiting(until)), until, threads)
        self.clock = until
        return told

    def _waiting(self, until: int) -> Any:
        """Which leads have something to tell up to an instant."""
        count = len(self._names)
        if self.compiled.model.lifecycle is not None:
            return self.due() <= until
        here = np.array([name is not None for name in self._names], bool)
        return here & (self._images.told[:count] < until)

    def bring(self, slots: Ints, until: int, threads: int | None = None) -> Told:
        """Bring some leads to an instant; the clock stays."""
        slots = np.ascontiguousarray(slots, np.int64)
        outcome = self._outcome(len(slots))

        def work(keeper: _kernel.Keeper, begin: int, end: int) -> Fault | None:
            return keeper.advance(self._images, slots, begin, end, until, outcome)

        first, last = self._span(slots)
        keepers, fault = self._run(work, len(slots), 20 * len(slots), threads, min(first, until), max(last, until))
        names = [self._names[slot] for slot in slots.tolist()]
        try:
            if fault is not None:
                raise self._fault(fault, names, None)
            told = self._told(names, outcome, [keeper.log() for keeper in keepers])
            self._commit(keepers, slots, outcome)
        finally:
            self._back(keepers)
        return told

    def retract(self, pairs: Sequence[tuple[LeadId, LeadId]]) -> Told:
        """Take back events, by lead and event id, as if they had never been.

        Raises:
            DataError: One is too old, or a lead id of another kind.
        """
        if pairs:
            self.check_kind(pairs[0][0], "events", 0, "lead_id")
        keys: dict[int, list[tuple[int, bytes]]] = {}
        unknown = 0
        for row, (lead_id, event_id) in enumerate(pairs):
            slot = self.ids.get(lead_id)
            if slot is None:
                unknown += 1
            else:
                keys.setdefault(slot, []).append((row, id_key(event_id)))
        slots = np.array(list(keys), np.int64)
        names = [self._names[slot] for slot in keys]
        outcome = self._outcome(len(keys))
        keeper = self._lent(*self._span(slots))
        try:
            for place, (slot, asked) in enumerate(keys.items()):
                fault, more = keeper.retract(
                    self._images, slot, place, [key for _, key in asked], self.clock, outcome
                )  # fmt: skip
                unknown += more
                if fault is not None and fault[0] == _TOO_EARLY:
                    raise self._not_kept(asked[fault[2]][0], pairs, slot)
                if fault is not None:
                    raise self._fault(fault, names, None)
            told = self._told(names, outcome, [keeper.log()])
            twins = keeper.twins
            self._commit([keeper], slots, outcome)
        finally:
            self._back([keeper])
        told.counts.unknown = unknown
        told.counts.duplicates = twins
        told.counts.events = len(pairs) - unknown - twins
        return told

    def _not_kept(self, row: int, pairs: Sequence[tuple[LeadId, LeadId]], slot: int) -> DataError:
        floor = int(self._images.newest[slot]) - self.late
        reason = f"cannot be taken back: of lead {pairs[row][0]!r} only events from {to_text(floor)} on are kept"
        return DataError([Problem("events", row, "event_id", str(pairs[row][1]), reason)])

    def forget(self, lead_id: LeadId) -> bool:
        """Erase a lead and the records merged into it; whether there was anything."""
        slot = self.ids.get(lead_id)
        if slot is None:
            person = self.aliases.pop(lead_id, lead_id)
            gone = self._expected.pop(person, [])
        else:
            gone = self._let_go(slot)
        for one in gone:
            self.ids.pop(one, None)
            self.aliases.pop(one, None)
        if not self.ids and not self.aliases:
            self.like = None
        return slot is not None

    def _let_go(self, slot: int) -> list[LeadId]:
        """Empty a slot; the ids that were there."""
        name = self._names[slot]
        assert name is not None
        self._images.drop(slot)
        self._alert[slot] = NEVER
        self._names[slot] = None
        self._free.append(slot)
        return [name, *self._records.pop(slot, [])]

    def _next_slot(self) -> int:
        """A slot that nobody has; it is not taken yet."""
        slot = self._free[-1] if self._free else len(self._names)
        self._room(slot + 1)
        return slot

    def _name(self, lead_id: LeadId, slot: int) -> None:
        """Give a slot to a lead."""
        self.ids[lead_id], self.like = slot, lead_id
        if slot == len(self._names):
            self._names.append(lead_id)
        else:
            self._free.pop()
            self._names[slot] = lead_id
        for record in self._expected.pop(lead_id, []):
            self.alias(record, lead_id)

    def merge(self, lead_id: LeadId, into: LeadId) -> Told:
        """Make a record part of a lead: the union of their facts (spec 2.8).

        Raises:
            LeadcoreError: They are one lead already, or not all facts of the record are kept and within ``late``.
            DataError: They tell one event differently, or an id is of another kind.
        """
        person = self.aliases.get(into, into)
        if self.aliases.get(lead_id) == person:
            return self._told([], self._outcome(0), [])  # told before
        self.check_kind(lead_id, "lead_id")
        self.check_kind(into, "into", other=lead_id)
        if lead_id == person:
            raise LeadcoreError(f"{lead_id!r} and {into!r} are one lead already")
        if lead_id in self.aliases:
            raise LeadcoreError(f"{lead_id!r} is a record of {self.aliases[lead_id]!r} already")
        other, slot = self.ids.get(lead_id), self.ids.get(person)
        if other is None:  # what comes of it will be the lead's
            for one in [lead_id, *self._expected.pop(lead_id, [])]:
                self.alias(one, person)
            return self._told([], self._outcome(0), [])
        self._mergeable(lead_id, other, into, slot)
        known = slot is not None
        if slot is None:
            slot = self._next_slot()
        names = [lead_id, person]
        outcome = self._outcome(2)
        keeper = self._lent(*self._span(np.array([one for one in (other, slot) if one is not None])))
        try:
            fault = keeper.withdraw(self._images, other, 0)
            if fault is None:
                fault = keeper.absorb(self._images, slot, other, id_key(lead_id), 1, self.clock, outcome)
            if fault is not None and fault[0] == _CONFLICT:
                reason = f"is told otherwise of lead {lead_id!r} than of {into!r}"
                raise DataError([Problem("events", None, "event_id", None, reason)])
            if fault is not None and fault[0] == _TOO_EARLY:
                raise LeadcoreError(
                    f"{lead_id!r} cannot be merged into {into!r}: its attributes are in force since ever, and what {into!r} "
                    "was then is kept as a sum only; a store, or late='all', keeps every fact"
                )
            if fault is not None:
                raise self._fault(fault, names, None)
            log = keeper.log()
            outcome.tell(0, int(self._images.told[other]))
            told = self._told(names, outcome, [log])
            self._commit([keeper], np.array([-1, slot], np.int64), outcome)
        finally:
            self._back([keeper])
        if not known:
            self._name(person, slot)
        for one in self._let_go(other):
            self.alias(one, person)
        return told

    def _mergeable(self, lead_id: LeadId, other: int, into: LeadId, slot: int | None) -> None:
        """Both must be able to go from where their facts begin."""
        if self.late < 0:
            return
        begun = int(self._images.begun[other])
        for who, at in ((lead_id, other), (into, slot)):
            newest = SINCE_EVER if at is None else int(self._images.newest[at])
            if newest != SINCE_EVER and begun < newest - self.late:
                floor = to_text(newest - self.late)
                raise LeadcoreError(
                    f"{lead_id!r} cannot be merged into {into!r}: its facts begin at {to_text(begun)}, and of {who!r} "
                    f"only those from {floor} on are kept; a store, or late='all', keeps every fact"
                )

    # questions

    def slots_of(self, lead_ids: Iterable[LeadId]) -> Ints:
        """Slots of leads.

        Raises:
            KeyError: One is not known.
        """
        found = []
        for one in lead_ids:
            if one not in self.ids:
                raise KeyError(f"no lead {one!r} in this ledger of {len(self)} leads")
            found.append(self.ids[one])
        return np.array(found, np.int64)

    def score(self, slots: Ints, at: Ints, line_words: int = 0, threads: int | None = None) -> tuple[Any, ...]:
        """Scores, grades, ratings, labels and lines of leads, each at its instant, and whether it is there then.

        A lead known from events alone is there from its first event on (spec 2.6).

        Raises:
            LeadcoreError: An instant lies before what is kept of its lead.
        """
        plan, count = self.compiled.plan, len(slots)
        answers = (
            np.empty((count, len(plan.scores)), np.int64),
            np.empty((count, len(plan.scores) if plan.grades else 0), np.int32),
            np.empty(count if plan.ratings else 0, np.int32),
            np.empty(count if plan.labels else 0, np.int32),
            np.empty((count, line_words * plan.tables["lines_size"]), np.int64),
            np.empty(count, np.uint8),
        )
        slots, at = np.ascontiguousarray(slots, np.int64), np.ascontiguousarray(at, np.int64)

        def work(keeper: _kernel.Keeper, begin: int, end: int) -> Fault | None:
            return keeper.score(self._images, slots, at, begin, end, *answers)

        keepers, fault = self._run(work, count, 10 * count, threads, self.clock, self.clock)
        self._back(keepers)
        if fault is not None:
            raise self._asked_fault(fault, int(slots[fault[1]]), int(at[fault[1]]))
        return answers

    def next_change(self, slots: Ints, as_of: int, until: int) -> tuple[Any, ...]:
        """What changes next for leads in [as_of, until] if nothing happens.

        Returns:
            Arrays, row by row: the place of the lead among ``slots``; 0 for a threshold and 1 for a stage; which; when;
            and whether the threshold is reached then. By lead, thresholds first.

        Raises:
            LeadcoreError: ``as_of`` lies before what is kept of a lead, or a score stays within micropoints of a threshold
                while what it is made of moves.
        """
        rows: list[tuple[int, int, int, int, int]] = []
        first, last = self._span(slots)
        keeper = self._lent(min(first, as_of), max(last, until))
        try:
            for place, slot in enumerate(slots.tolist()):
                fault, crossings, move = keeper.foresee(self._images, slot, as_of, until)
                if fault is not None:
                    raise self._foreseen_fault(fault, slot, as_of)
                rows += [(place, 0, i, at, reached) for i, (at, reached) in _known(crossings)]
                if move is not None:
                    rows.append((place, 1, move[1], move[0], 0))
        finally:
            self._back([keeper])
        table = np.array(rows, np.int64).reshape(len(rows), 5)
        return tuple(np.ascontiguousarray(table[:, i]) for i in range(5))

    def _foreseen_fault(self, fault: Fault, slot: int, as_of: int) -> LeadcoreError:
        if fault[0] == _TOO_LONG:
            name = list(self.compiled.model.thresholds)[fault[1]]
            return LeadcoreError(
                f"lead {self._names[slot]!r} stays so near to threshold {name!r} from {to_text(as_of)} on that what changes next "
                f"was looked for up to {to_text(fault[2])} only: ask for a shorter horizon, or for other leads"
            )
        return self._asked_fault(fault, slot, as_of)

    def _asked_fault(self, fault: Fault, slot: int, at: int) -> LeadcoreError:
        if fault[0] == _TOO_EARLY:
            return LeadcoreError(
                f"lead {self._names[slot]!r} cannot be asked as of {to_text(at)}: what happened up to its newest event less "
                "the lateness is kept as sums only (a store, or late='all', keeps every event), and what another model told of "
                "it before a migration with `at` is not kept"
            )
        return self._fault((fault[0], 0, 0), [self._names[slot]], None)

    def standing(self, lead_ids: Sequence[LeadId]) -> Standing:
        """What was last told of leads; nothing of those that are not there (spec 2.6)."""
        slots = self.slots_of(lead_ids)
        at = self._images.told[slots]
        told = np.flatnonzero(at != SINCE_EVER)
        scores = np.zeros((len(slots), len(self.compiled.model.scores)), np.int64)
        reached = np.zeros((len(slots), len(self.compiled.model.thresholds)), np.uint8)
        points, *_, here = self.score(slots[told], at[told])
        here = here.astype(bool)
        scores[told[here]] = points[here]
        for place in told[here].tolist():
            reached[place] = self.stand(int(slots[place]), int(at[place]))[3]
        return Standing(at, scores, reached)

    def stand(self, slot: int, at: int) -> tuple[Any, ...]:
        """How a lead stands at an instant: stage or -1, entry, visits by stage, and thresholds.

        Raises:
            LeadcoreError: The instant lies before what is kept of the lead.
        """
        first, last = self._span(np.array([slot]))
        keeper = self._lent(min(first, at), max(last, at))
        try:
            fault, *found = keeper.stand(self._images, slot, at)
            if fault is not None:
                raise self._asked_fault(fault, slot, at)
        finally:
            self._back([keeper])
        return tuple(found)

    def facts(self, slot: int) -> tuple[list[tuple[int, bytes, bool]], list[tuple[int, bytes]]]:
        """What is kept of a lead.

        Returns:
            Events as instant, key and whether they were taken back, in canonical order; rows of attributes as the instant
            from which they hold and the record, empty for the lead's own.
        """
        with _Keeping(self, self.clock) as keeper:
            fault, events, rows = keeper.facts(self._images, slot)
        if fault is not None:
            raise self._fault((fault[0], 0, 0), [self._names[slot]], None)
        return events, rows

    def seed(
        self, lead_id: LeadId, told: int, newest: int, moves: list[tuple[Any, ...]], adoption: tuple[Any, ...] | None,
        dead: list[tuple[int, bytes]],
    ) -> None:  # fmt: skip
        """Begin a lead, not known before, with a log of moves and events taken back (see ``Keeper.seed``)."""
        slot = self._next_slot()
        with _Keeping(self, self.clock) as keeper:
            keeper.seed(self._images, slot, told, newest, moves, adoption, dead)
        self._name(lead_id, slot)

    def newest(self, lead_id: LeadId) -> int:
        """The newest event told of a lead, ever; -2^63: none."""
        return int(self._images.newest[self.ids[lead_id]])

    def log(self, slot: int) -> tuple[Moves, Any, list[LeadId | None]]:
        """The moves of a lead as they stand, their ordinals, and the ids of events they name."""
        keeper = self._lent(0, 0)
        try:
            fault = keeper.read(self._images, slot, 0)
            if fault is not None:
                raise self._fault(fault, [self._names[slot]], None)
            moves, _, ordinal, ids = _moves([keeper.log()], len(self.compiled.model.scores))
        finally:
            self._back([keeper])
        return moves, ordinal, ids

    # work

    def check_kind(
        self,
        lead_id: LeadId,
        table: str,
        row: int | None = None,
        column: str | None = None,
        other: LeadId | None = None,
    ) -> None:
        """Lead ids are integers throughout, or text (spec 10.2): 1 and "1" would read alike in what is told.

        Raises:
            DataError: It is not of the kind of the ledger's ids, or of that of another where there are none yet.
        """
        known = other if self.like is None else self.like
        if known is not None and isinstance(known, str) is not isinstance(lead_id, str):
            found, kept = ("is text", "integers") if isinstance(lead_id, str) else ("is an integer", "text")
            reason = f"{found}, but the ids read before are {kept}"
            raise DataError([Problem(table, row, column, str(lead_id)[:32], reason)])

    def _slots(self, ids: list[LeadId]) -> tuple[Ints, list[LeadId], dict[LeadId, int]]:
        """Slots of the leads of a call, new ones for those not known; names in the order of first sight."""
        fresh: dict[LeadId, int] = {}
        count, free = len(self._names), reversed(self._free)
        known = self.ids
        slots = np.empty(len(ids), np.int64)
        names: dict[int, LeadId] = {}
        for i, one in enumerate(ids):
            slot = known.get(one)
            if slot is None:
                one = self.aliases.get(one, one)
                slot = fresh.get(one)
            if slot is None:
                slot = next(free, count)
                count += slot == count
                fresh[one] = slot
                names[slot] = one
            slots[i] = slot
            if slot not in names:
                names[slot] = self._names[slot]  # type: ignore[assignment]
        self._room(count)
        return slots, list(names.values()), fresh

    def _outcome(self, count: int) -> _kernel.Outcome:
        return _kernel.Outcome(count, self._scores, self._thresholds)

    def _lent(self, first: int, last: int) -> _kernel.Keeper:
        """A keeper nobody else has at the moment, whose grid holds these instants."""
        first, last = max(first, FIRST), min(max(first, last), LAST)
        if not self._begin <= first <= last <= self._end:
            self._grid, self._every, self._begin, self._end = self.compiled.grid(first, last)
            self._keepers = []
        if self._keepers:
            return self._keepers.pop()
        compiled, plan = self.compiled, self.compiled.plan
        return _kernel.Keeper(
            compiled.kernel, plan.codes, plan.numbers, self.late, compiled.nulls, self._grid, self._every, self._halt
        )  # fmt: skip

    def _back(self, keepers: list[_kernel.Keeper]) -> None:
        for keeper in keepers:
            keeper.rest()
        self._keepers += keepers

    def _run(
        self,
        work: Callable[[_kernel.Keeper, int, int], Fault | None],
        count: int,
        rows: int,
        threads: int | None,
        first: int,
        last: int,
    ) -> tuple[list[_kernel.Keeper], Fault | None]:
        """Let keepers work on all leads of a call, in threads where there is enough to do."""
        wanted = threads or (default_threads() if rows >= WORTH_THREADS else 1)
        wanted = min(wanted, MOST_THREADS, count // _CHUNK + 1)
        if wanted == 1:
            keeper = self._lent(first, last)
            return [keeper], work(keeper, 0, count)
        chunks = deque((begin, min(begin + _CHUNK, count)) for begin in range(0, count, _CHUNK))
        keepers = [self._lent(first, last) for _ in range(wanted)]
        idle = list(keepers)

        def one() -> Fault | None:
            keeper = idle.pop()
            for begin, end in taken(chunks):
                fault = work(keeper, begin, end)
                if fault is not None:
                    chunks.clear()
                    return fault
            return None

        def stop() -> None:
            chunks.clear()
            self._halt[0] = 1

        try:
            faults = [fault for fault in in_threads(wanted, one, stop) if fault is not None]
        except BaseException:
            self._back(keepers)
            raise
        finally:
            self._halt[0] = 0
        return keepers, min(faults, key=lambda fault: fault[1], default=None)

    def _commit(self, keepers: list[_kernel.Keeper], slots: Ints, outcome: _kernel.Outcome) -> None:
        """What was worked out holds from now on."""
        for keeper in keepers:
            keeper.commit(self._images)
        if self._alerts:
            here = slots >= 0
            stage, entered, told = (outcome.column(name)[here] for name in ("stage", "entered", "after_at"))
            self._alert[slots[here]] = self.compiled.levels.next_alerts(stage.astype(np.int32), entered, told)
        else:
            self._alert[slots] = NEVER

    def _span(self, slots: Ints, facts: Facts | None = None) -> tuple[int, int]:
        """The first and last instant at which something may happen to leads, facts of a call included."""
        known = [self._images.begun[slots], self._images.latest[slots], np.array([self.clock], np.int64)]
        if facts is not None:
            known += [facts.at, facts.since, facts.created]
        told = np.concatenate(known)
        told = told[(told != SINCE_EVER) & (told != NEVER)]
        return (int(told.min()), int(told.max())) if len(told) else (0, 0)

    def _floors(self, slots: Ints) -> Ints:
        """By slot of a call: facts before this instant are too late."""
        newest = self._images.newest[slots]
        return np.where((newest == SINCE_EVER) | (self.late < 0), SINCE_EVER, newest - max(self.late, 0))

    def _late(self, logs: list[Log | None], facts: Facts, place: Ints, names: list[LeadId], floors: Ints) -> _LateFacts:
        found = []
        for table, row, at in (late for log in logs if log is not None for late in log[3]):
            code = int((facts.lead if table == "events" else facts.trait_lead)[row])
            floor = int(floors[place[code]])
            if table == "events":
                found.append(_late(table, int(facts.row[row]), facts.ids[code], at, floor, "at"))
            else:
                column = "valid_from" if at == int(facts.since[row]) else "created_at"
                found.append(_late(table, row, facts.ids[code], None if at == SINCE_EVER else at, floor, column))
        found.sort(key=lambda late: (late.table, late.row))
        return _LateFacts(logs, found)

    def _told(self, names: Sequence[LeadId | None], outcome: _kernel.Outcome, logs: list[Log | None]) -> Told:
        """What keepers worked out; it is put into arrays when somebody asks."""
        return Told(names, lambda: _parts(outcome, logs, self._scores), like=self.like)  # type: ignore[arg-type]

    def _fault(self, fault: Fault, names: Sequence[LeadId | None], facts: Facts | None) -> LeadcoreError:
        """What went wrong with one lead, in words."""
        kind, lead, row = fault
        name = names[lead]
        if kind == _CONFLICT and facts is not None:
            return DataError([_repeats(int(facts.row[row]), facts.event_id(row))])
        if kind == _TOO_MANY:
            reason = f"makes more than {MOST_MOVES:,} transitions"
            return DataError([Problem("events", None, "lead_id", str(name), reason)])
        return StateError(f"what is remembered of lead {name!r} is damaged")


@dataclass(frozen=True)
class Standing:
    """What was last told of some leads.

    Attributes:
        at: The instant, -2^63: nothing was.
        scores: Micropoints, shape (leads, scores).
        reached: Whether thresholds were reached, shape (leads, thresholds).
    """

    at: Ints
    scores: Ints
    reached: Any


class _Keeping:
    """A keeper for a while."""

    def __init__(self, book: Book, at: int) -> None:
        self._book, self._at = book, at

    def __enter__(self) -> _kernel.Keeper:
        self._keeper = self._book._lent(max(self._at, 0), max(self._at, 0))
        return self._keeper

    def __exit__(self, *_: object) -> None:
        self._book._back([self._keeper])


class _LateFacts:
    """Facts of a call that came too late."""

    def __init__(self, logs: list[Log | None], found: list[LateRow]) -> None:
        self.logs, self.found = logs, found

    def error(self) -> DataError:
        """All of them, told."""
        return _too_late(self.found, len(self.found))


def _late(
    table: Literal["events", "leads"], row: int, lead_id: LeadId, at: int | None, floor: int, column: str
) -> LateRow:  # fmt: skip
    reason = f"comes too late for lead {lead_id!r}: facts are taken from {to_text(floor)} on"
    if at is None:
        reason = (
            f"comes too late: it says what was since ever, and facts of lead {lead_id!r} are taken from "
            f"{to_text(floor)} on; say valid_from"
        )
    return LateRow(table, row, lead_id, at, None if at is None else floor - at, reason, column)


def _too_late(late: list[LateRow], count: int) -> DataError:
    problems = [
        Problem(
            one.table, one.row, one.column, None if one.at is None else to_text(one.at), one.reason,
        )
        for one in late[:100]
    ]  # fmt: skip
    return DataError(problems, count)


def _repeats(row: int, event_id: Any) -> Problem:
    reason = "repeats an event_id of its lead with another instant, type or property than before"
    return Problem("events", row, "event_id", str(event_id), reason)


def _known(crossings: list[tuple[int, bool] | None]) -> Iterable[tuple[int, tuple[int, bool]]]:
    return ((i, crossing) for i, crossing in enumerate(crossings) if crossing is not None)


def _parts(outcome: _kernel.Outcome, logs: list[Log | None], scores: int) -> Parts:
    moves, change, ordinal, ids = _moves(logs, scores)
    scores_before, scores_after = outcome.score_columns()
    reached_before, reached_after = outcome.threshold_columns()
    return Parts(
        outcome.column("before_at"), outcome.column("after_at"), scores_before, scores_after, reached_before,
        reached_after, outcome.column("open_stage").astype(np.int32), outcome.column("open_entered"), moves, change,
        ordinal, ids, outcome.column("live"),
    )  # fmt: skip


def _moves(told: list[Log | None], width: int) -> tuple[Moves, Any, Any, list[LeadId | None]]:
    """Moves that keepers handed out, their change, their ordinals, and the ids of events they name."""
    logs = [log for log in told if log is not None]
    rows = np.concatenate([np.empty(0, _kernel.DTYPES["told"]), *(log[0] for log in logs)])
    scores = np.concatenate([np.empty((0, width), np.int64), *(log[1] for log in logs)])
    ids: list[LeadId | None] = []
    event = np.full(len(rows), -1, np.int64)
    at = 0
    for records, _, keys, _ in logs:
        for i in np.flatnonzero(records["key_size"]).tolist():
            begin = int(records["key"][i])
            event[at + i] = len(ids)
            ids.append(key_id(keys[begin : begin + int(records["key_size"][i])]))
        at += len(records)
    order = np.argsort(rows["lead"], kind="stable")
    rows = rows[order]
    moves = Moves(
        lead=np.ascontiguousarray(rows["lead"]), at=np.ascontiguousarray(rows["at"]),
        from_stage=np.ascontiguousarray(rows["from_stage"]), to_stage=np.ascontiguousarray(rows["to_stage"]),
        rule=np.ascontiguousarray(rows["rule"]), cause=np.ascontiguousarray(rows["cause"]),
        event=event[order], scores=scores[order],
    )  # fmt: skip
    return moves, np.ascontiguousarray(rows["change"]), np.ascontiguousarray(rows["ordinal"]), ids


__all__ = ["Book", "CompiledLedger", "Told", "compile_ledger"]
