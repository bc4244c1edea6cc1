"""Leads of a ledger kept in this process, in one book."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from leadcore.errors import LeadcoreError
from leadcore.ledger.book import Book
from leadcore.ledger.compiled import CompiledLedger, compile_ledger
from leadcore.ledger.ids import Id

if TYPE_CHECKING:
    from leadcore._run import Request
    from leadcore.ledger.stores.base import Entry
    from leadcore.ledger.told import Told
    from leadcore.scorer import Scorer


class Memory:
    """Keeps leads in one book; what changes them are the book's own methods, with nothing on the way.

    Attributes:
        book: The book.
    """

    def __init__(self, book: Book) -> None:
        self._take(book)

    def _take(self, book: Book) -> None:
        self.book = book
        self.apply, self.add, self.advance = book.apply, book.add, book.advance
        self.retract, self.forget, self.merge = book.retract, book.forget, book.merge

    @property
    def clock(self) -> int:
        """Instant to which everything was told for all leads."""
        return self.book.clock

    def books(self, lead_ids: Sequence[Id] | None = None) -> AbstractContextManager[Iterator[Book]]:
        """The one book."""
        return nullcontext(iter([self.book]))

    def lead_ids(self) -> Iterator[Id]:
        """Ids of all leads, without the records merged away."""
        return iter(self.book.lead_ids())

    def migrate(self, scorer: Scorer, at: int | None, request: Request) -> Told:
        """Move every lead to another model; the old book stands until the new one does."""
        from leadcore.ledger.migrate import migrate

        book, told = migrate(self.book, compiled_of(scorer), at, request)
        self._take(book)
        return told

    def any_id(self) -> Id | None:
        """An id of the ledger, None where there is none."""
        return self.book.like

    def __len__(self) -> int:
        return len(self.book)

    def __contains__(self, lead_id: object) -> bool:
        return lead_id in self.book.ids

    def changes(self, after: int, limit: int) -> list[Entry]:
        """Memory keeps no feed."""
        raise LeadcoreError(
            "a ledger in memory hands its changes out and keeps none: keep what apply returns, or use a store, "
            'Ledger.open("sqlite:///leads.db", scorer)'
        )

    def close(self) -> None:
        """There is nothing to let go of."""


def new_book(scorer: Scorer, late: int) -> Book:
    """A book without leads.

    Args:
        scorer: The compiled model.
        late: Lateness in microseconds, -1 for all.
    """
    return Book(compiled_of(scorer), late)


def compiled_of(scorer: Scorer) -> CompiledLedger:
    """The scorer's model compiled for ledgers, when it is first asked for; all its ledgers share it."""
    compiled = _compiled.get(scorer)
    if compiled is None:
        compiled = _compiled.setdefault(scorer, compile_ledger(scorer.model))
    return compiled


_compiled: weakref.WeakKeyDictionary[Scorer, CompiledLedger] = weakref.WeakKeyDictionary()
