"""From a URL to a store."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from leadcore.errors import LeadcoreError
from leadcore.ledger.stores.base import Store

if TYPE_CHECKING:
    from leadcore.ledger.stores.sqlite import Synchronous

_SYNCHRONOUS: dict[str, Synchronous] = {"full": "full", "normal": "normal", "extra": "extra"}


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

        return open_postgres(url)
    parts = urlsplit(url)
    path = unquote(parts.path.removeprefix("/"))
    if scheme != "sqlite" or parts.netloc or parts.fragment or not path:
        raise LeadcoreError(f"{url!r} names no store: use sqlite:///leads.db or postgresql://...")
    from leadcore.ledger.stores.sqlite import open_sqlite

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
    return open_sqlite(path, timeout, synchronous)
