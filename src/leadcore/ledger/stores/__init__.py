"""Ledgers kept in a database: SQLite with Python alone, PostgreSQL with an extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadcore.ledger.stores.base import Keeping
    from leadcore.scorer import Scorer


def open_keeping(url: str, scorer: Scorer, late: int, tenant: str, side_by_side: bool) -> Keeping:
    """The leads of one tenant and model in the store a URL names; made where there are none.

    Args:
        url: As `leadcore.ledger.stores.opening.open_store` takes it.
        scorer: The compiled model.
        late: Lateness that states keep, microseconds; -1: all.
        tenant: Whose.
        side_by_side: A new one may stand beside one of another version of the model.

    Raises:
        LeadcoreError: The URL names no store, or psycopg is not installed.
        StateError: The store cannot be used, its ledger went on with another model, or a new one may not be made.
    """
    from leadcore.ledger.stores.keeper import StoreKeeping
    from leadcore.ledger.stores.opening import open_store

    store = open_store(url)
    try:
        return StoreKeeping(store, scorer, late, tenant, side_by_side)
    except BaseException:
        store.close()
        raise


__all__ = ["open_keeping"]
