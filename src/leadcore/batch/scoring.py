"""Scoring as a task of a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from leadcore._arrow import ArrowStream
from leadcore._plan import plan_model
from leadcore._run import Counts
from leadcore.accounts import account_members
from leadcore.batch.task import LINE, MEMBERS, Options, Piece, bytes_needed
from leadcore.scorer import Scorer


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
    counts: type[Counts] = Counts

    @property
    def results(self) -> tuple[str, ...]:
        """``scores``, and what else is wanted; of accounts what their leads add."""
        more = [name for name, wanted in (("explanations", self.explanations), (MEMBERS, self.accounts)) if wanted]
        return ("scores", *more)

    def told(self) -> dict[str, Any]:
        """What must be the same for a job to go on."""
        return {**self.options.told(), "explanations": self.explanations, "accounts": self.accounts}

    def bytes_needed(self, events: int, leads: int, event_ids: bool) -> int:
        """Memory for so many rows, about; ``event_ids``: whether events have ids."""
        model = self.options.model
        lines = len(plan_model(model).lines) if self.explanations else 0
        return bytes_needed(model, events, leads, event_ids, False) + leads * lines * LINE

    def run(
        self, scorer: Scorer, tables: Mapping[str, ArrowStream | None], threads: int | None,
        progress: Callable[[int], None], partition: int | None,
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
            made |= {"accounts": scores.accounts.table} if partition is None else {MEMBERS: account_members(scores)}
        return Piece(made, scores.counts, scores.rejects)

    @property
    def ids(self) -> Mapping[str, str]:
        """Nothing was read before."""
        return {}

    def finish(self, partitions: int, ids: Mapping[str, str]) -> None:
        """Nothing is left to do."""
