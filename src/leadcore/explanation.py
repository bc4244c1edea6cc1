"""Why a score is what it is: lines that add up exactly (spec 7)."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadcore._plan import Plan
from leadcore._points import points_text

WORDS = {
    "raw": "", "gate": "does not apply", "bounds": "held to its bounds", "group_bounds": "group held to its bounds",
    "fade": "faded by inactivity", "weight": "weighted", "component": "", "score_bounds": "held to the score's bounds",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExplanationLine:
    """One line: ``micropoints`` of ``part`` of a criterion, a group or the whole score.

    ``part`` is ``raw`` (what the criterion found), ``gate``, ``bounds`` (what they take or add), ``group_bounds``,
    ``fade``, ``weight``, ``component`` (another score, named in ``criterion``), ``score_bounds``.
    """

    score: str
    group: str | None
    criterion: str | None
    part: str
    micropoints: int


@dataclass(frozen=True, slots=True)
class Share:
    """What one event adds to a criterion's raw value (spec 7), in micropoints.

    ``row`` is its position in the events table, from 0.
    """

    criterion: str
    row: int
    at: datetime
    micropoints: int


@dataclass(frozen=True)
class Explanation:
    """One lead's scores at one instant, line by line; the lines of a score sum to it exactly, in micropoints.

    Attributes:
        lead_id: The lead.
        as_of: The instant.
        totals: Micropoints by score.
        lines: Every line worth something, in document order.
        shares: Each counted event's part, where asked for; they sum to their criterion's raw value, less what it is
            worth without any event.
    """

    lead_id: Any
    as_of: datetime
    totals: dict[str, int]
    lines: tuple[ExplanationLine, ...]
    shares: tuple[Share, ...] = ()

    @classmethod
    def of(
        cls, plan: Plan, lead_id: Any, as_of: datetime, totals: dict[str, int], values: Any, shares: list[Share]
    ) -> Explanation:
        """From the kernel's lines: a word each, or all low words and then all high words."""
        width = plan.tables["lines_size"]
        words = [int(value) for value in values]
        if len(words) > width:
            words = [(high << 64) + (low % 2**64) for low, high in zip(words[:width], words[width:], strict=True)]
        lines = tuple(
            ExplanationLine(line.score, line.group, line.criterion, line.part, words[line.index])
            for line in plan.lines
            if words[line.index]
        )
        return cls(lead_id, as_of, totals, lines, tuple(shares))

    def top(self, count: int = 3, score: str | None = None) -> list[tuple[str, int]]:
        """Criteria that add most to a score (default: the last), as (name, micropoints after gate and bounds)."""
        wanted = score or next(reversed(self.totals))
        names = {wanted}
        grown = True
        while grown:
            more = {li.criterion for li in self.lines if li.score in names and li.part == "component" and li.criterion}
            grown = not more <= names
            names |= more
        worth: dict[str, int] = {}
        for line in self.lines:
            if line.score in names and line.part in ("raw", "gate", "bounds") and line.criterion:
                worth[line.criterion] = worth.get(line.criterion, 0) + line.micropoints
        return sorted(((n, w) for n, w in worth.items() if w), key=lambda item: (-item[1], item[0]))[:count]

    def __str__(self) -> str:
        told = [f"{self.lead_id} as of {self.as_of.isoformat().replace('+00:00', 'Z')}"]
        for score, total in self.totals.items():
            told.append(f"{score}  {points_text(total)}")
            group: str | None = None
            for line in self.lines:
                if line.score != score:
                    continue
                if line.group is not None and line.group != group:
                    told.append(f"  {line.group}")
                group = line.group
                words = " ".join(word for word in (line.criterion, WORDS[line.part]) if word)
                told.append(f"{'    ' if line.group else '  '}{points_text(line.micropoints):>12}  {words}")
        if self.shares:
            told.append("events")
            told += [
                f"  {points_text(s.micropoints):>12}  {s.criterion}  {s.at.isoformat().replace('+00:00', 'Z')}  row {s.row}"
                for s in self.shares
            ]
        return "\n".join(told)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(line.score)}</td><td>{html.escape(line.group or '')}</td>"
            f"<td>{html.escape(line.criterion or '')}</td><td>{html.escape(WORDS[line.part])}</td>"
            f"<td style='text-align:right'>{points_text(line.micropoints)}</td></tr>"
            for line in self.lines
        )
        totals = ", ".join(f"{html.escape(name)} {points_text(total)}" for name, total in self.totals.items())
        return (
            f"<p><b>{html.escape(str(self.lead_id))}</b> as of {self.as_of.isoformat()}: {totals}</p>"
            f"<table><thead><tr><th>score</th><th>group</th><th>criterion</th><th></th><th>points</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )
