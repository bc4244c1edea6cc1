"""Books with all that a store ever kept of their leads: in them nothing is too late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from leadcore.errors import LeadcoreError, StateError
from leadcore.ledger.book import Book, CompiledLedger
from leadcore.ledger.stores.base import EventRow, Reading, StoredLead
from leadcore.ledger.stores.keys import lead_id_of
from leadcore.ledger.stores.rows import kept_requests

ALL = -1


def held(book: Book, leads: Sequence[StoredLead]) -> Book:
    """Put leads into a book as they were last written.

    Raises:
        StateError: One of them is no state of this model.
    """
    for lead in leads:
        lead_id = lead_id_of(lead.key)
        try:
            if lead.number is not None:
                book.put(lead_id, lead.image)
        except ValueError as fault:
            raise StateError(f"the store is damaged: what it remembers of lead {lead_id!r} is no state") from fault
        for record in lead.records:
            book.alias(lead_id_of(record), lead_id)
    return book


def whole_book(
    compiled: CompiledLedger, reading: Reading, leads: Sequence[StoredLead],
    leave_out: Callable[[StoredLead, EventRow], bool] = lambda lead, row: False,
) -> Book:  # fmt: skip
    """A book of these leads with every event and row that was kept, told as far as they were.

    Events taken back are not among them: their ids are known to the store alone.

    Args:
        compiled: The compiled model.
        reading: Where they are kept.
        leads: The leads.
        leave_out: Further events that are not to be there.
    """
    book = held(Book(compiled, ALL), leads)
    for lead in leads:
        if lead.number is None:
            continue
        lead_id = lead_id_of(lead.key)
        events = [row for row in reading.events(lead) if not row.retracted and not leave_out(lead, row)]
        until = book.told(lead_id)  # the clock is not set yet: they are brought no further
        for part, request in enumerate(kept_requests(compiled.model, events, reading.attributes([lead]))):
            book.apply(request, until, anew=part == 0)
    book.clock = reading.ledger.clock
    return book


def trimmed(book: Book, lead_id: Any, late: int) -> tuple[bytes, int]:
    """The image of a lead of a whole book as a book of this lateness has it, and when it is due."""
    if late == ALL:
        return book.image(lead_id), due_of(book, lead_id)
    small = Book(book.compiled, late)
    small.put(lead_id, book.image(lead_id))
    small.bring(small.slots_of([lead_id]), small.told(lead_id))
    return small.image(lead_id), due_of(small, lead_id)


def due_of(book: Book, lead_id: Any) -> int:
    """When an advance has something to tell of a lead: without a lifecycle always, for scores move by themselves."""
    if book.compiled.model.lifecycle is None:
        return book.told(lead_id) + 1
    return book.due_of(lead_id)


class AskedBook(Book):
    """A book of a store, to be asked while its transaction lasts: also of instants before what states keep."""

    def __init__(self, compiled: CompiledLedger, late: int, reading: Reading, leads: Sequence[StoredLead]) -> None:
        super().__init__(compiled, late)
        self.clock = reading.ledger.clock
        self._reading, self._leads = reading, leads
        held(self, leads)

    def score(self, slots: Any, at: Any, line_words: int = 0, threads: int | None = None) -> tuple[Any, ...]:
        """As in a book; where its sums are too young, by the events that the store keeps."""
        try:
            return super().score(slots, at, line_words, threads)
        except StateError:
            raise
        except LeadcoreError:
            book, again = self._whole(slots)
            return book.score(again, at, line_words, threads)

    def next_change(self, slots: Any, as_of: int, until: int) -> tuple[Any, ...]:
        """Likewise."""
        try:
            return super().next_change(slots, as_of, until)
        except StateError:
            raise
        except LeadcoreError:
            book, again = self._whole(slots)
            return book.next_change(again, as_of, until)

    def stand(self, slot: int, at: int) -> tuple[Any, ...]:
        """Likewise."""
        try:
            return super().stand(slot, at)
        except StateError:
            raise
        except LeadcoreError:
            book, again = self._whole(np.array([slot]))
            return book.stand(int(again[0]), at)

    def _whole(self, slots: Any) -> tuple[Book, Any]:
        """A book with all facts of these leads, and their slots there."""
        name_of = {slot: lead_id for lead_id, slot in self.ids.items() if lead_id not in self.aliases}
        names = [name_of[slot] for slot in slots.tolist()]
        wanted = set(names)
        leads = [lead for lead in self._leads if lead_id_of(lead.key) in wanted]
        book = whole_book(self.compiled, self._reading, leads)
        return book, book.slots_of(names)
