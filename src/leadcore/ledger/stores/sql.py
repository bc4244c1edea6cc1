"""Ledgers in tables: what is asked of a database, in the SQL that all of them understand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from leadcore.errors import StateError
from leadcore.ledger.stores.base import BEFORE_ALL, NEVER, REPLACED, AttributeRow, EventRow, LedgerRow, StoredLead
from leadcore.ledger.stores.keys import check_seal, seal
from leadcore.ledger.stores.lending import Lending
from leadcore.model import Model
from leadcore.model.duration import Duration

Row = tuple[Any, ...]
_LEAD = "number, key, due, image, seal"
_EVENT = "event_id, record, at, type, properties, retracted, seal"
_OF_LEDGER = "lead IN (SELECT number FROM leadcore_lead WHERE ledger = ?)"


class Connection(ABC):
    """One connection to a database; ``?`` stands for an argument.

    Whatever fails raises `StateError` in clear words; after that it is not `usable` where a new one might be.
    """

    usable: bool

    @abstractmethod
    def begin(self, write: bool) -> None:
        """Begin a transaction."""

    @abstractmethod
    def commit(self) -> None:
        """End it, kept."""

    @abstractmethod
    def undo(self) -> None:
        """End it as if it had never been; no error."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it; no error."""

    @abstractmethod
    def select(self, sql: str, *arguments: Any) -> list[Row]:
        """Rows of a query."""

    @abstractmethod
    def select_in(self, sql: str, before: Sequence[Any], keys: Sequence[Any]) -> list[Row]:
        """Rows of a query whose last argument is ``IN (?)``: any of the keys."""

    @abstractmethod
    def select_pairs(self, sql: str, pairs: Sequence[tuple[int | None, bytes]]) -> list[Row]:
        """Rows of a query of ``(?)``, the pairs of an integer and bytes as a table (column1, column2)."""

    @abstractmethod
    def run(self, sql: str, *arguments: Any) -> int:
        """Rows changed by a statement."""

    @abstractmethod
    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row], otherwise: str = "") -> int:
        """Rows put into a table; ``otherwise`` says what happens to those it has already."""

    @abstractmethod
    def update(self, table: str, key: str, columns: Sequence[str], rows: Sequence[Row]) -> int:
        """Rows changed: by the key that stands first in each row, the columns to the rest of it."""

    @abstractmethod
    def numbers(self, count: int) -> Sequence[int]:
        """So many numbers that no lead has."""

    @abstractmethod
    def lock(self, ledger: int | None) -> None:
        """Wait until nobody else writes to a ledger; None: to the list of ledgers."""

    @abstractmethod
    def check_list(self) -> None:
        """Refuse a damaged list of ledgers."""

    @abstractmethod
    def erase(self, wait: bool) -> bool:
        """Make what was removed unreadable in the files too, as far as the database can; whether it is."""


class Transaction:
    """One transaction on one ledger: `Reading`, and `Writing` where it may write."""

    def __init__(self, connection: Connection, ledger: int) -> None:
        self._connection = connection
        rows = connection.select(
            "SELECT id, semantics, late, clock, version, seq, seal FROM leadcore_ledger WHERE id = ?", ledger
        )
        if not rows:
            raise StateError(f"the store has no ledger of number {ledger}: it was removed")
        *parts, expected = rows[0]
        check_seal(expected, "leadcore_ledger", *parts)
        self._found = self._now = LedgerRow(*parts)
        self._wrote = False

    @property
    def ledger(self) -> LedgerRow:
        """The ledger's row, as the transaction leaves it."""
        return self._now

    # reading

    def leads(self, keys: Iterable[bytes]) -> list[StoredLead]:
        """The leads that these ids are, or are records of; each once, in the order of keys first asked for.

        Where nothing is known yet of a lead but records of it, it has no number and no image.
        """
        wanted = list(dict.fromkeys(keys))
        sql = "SELECT key, person FROM leadcore_alias WHERE ledger = ? AND key IN (?)"
        person_of: dict[bytes, bytes] = dict(self._select_in(sql, wanted))
        persons = list(dict.fromkeys(person_of.get(key, key) for key in wanted))
        rows = self._select_in(f"SELECT {_LEAD} FROM leadcore_lead WHERE ledger = ? AND key IN (?)", persons)
        found = {lead.key: lead for lead in self._leads(rows, persons)}
        return [found[key] for key in persons if key in found]

    def page(self, after: bytes, limit: int) -> list[StoredLead]:
        """The next leads by key."""
        sql = f"SELECT {_LEAD} FROM leadcore_lead WHERE ledger = ? AND key > ? ORDER BY key LIMIT ?"
        return self._leads(self._connection.select(sql, self._now.id, after, limit))

    def keys(self, after: bytes, limit: int) -> list[bytes]:
        """The keys of the next leads."""
        sql = "SELECT key FROM leadcore_lead WHERE ledger = ? AND key > ? ORDER BY key LIMIT ?"
        return [key for (key,) in self._connection.select(sql, self._now.id, after, limit)]

    def has(self, key: bytes) -> bool:
        """Whether this is a lead, or a record of one."""
        sql = (
            "SELECT 1 FROM leadcore_lead WHERE ledger = ? AND (key = ? OR key ="
            " (SELECT person FROM leadcore_alias WHERE ledger = ? AND key = ?))"
        )
        return bool(self._connection.select(sql, *(self._now.id, key) * 2))

    def any_key(self) -> bytes | None:
        """The key of a lead, or of a record of one; None where there are none."""
        for table in ("leadcore_lead", "leadcore_alias"):
            found = self._connection.select(f"SELECT key FROM {table} WHERE ledger = ? LIMIT 1", self._now.id)
            if found:
                return bytes(found[0][0])
        return None

    def count(self) -> int:
        """How many leads there are."""
        found = self._connection.select("SELECT count(*) FROM leadcore_lead WHERE ledger = ?", self._now.id)
        return int(found[0][0])

    def events(self, lead: StoredLead) -> list[EventRow]:
        """Every event of a lead in the order they came, the retracted too."""
        sql = f"SELECT {_EVENT} FROM leadcore_event WHERE lead = ? ORDER BY id"
        return [_event(lead, row) for row in self._connection.select(sql, lead.number)]

    def known_events(self, asked: Sequence[tuple[StoredLead, bytes]]) -> dict[tuple[bytes, bytes], EventRow]:
        """Events by lead and event id, of those asked for, the retracted too."""
        lead_of = {lead.number: lead for lead, _ in asked}
        sql = (
            f"SELECT lead, {_EVENT} FROM (?) CROSS JOIN leadcore_event"  # in this order: SQLite would read all events else
            " WHERE lead = column1 AND event_id = column2"
        )
        pairs = [(lead.number, event_id) for lead, event_id in asked]
        found = {}
        for number, *row in self._connection.select_pairs(sql, pairs):
            event = _event(lead_of[number], row)
            found[event.lead, row[0]] = event
        return found

    def attributes(self, leads: Sequence[StoredLead]) -> list[AttributeRow]:
        """Every attribute row of leads."""
        lead_of = {lead.number: lead for lead in leads if lead.number is not None}
        columns = "lead, record, valid_from, created_at, attributes, seal"
        sql = f"SELECT {columns} FROM leadcore_attribute WHERE lead IN (?) ORDER BY lead, record, valid_from"
        found = []
        for number, record, *parts, expected in self._connection.select_in(sql, (), list(lead_of)):
            key = lead_of[number].key
            check_seal(expected, "leadcore_attribute", record or key, *parts)
            found.append(AttributeRow(key, record or key, *parts))
        return found

    def entries(self, after: int, limit: int) -> list[tuple[int, str, bytes, int, str]]:
        """The feed after a place in it: (place, kind, key of the lead, instant, JSON)."""
        sql = (
            "SELECT c.seq, c.kind, l.key, c.record, c.at, c.payload, c.seal FROM leadcore_change AS c"
            " LEFT JOIN leadcore_lead AS l ON l.number = c.lead WHERE c.ledger = ? AND c.seq > ? ORDER BY c.seq LIMIT ?"
        )
        found = []
        for seq, kind, key, record, at, payload, expected in self._connection.select(sql, self._now.id, after, limit):
            check_seal(expected, "leadcore_change", seq, kind, record or key, at, payload)
            found.append((seq, kind, record or key, at, payload))
        return found

    def due(self, until: int, limit: int) -> list[StoredLead]:
        """Leads due at or before an instant, the earliest first."""
        sql = f"SELECT {_LEAD} FROM leadcore_lead WHERE ledger = ? AND due <= ? AND due < {NEVER} ORDER BY due, key LIMIT ?"
        return self._leads(self._connection.select(sql, self._now.id, until, limit))

    def _leads(self, rows: Sequence[Row], persons: Sequence[bytes] | None = None) -> list[StoredLead]:
        """Leads of these rows with their records, and those of ``persons`` of whom only records are known."""
        leads = {}
        for number, key, due, image, expected in rows:
            check_seal(expected, "leadcore_lead", key, due, image)
            leads[key] = StoredLead(key, number, image, due)
        sql = "SELECT key, person FROM leadcore_alias WHERE ledger = ? AND person IN (?)"
        for key, person in sorted(self._select_in(sql, list(leads) if persons is None else persons)):
            leads.setdefault(person, StoredLead(person, None, b"", NEVER)).records += (key,)
        return list(leads.values())

    def _select_in(self, sql: str, keys: Sequence[Any]) -> list[Row]:
        return self._connection.select_in(sql, (self._now.id,), keys)

    # writing

    def put_leads(self, leads: Sequence[StoredLead]) -> None:
        """Write images; leads without a number get one."""
        new = [lead for lead in leads if lead.number is None]
        old = [lead for lead in leads if lead.number is not None]
        self._wrote |= bool(leads)
        if new:
            for lead, number in zip(new, self._connection.numbers(len(new)), strict=True):
                lead.number = number
            rows: list[Row] = [(one.number, self._now.id, one.key, one.due, one.image, _lead_seal(one)) for one in new]
            self._connection.insert("leadcore_lead", ("number", "ledger", "key", "due", "image", "seal"), rows)
        if old:
            rows = [(one.number, one.due, one.image, _lead_seal(one)) for one in old]
            self._connection.update("leadcore_lead", "number", ("due", "image", "seal"), rows)

    def add_events(self, leads: Mapping[bytes, StoredLead], rows: Sequence[EventRow]) -> None:
        """Keep events; one whose id its lead has already is left out."""
        columns = ("lead", "event_id", "record", "at", "type", "properties", "retracted", "seal")
        values = []
        for row in rows:
            parts = (row.at, row.type, row.properties, int(row.retracted))
            values.append(
                (leads[row.lead].number, row.event_id, _own(row), *parts, seal(row.record, row.event_id, *parts))
            )
        kept = self._connection.insert("leadcore_event", columns, values, "ON CONFLICT DO NOTHING")
        self._wrote |= kept > 0

    def put_attributes(self, leads: Mapping[bytes, StoredLead], rows: Sequence[AttributeRow]) -> None:
        """Keep attribute rows; one for a (record, valid_from) already known replaces it, its created_at the earliest."""
        if not rows:
            return
        last = {(row.record, row.valid_from): row for row in rows}
        for known in self.attributes(list({row.lead: leads[row.lead] for row in rows}.values())):
            given = last.get((known.record, known.valid_from))
            if given is not None and known.created_at is not None:
                earliest = min(known.created_at, known.created_at if given.created_at is None else given.created_at)
                last[given.record, given.valid_from] = replace(given, created_at=earliest)
        columns = ("lead", "record", "valid_from", "created_at", "attributes", "seal")
        values = []
        for row in last.values():
            parts = (row.valid_from, row.created_at, row.attributes)
            values.append((leads[row.lead].number, _own(row), *parts, seal(row.record, *parts)))
        replaced = ", ".join(f"{name} = excluded.{name}" for name in columns[3:])
        otherwise = f"ON CONFLICT (lead, record, valid_from) DO UPDATE SET {replaced}"
        self._connection.insert("leadcore_attribute", columns, values, otherwise)
        self._wrote = True

    def retract(self, leads: Mapping[bytes, StoredLead], rows: Sequence[EventRow]) -> None:
        """Mark events as taken back."""
        for row in rows:
            changed = seal(row.record, row.event_id, row.at, row.type, row.properties, 1)
            sql = "UPDATE leadcore_event SET retracted = 1, seal = ? WHERE lead = ? AND event_id = ?"
            self._connection.run(sql, changed, leads[row.lead].number, row.event_id)
            self._wrote = True

    def add_entries(self, leads: Mapping[bytes, StoredLead], rows: Sequence[tuple[str, bytes, int, str]]) -> None:
        """Put (kind, key of the lead, instant, JSON) behind the feed."""
        if not rows:
            return
        columns = ("ledger", "seq", "lead", "record", "kind", "at", "payload", "seal")
        values = []
        for seq, (kind, key, at, payload) in enumerate(rows, self._now.seq + 1):
            lead = leads[key]
            record = b"" if lead.key == key else key
            sealed = seal(seq, kind, key, at, payload)
            values.append((self._now.id, seq, lead.number, record, kind, at, payload, sealed))
        self._connection.insert("leadcore_change", columns, values)
        self._now = replace(self._now, seq=self._now.seq + len(rows))
        self._wrote = True

    def merge(self, lead: StoredLead, into: StoredLead) -> None:
        """Move all facts of one lead to another, and its changes; events that both have are those of the other."""
        run = self._connection.run
        run(
            "DELETE FROM leadcore_event WHERE lead = ? AND event_id IN"
            " (SELECT event_id FROM leadcore_event WHERE lead = ?)",
            lead.number, into.number,
        )  # fmt: skip
        for table in ("leadcore_event", "leadcore_attribute", "leadcore_change"):
            run(f"UPDATE {table} SET record = ? WHERE lead = ? AND record = ?", lead.key, lead.number, b"")
            run(f"UPDATE {table} SET lead = ? WHERE lead = ?", into.number, lead.number)
        run("DELETE FROM leadcore_lead WHERE number = ?", lead.number)

    def alias(self, key: bytes, person: bytes) -> None:
        """Make an id, and all that are records of it, records of a lead."""
        move = "UPDATE leadcore_alias SET person = ? WHERE ledger = ? AND person = ?"
        self._connection.run(move, person, self._now.id, key)
        sql = "INSERT INTO leadcore_alias (ledger, key, person) VALUES (?, ?, ?)"
        self._connection.run(sql, self._now.id, key, person)
        self._wrote = True

    def forget(self, lead: StoredLead) -> None:
        """Remove a lead with all there is of it."""
        self._connection.run("DELETE FROM leadcore_lead WHERE number = ?", lead.number)
        self._connection.run("DELETE FROM leadcore_alias WHERE ledger = ? AND person = ?", self._now.id, lead.key)
        self._wrote = True

    def set_clock(self, clock: int) -> None:
        """Move the clock."""
        self._now = replace(self._now, clock=clock)
        self._wrote = True

    def set_model(self, model: Model) -> None:
        """Go on with another model; who opens the ledger with an earlier one is told so."""
        (tenant,) = self._connection.select("SELECT tenant FROM leadcore_ledger WHERE id = ?", self._now.id)[0]
        find = "SELECT ledger FROM leadcore_model WHERE tenant = ? AND semantics = ?"
        known = self._connection.select(find, tenant, model.semantics)
        if not known:
            _add_model(self._connection, tenant, model, self._now.id)
        elif known[0][0] != self._now.id:
            self._take_place(known[0][0], tenant)
        self._now = replace(self._now, semantics=model.semantics)
        self._wrote = True

    def _take_place(self, number: int, tenant: str) -> None:
        """Be found where an empty ledger was found; its row stays, to tell those who have it open."""
        self._connection.lock(number)
        other = Transaction(self._connection, number)
        if other.any_key() is not None:
            raise StateError(
                f"tenant {tenant!r} has a ledger of this model already, with leads: it cannot be migrated to"
            )
        self._connection.run("UPDATE leadcore_model SET ledger = ? WHERE ledger = ?", self._now.id, number)
        other._now, other._wrote = replace(other._now, semantics=REPLACED), True
        other.settle()

    def drop_events(self) -> None:
        """Remove the events of all leads, but for those that were taken back."""
        self._connection.run(f"DELETE FROM leadcore_event WHERE retracted = 0 AND {_OF_LEDGER}", self._now.id)
        self._wrote = True

    def drop_attributes(self) -> None:
        """Remove the attribute rows of all leads."""
        self._connection.run(f"DELETE FROM leadcore_attribute WHERE {_OF_LEDGER}", self._now.id)
        self._wrote = True

    def settle(self) -> None:
        """Write the ledger's row, if anything was written: the last statement of a transaction."""
        if not self._wrote:
            return
        now = replace(self._now, version=self._found.version + 1)
        sql = (
            "UPDATE leadcore_ledger SET semantics = ?, clock = ?, version = ?, seq = ?, seal = ?"
            " WHERE id = ? AND version = ?"
        )
        values = (now.semantics, now.clock, now.version, now.seq, _ledger_seal(now), now.id, self._found.version)
        if self._connection.run(sql, *values) != 1:
            raise StateError("another process wrote to this ledger at the same time: nothing was changed, try again")


class SqlStore:
    """Ledgers in a database: `Store`, over any `Connection`.

    Args:
        lending: Connections to it.
        check: Raises `StateError` where the database is no longer the one that was opened.
    """

    def __init__(self, lending: Lending[Any], check: Callable[[], None] = lambda: None) -> None:
        self._lending, self.check, self._erased = lending, check, True

    def open_ledger(self, tenant: str, model: Model, late: int, side_by_side: bool) -> int:
        """The number of the ledger of this tenant and model, made if there is none."""
        semantics = model.semantics
        with self._transaction(False) as connection:
            found = _find_ledger(connection, tenant, semantics, late)
        if found is not None:
            return found
        with self._transaction(True) as connection:
            connection.lock(None)
            connection.check_list()  # damaged, it might not show what is there
            found = _find_ledger(connection, tenant, semantics, late)
            if found is None:
                if not side_by_side:
                    _check_alone(connection, tenant, model)
                found = int(connection.select("SELECT coalesce(max(id), 0) + 1 FROM leadcore_ledger")[0][0])
                connection.run(
                    "INSERT INTO leadcore_ledger (id, tenant, semantics, late, clock, version, seq, seal)"
                    " VALUES (?, ?, ?, ?, ?, 0, 0, ?)",
                    found, tenant, semantics, late, BEFORE_ALL,
                    _ledger_seal(LedgerRow(found, semantics, late, BEFORE_ALL, 0, 0)),
                )  # fmt: skip
                _add_model(connection, tenant, model, found)
            return found

    @contextmanager
    def read(self, ledger: int) -> Iterator[Transaction]:
        """One moment of a ledger."""
        with self._transaction(False) as connection:
            yield Transaction(connection, ledger)

    @contextmanager
    def write(self, ledger: int) -> Iterator[Transaction]:
        """A transaction: committed when the block ends, undone when it raises."""
        with self._transaction(True) as connection:
            connection.lock(ledger)
            transaction = Transaction(connection, ledger)
            yield transaction
            transaction.settle()
        if not self._erased:
            with self._lending.lent() as connection:
                self._erased = connection.erase(False)

    def erase(self) -> None:
        """Make what was removed unreadable in the files too; while others read what was there, after the next write."""
        with self._lending.lent() as connection:
            self._erased = connection.erase(True)

    def close(self) -> None:
        """Let go of files and connections."""
        self._lending.close()

    @contextmanager
    def _transaction(self, write: bool) -> Iterator[Connection]:
        self.check()
        with self._lending.lent() as connection:
            connection.begin(write)
            try:
                yield connection
                connection.commit()
            except BaseException:
                connection.undo()
                raise


def _ledger_seal(row: LedgerRow) -> int:
    return seal(row.id, row.semantics, row.late, row.clock, row.version, row.seq)


def _lead_seal(lead: StoredLead) -> int:
    return seal(lead.key, lead.due, lead.image)


def _own(row: EventRow | AttributeRow) -> bytes:
    """The record a row was given for, nothing where it is the lead's own: so a merge need not touch its seal."""
    return b"" if row.record == row.lead else row.record


def _event(lead: StoredLead, row: Sequence[Any]) -> EventRow:
    event_id, record, at, type_, properties, retracted, expected = row
    check_seal(expected, "leadcore_event", record or lead.key, event_id, at, type_, properties, retracted)
    return EventRow(lead.key, record or lead.key, event_id, at, type_, properties, bool(retracted))


def _find_ledger(connection: Connection, tenant: str, semantics: str, late: int) -> int | None:
    """The number of a ledger.

    Raises:
        StateError: It went on with another model, or keeps another lateness.
    """
    sql = (
        "SELECT l.id, l.semantics, l.late FROM leadcore_model AS m JOIN leadcore_ledger AS l ON l.id = m.ledger"
        " WHERE m.tenant = ? AND m.semantics = ?"
    )
    for number, current, kept in connection.select(sql, tenant, semantics):
        if current != semantics:
            raise went_on(current)
        if kept != late:
            raise StateError(f"this ledger was made with late={_late(kept)}: open it with that, not with {_late(late)}")
        return int(number)
    return None


def _check_alone(connection: Connection, tenant: str, model: Model) -> None:
    """Refuse an empty ledger beside one with leads of another version of the model: a migration was forgotten.

    Raises:
        StateError: There is such a ledger.
    """
    sql = (
        "SELECT l.semantics FROM leadcore_model AS m JOIN leadcore_ledger AS l ON l.id = m.ledger"
        " AND l.semantics = m.semantics WHERE m.tenant = ? AND m.name = ?"
        " AND EXISTS (SELECT 1 FROM leadcore_lead WHERE ledger = l.id) ORDER BY l.id"
    )
    others = [semantics[:12] for (semantics,) in connection.select(sql, tenant, model.name)]
    if others:
        raise StateError(
            f"tenant {tenant!r} has no ledger of this version of {model.name!r}, of semantics {model.semantics[:12]}, but of "
            f"{', '.join(others)}: open that with its own scorer and move it on, scorer.migrate(ledger), or begin an empty "
            "one beside it, with side_by_side=True"
        )


def _add_model(connection: Connection, tenant: str, model: Model, ledger: int) -> None:
    """Let a ledger be found by a model."""
    sql = "INSERT INTO leadcore_model (tenant, semantics, ledger, name, document) VALUES (?, ?, ?, ?, ?)"
    connection.run(sql, tenant, model.semantics, ledger, model.name, model.to_json())


def went_on(semantics: str) -> StateError:
    """What is said to who asks a ledger by a model that it had before."""
    return StateError(
        f"this ledger went on with another model, of semantics {semantics[:12]}: open it with a scorer of that one"
    )


def _late(late: int) -> str:
    return '"all"' if late < 0 else f'"{Duration(timedelta(microseconds=late))}"'
