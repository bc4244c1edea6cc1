"""Scores of leads in Spark's DataFrames (spec 6, 12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from leadcore._arrow import Table
from leadcore._inputs import Column, Names, one_instant
from leadcore._time import to_text
from leadcore.accounts import account_members, combine_members
from leadcore.errors import LeadcoreError
from leadcore.model import Model
from leadcore.scorer import Scorer
from leadcore.spark._frames import Inputs
from leadcore.spark._run import Answer, Kept, OnError, Options, Unknown, inputs_of
from leadcore.spark._work import REJECTS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SCORES, MEMBERS, ACCOUNTS = "scores", "members", "accounts"


@dataclass(frozen=True)
class ScoreTables(Kept):
    """What `score_tables` gives: a context manager that lets go of what it keeps.

    Attributes:
        scores: One row per lead: the columns of `leadcore.Scores`, grades and labels as text.
        accounts: One row per account (spec 6.6); None where the model has none, or leads have instants of their own.
        rejects: With ``on_error="reject"`` the rejected rows: ``table``, ``lead_id``, ``event_id`` (as text, null
            where the row has none), ``column``, ``value``, ``reason``; else None.
    """

    scores: DataFrame
    accounts: DataFrame | None
    rejects: DataFrame | None


def score(
    events: DataFrame | None,
    leads: DataFrame | None,
    model: Model,
    as_of: datetime | date | str | Column | DataFrame,
    *,
    columns: Mapping[str, Any] | None = None,
    aliases: DataFrame | None = None,
    unknown_leads: Unknown = "score",
    on_error: OnError = "raise",
    micropoints: bool = False,
    partitions: int | None = None,
    threads: int = 1,
) -> DataFrame:
    """Score every lead at an instant: the rows and bits of `leadcore.Scorer.score`, in no order.

    Rows are brought together by lead, and each partition is scored whole, in Python workers that have leadcore. Columns
    and arguments are looked at here; rows when the result is computed.

    Args:
        events: The events table (spec 2.2), or None.
        leads: The leads table (spec 2.1), or None.
        model: The model.
        as_of: One instant (datetime, date or ISO 8601 text; naive is UTC), ``lc.column("x")`` of ``leads``, or a
            DataFrame (``lead_id``, ``as_of``).
        columns: The model's names to yours, as for `leadcore.Scorer.score`.
        aliases: A DataFrame (``lead_id``, ``same_as``) of records that are one person (spec 2.8); it is collected here.
        unknown_leads: What to do with leads known only from events: ``score``, ``error`` or ``ignore`` (spec 2.6).
        on_error: ``raise``: faulty rows end the job. ``reject``: they are left out, ``rejected_rows`` says how many
            were the lead's, and `score_tables` lists them.
        micropoints: Give score columns as bigint micropoints instead of double points.
        partitions: How many partitions; by default ``spark.sql.shuffle.partitions``, joined by adaptive execution where
            they are small. A lead is never divided.
        threads: How many threads each partition uses.

    Returns:
        One row per lead: the columns of `leadcore.Scores`, grades and labels as text.

    Raises:
        DataError: A column is missing or of a type that does not fit, or aliases are faulty.
        LeadcoreError: pyspark or pyarrow is missing, or an argument is none of those above.

    Example:
        ```python
        leadcore.spark.score(spark.table("events"), spark.table("leads"), model, "2026-03-08").write.saveAsTable("scores")
        ```
    """
    options = Options(columns, unknown_leads, on_error, micropoints, threads)
    return _asked(events, leads, model, as_of, aliases, options, partitions, alone=True).table(SCORES)


def score_tables(
    events: DataFrame | None,
    leads: DataFrame | None,
    model: Model,
    as_of: datetime | date | str | Column | DataFrame,
    *,
    columns: Mapping[str, Any] | None = None,
    aliases: DataFrame | None = None,
    unknown_leads: Unknown = "score",
    on_error: OnError = "raise",
    micropoints: bool = False,
    partitions: int | None = None,
    threads: int = 1,
    keep: bool = True,
) -> ScoreTables:
    """Score every lead at an instant, with account scores and rejected rows: all from one run, which Spark keeps.

    Arguments and errors are those of `score`; without ``keep`` each table is a run of its own, which serverless Spark
    wants, as it keeps nothing.

    Example:
        ```python
        with leadcore.spark.score_tables(events, leads, model, "2026-03-08", on_error="reject") as tables:
            tables.scores.write.saveAsTable("scores")
            tables.accounts.write.saveAsTable("accounts")
            tables.rejects.write.saveAsTable("rejects")
        ```
    """
    options = Options(columns, unknown_leads, on_error, micropoints, threads)
    answer = _asked(events, leads, model, as_of, aliases, options, partitions, alone=False)
    found = answer.layout.tables
    return ScoreTables(
        answer.persisted(keep), answer.table(SCORES),
        _accounts(model, answer.table(MEMBERS), micropoints, partitions) if MEMBERS in found else None,
        answer.table(REJECTS) if REJECTS in found else None,
    )  # fmt: skip


@dataclass(frozen=True)
class _Question:
    """Scores of a partition.

    Attributes:
        as_of: An instant, a column of leads, or None for the table ``as_of``.
        options: How.
        alone: Whether only scores are wanted.
    """

    as_of: str | Column | None
    options: Options
    alone: bool

    def answer(self, scorer: Scorer, tables: Mapping[str, Any]) -> dict[str, Any]:
        """``scores``, and where wanted ``members`` and ``rejects``."""
        scores = scorer.score(
            tables.get("events"), tables.get("leads"), aliases=tables.get("aliases"),
            as_of=tables["as_of"] if self.as_of is None else self.as_of, **self.options.arguments(),
        )  # fmt: skip
        answer = {SCORES: scores.table}
        if not self.alone:
            if scorer.model.accounts is not None and isinstance(self.as_of, str):
                answer[MEMBERS] = account_members(scores)
            if self.options.reject:
                answer[REJECTS] = scores.rejects
        return answer


@dataclass(frozen=True)
class _OfAccounts:
    """Account scores of a partition that holds whole accounts."""

    micropoints: bool

    def answer(self, scorer: Scorer, tables: Mapping[str, Any]) -> dict[str, Any]:
        """``accounts``."""
        return {ACCOUNTS: combine_members(scorer.model, Table.collect(tables[MEMBERS]), self.micropoints)}


def _accounts(model: Model, members: DataFrame, micropoints: bool, partitions: int | None) -> DataFrame:
    """Accounts of all members, each account in one partition."""
    inputs = Inputs({MEMBERS: members}, Names({}, {}), "account_id")
    return Answer.of(model, _OfAccounts(micropoints), inputs, partitions, reject=False).table(ACCOUNTS)


def _asked(
    events: Any,
    leads: Any,
    model: Model,
    as_of: Any,
    aliases: Any,
    options: Options,
    partitions: int | None,
    alone: bool,
) -> Answer:
    instant = one_instant(as_of)
    table = None
    if instant is None and not isinstance(as_of, Column):
        table = as_of
        if not hasattr(table, "mapInArrow"):
            found = type(table).__name__
            raise LeadcoreError(
                f"as_of is an instant, lc.column(...) or a Spark DataFrame (lead_id, as_of), not {found}"
            )
    tables = {"leads": leads, "events": events, "aliases": aliases, "as_of": table}
    further = (as_of.name,) if isinstance(as_of, Column) else ()
    inputs = inputs_of(model, options.columns, tables, further)
    asked = as_of if isinstance(as_of, Column) else None if instant is None else to_text(instant)
    return Answer.of(model, _Question(asked, options, alone), inputs, partitions, options.reject)
