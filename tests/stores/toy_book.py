"""A book so simple that one can see what it must say: to test stores by it, whatever the kernel does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import leadcore as lc
from leadcore._inputs import as_stream, column_names
from leadcore._run import Request
from leadcore._time import to_micros
from leadcore.errors import DataError, LeadcoreError, Problem
from leadcore.ledger.counts import LateRow, LedgerCounts
from leadcore.ledger.stores.base import NEVER, Entry
from leadcore.ledger.stores.keeper import Hands, StoreKeeping
from leadcore.ledger.stores.keys import lead_id_of
from leadcore.ledger.stores.rows import given_tables

HOUR = 3_600_000_000
MODEL = """
leadcore: 1
name: toy
attributes: {title: {type: text, optional: true}, size: {type: number, optional: true}}
events: {visit: {points: {type: number, optional: true}}, call: {note: {type: text, optional: true}}}
scores: {interest: {criteria: [{name: visits, kind: event, on: visit, points: 5}]}}
"""


def toy_scorer(name: str = "toy", points: int = 5) -> lc.Scorer:
    """A compiled model; those of other points are other models."""
    return lc.Scorer(lc.Model.from_yaml(MODEL.replace("name: toy", f"name: {name}").replace("points: 5", f"points: {points}")))


SCORER = toy_scorer()


@dataclass
class ToyLead:
    """Facts of one lead: an event is worth its points and a move, and an hour later a timer."""

    told: int = -(2**63)
    newest: int = -(2**63)
    base: float = 0.0
    floor: int | None = None
    events: list[list[Any]] = field(default_factory=list)
    dead: list[list[Any]] = field(default_factory=list)
    rows: dict[str, Any] = field(default_factory=dict)
    all: bool = False

    def image(self) -> bytes:
        return json.dumps([self.told, self.newest, self.base, self.floor, self.events, self.dead, self.rows]).encode()

    @classmethod
    def of(cls, image: bytes) -> ToyLead:
        return cls(*json.loads(image))

    def worth(self) -> float:
        return self.base + sum(points for _, at, points, _, _ in self.events if at <= self.told)

    def moves(self) -> dict[tuple[str, int, Any], str]:
        """What was told, as far as it is still known: by (kind, instant, event) -> whose."""
        found: dict[tuple[str, int, Any], str] = {}
        for record, at, _, event_id, n in self.events:
            what = event_id if event_id is not None else f"#{n}"
            if at <= self.told:
                found["transition", at, what] = record
            if at + HOUR <= self.told:
                found["alert", at + HOUR, what] = record
        return found

    def due(self) -> int:
        later = [t for _, at, *_ in self.events for t in (at, at + HOUR) if t > self.told]
        return min(later, default=NEVER)


@dataclass
class ToyTold:
    """What a call did."""

    lead_ids: list[Any]
    entries: list[Entry]
    late: list[LateRow] = field(default_factory=list)
    counts: LedgerCounts = field(default_factory=LedgerCounts)


class ToyBook:
    """As much of `Book` as a store needs."""

    def __init__(self, clock: int, late: int) -> None:
        self.clock, self.late = clock, late
        self.leads: dict[Any, ToyLead] = {}
        self.aliases: dict[Any, Any] = {}

    @property
    def ids(self) -> dict[Any, int]:
        return {lead_id: i for i, lead_id in enumerate([*self.leads, *self.aliases])}

    def lead_ids(self) -> list[Any]:
        return list(self.leads)

    def image(self, lead_id: Any) -> bytes:
        lead = self.leads[lead_id]
        floor = lead.newest - self.late
        if self.late >= 0 and lead.newest > -(2**63):
            # Older than late and told: only the sum is kept.
            old = [e for e in lead.events if e[1] + HOUR < floor and e[1] + HOUR <= lead.told]
            lead.base += sum(points for _, _, points, _, _ in old)
            lead.events = [e for e in lead.events if e not in old]
            lead.floor = floor if lead.floor is None else max(floor, lead.floor)
        aliases = {str(a): b for a, b in self.aliases.items() if b == lead_id}
        lead.rows["aliases"] = aliases
        return lead.image()

    def put(self, lead_id: Any, image: bytes) -> None:
        try:
            lead = ToyLead.of(image)
        except (TypeError, ValueError) as fault:
            raise ValueError("no valid image") from fault
        self.leads[lead_id] = lead
        self.aliases.update(dict.fromkeys(lead.rows.get("aliases", {}), lead_id))

    def due(self) -> list[int]:
        return [lead.due() for lead in self.leads.values()]

    def rebuild(self, lead_id: Any, requests: Any, dead: Any) -> None:
        lead = self.leads[lead_id]
        lead.base, lead.floor, lead.events, lead.dead = 0.0, None, [], [list(pair) for pair in dead]
        for request in requests:
            for _, row in given_tables(SCORER.model, SCORER._plan, SCORER._program, request).events:
                self._event(lead, row)

    def apply(self, request: Request, until: int | None, set_aside: bool) -> ToyTold:
        given = given_tables(SCORER.model, SCORER._plan, SCORER._program, request)
        told = ToyTold([], [])
        before: dict[Any, tuple[dict[Any, str], float]] = {}
        rows: list[tuple[Any, Any, int, Any]] = [
            (lead_id_of(row.record), row.at, place, row) for place, row in given.events
        ]
        for record, at, place, row in rows:
            lead_id = self.aliases.get(record, record)
            lead = self.leads.setdefault(lead_id, ToyLead())
            before.setdefault(lead_id, (lead.moves(), lead.worth()))
            if lead.floor is not None and at < lead.floor:
                if not set_aside:
                    raise DataError([Problem("events", place, "at", str(at), "is too late")])
                told.late.append(LateRow("events", place, record, at, lead.floor - at, "is too late"))
            elif self._event(lead, row, place):
                told.counts.events += 1
            else:
                told.counts.duplicates += 1
        for row in given.attributes:
            lead_id = lead_id_of(row.record)
            lead = self.leads.setdefault(self.aliases.get(lead_id, lead_id), ToyLead())
            lead.rows[f"{lead_id}@{row.valid_from}"] = row.attributes
            told.counts.leads += 1
        for lead_id, known in before.items():
            lead = self.leads[lead_id]
            newest = max((at for _, at, *_ in lead.events if until is None or at <= until), default=lead.newest)
            lead.newest = max(lead.newest, newest)
            lead.told = max(lead.told, self.clock, lead.newest)
            self._tell(told, lead_id, *known)
        return told

    def _event(self, lead: ToyLead, row: Any, place: int = 0) -> bool:
        record = lead_id_of(row.record)
        event_id = None if row.event_id is None else lead_id_of(row.event_id)
        points = float(json.loads(row.properties).get("points", 1.0))
        if [record, event_id] in lead.dead:
            return False
        for known in lead.events:
            if event_id is not None and known[3] == event_id:
                if known[1:3] != [row.at, points]:
                    raise DataError([Problem("events", place, "event_id", str(event_id), "differs")])
                return False
        n = sum(known[1] == row.at for known in lead.events)
        lead.events.append([record, row.at, points, event_id, n])
        lead.events.sort(key=lambda e: (e[1], str(e[3])))
        return True

    def _tell(self, told: ToyTold, lead_id: Any, before: dict[Any, str], worth: float) -> None:
        lead = self.leads[lead_id]
        after = lead.moves()
        told.lead_ids.append(lead_id)
        for change, some, others in (("withdrawn", before, after), ("new", after, before)):
            for kind, at, what in sorted(some, key=lambda move: (move[1], move[0], str(move[2]))):
                if (kind, at, what) not in others:
                    record = some[kind, at, what]
                    key = f"{kind}:{record}:{at}:{what}"
                    told.entries.append(Entry(kind, record, at, {"change": change, "key": key}))
        if lead.worth() != worth:
            told.entries.append(Entry("score", lead_id, lead.told, {"before": worth, "after": lead.worth()}))

    def add(self, lead_id: Any, at: Any, type: str, properties: Any, event_id: Any) -> ToyTold:
        row = {"lead_id": lead_id, "at": at, "type": type, **(properties or {})}
        return self.apply(toy_request([row if event_id is None else {**row, "event_id": event_id}]), None, False)

    def advance(self, until: int, threads: int | None = None) -> ToyTold:
        told = ToyTold([], [])
        for lead_id, lead in self.leads.items():
            before = (lead.moves(), lead.worth())
            lead.told = max(lead.told, until)
            lead.newest = max((at for _, at, *_ in lead.events if at <= until), default=lead.newest)
            self._tell(told, lead_id, *before)
        self.clock = max(self.clock, until)
        return told

    def retract(self, pairs: Any) -> ToyTold:
        told = ToyTold([], [])
        for record, event_id in pairs:
            lead_id = self.aliases.get(record, record)
            lead = self.leads.get(lead_id)
            hit = [] if lead is None else [e for e in lead.events if e[3] == event_id]
            if lead is None or (not hit and [record, event_id] not in lead.dead):
                told.counts.unknown += 1
                continue
            before = (lead.moves(), lead.worth())
            lead.events = [e for e in lead.events if e not in hit]
            if [record, event_id] in lead.dead:
                told.counts.duplicates += 1
            else:
                lead.dead.append([record, event_id])
            self._tell(told, lead_id, *before)
        return told

    def merge(self, lead_id: Any, into: Any) -> ToyTold:
        if lead_id == into or lead_id not in self.leads:
            raise LeadcoreError("cannot be merged")
        told = ToyTold([], [])
        gone = self.leads.pop(lead_id)
        onto = self.leads.setdefault(into, ToyLead())
        before = (onto.moves() | gone.moves(), onto.worth())
        known = {e[3] for e in onto.events}
        onto.events = sorted([*onto.events, *(e for e in gone.events if e[3] is None or e[3] not in known)], key=lambda e: e[1])
        onto.told, onto.newest = max(gone.told, onto.told), max(gone.newest, onto.newest)
        self.aliases = {**{a: into if b == lead_id else b for a, b in self.aliases.items()}, lead_id: into}
        self._tell(told, into, *before)
        return told


def toy_request(events: Any = None, leads: Any = None) -> Request:
    """Tables as a ledger hands them on."""
    columns = {name: [row.get(name) for row in events] for name in dict.fromkeys(k for r in events for k in r)} if events else None
    return Request(
        events=as_stream(columns, "events"), leads=as_stream(leads, "leads"), aliases=None,
        names=column_names(SCORER.model, None), instant=None, column=None, asks=None, unknown_leads="score",
        reject=False, sort=False, threads=1,
    )  # fmt: skip


def joined(parts: list[ToyTold]) -> ToyTold:
    """Several as one."""
    return ToyTold([i for part in parts for i in part.lead_ids], [e for part in parts for e in part.entries])


def toy_hands(late: int) -> Hands:
    """Books of this kind."""
    return Hands(
        book=lambda clock: ToyBook(clock, late),
        rebuild=lambda book, lead_id, requests, dead: book.rebuild(lead_id, requests, dead),
        entries=lambda book, told: told.entries,
        joined=joined,
    )


def toy_keeping(store: Any, late: int = 24 * HOUR, tenant: str = "default", scorer: lc.Scorer = SCORER) -> StoreKeeping:
    """A ledger of these books."""
    return StoreKeeping(store, scorer, late, tenant, toy_hands(late))


def micros(text: str) -> int:
    """An instant."""
    return to_micros(text)
