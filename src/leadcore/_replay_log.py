"""What the kernel says of a replay, as arrays, before names are put to it (spec 8.10)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint32]
Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]

CAUSES = ("birth", "attribute", "event", "timer", "grid", "manual")
"""Causes by number: `CAUSE_*` of ext/kernel/leadcore_kernel/layout.pxd; the order in which they come at one instant."""


@dataclass(frozen=True)
class Moves:
    """The transitions, leads in the order of the result, each lead's in the order they happened.

    Attributes:
        lead: Which lead of the result.
        at: Instant, microseconds.
        from_stage: Stage left by its place in the document, -1 at birth.
        to_stage: Stage entered.
        rule: Transition by its place in the document, -1 at birth and for a manual move.
        cause: Index into `CAUSES`.
        event: Identity number of the event at hand, as the encoder gave it; -1 where there is none.
        scores: Micropoints then, shape (transitions, scores).
    """

    lead: Ints
    at: Ints
    from_stage: Small
    to_stage: Small
    rule: Small
    cause: Small
    event: Ints
    scores: Ints


@dataclass(frozen=True)
class Changes:
    """Every change of a score, ordered like `Moves`.

    Attributes:
        lead: Which lead of the result.
        at: Instant, microseconds.
        cause: Index into `CAUSES`.
        event: Identity number of the event at hand, -1 where there is none.
        score: Score by its place in the document.
        before: Micropoints at the evaluation before; 0 before birth.
        after: Micropoints now.
        criterion: Index into the plan's criteria of the one that moved most, -1 where none moved.
    """

    lead: Ints
    at: Ints
    cause: Small
    event: Ints
    score: Small
    before: Ints
    after: Ints
    criterion: Small


@dataclass(frozen=True)
class ReplayLog:
    """All of it.

    Attributes:
        lead: Lead code of every lead of the result, in order.
        stage: Its stage at the end, -1 for a lead without one.
        entered: When it entered that stage, microseconds.
        scores: Micropoints at the end, shape (leads, scores).
        thresholds: Whether reached as of the last evaluation, shape (leads, thresholds).
        moves: The transitions.
        changes: Every change of a score, where asked for.
        loop_stops: By transition: how often it was passed over, its target having been left in the same evaluation.
        manual_current: Manual moves to the stage the lead was in.
        manual_unknown: Manual moves to no stage of the model.
    """

    lead: Codes
    stage: Small
    entered: Ints
    scores: Ints
    thresholds: npt.NDArray[np.uint8]
    moves: Moves
    changes: Changes | None
    loop_stops: Ints
    manual_current: int
    manual_unknown: int
