"""Where the rows of a call to a ledger went."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class LedgerCounts:
    """Where every row of a call went.

    Attributes:
        events: Rows of events applied, or retracted.
        leads: Rows of leads applied.
        duplicates: Rows that repeat an ``event_id`` and say the same; retractions of events retracted before.
        ignored: Rows of undeclared types, by type (spec 2.6).
        late: Rows set aside, being too late (spec 10.2).
        unknown: Retractions of events that nobody knows.
    """

    events: int = 0
    leads: int = 0
    duplicates: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    late: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class LateRow:
    """A fact that came too late.

    Attributes:
        table: ``events`` or ``leads``.
        row: Its position in that table, from 0.
        lead_id: The id in that row.
        at: Its instant, microseconds; None: since ever.
        late_by: By how much it is older than ``late`` allows, microseconds; None where it has no instant.
        reason: The same in words.
        column: The column that says so.
    """

    table: Literal["events", "leads"]
    row: int
    lead_id: int | str
    at: int | None
    late_by: int | None
    reason: str
    column: str
