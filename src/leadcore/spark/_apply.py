"""Ledgers in Spark's DataFrames: yesterday's state and today's events (spec 10.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from leadcore._time import to_text
from leadcore.errors import LeadcoreError, StateError
from leadcore.ledger.arguments import moment
from leadcore.ledger.ledger import Ledger, ledger_bytes, ledger_of
from leadcore.model import Model
from leadcore.scorer import Scorer
from leadcore.spark._frames import Inputs, id_kinds
from leadcore.spark._run import Answer, Kept, inputs_of
from leadcore.spark._types import pyarrow

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

LEDGERS, PARTITION, LEDGER = "ledgers", "partition", "ledger"
_PART = "leadcore_partition"
"""That number among the columns of other tables."""
CHANGES = ("scores", "thresholds", "transitions", "alerts")


@dataclass(frozen=True)
class Applied(Kept):
    """What `apply` gives: a context manager that lets go of what it keeps.

    Rows of changes come in no order; of one ``key`` what is withdrawn goes before what is new.

    Attributes:
        ledgers: The new state: ``partition`` (int), ``ledger`` (binary), a row per partition. The binary is a file as
            `leadcore.Ledger.save` writes it, and `leadcore.Ledger.load` reads it.
        scores: Every score that differs from what was last told: the columns of `leadcore.Changes.scores`.
        thresholds: Every threshold newly reached or no longer, as `leadcore.Changes.thresholds`.
        transitions: Moves new and withdrawn, as `leadcore.Changes.transitions`.
        alerts: Alerts new and withdrawn, as `leadcore.Changes.alerts`.
        late: With ``on_late="set_aside"`` facts that came too late: ``table``, ``lead_id``, ``at``, ``late_by``,
            ``reason``.
    """

    ledgers: DataFrame
    scores: DataFrame
    thresholds: DataFrame
    transitions: DataFrame
    alerts: DataFrame
    late: DataFrame


def apply(
    ledgers: DataFrame | None,
    events: DataFrame | None,
    leads: DataFrame | None,
    model: Model,
    until: datetime | date | str,
    *,
    late: str | timedelta = "7d",
    columns: Mapping[str, Any] | None = None,
    on_late: Literal["raise", "set_aside"] = "raise",
    micropoints: bool = False,
    partitions: int | None = None,
    threads: int = 1,
    keep: bool = True,
) -> Applied:
    """Take events and rows of leads into ledgers, and let time pass: the net of all changes is that of one replay.

    Each partition of the state holds the leads that `partition_of` puts there, as one `leadcore.Ledger`: it takes in its
    rows and is advanced to ``until``. Write the new state elsewhere than where the old one is read from.

    Args:
        ledgers: The state there was: ``partition``, ``ledger``, as `Applied.ledgers`; None to begin one.
        events: The events table (spec 2.2), or None.
        leads: Rows of leads, new or changed (spec 2.1), or None. One of the two is given, if without rows.
        model: The model, of the same semantics as that of the state.
        until: The end (datetime, date or ISO 8601 text; naive is UTC); later facts are kept for a later call.
        late: How much older than the newest event of its lead a fact may be, as for `leadcore.Ledger`: of a state begun
            here; one that there is keeps its own.
        columns: The model's names to yours, as for `leadcore.Scorer.score`.
        on_late: ``raise`` ends the job if a fact is older than ``late`` allows; ``set_aside`` hands such rows back.
        micropoints: Give score columns as bigint micropoints instead of double points.
        partitions: Of a state begun here: into how many it is cut, for ever; by default
            ``spark.sql.shuffle.partitions``. A ledger is held in memory whole, at some 400 bytes a lead and what its
            events within ``late`` take.
        threads: How many threads each partition uses.
        keep: Have Spark keep what it computed; without it each table is a run of its own, which serverless Spark wants,
            as it keeps nothing.

    Raises:
        DataError: A column is missing or of a type that does not fit, or ``until`` is no instant.
        StateError: The state lacks a partition, has one twice, or another number of them than ``partitions``.
        LeadcoreError: pyspark or pyarrow is missing, or an argument is none of those above.

    Example:
        ```python
        with leadcore.spark.apply(spark.table("ledgers_1"), today, None, model, "2026-03-09") as night:
            night.ledgers.write.saveAsTable("ledgers_2")
            night.transitions.write.mode("append").saveAsTable("transitions")
        ```
    """
    end = to_text(moment(until, "until"))
    given = inputs_of(model, columns, {"leads": leads, "events": events})
    session = next(iter(given.frames.values())).sparkSession
    if partitions is not None and (type(partitions) is not int or partitions < 1):
        raise LeadcoreError(f"partitions is a whole number of at least 1, not {partitions!r}")
    if ledgers is None:
        count = partitions or int(session.conf.get("spark.sql.shuffle.partitions"))
        ledgers = session.range(count).selectExpr("int(id) partition", "cast(null as binary) ledger")
    else:
        count = _counted(ledgers, partitions)
    frames = {name: given.with_column(name, _PART, lambda key: partition_of(key, count)) for name in given.frames}
    frames[LEDGERS] = ledgers.selectExpr(f"int(partition) {_PART}", LEDGER)
    question = _Question(end, late, columns, on_late, micropoints, threads, *id_kinds(given))
    answer = Answer.of(model, question, Inputs(frames, given.names, _PART), count, reject=False, part=_PART)
    return Applied(answer.persisted(keep), *(answer.table(name) for name in (LEDGERS, *CHANGES, "late")))


def partition_of(ids: Column, count: int) -> Column:
    """The partition of lead ids among so many: the 64-bit xxHash (seed 42) of their text, modulo the count."""
    from pyspark.sql import functions as sql

    return sql.pmod(sql.xxhash64(ids.cast("string")), sql.lit(count)).cast("int")


@dataclass(frozen=True)
class _Question:
    """What a ledger comes to, and what changes."""

    until: str
    late: str | timedelta
    columns: Mapping[str, Any] | None
    on_late: Literal["raise", "set_aside"]
    micropoints: bool
    threads: int
    lead_ids: Any
    event_ids: Any

    def answer(self, scorer: Scorer, tables: Mapping[str, Any]) -> dict[str, Any]:
        """The new state, and the tables of changes."""
        pa = pyarrow()
        saved = pa.table(tables[LEDGERS]).to_pylist()
        before = saved[0][LEDGER] if saved else None
        ledger = Ledger(scorer, self.late) if before is None else ledger_of(before, scorer)
        came = ledger.apply(
            tables.get("events"), tables.get("leads"), until=self.until, columns=self.columns, on_late=self.on_late,
            threads=self.threads, micropoints=self.micropoints,
        )  # fmt: skip
        passed = ledger.advance(self.until, threads=self.threads, micropoints=self.micropoints)
        kinds = {PARTITION: pa.int32(), LEDGER: pa.binary()}
        state = [{PARTITION: one[_PART], LEDGER: ledger_bytes(ledger)} for one in saved]
        answer = {LEDGERS: pa.Table.from_pylist(state, pa.schema(list(kinds.items())))}
        for name in CHANGES:
            answer[name] = pa.concat_tables([self._typed(getattr(one, name)) for one in (came, passed)])
        return answer | {"late": self._typed(came.late).drop_columns(["row"])}

    def _typed(self, table: Any) -> Any:
        """A table with ids of the kind that today's columns have: without rows, it cannot tell."""
        pa = pyarrow()
        found = pa.table(table.table)
        for name, kind in (("lead_id", self.lead_ids), ("event_id", self.event_ids)):
            if name in found.column_names:
                found = found.set_column(found.column_names.index(name), name, found.column(name).cast(kind))
        return found


def _counted(ledgers: DataFrame, partitions: int | None) -> int:
    """How many partitions a state has.

    Raises:
        StateError: One is missing, or there twice, or ``partitions`` says otherwise.
    """
    found = sorted(row[0] for row in ledgers.select(PARTITION).collect())
    if found != list(range(len(found))) or not found:
        raise StateError(f"a state has its partitions from 0 on, each once, and not {str(found)[:60]}")
    if partitions not in (None, len(found)):
        raise StateError(f"the state has {len(found)} partitions, for ever: it cannot be taken as {partitions}")
    return len(found)
