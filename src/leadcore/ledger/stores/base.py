"""What a ledger asks of whoever keeps its leads, and what that one asks of a database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from leadcore._run import Request
    from leadcore.ledger.book import Book, Told
    from leadcore.model import Model
    from leadcore.scorer import Scorer

LeadId = int | str
NEVER = 2**63 - 1
"""The instant of what is not due."""
BEFORE_ALL = -(2**63)
"""The clock of a ledger that never advanced."""
REPLACED = ""
"""The semantics of an empty ledger in whose place another was put."""


class Keeping(Protocol):
    """Keeps the leads of one ledger: in memory, or in a store where each call is one transaction.

    Whatever raises has changed nothing; only an advance of a store goes in parts, of which each holds or none of it.
    """

    @property
    def clock(self) -> int:
        """Instant to which everything was told for all leads, microseconds; `BEFORE_ALL`: never advanced."""
        ...

    def apply(self, request: Request, until: int | None, set_aside: bool) -> Told:
        """Take in facts; all of them, or those not set aside, or none.

        Raises:
            DataError: A row is faulty or too late.
            StateError: The store cannot keep them.
        """
        ...

    def add(self, lead_id: LeadId, at: Any, type: str, properties: Any, event_id: LeadId | None) -> Told:
        """Take in one event."""
        ...

    def advance(self, until: int, threads: int | None) -> Told:
        """Tell everything up to an instant; nothing happens if the clock is there already."""
        ...

    def retract(self, pairs: Sequence[tuple[LeadId, LeadId]]) -> Told:
        """Take back events, by lead and event id."""
        ...

    def forget(self, lead_id: LeadId) -> bool:
        """Erase a lead and the records merged into it; whether there was anything."""
        ...

    def merge(self, lead_id: LeadId, into: LeadId) -> Told:
        """Make one lead a record of another."""
        ...

    def migrate(self, scorer: Scorer, at: int | None, request: Request) -> Told:
        """Move all leads to another model."""
        ...

    def books(self, lead_ids: Sequence[LeadId] | None = None) -> AbstractContextManager[Iterator[Book]]:
        """Books that hold the leads asked for, each lead in one of them, all of one moment; asking changes nothing.

        Memory gives its one book. A store gives all its leads in books of some thousand, or those of ``lead_ids``
        that it knows in one. What is read from a book counts; what is written to it is lost.
        """
        ...

    def lead_ids(self) -> Iterator[LeadId]:
        """Ids of all leads, without the records merged away."""
        ...

    def any_id(self) -> LeadId | None:
        """An id of the ledger, which tells the kind of all; None where there is none."""
        ...

    def __len__(self) -> int: ...

    def __contains__(self, lead_id: object) -> bool: ...

    def changes(self, after: int, limit: int) -> list[Entry]:
        """The feed: what was handed out after a place in it, oldest first."""
        ...

    def close(self) -> None:
        """Let go of files and connections; the ledger is not used any more."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One change handed out, as the feed keeps it.

    Attributes:
        kind: ``score``, ``threshold``, ``transition`` or ``alert``.
        lead_id: Whose.
        at: When it happened, microseconds: of a score and a threshold the instant told.
        payload: The rest, as a JSON object.
        seq: Its place in the feed of its ledger, from 1 on, in the order of commits; 0 before it has one.
    """

    kind: str
    lead_id: LeadId
    at: int
    payload: dict[str, Any]
    seq: int = 0


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One ledger of a store, as a transaction found it.

    Attributes:
        id: Its number in the store.
        semantics: Fingerprint of the model it is scored by, or `REPLACED`.
        late: Lateness that images keep, microseconds; -1: all.
        clock: As in `Keeping`.
        version: How many transactions wrote to it: the fence. Who holds something read at another version holds
            something old.
        seq: Place of the newest entry of its feed.
    """

    id: int
    semantics: str
    late: int
    clock: int
    version: int
    seq: int


@dataclass(slots=True)
class StoredLead:
    """One lead of a ledger.

    Attributes:
        key: Its id, as `lead_key` writes it.
        number: Its number in the store, None before it has one.
        image: What `Book.image` gave.
        due: Earliest instant at which an advance has something to do for it, `NEVER` if none.
        records: Keys of the records merged into it.
    """

    key: bytes
    number: int | None
    image: bytes
    due: int
    records: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as it came.

    Attributes:
        lead: Key of the lead it belongs to.
        record: Key of the record it was given for: the lead itself, or one merged into it.
        event_id: Its id, as `lead_key` writes ids, or None.
        at: Instant, microseconds.
        type: Event type.
        properties: Its type's properties that are not null, as a JSON object.
        retracted: It counts as if it had never been, and its id stays dead.
    """

    lead: bytes
    record: bytes
    event_id: bytes | None
    at: int
    type: str
    properties: str
    retracted: bool = False


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """One row of the leads table as it came.

    Attributes:
        lead: Key of the lead it belongs to.
        record: Key of the record it was given for.
        valid_from: Since when it is in force, microseconds; `BEFORE_ALL`: since ever.
        created_at: Microseconds, or None.
        attributes: Those that are not null, as a JSON object; ``account_id`` among them.
    """

    lead: bytes
    record: bytes
    valid_from: int
    created_at: int | None
    attributes: str


class Reading(Protocol):
    """One moment of one ledger."""

    @property
    def ledger(self) -> LedgerRow:
        """The ledger's row at this moment."""
        ...

    def leads(self, keys: Iterable[bytes]) -> list[StoredLead]:
        """The leads that these ids are, or are records of; each once, in the order of keys first asked for.

        Where nothing is known yet of a lead but records of it, it has no number and no image.
        """
        ...

    def page(self, after: bytes, limit: int) -> list[StoredLead]:
        """The next leads by key."""
        ...

    def keys(self, after: bytes, limit: int) -> list[bytes]:
        """The keys of the next leads."""
        ...

    def has(self, key: bytes) -> bool:
        """Whether this is a lead, or a record of one."""
        ...

    def any_key(self) -> bytes | None:
        """The key of a lead, or of a record of one; None where there are none."""
        ...

    def events(self, lead: StoredLead) -> list[EventRow]:
        """Every event of a lead in the order they came, the retracted too."""
        ...

    def known_events(self, asked: Sequence[tuple[StoredLead, bytes]]) -> dict[tuple[bytes, bytes], EventRow]:
        """Events by lead and event id, of those asked for, the retracted too."""
        ...

    def attributes(self, leads: Sequence[StoredLead]) -> list[AttributeRow]:
        """Every attribute row of leads."""
        ...

    def entries(self, after: int, limit: int) -> list[tuple[int, str, bytes, int, str]]:
        """The feed after a place in it: (place, kind, key of the lead, instant, JSON)."""
        ...

    def count(self) -> int:
        """How many leads there are."""
        ...


class Writing(Reading, Protocol):
    """A transaction on one ledger: nobody else writes to it until it ends, and all of it holds or nothing."""

    def due(self, until: int, limit: int) -> list[StoredLead]:
        """Leads due at or before an instant, the earliest first."""
        ...

    def put_leads(self, leads: Sequence[StoredLead]) -> None:
        """Write images; leads without a number get one."""
        ...

    def add_events(self, leads: Mapping[bytes, StoredLead], rows: Sequence[EventRow]) -> None:
        """Keep events; one whose id its lead has already is left out."""
        ...

    def put_attributes(self, leads: Mapping[bytes, StoredLead], rows: Sequence[AttributeRow]) -> None:
        """Keep attribute rows; one for a (record, valid_from) already known replaces it, its created_at the earliest."""
        ...

    def retract(self, leads: Mapping[bytes, StoredLead], rows: Sequence[EventRow]) -> None:
        """Mark events as taken back."""
        ...

    def add_entries(self, leads: Mapping[bytes, StoredLead], rows: Sequence[tuple[str, bytes, int, str]]) -> None:
        """Put (kind, key of the lead, instant, JSON) behind the feed."""
        ...

    def merge(self, lead: StoredLead, into: StoredLead) -> None:
        """Move all facts of one lead to another, and its changes; events that both have are those of the other."""
        ...

    def alias(self, key: bytes, person: bytes) -> None:
        """Make an id, and all that are records of it, records of a lead."""
        ...

    def forget(self, lead: StoredLead) -> None:
        """Remove a lead with all there is of it."""
        ...

    def drop_events(self) -> None:
        """Remove the events of all leads, but for those that were taken back."""
        ...

    def drop_attributes(self) -> None:
        """Remove the attribute rows of all leads."""
        ...

    def set_model(self, model: Model) -> None:
        """Go on with another model; who opens the ledger with an earlier one is told so."""
        ...

    def set_clock(self, clock: int) -> None:
        """Move the clock."""
        ...


class Store(Protocol):
    """A database with ledgers in it; shared by any number of threads."""

    def open_ledger(self, tenant: str, model: Model, late: int, side_by_side: bool) -> int:
        """The number of the ledger of this tenant and model, made if there is none.

        Raises:
            StateError: The ledger went on with another model, or keeps another lateness, or it would have to be made beside
                one of another version of the model, and may not.
        """
        ...

    def read(self, ledger: int) -> AbstractContextManager[Reading]:
        """One moment of a ledger."""
        ...

    def write(self, ledger: int) -> AbstractContextManager[Writing]:
        """A transaction: committed when the block ends, undone when it raises."""
        ...

    def erase(self) -> None:
        """Make what was removed unreadable in the files too, as far as the database can, and as soon as it can."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
