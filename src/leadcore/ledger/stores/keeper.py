"""The leads of one ledger in a store: each call is one transaction, and counts once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from leadcore.errors import DataError, Problem, StateError
from leadcore.ledger.stores.base import NEVER, Entry, EventRow, LeadId, Reading, Store, StoredLead, Writing
from leadcore.ledger.stores.keys import lead_id_of, lead_key
from leadcore.ledger.stores.rows import Given, collected, given_event, given_tables, kept_requests

if TYPE_CHECKING:
    from leadcore._run import Request
    from leadcore.ledger.book import Book, Told
    from leadcore.scorer import Scorer

AT_ONCE = 5_000
"""Leads in one part of an advance, and in one book of all leads."""


@dataclass(frozen=True)
class Hands:
    """What a store needs to know of books.

    Attributes:
        book: An empty book whose clock stands at an instant.
        rebuild: Gives a lead of a book, whose image it has, all its facts: as requests, and the pairs of lead and event
            id that were retracted.
        entries: What the feed is to say of what a call did to a book, in order.
        joined: What several calls did, to different leads, as one.
    """

    book: Callable[[int], Book]
    rebuild: Callable[[Book, LeadId, Iterator[Request], list[tuple[LeadId, LeadId]]], None]
    entries: Callable[[Book, Told], list[Entry]]
    joined: Callable[[list[Told]], Told]


class StoreKeeping:
    """`Keeping` in a store.

    What a call touches is read into a book of its own, changed there, and written back in the same transaction. Nothing
    is remembered from one call to the next, so any number of threads and processes may do this at a time.

    Args:
        store: The database.
        scorer: The compiled model.
        late: Lateness that images keep, microseconds; -1: all.
        tenant: Whose ledger; nothing of other tenants is seen.
        hands: How books are made and read.
    """

    def __init__(self, store: Store, scorer: Scorer, late: int, tenant: str, hands: Hands) -> None:
        self._store, self._scorer, self._hands = store, scorer, hands
        self._model, self._semantics = scorer.model, scorer.model.semantics
        self._ledger = store.open_ledger(tenant, self._semantics, scorer.model.to_json(), late)

    # asking

    @property
    def clock(self) -> int:
        """Instant to which everything was told for all leads."""
        with self._read() as reading:
            return reading.ledger.clock

    @contextmanager
    def books(self, lead_ids: Sequence[LeadId] | None = None) -> Iterator[Iterator[Book]]:
        """Books that hold the leads asked for, all of one moment."""
        with self._read() as reading:
            yield self._books(reading, lead_ids)

    def _books(self, reading: Reading, lead_ids: Sequence[LeadId] | None) -> Iterator[Book]:
        if lead_ids is not None:
            yield self._held(reading, reading.leads(map(lead_key, lead_ids)))
            return
        after = b""
        while leads := reading.page(after, AT_ONCE):
            yield self._held(reading, leads)
            after = leads[-1].key

    def lead_ids(self) -> Iterator[LeadId]:
        """Ids of all leads, integers first, in order."""
        after = b""
        with self._read() as reading:
            while keys := reading.keys(after, AT_ONCE):
                yield from map(lead_id_of, keys)
                after = keys[-1]

    def __len__(self) -> int:
        with self._read() as reading:
            return reading.count()

    def __contains__(self, lead_id: object) -> bool:
        if not isinstance(lead_id, (int, str)) or isinstance(lead_id, bool):
            return False
        with self._read() as reading:
            return reading.has(lead_key(lead_id))

    def changes(self, after: int, limit: int) -> list[Entry]:
        """The feed: what was handed out after a place in it, oldest first."""
        with self._read() as reading:
            return [
                Entry(kind, lead_id_of(key), at, json.loads(payload), seq)
                for seq, kind, key, at, payload in reading.entries(after, limit)
            ]

    # changing

    def apply(self, request: Request, until: int | None, set_aside: bool) -> Told:
        """Take in facts, in one transaction; here nothing is too late, so ``set_aside`` says nothing."""
        request = collected(request)
        given = given_tables(self._model, self._scorer._plan, self._scorer._program, request)
        with self._write() as writing:
            leads = writing.leads(given.keys)
            book = self._held(writing, leads)
            told = book.apply(request, until, True)
            if len(told.late):
                # Too late for their images, and not for the store, which keeps everything.
                late = {lead_key(row.lead_id) for row in told.late}
                whole = [lead for lead in leads if late.intersection((lead.key, *lead.records))]
                book = self._held(writing, leads, whole)
                told = book.apply(request, until, set_aside)
            self._keep(writing, leads, book, told, given)
            return told

    def add(self, lead_id: LeadId, at: Any, type: str, properties: Any, event_id: LeadId | None) -> Told:
        """Take in one event, in one transaction."""
        with self._write() as writing:
            leads = writing.leads([lead_key(lead_id)])
            book = self._held(writing, leads)
            try:
                told = book.add(lead_id, at, type, properties, event_id)
            except DataError:
                if not leads:
                    raise
                # If it is too late for the image, it is not for the store, which keeps everything.
                book = self._held(writing, leads, whole=leads)
                told = book.add(lead_id, at, type, properties, event_id)
            given = given_event(self._model, self._scorer._program, lead_id, at, type, properties, event_id)
            self._keep(writing, leads, book, told, given)
            return told

    def advance(self, until: int, threads: int | None) -> Told:
        """Tell everything up to an instant, some leads at a time; the clock moves with the last of them.

        Each part is a transaction: where one fails, the parts before it hold, what they told is in the feed, and the
        next advance goes on behind them.
        """
        parts: list[Told] = []
        while True:
            with self._write() as writing:
                if until <= writing.ledger.clock:
                    break
                leads = writing.due(until, AT_ONCE)
                book = self._held(writing, leads)
                told = book.advance(until, threads)
                self._keep(writing, leads, book, told, Given([], []))
                parts.append(told)
                if len(leads) < AT_ONCE:
                    writing.set_clock(until)
                    break
                if min(lead.due for lead in leads) <= until:
                    raise StateError("the state of a lead is damaged: it is due again at an instant already told")
        return self._hands.joined(parts) if parts else self._hands.book(until).advance(until, threads)

    def retract(self, pairs: Sequence[tuple[LeadId, LeadId]]) -> Told:
        """Take back events, in one transaction."""
        with self._write() as writing:
            leads = writing.leads(lead_key(lead_id) for lead_id, _ in pairs)
            lead_of = _by_key(leads)
            wanted: dict[bytes, list[bytes]] = {}
            for lead_id, event_id in pairs:
                if lead := lead_of.get(lead_key(lead_id)):
                    wanted.setdefault(lead.key, []).append(lead_key(event_id))
            known = [lead for lead in leads if writing.same_events(lead, wanted[lead.key])]
            book = self._held(writing, leads, whole=known)
            told = book.retract(list(pairs))
            for lead in known:
                writing.retract(lead, wanted[lead.key])
            self._keep(writing, leads, book, told, Given([], []))
            return told

    def forget(self, lead_id: LeadId) -> bool:
        """Erase a lead, in one transaction, and what the files still hold of it."""
        with self._write() as writing:
            leads = writing.leads([lead_key(lead_id)])
            for lead in leads:
                writing.forget(lead)
        if leads:
            self._store.erase()
        return bool(leads)

    def merge(self, lead_id: LeadId, into: LeadId) -> Told:
        """Make one lead a record of another, in one transaction."""
        with self._write() as writing:
            leads = writing.leads([lead_key(lead_id), lead_key(into)])
            book = self._held(writing, leads, whole=leads)
            told = book.merge(lead_id, into)
            merged, onto = (next((lead for lead in leads if lead.key == lead_key(i)), None) for i in (lead_id, into))
            final = next((lead for lead in _by_key(leads).values() if lead_key(into) in (lead.key, *lead.records)), onto)
            if final is None:
                final = StoredLead(lead_key(into), None, b"", NEVER)
                leads.append(final)
            gone = [] if merged is None or merged is final else [merged]
            changed = self._images([lead for lead in leads if lead not in gone], book)
            writing.put_leads(changed)
            if gone:
                writing.merge(gone[0], final)
            elif merged is None and lead_key(lead_id) not in final.records:
                writing.alias(lead_key(lead_id), final)
            self._tell(writing, {**_by_key([final]), lead_key(lead_id): final}, book, told)
            return told

    def close(self) -> None:
        """Let go of files and connections."""
        self._store.close()

    # inside

    @contextmanager
    def _read(self) -> Iterator[Reading]:
        with self._store.read(self._ledger) as reading:
            self._same_model(reading)
            yield reading

    @contextmanager
    def _write(self) -> Iterator[Writing]:
        with self._store.write(self._ledger) as writing:
            self._same_model(writing)
            yield writing

    def _same_model(self, reading: Reading) -> None:
        if reading.ledger.semantics != self._semantics:
            raise StateError(
                f"this ledger went on with another model, of semantics {reading.ledger.semantics[:12]}: "
                "open it with a scorer of that one"
            )

    def _held(self, reading: Reading, leads: Sequence[StoredLead], whole: Sequence[StoredLead] = ()) -> Book:
        """A book of these leads; those of ``whole`` with every fact there ever was."""
        book = self._hands.book(reading.ledger.clock)
        everything = {lead.key for lead in whole}
        for lead in leads:
            lead_id = lead_id_of(lead.key)
            try:
                book.put(lead_id, lead.image)
            except ValueError as fault:
                raise StateError(f"the store is damaged: the state of lead {lead_id!r} cannot be read") from fault
            if lead.key in everything:
                events, attributes = reading.events(lead), reading.attributes(lead)
                dead = [(lead_id_of(e.record), lead_id_of(e.event_id)) for e in events if e.retracted and e.event_id]
                requests = kept_requests(self._model, events, attributes)
                self._hands.rebuild(book, lead_id, requests, dead)
        return book

    def _keep(self, writing: Writing, leads: list[StoredLead], book: Book, told: Told, given: Given) -> None:
        """Write what a call did: images, the facts given, and what to hand out."""
        known = _by_key(leads)
        new = [lead_id for lead_id in book.lead_ids() if lead_key(lead_id) not in known]
        leads += [StoredLead(lead_key(lead_id), None, b"", NEVER) for lead_id in new]
        writing.put_leads(self._images(leads, book))
        lead_of = _by_key(leads)
        aside = {(row.table, row.row) for row in told.late}
        events = [
            replace(row, lead=lead_of[row.record].key) for place, row in given.events if ("events", place) not in aside
        ]
        if events and writing.add_events(lead_of, events) < len(events):
            _refuse_others(writing, lead_of, given.events)
        rows = [
            replace(row, lead=lead_of[row.record].key)
            for place, row in enumerate(given.attributes)
            if ("leads", place) not in aside
        ]
        writing.put_attributes(lead_of, rows)
        self._tell(writing, lead_of, book, told)

    def _images(self, leads: Sequence[StoredLead], book: Book) -> list[StoredLead]:
        """Those of the leads whose image is another now, with the new one."""
        due, changed = book.due(), []
        for lead in leads:
            lead_id = lead_id_of(lead.key)
            image, when = book.image(lead_id), int(due[book.ids[lead_id]])
            if lead.number is None or image != lead.image or when != lead.due:
                lead.image, lead.due = image, when
                changed.append(lead)
        return changed

    def _tell(self, writing: Writing, lead_of: dict[bytes, StoredLead], book: Book, told: Told) -> None:
        rows = [
            (entry.kind, lead_key(entry.lead_id), entry.at, json.dumps(entry.payload, ensure_ascii=False))
            for entry in self._hands.entries(book, told)
        ]
        writing.add_entries(lead_of, rows)


def _by_key(leads: Sequence[StoredLead]) -> dict[bytes, StoredLead]:
    return {key: lead for lead in leads for key in (lead.key, *lead.records)}


def _refuse_others(writing: Writing, lead_of: dict[bytes, StoredLead], given: list[tuple[int, EventRow]]) -> None:
    """Refuse events that repeat an id the lead has had, and differ, however long ago that was (spec 2.5)."""
    rows_of: dict[bytes, list[tuple[int, EventRow]]] = {}
    for place, row in given:
        if row.event_id is not None:
            rows_of.setdefault(lead_of[row.record].key, []).append((place, row))
    problems = []
    for key, rows in rows_of.items():
        ids = [row.event_id for _, row in rows if row.event_id is not None]
        same = {event.event_id: event for event in writing.same_events(lead_of[key], ids)}
        for place, row in rows:
            kept = same[row.event_id]
            if not kept.retracted and (kept.at, kept.type, kept.properties) != (row.at, row.type, row.properties):
                assert row.event_id is not None
                reason = "repeats an event_id of its lead with another instant, type or property than was told before"
                problems.append(Problem("events", place, "event_id", str(lead_id_of(row.event_id))[:32], reason))
    if problems:
        raise DataError(problems, len(problems))
