"""What a job does with each of its partitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from leadcore._arrow import ArrowStream, Table
from leadcore._inputs import Names
from leadcore._plan import plan_model
from leadcore._run import Counts
from leadcore.ledger.counts import LedgerCounts
from leadcore.ledger.ledger import Ledger
from leadcore.model import Model
from leadcore.scorer import Scorer

MEMBERS = "members"
"""The table of what leads are to their accounts."""


@dataclass
class Piece:
    """What came of some leads, or of all.

    Attributes:
        tables: The results by name, each sorted by lead.
        rejects: Rejected rows.
        counts: Where every row went.
        standing: For a replay, how many leads stand in each stage.
        story: What happened to the one lead asked for, where it is among these.
        ledger: What is kept of these leads for another day.
    """

    tables: dict[str, Table]
    counts: Counts | LedgerCounts
    rejects: Table | None = None
    standing: dict[str, int] = field(default_factory=dict)
    story: str | None = None
    ledger: Ledger | None = None


@dataclass(frozen=True)
class Options:
    """What scoring and replaying have in common.

    Attributes:
        model: The model.
        instant: ISO 8601 text: when to score, or until when to replay.
        names: The tables' column names by the model's.
        unknown_leads: ``score``, ``error`` or ``ignore``.
        reject: Whether faulty rows are rejected instead of raised.
        micropoints: Scores as whole micropoints.
        lead: A lead whose story is wanted, of a replay: its id as text.
    """

    model: Model
    instant: str
    names: Names
    unknown_leads: Any
    reject: bool
    micropoints: bool
    lead: str | None = None

    def told(self) -> dict[str, Any]:
        """What must be the same for a job to go on."""
        return {
            "model": self.model.fingerprint,
            "instant": self.instant,
            "columns": {"leads": self.names.leads, "events": self.names.events},
            "unknown_leads": self.unknown_leads,
            "reject": self.reject,
            "micropoints": self.micropoints,
            "lead": self.lead,
        }

    def arguments(self) -> dict[str, Any]:
        """Arguments of `Scorer.score` and `Scorer.replay`."""
        return {
            "columns": {"leads": self.names.leads, "events": self.names.events},
            "unknown_leads": self.unknown_leads,
            "on_error": "reject" if self.reject else "raise",
            "micropoints": self.micropoints,
            "sort": True,
        }


class Task(Protocol):
    """What is done with each partition."""

    @property
    def name(self) -> str:
        """``score``, ``replay`` or ``apply``."""

    @property
    def counts(self) -> type[Counts] | type[LedgerCounts]:
        """What tells where rows went."""

    @property
    def options(self) -> Options:
        """What it has in common with others."""

    @property
    def results(self) -> tuple[str, ...]:
        """The tables it makes of a partition."""

    def told(self) -> dict[str, Any]:
        """What must be the same for a job to go on."""

    def bytes_needed(self, events: int, leads: int, event_ids: bool) -> int:
        """Memory for so many rows, about; ``event_ids``: whether events have ids."""

    def run(
        self, scorer: Scorer, tables: Mapping[str, ArrowStream | None], threads: int | None,
        progress: Callable[[int], None], partition: int | None,
    ) -> Piece:  # fmt: skip
        """Do it; ``partition``: which it is, None: these are all the leads there are."""

    @property
    def ids(self) -> Mapping[str, str]:
        """What ids are by what was read before: ``integer`` or ``text`` of ``lead_id`` and ``event_id``."""

    def finish(self, partitions: int, ids: Mapping[str, str]) -> None:
        """What is left to do when all partitions are done; ``ids``: what ids are."""


_EVENT, _MOVING, _CODE, _NUMBER, _EVENT_ID = 16, 20, 4, 8, 48
"""Bytes of an event kept; more of it in a replay; of each code and number beside it; and of its id."""
_LEAD, _SCORE, LINE, CHANGE = 200, 24, 16, 120
"""Bytes of a lead, of each of its scores and lines; of a change of a score, of which an event makes one."""


def bytes_needed(model: Model, events: int, leads: int, event_ids: bool, replay: bool) -> int:
    """Memory for so many rows, about: measured, see docs/how-to/batch.md."""
    plan = plan_model(model, replay=replay)
    event = _EVENT + _CODE * plan.codes + _NUMBER * plan.numbers
    event += (_MOVING if replay else 0) + (_EVENT_ID if event_ids else 0)
    return events * event + leads * (_LEAD * (2 if replay else 1) + _SCORE * len(plan.scores))


def added(first: Any, second: Any) -> Any:
    """Where rows of two partitions went."""
    sums: dict[str, Any] = {}
    for one in fields(first):
        here, there = getattr(first, one.name), getattr(second, one.name)
        sums[one.name] = dict(Counter(here) + Counter(there)) if isinstance(here, dict) else here + there
    return type(first)(**sums)
