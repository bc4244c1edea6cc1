"""One lead of a ledger: where it stands, how it came there, and why (spec 7, 8)."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from leadcore.explanation import Explanation
from leadcore.timeline import Timeline, number


@dataclass(frozen=True)
class LeadState:
    """One lead at one instant; ``print`` it, or let a notebook show it.

    Attributes:
        lead_id: The lead: for a record that was merged away, the one it is part of.
        as_of: The instant, in UTC.
        stage: Its stage; None for a lead without one.
        entered_at: When it entered that stage, or None.
        scores: Points by score: the float64 nearest to ``micropoints / 10**6``.
        micropoints: Whole micropoints by score (spec 9): what to compare and to store.
        grades: Grade by graded score.
        rating: Grades joined, or None without a rating.
        label: The first label whose condition holds, or None without labels.
        thresholds: Whether each threshold is reached, as of the last evaluation (spec 6.5).
        version: The semantics fingerprint of the model that answered.
    """

    lead_id: Any
    as_of: datetime
    stage: str | None
    entered_at: datetime | None
    scores: dict[str, float]
    micropoints: dict[str, int]
    grades: dict[str, str]
    rating: str | None
    label: str | None
    thresholds: dict[str, bool]
    version: str
    _tell: Callable[[], Timeline] = field(repr=False, compare=False)
    _explain: Callable[[], Explanation] = field(repr=False, compare=False)

    @cached_property
    def timeline(self) -> Timeline:
        """What happened to it when and why, and how long it stayed where."""
        return self._tell()

    def __getitem__(self, score: str) -> float:
        """Points of one score."""
        return self.scores[score]

    def explain(self) -> Explanation:
        """Why: lines that add up to each score exactly (spec 7)."""
        return self._explain()

    def __str__(self) -> str:
        return f"{self.timeline}\n{self._answers()}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"{self.timeline._repr_html_()}<p>{html.escape(self._answers())}</p>"

    def _answers(self) -> str:
        """``total 62.5 (B), B2, hot; reached: mql``."""
        graded = {name: f" ({grade})" for name, grade in self.grades.items()}
        told = [f"{name} {number(value)}{graded.get(name, '')}" for name, value in self.scores.items()]
        told += [word for word in (self.rating, self.label) if word is not None]
        reached = [name for name, yes in self.thresholds.items() if yes]
        return ", ".join(told) + (f"; reached: {', '.join(reached)}" if reached else "")
