"""Stays in stages: spans, service levels and alerts (spec 8.9, 8.10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadcore._reference.calendar import LAST
from leadcore._reference.opening import Opening
from leadcore._reference.tables import Id
from leadcore.model.lifecycle import Sla, Stage


@dataclass(slots=True)
class Stay:
    """A stay in a stage: [entered, left), where left may be null (spec 8.9).

    Attributes:
        stage: The stage.
        visit: How often it has been entered by then, from 1.
        entered_at: When.
        entered_by: The rule's name, else ``birth`` or ``manual``.
        left_at: When it was left, None while it was not.
        left_by: The rule's name, else ``manual``; None while it was not.
    """

    stage: Stage
    visit: int
    entered_at: int
    entered_by: str
    left_at: int | None = None
    left_by: str | None = None

    def holds(self, instant: int, end: int) -> bool:
        """Whether an instant from the entry on lies inside the stay, and in the run.

        Spec 8.9: "A stay is [entered, left)"; "an alert at the end of the run is logged".
        """
        return instant <= end and (self.left_at is None or instant < self.left_at)


def passed(start: int, duration: int, sla: Sla, calendars: Mapping[str, Opening]) -> int | None:
    """When a duration since an entry has passed, by the calendar of the stage; None beyond the end of time (spec 8.9)."""
    if sla.calendar is not None:
        return calendars[sla.calendar].after(start, duration)
    return start + duration if start + duration <= LAST else None


def span_row(lead: Id, stay: Stay, end: int, calendars: Mapping[str, Opening]) -> dict[str, Any]:
    """A row of spans (spec 8.10)."""
    sla = stay.stage.sla
    due = None if sla is None else passed(stay.entered_at, int(sla.due), sla, calendars)
    return {
        "lead_id": lead,
        "stage": stay.stage.name,
        "visit": stay.visit,
        "entered_at": stay.entered_at,
        "left_at": stay.left_at,
        "entered_by": stay.entered_by,
        "left_by": stay.left_by,
        "owner": stay.stage.owner,
        "sla_due_at": due,
        "sla_status": None if sla is None else status(stay, due, end),
    }


def status(stay: Stay, due: int | None, end: int) -> str:
    """Spec 8.9: "Left at or before due: `met`; later: `met_late`; not left and the end is past due: `breached`; else `open`".

    A due time beyond the end of time never comes.
    """
    if stay.left_at is not None:
        return "met" if due is None or stay.left_at <= due else "met_late"
    return "breached" if due is not None and end > due else "open"


def alert_rows(lead: Id, stay: Stay, end: int, calendars: Mapping[str, Opening]) -> list[dict[str, Any]]:
    """Rows of alerts of a stay, by instant, then by level.

    Spec 8.9: "At entry + each `after` that lies inside the stay an alert is logged, `level` 1, 2, ... in document order".
    """
    sla = stay.stage.sla
    if sla is None:
        return []
    rows: list[dict[str, Any]] = []
    for level, alert in enumerate(sla.alerts, start=1):
        at = passed(stay.entered_at, int(alert.after), sla, calendars)
        if at is not None and stay.holds(at, end):
            rows.append(
                {
                    "lead_id": lead,
                    "stage": stay.stage.name,
                    "entered_at": stay.entered_at,
                    "at": at,
                    "level": level,
                    "notify": list(alert.notify),
                }
            )
    return sorted(rows, key=lambda row: (row["at"], row["level"]))
