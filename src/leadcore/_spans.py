"""Stays in stages: when each was left and due, and the alerts that fall into it (spec 8.9, 8.10)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadcore._opening import NEVER
from leadcore._replay_log import CAUSES, Ints, Moves
from leadcore._service_levels import ServiceLevels
from leadcore.model import Model

_BIRTH = CAUSES.index("birth")


@dataclass(frozen=True)
class Alerts:
    """Alerts, ordered by span, then by instant, then by level.

    Attributes:
        span: Which span.
        at: Instant.
        level: From 1, in document order.
        told: Row of the table of who is told.
    """

    span: Ints
    at: Ints
    level: Ints
    told: Ints


class Spans:
    """Every stay, in the order of the moves that began them: a move begins a stay, the lead's next one ends it.

    Args:
        model: The model, which has a lifecycle.
        moves: The moves, each lead's together.
        end: The end of the run, or that of each move's lead.

    Attributes:
        left: Instant at which it was left; `NEVER` while it was not.
        open: Whether it was not left.
    """

    def __init__(self, model: Model, moves: Moves, end: int | Ints) -> None:
        assert model.lifecycle is not None
        self._moves, self._levels = moves, ServiceLevels(model)
        self._end = np.broadcast_to(np.int64(end), len(moves.lead))
        self._stages, self._rules = model.lifecycle.stages, len(model.lifecycle.transitions)
        self.open = np.append(self._moves.lead[1:] != self._moves.lead[:-1], True)[: len(self._moves.lead)]
        self.left = np.where(self.open, NEVER, np.append(self._moves.at[1:], NEVER)[: len(self.open)])
        order = np.argsort(self._moves.to_stage.astype(np.int16), kind="stable")
        self._of_stage = np.split(order, np.cumsum(np.bincount(self._moves.to_stage, minlength=len(self._stages)))[:-1])

    def visits(self) -> Ints:
        """How often each lead had entered the stage by then, from 1 (spec 8.10)."""
        visits = np.empty(len(self.open), np.int64)
        for rows in self._of_stage:
            lead = self._moves.lead[rows]
            place = np.arange(len(rows))
            first = np.append(True, lead[1:] != lead[:-1])[: len(rows)]
            visits[rows] = place - np.maximum.accumulate(np.where(first, place, 0)) + 1
        return visits

    def begun_by(self) -> npt.NDArray[np.int32]:
        """What began each stay: a transition by its place in the document, then `birth`, then `manual` (spec 8.10)."""
        moves, rules = self._moves, self._rules
        otherwise = np.where(moves.cause == _BIRTH, rules, rules + 1)
        return np.where(moves.rule >= 0, moves.rule, otherwise).astype(np.int32)

    def due(self) -> tuple[Ints, npt.NDArray[np.int32]]:
        """When each stay is due, `NEVER` without an sla or beyond the year 9999, and its status, -1 without an sla."""
        due = np.full(len(self.open), NEVER, np.int64)
        status = np.full(len(self.open), -1, np.int32)
        for stage, rows in zip(self._stages, self._of_stage, strict=True):
            if stage.sla is not None:
                due[rows] = self._after(rows, int(stage.sla.due), stage.sla.calendar)
                late = np.where(self.open[rows], self._end[rows], self.left[rows]) > due[rows]
                status[rows] = np.where(self.open[rows], np.where(late, 2, 3), np.where(late, 1, 0))
        return due, status

    def alerts(self) -> tuple[Alerts, list[tuple[str, ...]]]:
        """Alerts that fall into a stay [entered, left) and the run (spec 8.9), and who is told."""
        told: list[tuple[str, ...]] = []
        parts: list[tuple[Ints, Ints, int, int]] = []
        last = np.minimum(self.left - 1, self._end)  # where an alert may be at the latest
        for stage, rows in zip(self._stages, self._of_stage, strict=True):
            if stage.sla is None:
                continue
            # Of one stay a longer time comes later whatever the calendar, so this order is that of instants and levels.
            for level, alert in sorted(enumerate(stage.sla.alerts, 1), key=lambda item: (item[1].after, item[0])):
                near = rows[self._moves.at[rows] + int(alert.after) <= last[rows]]  # no calendar makes it earlier
                at = self._after(near, int(alert.after), stage.sla.calendar)
                inside = at <= last[near]
                parts.append((near[inside], at[inside], level, len(told)))
                told.append(alert.notify)
        if not parts:
            none = np.empty(0, np.int64)
            return Alerts(none, none, none, none), told
        span = np.concatenate([rows for rows, _, _, _ in parts])
        counts = [len(rows) for rows, _, _, _ in parts]
        order = np.argsort(span, kind="stable")
        return Alerts(
            span[order],
            np.concatenate([at for _, at, _, _ in parts])[order],
            np.repeat(np.array([level for _, _, level, _ in parts], np.int64), counts)[order],
            np.repeat(np.array([who for _, _, _, who in parts], np.int64), counts)[order],
        ), told

    def _after(self, rows: Ints, duration: int, calendar: str | None) -> Ints:
        return self._levels.passed(self._moves.at[rows], duration, calendar)
