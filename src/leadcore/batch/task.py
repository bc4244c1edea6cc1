"""What a job does with each of its partitions: score, or replay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from leadcore._arrow import ArrowStream, Table
from leadcore._inputs import Names
from leadcore._plan import plan_model
from leadcore._run import Counts
from leadcore.accounts import account_members
from leadcore.model import Model
from leadcore.replay import ReplayCounts
from leadcore.scorer import Scorer


@dataclass
class Piece:
    """What came of some leads, or of all.

    Attributes:
        tables: The results by name, each sorted by lead.
        rejects: Rejected rows.
        counts: Where every row went.
        standing: For a replay, how many leads stand in each stage.
        story: What happened to the one lead asked for, where it is among these.
    """

    tables: dict[str, Table]
    rejects: Table
    counts: Counts
    standing: dict[str, int] = field(default_factory=dict)
    story: str | None = None


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
    """

    model: Model
    instant: str
    names: Names
    unknown_leads: Any
    reject: bool
    micropoints: bool

    def told(self) -> dict[str, Any]:
        """What must be the same for a job to go on."""
        return {
            "model": self.model.fingerprint,
            "instant": self.instant,
            "columns": {"leads": self.names.leads, "events": self.names.events},
            "unknown_leads": self.unknown_leads,
            "reject": self.reject,
            "micropoints": self.micropoints,
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
        """``score`` or ``replay``."""

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
        progress: Callable[[int], None], whole: bool,
    ) -> Piece:  # fmt: skip
        """Do it; ``whole``: these are all the leads there are."""


_EVENT, _MOVING, _CODE, _NUMBER, _EVENT_ID = 16, 20, 4, 8, 48
"""Bytes of an event kept; more of it in a replay; of each code and number beside it; and of its id."""
_LEAD, _SCORE, _LINE, _CHANGE = 200, 24, 16, 120
"""Bytes of a lead, of each of its scores and lines; of a change of a score, of which an event makes one."""


def _needed(model: Model, events: int, leads: int, event_ids: bool, replay: bool) -> int:
    """Memory for so many rows, about: measured, see docs/how-to/batch.md."""
    plan = plan_model(model, replay=replay)
    event = _EVENT + _CODE * plan.codes + _NUMBER * plan.numbers
    event += (_MOVING if replay else 0) + (_EVENT_ID if event_ids else 0)
    return events * event + leads * (_LEAD * (2 if replay else 1) + _SCORE * len(plan.scores))


@dataclass(frozen=True)
class ScoreTask:
    """Score every lead at an instant.

    Attributes:
        options: What it has in common with a replay.
        explanations: Whether every line of every score is wanted.
        accounts: Whether scores of accounts are wanted.
    """

    options: Options
    explanations: bool = False
    accounts: bool = False
    name: str = "score"

    @property
    def results(self) -> tuple[str, ...]:
        """``scores``, and what else is wanted; of accounts what their leads add."""
        more = [name for name, wanted in (("explanations", self.explanations), ("members", self.accounts)) if wanted]
        return ("scores", *more)

    def told(self) -> dict[str, Any]:
        """What must be the same for a job to go on."""
        return {**self.options.told(), "explanations": self.explanations, "accounts": self.accounts}

    def bytes_needed(self, events: int, leads: int, event_ids: bool) -> int:
        """Memory for so many rows, about; ``event_ids``: whether events have ids."""
        model = self.options.model
        lines = len(plan_model(model).lines) if self.explanations else 0
        return _needed(model, events, leads, event_ids, False) + leads * lines * _LINE

    def run(
        self, scorer: Scorer, tables: Mapping[str, ArrowStream | None], threads: int | None,
        progress: Callable[[int], None], whole: bool,
    ) -> Piece:  # fmt: skip
        """Score these leads."""
        scores = scorer.score(
            tables.get("events"), tables.get("leads"), as_of=self.options.instant, aliases=tables.get("aliases"),
            explain=self.explanations, threads=threads, progress=progress, **self.options.arguments(),
        )  # fmt: skip
        made = {"scores": scores.table}
        if self.explanations:
            made["explanations"] = scores.explanations().table
        if self.accounts:
            made |= {"accounts": scores.accounts.table} if whole else {"members": account_members(scores)}
        return Piece(made, scores.rejects, scores.counts)


@dataclass(frozen=True)
class ReplayTask:
    """Take every lead through its stages until an instant.

    Attributes:
        options: What it has in common with scoring.
        score_changes: Whether every change of a score is wanted.
        lead: A lead whose story is wanted: its id as text.
    """

    options: Options
    score_changes: bool = False
    lead: str | None = None
    name: str = "replay"

    @property
    def results(self) -> tuple[str, ...]:
        """The tables of spec 8.10, and ``score_changes`` if wanted."""
        from leadcore._replay_tables import NAMES

        return (*NAMES, *(["score_changes"] if self.score_changes else []))

    def told(self) -> dict[str, Any]:
        """What must be the same for a job to go on."""
        return {**self.options.told(), "score_changes": self.score_changes, "lead": self.lead}

    def bytes_needed(self, events: int, leads: int, event_ids: bool) -> int:
        """Memory for so many rows, about; ``event_ids``: whether events have ids."""
        changes = events * _CHANGE if self.score_changes else 0
        return _needed(self.options.model, events, leads, event_ids, True) + changes

    def run(
        self, scorer: Scorer, tables: Mapping[str, ArrowStream | None], threads: int | None,
        progress: Callable[[int], None], whole: bool,
    ) -> Piece:  # fmt: skip
        """Replay these leads."""
        replay = scorer.replay(
            tables.get("events"), tables.get("leads"), until=self.options.instant, start=tables.get("start"),
            aliases=tables.get("aliases"), score_changes=self.score_changes, threads=threads, progress=progress,
            **self.options.arguments(),
        )  # fmt: skip
        made = {name: getattr(replay, name).table for name in self.results}
        asked = [lead for lead in _ids(self.lead) if lead in replay]
        story = str(replay.lead(asked[0])) if asked else None
        return Piece(made, replay.rejects, replay.counts, replay.standing, story)


def _ids(text: str | None) -> list[int | str]:
    """The lead ids a text may be."""
    spelled = text is not None and text.lstrip("-").isdecimal() and text == str(int(text))
    return [] if text is None else [text, *([int(text)] if spelled else [])]


def added(first: Counts, second: Counts) -> Counts:
    """Where rows of two partitions went."""
    sums: dict[str, Any] = {}
    for one in fields(first):
        here, there = getattr(first, one.name), getattr(second, one.name)
        sums[one.name] = dict(Counter(here) + Counter(there)) if isinstance(here, dict) else here + there
    return type(first)(**sums)


def counts_of(task: Task, told: Mapping[str, Any]) -> Counts:
    """Counts as they stand in a manifest."""
    return (ReplayCounts if isinstance(task, ReplayTask) else Counts)(**told)
