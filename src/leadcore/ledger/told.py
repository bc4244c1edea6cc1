"""What one call did to a ledger, before names are put to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from leadcore._replay_log import Ints, Moves, Small
from leadcore.ledger.counts import LateRow, LedgerCounts
from leadcore.ledger.facts import LeadId
from leadcore.model import Model

if TYPE_CHECKING:
    from leadcore.ledger.changes import Changes

Bytes = npt.NDArray[np.uint8]
Signs = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Parts:
    """What one call did, by lead, in arrays.

    Attributes:
        before_at: Instant up to which each was told before, -2^63: it was not.
        after_at: Up to which it is told now.
        scores_before: Micropoints as last told, shape (leads, scores); 0 before the first time.
        scores_after: Micropoints now.
        reached_before: Whether thresholds were reached as last told, shape (leads, thresholds).
        reached_after: Whether they are now.
        open_stage: The stage from which the moves below go on, -1 for none.
        open_entered: When it was entered.
        moves: The moves of each lead from the first that differs from what was told: first those told, then those that
            hold now; `Moves.event` is an index into ``event_ids``, -1 for none.
        change: By move: -1 withdrawn, 1 new; -2 and 2 the same move in both.
        ordinal: By move: how many earlier moves of its lead are like it but for scores.
        event_ids: Ids of events at hand.
        live: Newest event of those that were at hand, -2^63: there was none.
    """

    before_at: Ints
    after_at: Ints
    scores_before: Ints
    scores_after: Ints
    reached_before: Bytes
    reached_after: Bytes
    open_stage: Small
    open_entered: Ints
    moves: Moves
    change: Signs
    ordinal: Signs
    event_ids: Sequence[LeadId | None]
    live: Ints


class Told:
    """What one call did, by lead: ids, and the columns of `Parts`, made when the first of them is asked for.

    Attributes:
        lead_ids: The leads the call touched.
        counts: Where every row went.
        late: Facts set aside.
        before: The model that told before, where another answered; stages and rules of the moves are then counted on
            through those of this model that the model that answers has no name of.
        since: Up to this instant what the model before says holds; -2^63 for nothing.
        like: An id of the ledger, for the kind of columns without rows; None: it has none.
        changes: Its tables in points, where somebody made them already.
    """

    before_at: Ints
    after_at: Ints
    scores_before: Ints
    scores_after: Ints
    reached_before: Bytes
    reached_after: Bytes
    open_stage: Small
    open_entered: Ints
    moves: Moves
    change: Signs
    ordinal: Signs
    event_ids: Sequence[LeadId | None]
    live: Ints

    def __init__(
        self, lead_ids: Sequence[LeadId], make: Callable[[], Parts], counts: LedgerCounts | None = None,
        late: list[LateRow] | None = None, before: Model | None = None, since: int = -(2**63),
        like: LeadId | None = None,
    ) -> None:  # fmt: skip
        self.lead_ids, self._make = lead_ids, make
        self.counts = LedgerCounts() if counts is None else counts
        self.late = [] if late is None else late
        self.before, self.since = before, since
        self.like = next(iter(lead_ids), like)
        self.changes: Changes | None = None

    def __getattr__(self, name: str) -> Any:
        if name not in _COLUMNS:
            raise AttributeError(name)
        vars(self).update(vars(self._make()))
        return vars(self)[name]


_COLUMNS = {column.name for column in fields(Parts)}

__all__ = ["Ints", "Moves", "Parts", "Told"]
