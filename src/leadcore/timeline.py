"""What happened to one lead in a replay, for people: when, why, how long (spec 8)."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


@dataclass(frozen=True)
class Timeline:
    """One lead's way through the stages; ``print`` it, or let a notebook show it.

    Iteration gives the transitions.

    Attributes:
        lead_id: The lead.
        until: The end of the replay.
        stage: Its stage at the end; None for a lead without one.
        entered_at: When it entered that stage, or None.
        scores: Scores at the end.
        thresholds: Thresholds as of the last evaluation.
        transitions: Its rows of ``Replay.transitions``, as they happened.
        spans: Its rows of ``Replay.spans``: one for each transition.
        alerts: Its rows of ``Replay.alerts``.
    """

    lead_id: Any
    until: datetime
    stage: str | None
    entered_at: datetime | None
    scores: dict[str, float]
    thresholds: dict[str, bool]
    transitions: list[dict[str, Any]]
    spans: list[dict[str, Any]]
    alerts: list[dict[str, Any]]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The transitions."""
        return iter(self.transitions)

    def __len__(self) -> int:
        """How many transitions there were."""
        return len(self.transitions)

    def __str__(self) -> str:
        lines = [self._head()]
        if self.transitions:
            table = [["at", "stage", "stayed", *self.scores, "why"]]
            notes: list[list[str]] = [[]]
            for step, span in zip(self.transitions, self.spans, strict=True):
                shown = [number(step[name]) for name in self.scores]
                table.append([_when(step["at"]), step["to_stage"], self._stayed(span), *shown, _why(step)])
                notes.append([f"{when:<20}    {what}" for when, what in self._notes(span)])
            widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
            for row, below in zip(table, notes, strict=True):
                cells = [
                    c.rjust(w) if 3 <= i < len(row) - 1 else c.ljust(w)
                    for i, (c, w) in enumerate(zip(row, widths, strict=True))
                ]
                lines += ["  ".join(cells).rstrip(), *below]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in ("at", "stage", "stayed", *self.scores, "why"))
        body = ""
        for step, span in zip(self.transitions, self.spans, strict=True):
            cells = [_when(step["at"]), step["to_stage"], self._stayed(span)]
            body += "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
            body += "".join(f"<td style='text-align:right'>{number(step[name])}</td>" for name in self.scores)
            body += f"<td>{html.escape(_why(step))}</td></tr>"
            for when, what in self._notes(span):
                body += f"<tr><td>{html.escape(when)}</td><td colspan='{len(self.scores) + 3}'>{html.escape(what)}</td></tr>"
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if self.transitions else ""
        return f"<p>{html.escape(self._head())}</p>{table}"

    def _head(self) -> str:
        if self.stage is None or self.entered_at is None:
            return f"{self.lead_id} has no stage at {_when(self.until)}: nothing says when it was born"
        since = f"{_when(self.entered_at)} ({lasted(self.until - self.entered_at)})"
        return f"{self.lead_id} at {_when(self.until)}: {self.stage} since {since}"

    def _stayed(self, span: dict[str, Any]) -> str:
        return lasted((span["left_at"] or self.until) - span["entered_at"]) + ("" if span["left_at"] else " so far")

    def _notes(self, span: dict[str, Any]) -> list[tuple[str, str]]:
        """Alerts of a stay and when it was due, in the order of time."""
        left = span["left_at"]
        inside = [a for a in self.alerts if span["entered_at"] <= a["at"] and (left is None or a["at"] < left)]
        notes = [(alert["at"], 0, f"alert {alert['level']} to {', '.join(alert['notify'])}") for alert in inside]
        due, status = span["sla_due_at"], (span["sla_status"] or "").replace("_", " ")
        if due is not None and status == "met":
            notes.append((left, 1, f"met, due {_when(due)}"))
        elif due is not None:
            late = f"left late, at {_when(left)}" if left is not None else status
            notes.append((due, 1, f"due; {late}"))
        told = [(_when(at), what) for at, _, what in sorted(notes)]
        return [*told, ("", f"never due, {status}")] if status and due is None else told


def _when(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def _why(step: dict[str, Any]) -> str:
    """Rule and cause of a transition: ``first_act (event 17)``."""
    named = [] if step["event_id"] is None else [f"event {step['event_id']}"]
    if step["rule"] is None:
        return " ".join([step["cause"], *(f"({event})" for event in named)])
    where = named if named and step["cause"] == "event" else [step["cause"], *named]
    return f"{step['rule']} ({', '.join(where)})"


def number(value: float) -> str:
    """Points with at most six places, or whole micropoints."""
    return str(value) if isinstance(value, int) else f"{value:.6f}".rstrip("0").rstrip(".")


def lasted(time: timedelta) -> str:
    """The two leading units of a time: ``2d1h``, ``20m5s``, ``0s``."""
    rest, parts = time.days * 86_400 + time.seconds, list[str]()
    for unit, seconds in _UNITS:
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count}{unit}")
        if parts and (len(parts) == 2 or not count):
            break
    return "".join(parts) or "0s"
