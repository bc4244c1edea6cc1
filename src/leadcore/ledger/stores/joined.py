"""What several calls did to different leads, as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from leadcore.ledger.counts import LedgerCounts
from leadcore.ledger.told import Moves, Parts, Told


def joined(parts: Sequence[Told]) -> Told:
    """Several `Told` behind each other; at least one."""
    told = [part for part in parts if part.lead_ids] or list(parts[-1:])
    return Told(
        [lead_id for part in told for lead_id in part.lead_ids],
        lambda: _joined(told),
        _summed([part.counts for part in parts]),
        [row for part in told for row in part.late],
        told[0].before,
        told[0].since,
        told[0].like,
    )


def _joined(parts: Sequence[Told]) -> Parts:
    leads = np.cumsum([0, *(len(part.lead_ids) for part in parts)])
    events = np.cumsum([0, *(len(part.event_ids) for part in parts)])
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in (
            "before_at", "after_at", "scores_before", "scores_after", "reached_before", "reached_after", "open_stage",
            "open_entered", "change", "ordinal", "live",
        )
    }  # fmt: skip
    moves = {field.name: np.concatenate([getattr(part.moves, field.name) for part in parts]) for field in fields(Moves)}
    moves["lead"] = np.concatenate([part.moves.lead + first for part, first in zip(parts, leads[:-1], strict=True)])
    moves["event"] = np.concatenate(
        [
            np.where(part.moves.event < 0, -1, part.moves.event + first)
            for part, first in zip(parts, events[:-1], strict=True)
        ]
    )
    return Parts(
        moves=Moves(**moves), event_ids=[event_id for part in parts for event_id in part.event_ids], **columns
    )  # fmt: skip


def _summed(counts: Sequence[LedgerCounts]) -> LedgerCounts:
    ignored: Counter[str] = Counter()
    for one in counts:
        ignored.update(one.ignored)
    names = ("events", "leads", "duplicates", "late", "unknown")
    return LedgerCounts(**{name: sum(getattr(one, name) for one in counts) for name in names}, ignored=dict(ignored))
