"""A store in one SQLite file: the embedded default, by the standard library."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Literal

from leadcore.errors import LeadcoreError, StateError
from leadcore.ledger.stores.lending import Lending
from leadcore.ledger.stores.schema import VERSION, statements
from leadcore.ledger.stores.sql import Connection, Row, SqlStore

APPLICATION = 0x6C64_6372
"""Marks the file as one of leadcore, for `file` and for us."""
MEMORY = ":memory:"
_AT_ONCE = 500
"""Arguments in one statement; some SQLite take no more than 999."""
_OLDEST = (3, 24)

Synchronous = Literal["full", "normal", "extra"]
_WORDS = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "the file or its folder may not be written",
    "SQLITE_BUSY": "another process holds it; it was waited for",
    "SQLITE_LOCKED": "another connection holds it",
    "SQLITE_PROTOCOL": "another process holds it",
    "SQLITE_IOERR": "reading or writing the file failed",
    "SQLITE_CANTOPEN": "the file cannot be opened or made",
    "SQLITE_CORRUPT": "the file is damaged",
    "SQLITE_NOTADB": "the file is no SQLite database",
    "SQLITE_NOMEM": "there is no memory left",
    "SQLITE_TOOBIG": "a value is larger than SQLite takes",
    "SQLITE_PERM": "the file may not be opened",
    "SQLITE_AUTH": "the file may not be opened",
}
_WAITED = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_TOOBIG")
"""After these a connection is as good as new."""


class SqliteConnection(Connection):
    """One connection to a SQLite file."""

    def __init__(self, path: str, timeout: float, synchronous: Synchronous) -> None:
        self._path, self._timeout = path, timeout
        self._raw: sqlite3.Connection | None = None
        self.usable = True
        with self._faults("open"):
            self._raw = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(synchronous)
        except BaseException:
            self.close()
            raise

    def _prepare(self, synchronous: str) -> None:
        # Tables first: who makes them marks the file in the same transaction.
        ((tables,),) = self.select("SELECT count(*) FROM sqlite_master")
        ((mine,),) = self.select("PRAGMA application_id")
        if mine != APPLICATION and (mine or tables):
            raise StateError(f"{self._path} is a SQLite database of something else, and was left as it is")
        version = self.select("PRAGMA user_version")[0][0]
        if version > VERSION:
            raise StateError(
                f"{self._path} was written by a newer leadcore (tables of version {version}, this one knows {VERSION})"
            )
        for pragma in ("foreign_keys = ON", "secure_delete = ON", f"synchronous = {synchronous}", "fullfsync = ON"):
            self.run(f"PRAGMA {pragma}")
        if mine != APPLICATION:
            self._make_tables()

    def _write_ahead(self) -> None:
        """Set the journal: SQLite does not wait for others that do the same at this instant."""
        end = monotonic() + self._timeout
        while True:
            try:
                self.run("PRAGMA journal_mode = WAL")
            except StateError:
                if not self.usable or monotonic() > end:
                    raise
                sleep(0.005)
            else:
                return

    def _make_tables(self) -> None:
        self._write_ahead()
        self.begin(True)
        try:
            if not self.select("SELECT count(*) FROM sqlite_master")[0][0]:  # nobody was quicker
                strict = "STRICT" if sqlite3.sqlite_version_info >= (3, 37) else ""
                for sql in statements(
                    integer="INTEGER", text="TEXT", bytes="BLOB", serial="INTEGER PRIMARY KEY",
                    number="INTEGER PRIMARY KEY", strict=strict, keyed="WITHOUT ROWID, STRICT" if strict else "WITHOUT ROWID",
                ):  # fmt: skip
                    self.run(sql)
                self.run(f"PRAGMA user_version = {VERSION}")
                self.run(f"PRAGMA application_id = {APPLICATION}")
            self.commit()
        except BaseException:
            self.undo()
            raise

    @contextmanager
    def _faults(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as fault:
            name = getattr(fault, "sqlite_errorname", "") or ("SQLITE_CORRUPT" if "decode" in str(fault) else "")
            kind = "_".join(name.split("_")[:2])
            self.usable &= kind in _WAITED or self._path == MEMORY
            words = _WORDS.get(kind, "SQLite failed")
            raise StateError(f"cannot {doing} {self._path}: {words}; nothing was changed ({fault})") from fault

    @property
    def _open(self) -> sqlite3.Connection:
        if self._raw is None:
            raise StateError(f"{self._path} is closed")
        return self._raw

    def begin(self, write: bool) -> None:
        """Begin a transaction."""
        with self._faults("write to" if write else "read"):
            self._open.execute("BEGIN IMMEDIATE" if write else "BEGIN")

    def commit(self) -> None:
        """End it, kept."""
        with self._faults("write to"):
            self._open.execute("COMMIT")

    def undo(self) -> None:
        """End it as if it had never been; no error."""
        try:
            if self._raw is not None and self._raw.in_transaction:
                self._raw.execute("ROLLBACK")
        except sqlite3.Error:
            self.usable = False

    def close(self) -> None:
        """Let go of it; no error."""
        self.usable = False
        raw, self._raw = self._raw, None
        if raw is not None:
            with suppress(sqlite3.Error):  # nothing is lost by it: what was committed is on disk
                raw.close()

    def select(self, sql: str, *arguments: Any) -> list[Row]:
        """Rows of a query."""
        with self._faults("read"):
            return self._open.execute(sql, arguments).fetchall()

    def select_in(self, sql: str, before: Sequence[Any], keys: Sequence[Any]) -> list[Row]:
        """Rows of a query whose last argument is any of the keys."""
        rows: list[Row] = []
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            rows += self.select(sql.replace("IN (?)", f"IN ({', '.join('?' * len(some))})"), *before, *some)
        return rows

    def select_pairs(self, sql: str, pairs: Sequence[tuple[int | None, bytes]]) -> list[Row]:
        """Rows of a query of pairs."""
        rows: list[Row] = []
        for start in range(0, len(pairs), _AT_ONCE // 2):
            some = pairs[start : start + _AT_ONCE // 2]
            places = f"(VALUES {', '.join(['(?, ?)'] * len(some))})"
            rows += self.select(sql.replace("(?)", places), *(value for pair in some for value in pair))
        return rows

    def run(self, sql: str, *arguments: Any) -> int:
        """Rows changed by a statement."""
        with self._faults("write to"):
            return self._open.execute(sql, arguments).rowcount

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row], otherwise: str = "") -> int:
        """Rows put into a table."""
        if not rows:
            return 0
        places = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places}) {otherwise}"
        with self._faults("write to"):
            return self._open.executemany(sql, rows).rowcount

    def update(self, table: str, key: str, columns: Sequence[str], rows: Sequence[Row]) -> int:
        """Rows changed, by the key that stands first in each."""
        sql = f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in columns)} WHERE {key} = ?"
        with self._faults("write to"):
            return self._open.executemany(sql, [(*row[1:], row[0]) for row in rows]).rowcount

    def numbers(self, count: int) -> Sequence[int]:
        """So many numbers that no lead has."""
        first = self.select("SELECT coalesce(max(number), 0) + 1 FROM leadcore_lead")[0][0]
        return range(first, first + count)

    def lock(self, ledger: int | None) -> None:
        """A transaction that writes has the whole file from its begin."""

    def check_list(self) -> None:
        """Compare the list of ledgers with its indices, where this SQLite can for single tables."""
        if sqlite3.sqlite_version_info < (3, 33):
            return
        for table in ("leadcore_model", "leadcore_ledger"):
            found = self.select(f"PRAGMA integrity_check({table})")
            if found != [("ok",)]:
                raise StateError(f"cannot read {self._path}: the file is damaged ({found[0][0]})")

    def erase(self, wait: bool) -> bool:
        """Bring the log into the file and cut it: its pages still hold what was overwritten in the file."""
        if not wait:
            self.run("PRAGMA busy_timeout = 0")
        try:
            return not self.select("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]
        finally:
            self.run(f"PRAGMA busy_timeout = {round(self._timeout * 1000)}")


def open_sqlite(path: str, timeout: float = 30.0, synchronous: Synchronous = "full") -> SqlStore:
    """A store in a file, made if there is none; ``:memory:`` is one that ends with its ledger.

    Args:
        path: File name.
        timeout: Seconds to wait for others that write.
        synchronous: ``full``: what was answered is on disk. ``normal``: a power cut may take the last transactions,
            each whole. ``extra``: as ``full``, and the folder too.

    Raises:
        StateError: The file cannot be opened, is damaged, of something else or of a newer leadcore.
    """
    if sqlite3.sqlite_version_info < _OLDEST:
        raise LeadcoreError(f"stores need SQLite {'.'.join(map(str, _OLDEST))}; Python has {sqlite3.sqlite_version}")

    path = path if path == MEMORY else str(Path(path).absolute())  # the same from wherever it is asked later
    home = os.getpid()

    def connect() -> SqliteConnection:
        if path == MEMORY and os.getpid() != home:
            raise StateError("a store in memory does not go along into a forked process: open one there, or use a file")
        _check_file(path)
        return SqliteConnection(path, timeout, synchronous)

    lending = Lending(connect, *(1, 1) if path == MEMORY else ())
    with lending.lent():
        opened = _file_of(path)

    def check() -> None:
        if _file_of(path) != opened:
            raise StateError(
                f"{path} was removed, or another file put in its place, while it was open; nothing was changed: close the "
                "ledger and open it again"
            )

    return SqlStore(lending, check)


def _file_of(path: str) -> tuple[int, int] | None:
    """Which file has this name now; None where there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _check_file(path: str) -> None:
    """Refuse what SQLite takes for an empty database: a file of a few bytes.

    Raises:
        StateError: There is a file, and it does not begin as a SQLite database does.
    """
    try:
        with Path(path).open("rb") as file:
            begin = file.read(100)
    except OSError:
        return  # it is made, or SQLite says why it cannot be
    if begin and (len(begin) < 100 or not begin.startswith(b"SQLite format 3\0")):
        raise StateError(f"cannot open {path}: the file is no SQLite database, or damaged; nothing was changed")
