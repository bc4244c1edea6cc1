"""From a URL to a store."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from leadcore.errors import LeadcoreError, StateError
from leadcore.ledger.stores.base import Reading, Store, Writing

if TYPE_CHECKING:
    from leadcore.ledger.stores.sql import SqlStore
    from leadcore.ledger.stores.sqlite import Synchronous
    from leadcore.model import Model

_SYNCHRONOUS: dict[str, Synchronous] = {"full": "full", "normal": "normal", "extra": "extra"}


class Lease:
    """A store that all ledgers of a process share: thousands of them have no more connections than threads that use them."""

    def __init__(self, shared: _Shared) -> None:
        self._leased, self._closed = shared, False

    def open_ledger(self, tenant: str, model: Model, late: int, side_by_side: bool) -> int:
        """The number of the ledger of this tenant and model, made if there is none."""
        return self._shared.open_ledger(tenant, model, late, side_by_side)

    def read(self, ledger: int) -> AbstractContextManager[Reading]:
        """One moment of a ledger."""
        return self._shared.read(ledger)

    def write(self, ledger: int) -> AbstractContextManager[Writing]:
        """A transaction: committed when the block ends, undone when it raises."""
        return self._shared.write(ledger)

    def erase(self) -> None:
        """Make what was removed unreadable in the files too, as far as the database can, and as soon as it can."""
        self._shared.erase()

    def close(self) -> None:
        """Let go of files and connections, where no other ledger has them."""
        if not self._closed:
            self._closed = True
            _stores.let_go(self._leased)

    @property
    def _shared(self) -> SqlStore:
        if self._closed:
            raise StateError("this ledger is closed: open it again")
        return self._leased.store


@dataclass(eq=False)
class _Shared:
    """A store that is open, by what it is, and how many have it."""

    key: str
    store: SqlStore
    count: int = 0


class _Stores:
    """Stores that are open."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._open: dict[str, _Shared] = {}

    def have(self, key: str, opens: Callable[[], SqlStore]) -> Lease:
        """A store; opened if nobody has it, or what they have is gone."""
        with self.lock:
            shared = self._open.get(key)
            if shared is None or _gone(shared.store):
                shared = self._open[key] = _Shared(key, opens())
            shared.count += 1
            return Lease(shared)

    def let_go(self, shared: _Shared) -> None:
        """One has it no more."""
        with self.lock:
            shared.count -= 1
            if shared.count:
                return
            if self._open.get(shared.key) is shared:
                del self._open[shared.key]
        shared.store.close()


def _gone(store: SqlStore) -> bool:
    try:
        store.check()
    except StateError:
        return True
    return False


_stores = _Stores()


def _forked() -> None:
    _stores.lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def open_store(url: str) -> Store:
    """The store a URL names.

    ``sqlite:///leads.db`` is a file in the working folder, ``sqlite:////var/leads.db`` one by its whole path,
    ``sqlite:///:memory:`` none at all. Behind a question mark may stand ``timeout`` (seconds to wait for others that
    write, 30 by default) and ``synchronous`` (``full``, ``normal`` or ``extra``). ``postgresql://`` is handed to libpq
    as it is.

    Raises:
        LeadcoreError: It is no such URL, or psycopg is not installed.
        StateError: What it names cannot be opened.

    Example:
        >>> open_store("sqlite:///:memory:").close()
        >>> open_store("mysql://localhost/leads")
        Traceback (most recent call last):
        leadcore.errors.LeadcoreError: 'mysql://localhost/leads' names no store: use sqlite:///leads.db or postgresql://...
    """
    scheme = url.partition(":")[0]
    if scheme in ("postgresql", "postgres"):
        from leadcore.ledger.stores.postgres import open_postgres

        return _stores.have(url, lambda: open_postgres(url))
    parts = urlsplit(url)
    path = unquote(parts.path.removeprefix("/"))
    if scheme != "sqlite" or parts.netloc or parts.fragment or not path:
        raise LeadcoreError(f"{url!r} names no store: use sqlite:///leads.db or postgresql://...")
    from leadcore.ledger.stores.sqlite import MEMORY, open_sqlite

    timeout, synchronous = 30.0, _SYNCHRONOUS["full"]
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name == "synchronous" and value in _SYNCHRONOUS:
            synchronous = _SYNCHRONOUS[value]
        elif name == "timeout" and value.replace(".", "", 1).isdigit():
            timeout = float(value)
        else:
            raise LeadcoreError(
                f"{url!r}: {name}={value} is no option of a SQLite store, which are timeout in seconds and "
                "synchronous=full, normal or extra"
            )
    if path == MEMORY:
        return open_sqlite(path, timeout, synchronous)
    key = f"sqlite {timeout} {synchronous} {Path(path).absolute()}"
    return _stores.have(key, lambda: open_sqlite(path, timeout, synchronous))
