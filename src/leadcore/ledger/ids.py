"""Ids of leads and events as a ledger knows them: integers or text, in lists and as columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from leadcore._arrow import Table
from leadcore.errors import LeadcoreError

Id = int | str


def id_column(name: str, ids: Sequence[Id | None], like: Id | None = None) -> Table:
    """A table of one column: int64 where every id is an integer, else text; None is null.

    Without ids it is of the kind of ``like``, an id of the same ledger.
    """
    if not ids and isinstance(like, int):
        return Table.build([(name, np.empty(0, np.int64))])
    if ids and all(value is None or isinstance(value, int) for value in ids) and any(ids_known := _known(ids)):
        values = np.array([value or 0 for value in ids], np.int64)
        return Table.build([(name, values if all(ids_known) else ("nullable", values, np.array(ids_known)))])
    return Table.build([(name, ("text", [None if value is None else str(value) for value in ids]))])


def one_id(value: Any, name: str) -> Id:
    """An id given as the argument ``name``.

    Raises:
        LeadcoreError: It is neither an integer of 64 bits nor text.
    """
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise LeadcoreError(f"{name} is {value!r}, which is no text: half of a pair stands alone in it") from None
        return value
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        if not -(2**63) <= value < 2**63:
            raise LeadcoreError(f"{name} is {value}, which does not fit 64 bits: give it as text")
        return int(value)
    raise LeadcoreError(f"{name} is an integer or text, not {value!r}")


def _known(ids: Sequence[Id | None]) -> list[bool]:
    return [value is not None for value in ids]
