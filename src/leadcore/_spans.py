"""Stays in stages: when each was left and due, and the alerts that fall into it (spec 8.9, 8.10)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadcore._opening import NEVER
from leadcore._replay_log import Ints, Small
from leadcore._service_levels import ServiceLevels
from leadcore.model import Model


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
    """Every stay, each lead's together and in the order they began: a lead's next stay ends the one before.

    Args:
        model: The model, which has a lifecycle.
        lead: Whose each stay is.
        entered: When it began.
        stage: The stage by its place in the document.
        end: The end of the run, or that of each stay's lead.
        levels: The model's service levels, where somebody keeps them.

    Attributes:
        left: Instant at which it was left; `NEVER` while it was not.
        open: Whether it was not left.
    """

    def __init__(
        self,
        model: Model,
        lead: Ints,
        entered: Ints,
        stage: Small,
        end: int | Ints,
        levels: ServiceLevels | None = None,
    ) -> None:
        assert model.lifecycle is not None
        self._lead, self._entered, self._levels = lead, entered, levels or ServiceLevels(model)
        self._end = np.broadcast_to(np.int64(end), len(lead))
        self._stages = model.lifecycle.stages
        self.open = np.append(lead[1:] != lead[:-1], True)[: len(lead)]
        self.left = np.where(self.open, NEVER, np.append(entered[1:], NEVER)[: len(lead)])
        order = np.argsort(stage.astype(np.int16), kind="stable")
        self._of_stage = np.split(order, np.cumsum(np.bincount(stage, minlength=len(self._stages)))[:-1])

    def visits(self) -> Ints:
        """How often each lead had entered the stage by then, from 1 (spec 8.10)."""
        visits = np.empty(len(self.open), np.int64)
        for rows in self._of_stage:
            lead = self._lead[rows]
            place = np.arange(len(rows))
            first = np.append(True, lead[1:] != lead[:-1])[: len(rows)]
            visits[rows] = place - np.maximum.accumulate(np.where(first, place, 0)) + 1
        return visits

    def due(self) -> tuple[Ints, Small]:
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
                near = rows[self._entered[rows] + int(alert.after) <= last[rows]]  # no calendar makes it earlier
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
        return self._levels.passed(self._entered[rows], duration, calendar)
