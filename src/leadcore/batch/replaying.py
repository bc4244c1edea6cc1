"""Replaying as a task of a job."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from leadcore._arrow import ArrowStream
from leadcore._replay_tables import NAMES
from leadcore._run import Counts
from leadcore.batch.task import CHANGE, Options, Piece, bytes_needed
from leadcore.replay import ReplayCounts
from leadcore.scorer import Scorer


@dataclass(frozen=True)
class ReplayTask:
    """Take every lead through its stages until an instant.

    Attributes:
        options: What it has in common with scoring.
        score_changes: Whether every change of a score is wanted.
    """

    options: Options
    score_changes: bool = False
    name: str = "replay"
    counts: type[Counts] = ReplayCounts

    @property
    def results(self) -> tuple[str, ...]:
        """The tables of spec 8.10, and ``score_changes`` if wanted."""
        return (*NAMES, *(["score_changes"] if self.score_changes else []))

    def told(self) -> dict[str, Any]:
        """What must be the same for a job to go on."""
        return {**self.options.told(), "score_changes": self.score_changes}

    def bytes_needed(self, events: int, leads: int, event_ids: bool) -> int:
        """Memory for so many rows, about; ``event_ids``: whether events have ids."""
        changes = events * CHANGE if self.score_changes else 0
        return bytes_needed(self.options.model, events, leads, event_ids, True) + changes

    def run(
        self, scorer: Scorer, tables: Mapping[str, ArrowStream | None], threads: int | None,
        progress: Callable[[int], None], partition: int | None,
    ) -> Piece:  # fmt: skip
        """Replay these leads."""
        replay = scorer.replay(
            tables.get("events"), tables.get("leads"), until=self.options.instant, start=tables.get("start"),
            aliases=tables.get("aliases"), score_changes=self.score_changes, threads=threads, progress=progress,
            **self.options.arguments(),
        )  # fmt: skip
        made = {name: getattr(replay, name).table for name in self.results}
        asked = [lead for lead in _ids(self.options.lead) if lead in replay]
        story = str(replay.lead(asked[0])) if asked else None
        return Piece(made, replay.counts, replay.rejects, replay.standing, story)

    @property
    def ids(self) -> Mapping[str, str]:
        """Nothing was read before."""
        return {}

    def finish(self, partitions: int, ids: Mapping[str, str]) -> None:
        """Nothing is left to do."""


def _ids(text: str | None) -> list[int | str]:
    """The lead ids a text may be."""
    if text is None:
        return []
    return [text, int(text)] if re.fullmatch("0|-?[1-9][0-9]*", text) else [text]
