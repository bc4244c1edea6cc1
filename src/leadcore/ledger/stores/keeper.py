"""The leads of one ledger in a store: each call is one transaction, and counts once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from leadcore._inputs import Names, data_errors
from leadcore.errors import DataError, LeadcoreError, Problem, StateError
from leadcore.ledger.book import Book
from leadcore.ledger.changes import Changes
from leadcore.ledger.counts import LedgerCounts
from leadcore.ledger.feed import feed_entries
from leadcore.ledger.memory import compiled_of
from leadcore.ledger.migrate import migrate
from leadcore.ledger.stores.base import (
    NEVER,
    REPLACED,
    AttributeRow,
    Entry,
    EventRow,
    LeadId,
    Reading,
    Store,
    StoredLead,
    Writing,
)
from leadcore.ledger.stores.joined import joined
from leadcore.ledger.stores.keys import lead_id_of, lead_key
from leadcore.ledger.stores.rows import Given, collected, given_event, given_tables, in_json, kept_requests
from leadcore.ledger.stores.some import Some
from leadcore.ledger.stores.sql import went_on
from leadcore.ledger.stores.whole import AskedBook, due_of, held, trimmed, whole_book

if TYPE_CHECKING:
    from leadcore._run import Request
    from leadcore.ledger.compiled import CompiledLedger
    from leadcore.ledger.told import Told
    from leadcore.scorer import Scorer

AT_ONCE = 5_000
"""Leads in one part of an advance, and in one book of all leads."""
MOST = 2**62


class StoreKeeping:
    """`Keeping` in a store.

    What a call touches is read into a book of its own, changed there, and written back in the same transaction. Nothing
    is remembered from one call to the next, so any number of threads and processes may do this at a time.

    Args:
        store: The database.
        scorer: The compiled model.
        late: Lateness that states keep, microseconds; -1: all.
        tenant: Whose ledger; nothing of other tenants is seen.
        side_by_side: A new one may stand beside one of another version of the model.
    """

    def __init__(self, store: Store, scorer: Scorer, late: int, tenant: str, side_by_side: bool) -> None:
        self._store, self._late = store, late
        self._use(scorer)
        self._ledger = store.open_ledger(tenant, self._model, late, side_by_side)

    def _use(self, scorer: Scorer) -> None:
        self._scorer, self._model, self._compiled = scorer, scorer.model, compiled_of(scorer)

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
            yield self._asked(reading, reading.leads(map(lead_key, lead_ids)))
            return
        after = b""
        while leads := reading.page(after, AT_ONCE):
            yield self._asked(reading, leads)
            after = leads[-1].key

    def _asked(self, reading: Reading, leads: Sequence[StoredLead]) -> Book:
        return AskedBook(self._compiled, self._late, reading, leads)

    def lead_ids(self) -> Iterator[LeadId]:
        """Ids of all leads, integers first, in order."""
        after = b""
        with self._read() as reading:
            while keys := reading.keys(after, AT_ONCE):
                yield from map(lead_id_of, keys)
                after = keys[-1]

    def any_id(self) -> LeadId | None:
        """An id of the ledger, None where there is none."""
        with self._read() as reading:
            return _any_id(reading)

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
        given = given_tables(self._model, self._compiled.plan, self._compiled.program, request)
        with self._write() as writing:
            leads = writing.leads(given.keys)
            some = Some(request)
            again = self._leave_known_out(writing, leads, given, some)
            book = self._held(writing, leads)
            with some.rows():
                told = book.apply(some.request, until, True)
            books = [book]
            if len(told.late):
                told, books = self._apply_late(writing, leads, given, some, until, told)
            told.counts.duplicates += again.duplicates
            told.counts.leads += again.leads
            self._keep(writing, leads, told, books, given)
            return told

    def _leave_known_out(self, writing: Writing, leads: Sequence[StoredLead], given: Given, some: Some) -> LedgerCounts:
        """Leave out what the store has: a call made again changes nothing, not even how far a lead is told.

        Returns:
            How many rows that were.
        """
        lead_of = _by_key(leads)
        events = _repeats(writing, lead_of, given.events)
        rows = set[int]()
        if given.attributes:
            kept = {(row.record, row.valid_from): row for row in writing.attributes(leads)}
            for place, row in given.attributes:
                before = kept.get((row.record, row.valid_from))
                rows |= {place} if before is not None and _says_nothing_new(row, before) else set()
        if events or rows:
            some.leave_out(events, rows)
            given.events = [(place, row) for place, row in given.events if place not in events]
            given.attributes = [(place, row) for place, row in given.attributes if place not in rows]
        return LedgerCounts(duplicates=len(events), leads=len(rows))

    def _apply_late(
        self, writing: Writing, leads: Sequence[StoredLead], given: Given, some: Some, until: int | None, told: Told
    ) -> tuple[Told, list[Book]]:
        """Take in facts of which some are too late for what is remembered of their leads: those by all that was kept."""
        records = {lead_key(row.lead_id) for row in told.late}
        late = [lead for lead in leads if records.intersection((lead.key, *lead.records))]
        records = {key for lead in late for key in (lead.key, *lead.records)}
        events = [place for place, row in given.events if row.record in records]
        rows = [place for place, row in given.attributes if row.record in records]
        old = whole_book(self._compiled, writing, late)
        these = some.only(events, rows)
        with these.rows():
            told = old.apply(these.request, until, False)
        some.leave_out(events, rows)
        book = self._held(writing, [lead for lead in leads if lead not in late])
        with some.rows():
            rest = book.apply(some.request, until, False)
        return joined([told, rest]), [book, old]

    def add(self, lead_id: LeadId, at: Any, type: str, properties: Any, event_id: LeadId | None) -> Told:
        """Take in one event, in one transaction."""
        with data_errors("events"):
            given = given_event(self._model, self._compiled.program, lead_id, at, type, properties, event_id)
        with self._write() as writing:
            leads = writing.leads([lead_key(lead_id)])
            book: Book = self._held(writing, leads)
            if _repeats(writing, _by_key(leads), given.events):
                told = book.retract([])
                told.counts.duplicates = 1
                return told
            try:
                told = book.add(lead_id, at, type, properties, event_id)
            except DataError:
                if not leads:
                    raise
                book = whole_book(self._compiled, writing, leads)
                told = book.add(lead_id, at, type, properties, event_id)
            self._keep(writing, leads, told, [book], given)
            return told

    def advance(self, until: int, threads: int | None) -> Told:
        """Tell everything up to an instant, some leads at a time; the clock moves with the last of them.

        Each part is a transaction: where one fails, the parts before it hold, what they told is in the feed, and the
        next advance goes on behind them.
        """
        parts = []
        while True:
            with self._write() as writing:
                if until <= writing.ledger.clock:
                    parts.append(self._held(writing, []).retract([]))
                    break
                leads = writing.due(until, AT_ONCE)
                book = self._held(writing, leads)
                told = book.advance(until, threads)
                self._keep(writing, leads, told, [book], Given([], []))
                parts.append(told)
                if len(leads) < AT_ONCE:
                    writing.set_clock(until)
                    break
                if min(lead.due for lead in leads) <= until:
                    raise StateError("the store is damaged: a lead is due again at an instant to which it was told")
        return joined(parts)

    def retract(self, pairs: Sequence[tuple[LeadId, LeadId]]) -> Told:
        """Take back events, in one transaction."""
        with self._write() as writing:
            leads = writing.leads(lead_key(lead_id) for lead_id, _ in pairs)
            lead_of = _by_key(leads)
            asked = [(lead_of.get(lead_key(lead_id)), lead_key(event_id)) for lead_id, event_id in pairs]
            kept = writing.known_events([(lead, event_id) for lead, event_id in asked if lead is not None])
            states = [None if lead is None else kept.get((lead.key, event_id)) for lead, event_id in asked]
            live = [pair for pair, row in zip(pairs, states, strict=True) if row is not None and not row.retracted]
            book = self._held(writing, leads)
            if pairs:
                book.check_kind(pairs[0][0], "events", 0, "lead_id")
            try:
                told = book.retract(live)
                found = not told.counts.unknown
            except DataError:
                found = False
            if not found:
                book = whole_book(self._compiled, writing, leads)
                told = book.retract(live)
            told.counts.unknown += sum(row is None for row in states)
            told.counts.duplicates += sum(row is not None and row.retracted for row in states)
            writing.retract(lead_of, [row for row in states if row is not None and not row.retracted])
            self._keep(writing, leads, told, [book], Given([], []))
            return told

    def forget(self, lead_id: LeadId) -> bool:
        """Erase a lead, in one transaction, and what the files still hold of it."""
        with self._write() as writing:
            leads = writing.leads([lead_key(lead_id)])
            for lead in leads:
                writing.forget(lead)
        known = any(lead.number is not None for lead in leads)
        if known:
            self._store.erase()
        return known

    def merge(self, lead_id: LeadId, into: LeadId) -> Told:
        """Make one lead a record of another, in one transaction."""
        with self._write() as writing:
            leads = writing.leads([lead_key(lead_id), lead_key(into)])
            lead_of = _by_key(leads)
            gone, onto = lead_of.get(lead_key(lead_id)), lead_of.get(lead_key(into))
            book = self._held(writing, leads)
            if gone is not None and gone is onto:
                return book.merge(lead_id, into)  # nothing is to be done, or it says why not
            both = set[bytes | None]()
            if gone is not None and onto is not None and gone.number is not None:
                both = _merge_events(writing, gone, onto, lead_id, into)
            try:
                told = None if both else book.merge(lead_id, into)
            except (DataError, StateError):
                raise
            except LeadcoreError:
                told = None
            if told is None:
                book = whole_book(
                    self._compiled, writing, leads, lambda lead, row: lead is gone and row.event_id in both
                )
                told = book.merge(lead_id, into)
            person = StoredLead(lead_key(into), None, b"", NEVER) if onto is None else onto
            if gone is not None and gone.number is not None:
                self._put(writing, [person], [book])
                writing.merge(gone, person)
            writing.alias(lead_key(lead_id), person.key)
            self._tell(writing, {lead_key(one): person for one in told.lead_ids}, told, self._compiled)
            return told

    def migrate(self, scorer: Scorer, at: int | None, request: Request) -> Told:
        """Move all leads to another model, in one transaction; whoever has the ledger open with the old one must open it anew.

        Tables that are not given are taken from what was kept; those that are given are kept instead of that.
        """
        compiled = compiled_of(scorer)
        request = collected(request)
        given = given_tables(scorer.model, compiled.plan, compiled.program, request)
        parts = []
        with self._write() as writing:
            clock = writing.ledger.clock if at is None else max(writing.ledger.clock, at)
            for leads in self._pages(writing, given):
                book, told = self._migrated(writing, leads, compiled, at, request)
                parts.append(told)
                known = self._put_all(writing, leads, book)
                self._tell(writing, known, told, compiled)
            if request.events is not None:
                writing.drop_events()
            if request.leads is not None:
                writing.drop_attributes()
            if given.events or given.attributes:
                self._keep_facts(writing, known, given)
            writing.set_clock(clock)
            writing.set_model(scorer.model)
        self._use(scorer)
        return joined(parts) if parts else Book(compiled, self._late).retract([])

    def _pages(self, writing: Writing, given: Given) -> Iterator[list[StoredLead]]:
        """All leads, some thousand at a time; at once where tables are given that may be of any of them."""
        if given.events or given.attributes:
            yield writing.page(b"", MOST)
            return
        after = b""
        while leads := writing.page(after, AT_ONCE):
            yield leads
            after = leads[-1].key

    def _migrated(
        self, writing: Writing, leads: Sequence[StoredLead], compiled: CompiledLedger, at: int | None, request: Request
    ) -> tuple[Book, Told]:
        """A book of these leads under another model, and what is told otherwise by it."""
        events = [] if request.events is not None else [
            row for lead in leads for row in writing.events(lead) if not row.retracted
        ]  # fmt: skip
        rows = [] if request.leads is not None else writing.attributes(leads)
        kept = list(kept_requests(compiled.model, events, rows))
        if len(kept) > 1:
            raise LeadcoreError(
                "this ledger has ids that are integers and ids that are text: give events and leads anew"
            )
        if kept:
            names = Names(
                kept[0].names.leads if request.leads is None else request.names.leads,
                kept[0].names.events if request.events is None else request.names.events,
            )
            request = replace(
                request, names=names, events=request.events or kept[0].events, leads=request.leads or kept[0].leads
            )
        try:
            return migrate(self._held(writing, leads), compiled, at, request)
        except (StateError, DataError):
            raise
        except LeadcoreError:
            return migrate(whole_book(self._compiled, writing, leads), compiled, at, request)

    def _put_all(self, writing: Writing, leads: list[StoredLead], book: Book) -> Mapping[bytes, StoredLead]:
        """Write all leads of a book of another model."""
        known = _by_key(leads)
        for lead_id in book.lead_ids():
            known.setdefault(lead_key(lead_id), StoredLead(lead_key(lead_id), None, b"", NEVER))
        self._put(writing, [known[lead_key(lead_id)] for lead_id in book.lead_ids()], [book])
        return known

    def close(self) -> None:
        """Let go of files and connections."""
        self._store.close()

    # inside

    @contextmanager
    def _read(self) -> Iterator[Reading]:
        with self._store.read(self._ledger) as reading:
            self._check_model(reading)
            yield reading

    @contextmanager
    def _write(self) -> Iterator[Writing]:
        with self._store.write(self._ledger) as writing:
            self._check_model(writing)
            yield writing

    def _check_model(self, reading: Reading) -> None:
        now = reading.ledger.semantics
        if now == REPLACED:
            raise StateError("this ledger was empty, and another took its place: open it again")
        if now != self._model.semantics:
            raise went_on(now)

    def _held(self, reading: Reading, leads: Sequence[StoredLead]) -> Book:
        book = Book(self._compiled, self._late)
        book.clock = reading.ledger.clock
        if not leads:
            book.like = _any_id(reading)
        return held(book, leads)

    def _keep(self, writing: Writing, leads: list[StoredLead], told: Told, books: Sequence[Book], given: Given) -> None:
        """Write what a call did: what is remembered of leads, the facts given, and what to hand out."""
        known = _by_key(leads)
        for key in map(lead_key, told.lead_ids):
            if key not in known:
                known[key] = StoredLead(key, None, b"", NEVER)
                leads.append(known[key])
        self._put(writing, [known[lead_key(lead_id)] for lead_id in told.lead_ids], books)
        self._keep_facts(writing, known, given)
        self._tell(writing, known, told, self._compiled)

    def _keep_facts(self, writing: Writing, known: Mapping[bytes, StoredLead], given: Given) -> None:
        writing.add_events(known, [replace(row, lead=known[row.record].key) for _, row in given.events])
        writing.put_attributes(known, [replace(row, lead=known[row.record].key) for _, row in given.attributes])

    def _put(self, writing: Writing, leads: Sequence[StoredLead], books: Sequence[Book]) -> None:
        """Write what the first of the books that has a lead remembers of it."""
        changed = []
        for lead in leads:
            lead_id = lead_id_of(lead.key)
            book = next(book for book in books if lead_id in book.ids)
            if book.late == self._late:
                image, due = book.image(lead_id), due_of(book, lead_id)
            else:
                image, due = trimmed(book, lead_id, self._late)
            if lead.number is None or image != lead.image or due != lead.due:
                lead.image, lead.due = image, due
                changed.append(lead)
        writing.put_leads(changed)

    def _tell(
        self, writing: Writing, lead_of: Mapping[bytes, StoredLead], told: Told, compiled: CompiledLedger
    ) -> None:
        """Hand out what a call did; the caller gets the tables that are made for it."""
        told.changes = changes = Changes(compiled.model, told, levels=compiled.levels)
        rows = [
            (entry.kind, lead_key(entry.lead_id), entry.at, in_json(entry.payload)) for entry in feed_entries(changes)
        ]
        writing.add_entries(lead_of, rows)


def _any_id(reading: Reading) -> LeadId | None:
    key = reading.any_key()
    return None if key is None else lead_id_of(key)


def _by_key(leads: Sequence[StoredLead]) -> dict[bytes, StoredLead]:
    return {key: lead for lead in leads for key in (lead.key, *lead.records)}


def _repeats(writing: Writing, lead_of: Mapping[bytes, StoredLead], given: Sequence[tuple[int, EventRow]]) -> set[int]:
    """Places of events that the store has, or had until they were taken back, however long ago that was.

    Raises:
        DataError: One of them is told otherwise than before (spec 2.5).
    """
    asked = [
        (lead_of[row.record], row.event_id) for _, row in given if row.event_id is not None and row.record in lead_of
    ]
    if not asked:
        return set()
    kept = writing.known_events(asked)
    repeats, problems = set(), []
    for place, row in given:
        lead = lead_of.get(row.record)
        before = None if lead is None or row.event_id is None else kept.get((lead.key, row.event_id))
        if before is None:
            continue
        repeats.add(place)
        if not _alike(before, row):
            assert row.event_id is not None
            reason = "repeats an event_id of its lead with another instant, type or property than before"
            problems.append(Problem("events", place, "event_id", str(lead_id_of(row.event_id))[:32], reason))
    if problems:
        raise DataError(problems, len(problems))
    return repeats


def _merge_events(
    writing: Writing, gone: StoredLead, onto: StoredLead, lead_id: LeadId, into: LeadId
) -> set[bytes | None]:
    """Ids of events that both leads have; an event taken back of one is taken back of both.

    Raises:
        DataError: They say different things of one.
    """
    theirs = {row.event_id: row for row in writing.events(gone) if row.event_id is not None}
    kept = writing.known_events([(onto, event_id) for event_id in theirs])
    dead = []
    for (_, event_id), row in kept.items():
        other = theirs[event_id]
        if other.retracted and not row.retracted:
            dead.append(row)
        elif not row.retracted and not _alike(other, row):
            reason = f"is told otherwise of lead {lead_id!r} than of {into!r}"
            raise DataError([Problem("events", None, "event_id", str(lead_id_of(event_id))[:32], reason)])
    writing.retract(_by_key([onto]), dead)
    return {event_id for _, event_id in kept}


def _says_nothing_new(row: AttributeRow, before: AttributeRow) -> bool:
    created = row.created_at is None or (before.created_at is not None and before.created_at <= row.created_at)
    return created and row.attributes == before.attributes


def _alike(one: EventRow, other: EventRow) -> bool:
    return (one.at, one.type, one.properties) == (other.at, other.type, other.properties)
