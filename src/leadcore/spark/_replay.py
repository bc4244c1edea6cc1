"""Replays of leads in Spark's DataFrames (spec 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from leadcore._inputs import one_instant
from leadcore._replay_tables import NAMES
from leadcore._time import to_text
from leadcore.errors import DataError, Problem
from leadcore.model import Model
from leadcore.scorer import Scorer
from leadcore.spark._run import Answer, Kept, OnError, Options, Unknown, inputs_of
from leadcore.spark._work import REJECTS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

CHANGES = "score_changes"


@dataclass(frozen=True)
class ReplayTables(Kept):
    """What `replay` gives: a context manager that lets go of what it keeps.

    Attributes:
        transitions: Every move, births included: the columns of `leadcore.Replay.transitions`, names as text.
        spans: Every stay in a stage, as `leadcore.Replay.spans`.
        alerts: Every alert of a service level, as `leadcore.Replay.alerts`.
        states: Where every lead stands at the end, as `leadcore.Replay.states`.
        score_changes: With ``score_changes=True`` every change of a score, as `leadcore.Replay.score_changes`; else None.
        rejects: With ``on_error="reject"`` the rejected rows, as `ScoreTables.rejects`; else None.
    """

    transitions: DataFrame
    spans: DataFrame
    alerts: DataFrame
    states: DataFrame
    score_changes: DataFrame | None
    rejects: DataFrame | None


def replay(
    events: DataFrame | None,
    leads: DataFrame | None,
    model: Model,
    until: datetime | date | str,
    *,
    start: DataFrame | None = None,
    columns: Mapping[str, Any] | None = None,
    aliases: DataFrame | None = None,
    unknown_leads: Unknown = "score",
    on_error: OnError = "raise",
    score_changes: bool = False,
    micropoints: bool = False,
    partitions: int | None = None,
    threads: int = 1,
    keep: bool = True,
) -> ReplayTables:
    """Take every lead through its stages: the rows and bits of `leadcore.Scorer.replay`, in no order.

    All tables come from one run, which Spark keeps (in memory, then on disk) from when rows of any are first wanted.

    Args:
        events: The events table (spec 2.2), or None.
        leads: The leads table (spec 2.1), or None.
        model: The model, which has a lifecycle.
        until: The end (datetime, date or ISO 8601 text; naive is UTC); later events are ignored.
        start: A DataFrame (``lead_id``, ``stage``, ``entered_at``) of leads adopted with a stage.
        columns: The model's names to yours, as for `leadcore.Scorer.score`.
        aliases: A DataFrame (``lead_id``, ``same_as``) of records that are one person (spec 2.8); it is collected here.
        unknown_leads: What to do with leads known only from events: ``score``, ``error`` or ``ignore`` (spec 2.6).
        on_error: ``raise``: faulty rows end the job. ``reject``: they are left out and listed.
        score_changes: Keep every change of a score too.
        micropoints: Give score columns as bigint micropoints instead of double points.
        partitions: How many partitions, as for `leadcore.spark.score`.
        threads: How many threads each partition uses.
        keep: Have Spark keep what it computed; without it each table is a run of its own, which serverless Spark wants,
            as it keeps nothing.

    Raises:
        DataError: A column is missing or of a type that does not fit, or aliases are faulty.
        LeadcoreError: The model has no lifecycle, pyspark or pyarrow is missing, or an argument is none of those above.

    Example:
        ```python
        with leadcore.spark.replay(spark.table("events"), spark.table("leads"), model, "2026-03-08") as replay:
            replay.transitions.write.saveAsTable("transitions")
            replay.states.write.saveAsTable("states")
        ```
    """
    instant = one_instant(until, "until")
    if instant is None:
        reason = "is not one instant: give a datetime, a date or ISO 8601 text"
        raise DataError([Problem("until", None, None, type(until).__name__, reason)])
    options = Options(columns, unknown_leads, on_error, micropoints, threads)
    tables = {"leads": leads, "events": events, "aliases": aliases, "start": start}
    inputs = inputs_of(model, columns, tables)
    question = _Question(to_text(instant), options, score_changes)
    answer = Answer.of(model, question, inputs, partitions, options.reject)
    found = {name: answer.table(name) for name in answer.layout.tables}
    return ReplayTables(answer.persisted(keep), *(found.get(name) for name in (*NAMES, CHANGES, REJECTS)))


@dataclass(frozen=True)
class _Question:
    """The replay of a partition."""

    until: str
    options: Options
    score_changes: bool

    def answer(self, scorer: Scorer, tables: Mapping[str, Any]) -> dict[str, Any]:
        """The four tables, and where wanted ``score_changes`` and ``rejects``."""
        replay = scorer.replay(
            tables.get("events"), tables.get("leads"), until=self.until, start=tables.get("start"),
            aliases=tables.get("aliases"), score_changes=self.score_changes, **self.options.arguments(),
        )  # fmt: skip
        names = (*NAMES, CHANGES) if self.score_changes else NAMES
        answer = {name: getattr(replay, name).table for name in names}
        return answer | {REJECTS: replay.rejects} if self.options.reject else answer
