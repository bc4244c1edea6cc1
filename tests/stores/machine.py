"""Stores beside the oracle of ledgers: nothing is too late for them, and what is told again touches nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import leadcore as lc
from tests.ledger_oracle import Changed, Id, Lead, OracleLedger, Row
from tests.ledgers import LiveLedger, Pair


class StoreOracle(OracleLedger):
    """What a ledger of a store must say."""

    def __init__(self, scorer: lc.Scorer) -> None:
        super().__init__(scorer, "all")

    def _add_events(self, rows: Sequence[Row], known: Mapping[Id, Lead], changed: Changed) -> Any:
        touched: dict[Id, Any] = {}
        for row in rows:
            repeats = changed.counts["duplicates"]
            found = super()._add_events([row], known, changed)
            if changed.counts["duplicates"] == repeats:
                for lead_id, instants in found.items():
                    touched.setdefault(lead_id, []).extend(instants)
        return touched

    def _add_leads(self, rows: Sequence[Row], known: Mapping[Id, Lead], changed: Changed, *more: Any) -> Any:
        touched: dict[Id, Any] = {}
        for row in rows:
            record = known.get(self.person(row["lead_id"]), Lead()).records.get(row["lead_id"])
            since, created = row.get("valid_from"), row.get("created_at")
            same = record is not None and record.rows.get(since) == self.attributes(row)
            if same and created is not None:
                same = record.created_at is not None and record.created_at <= created
            for lead_id, instants in super()._add_leads([row], known, changed, *more).items():
                if not same:
                    touched.setdefault(lead_id, []).extend(instants)
        return touched


class StoreLive(LiveLedger):
    """A ledger of a store; saved, it is closed, and loaded, opened again."""

    def __init__(self, url: str, scorer: lc.Scorer, late: Any, tenant: str) -> None:
        self._place = (url, late, tenant)
        super().__init__(scorer, ledger=lc.Ledger.open(url, scorer, late=late, tenant=tenant))

    def migrate(
        self,
        scorer: lc.Scorer,
        at: int | None = None,
        events: Sequence[Row] | None = None,
        leads: Sequence[Row] | None = None,
    ) -> Changed:
        """By the tables given, or by what the store keeps."""
        given = (events, leads) if len(events or ()) % 2 else (None, None)
        return super().migrate(scorer, at, *given)

    def save(self, path: Path) -> None:
        self.ledger.close()

    def load(self, path: Path) -> StoreLive:
        url, late, tenant = self._place
        self.ledger = lc.Ledger.open(url, self.ledger.scorer, late=late, tenant=tenant)
        return self


class StorePair(Pair):
    """A ledger of a store, and its oracle, told and asked the same."""

    def __init__(self, document: Row, late: Any, url: str, tenant: str) -> None:
        super().__init__(document, "all", lambda scorer, _: StoreLive(url, scorer, late, tenant))
        self.oracle = StoreOracle(self.oracle.scorer)
