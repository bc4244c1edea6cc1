"""What runs in Spark's Python workers: a partition's rows in, the rows of its answer out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from leadcore._files import OTHER_ROW
from leadcore._inputs import Names
from leadcore.errors import DataError, Problem
from leadcore.model import Model
from leadcore.scorer import Scorer
from leadcore.spark._layout import TABLE, Layout
from leadcore.spark._spool import Spool, SpooledTable

if TYPE_CHECKING:
    import pyarrow as pa

REJECTS = "rejects"
ROWS = 65_536
"""The most rows of a batch handed to Spark."""
_MOST_SCORERS = 16


class Question(Protocol):
    """What is asked of the tables of a partition."""

    def answer(self, scorer: Scorer, tables: Mapping[str, Any]) -> Mapping[str, Any]:
        """The tables of the answer by name, as anything with ``__arrow_c_stream__``."""


@dataclass(frozen=True)
class Work:
    """The work on one partition: a pure function of its rows, so that Spark may do it again, or twice at a time.

    It travels with Spark's own description of the stage, which every executor gets once.

    Attributes:
        document: The model's document, as JSON.
        fingerprint: The model's fingerprint: a Python process compiles a model once.
        question: What is asked.
        names: Your column names by the model's.
        inputs: How the tables stand in the rows of the partition.
        outputs: How the tables of the answer stand in the rows given back, in Arrow's types.
        part: A column of integers, in every table, that cuts a partition into parts, each answered on its own.
    """

    document: str
    fingerprint: str
    question: Question
    names: Names
    inputs: Layout
    outputs: Layout
    part: str | None = None

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Answer for all rows of a partition; nothing for none.

        A run reads leads before events, and Spark brings them mixed: so all go to disk first. To have Spark sort them
        takes longer.
        """
        with Spool() as spool:
            for batch in batches:
                for table, rows in self.inputs.split(batch):
                    for part, some in self._parts(rows):
                        spool.part(part, self.inputs, batch)[table].append(some)
            scorer = scorer_of(self.fingerprint, self.document)
            for tables in spool.parts():
                yield from laid_out(self.outputs, self._answer(scorer, tables))

    def _parts(self, rows: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Rows of a table by the part they are of."""
        import pyarrow.compute as pc

        if self.part is None:
            yield 0, rows
        else:
            for part in pc.unique(rows.column(self.part)).to_pylist():
                yield part, rows.filter(pc.equal(rows.column(self.part), part))

    def _answer(self, scorer: Scorer, tables: Mapping[str, SpooledTable]) -> dict[str, Any]:
        """What a part comes to; faulty rows are told by their ids."""
        try:
            answers = dict(self.question.answer(scorer, tables))
        except DataError as fault:
            raise located(fault, tables, self.names) from None
        if REJECTS in answers:
            answers[REJECTS] = located_rejects(answers[REJECTS], tables, self.names)
        return answers


def laid_out(layout: Layout, answers: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
    """Tables as rows of one, some at a time."""
    import pyarrow as pa

    for table, columns in layout.columns.items():
        schema = pa.schema([(name, layout.types[slot]) for name, slot in columns])
        for rows in pa.table(answers[table]).select(schema.names).cast(schema).to_batches(max_chunksize=ROWS):
            yield layout.join(table, rows)


_scorers: OrderedDict[str, Scorer] = OrderedDict()


def scorer_of(fingerprint: str, document: str) -> Scorer:
    """The compiled model, from this process's own where it was used lately."""
    scorer = _scorers.pop(fingerprint, None) or Scorer(Model.from_json(document))
    _scorers[fingerprint] = scorer
    if len(_scorers) > _MOST_SCORERS:
        _scorers.popitem(last=False)
    return scorer


# faulty rows: a partition's row numbers say nothing to anybody, the ids in the row do


def located(fault: DataError, tables: Mapping[str, SpooledTable], names: Names) -> DataError:
    """The error with the ids of rows instead of their numbers."""
    problems = list(fault.problems)
    for table in tables:
        here = [i for i, one in enumerate(problems) if one.table == table and one.row is not None]
        found = _ids(tables, table, [problems[i].row for i in here], names)
        for i, lead_id, event_id in zip(here, *found, strict=True):
            whose = f"lead {lead_id!r}" + ("" if event_id is None else f", event {event_id!r}")
            one = problems[i]
            problems[i] = Problem(table, None, one.column, one.value, f"{_reason(one.reason)} ({whose})")
    return DataError(problems, fault.total)


def located_rejects(rejects: Any, tables: Mapping[str, SpooledTable], names: Names) -> pa.Table:
    """Rejected rows with their ids, as text, instead of their numbers: columns as `rejects_schema` says."""
    import pyarrow as pa
    import pyarrow.compute as pc

    given = pa.table(rejects)
    parts = []
    for table in tables:
        here = given.filter(pc.equal(given.column(TABLE), table))
        lead_ids, event_ids = _ids(tables, table, here.column("row").to_pylist(), names)
        reasons = [_reason(reason) for reason in here.column("reason").to_pylist()]
        columns = [here.column(TABLE), lead_ids, event_ids, here.column("column"), here.column("value"), reasons]
        parts.append(pa.table(columns, schema=rejects_schema()))
    return pa.concat_tables(parts)


def rejects_schema() -> pa.Schema:
    """``table``, ``lead_id``, ``event_id``, ``column``, ``value``, ``reason``, all text."""
    import pyarrow as pa

    return pa.schema([(name, pa.string()) for name in (TABLE, "lead_id", "event_id", "column", "value", "reason")])


def _ids(
    tables: Mapping[str, SpooledTable], table: str, rows: list[Any], names: Names
) -> tuple[list[str | None], list[str | None]]:
    """Lead and event ids of rows, as text."""
    import pyarrow as pa

    mapped = {"events": names.events, "leads": names.leads}.get(table, {})
    columns = [mapped.get(name, name) for name in ("lead_id", "event_id")]
    known = [name for name in columns if name in tables[table].schema.names]
    taken = tables[table].take(np.array(rows, np.int64), known)

    def texts(name: str) -> list[str | None]:
        found: list[str | None] = (
            taken.column(name).cast(pa.string()).to_pylist() if name in known else [None] * len(rows)
        )
        return found

    return texts(columns[0]), texts(columns[1])


def _reason(reason: str) -> str:
    return OTHER_ROW.sub(lambda found: found[1].removesuffix("row ") + "another row", reason)
