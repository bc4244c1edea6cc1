"""Ledgers that are wrong on purpose: a machine of ledgers that finds no difference in one of them looks at nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.ledger_oracle import Changed, Id, Lead, OracleLedger, Row, most


class LateByOne(OracleLedger):
    """What is too late is off by a microsecond."""

    def _floor(self, lead: Lead | None) -> int | None:
        floor = super()._floor(lead)
        return None if floor is None else floor + 1


class ClockForgotten(OracleLedger):
    """Facts do not bring their lead to the clock."""

    def _bring(self, lead: Lead, instants: Iterable[int | None]) -> None:
        known = list(instants)
        super()._bring(lead, [one for one in known if one != self.clock] or known)


class DeadForgotten(OracleLedger):
    """Retracted events may come again."""

    def retract(self, events: Sequence[Row]) -> Changed:
        changed = super().retract(events)
        for lead in self.leads.values():
            lead.dead = {}
        return changed


class NewestFalls(OracleLedger):
    """Retracting the newest event makes older ones welcome again."""

    def retract(self, events: Sequence[Row]) -> Changed:
        changed = super().retract(events)
        for lead in self.leads.values():
            lead.newest = most(
                *(row["at"] for row in lead.happened() if lead.told is not None and row["at"] <= lead.told)
            )
        return changed


class ForgetKeepsAlias(OracleLedger):
    """A record of a forgotten lead is still its record."""

    def forget(self, lead_id: Id) -> bool:
        return bool(self.leads.pop(self.person(lead_id), None))


class LoadLosesDead(OracleLedger):
    """Saved without what was retracted."""

    def load(self, path: Path) -> OracleLedger:
        super().load(path)
        for lead in self.leads.values():
            lead.dead = {}
        return self


class LoadLosesNewest(OracleLedger):
    """Saved without the newest event's instant."""

    def load(self, path: Path) -> OracleLedger:
        super().load(path)
        for lead in self.leads.values():
            lead.newest = None
        return self


class PendingUnseen(OracleLedger):
    """Scores later than what was told leave out events that are kept."""

    def score(self, as_of: int, leads: Sequence[Id] | None = None) -> list[Row]:
        kept = [(lead, lead.events, lead.by_id) for lead in self.leads.values()]
        for lead in self.leads.values():
            end = most(lead.told, -(10**18))
            assert end is not None
            lead.events = [row for row in lead.events if row["at"] <= end]
            lead.by_id = {one: row for one, row in lead.by_id.items() if row["at"] <= end}
        try:
            return super().score(as_of, leads)
        finally:
            for lead, events, by_id in kept:
                lead.events, lead.by_id = events, by_id


class PendingTold(OracleLedger):
    """Facts after ``until`` count for the newest event at once."""

    def _bring(self, lead: Lead, instants: Iterable[int | None]) -> None:
        super()._bring(lead, instants)
        lead.newest = most(lead.newest, *(row["at"] for row in lead.happened()))


class ScoresOfMovesStay(OracleLedger):
    """A move that stays, with other scores, is not told anew."""

    def _tell(self, touched: Iterable[Id], changed: Changed) -> Changed:
        told = super()._tell(touched, changed)
        keys = [{row["key"] for row in told.transitions if row["change"] == one} for one in ("withdrawn", "new")]
        told.transitions = [row for row in told.transitions if row["key"] not in keys[0] & keys[1]]
        return told


class SilentAdvance(OracleLedger):
    """Advancing tells no moves."""

    def advance(self, until: int) -> Changed:
        changed = super().advance(until)
        changed.transitions = []
        return changed


class SwapLivesAgain(OracleLedger):
    """Another model knows nothing of what was retracted."""

    def migrate(self, scorer: Any, *given: Any, **more: Any) -> Changed:
        changed = super().migrate(scorer, *given, **more)
        for lead in self.leads.values():
            lead.dead = {}
        return changed


BROKEN = (
    LateByOne, ClockForgotten, DeadForgotten, NewestFalls, ForgetKeepsAlias, LoadLosesDead, LoadLosesNewest, PendingUnseen,
    PendingTold, ScoresOfMovesStay, SilentAdvance, SwapLivesAgain,
)  # fmt: skip
