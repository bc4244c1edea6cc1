"""What Spark's partitions are worked on with, without Spark: tables laid out in one, tables on disk."""

from __future__ import annotations

import pickle
import sys
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import leadcore as lc
from benchmarks.spark_batch import compare
from leadcore._inputs import Names
from leadcore.ledger.ledger import ledger_of
from leadcore.spark import _apply, _score
from leadcore.spark._layout import Layout
from leadcore.spark._run import Options
from leadcore.spark._spool import Spool
from leadcore.spark._types import arrow_schema, plain
from leadcore.spark._work import Work, scorer_of

MODEL = lc.Model.from_yaml("""
leadcore: 1
name: parts
attributes: {title: text}
events: {visit: {}, demo: {}}
scores: {s: {criteria: [{name: visits, kind: event, on: visit, points: 5}]}}
""")
ONE = pa.record_batch({"lead_id": ["a", "b"], "size": [1, None], "title": ["x", None]})
TWO = pa.record_batch({"who": ["c", None, "d"], "at": pa.array([3, 4, None]), "n": [5, 6, 7]})


def test_tables_laid_out_in_one():
    """Columns of one type share a slot, and rows come back out as they went in, from batches of any mixture."""
    layout = Layout.of({name: [(f.name, f.type) for f in t.schema] for name, t in (("one", ONE), ("two", TWO))})
    assert layout.types == (pa.string(), pa.int64(), pa.string(), pa.int64())
    rows = [layout.join("two", TWO), layout.join("one", ONE), layout.join("two", TWO)]
    assert all(batch.schema == layout.schema for batch in rows)
    mixed = pa.Table.from_batches(rows).combine_chunks().to_batches()[0]
    found = dict(layout.split(mixed))
    assert found["one"].equals(ONE)
    assert pa.Table.from_batches([found["two"]]).equals(pa.Table.from_batches([TWO, TWO]).combine_chunks())
    assert [name for name, _ in layout.split(rows[1])] == ["one"]


def test_a_table_on_disk(tmp_path, monkeypatch):
    """It lies in Spark's local folders, is read as often as wanted, and its rows are found by number."""
    monkeypatch.setenv("SPARK_LOCAL_DIRS", f"{tmp_path / 'gone'},{tmp_path}")
    layout = Layout.of({name: [(f.name, f.type) for f in t.schema] for name, t in (("one", ONE), ("two", TWO))})
    rows = layout.join("two", TWO)
    with Spool() as spool:
        for _ in range(3):
            spool.part(7, layout, rows)["two"].append(TWO)
        spool.part(3, layout, rows)["one"].append(ONE)
        assert len(list(tmp_path.rglob("*-two"))) == 2
        parts = spool.parts()
        assert {name: len(table) for name, table in next(parts).items()} == {"one": 2, "two": 0}
        tables = next(parts)
        assert len(list(tmp_path.rglob("*-two"))) == 1
        table = tables["two"]
        assert len(table) == 9
        assert pa.table(table).equals(pa.table(table))
        assert table.take(np.array([8, 0, 5, 0]), ["n", "who"]).to_pylist() == [
            {"n": 7, "who": "d"},
            {"n": 5, "who": "c"},
            {"n": 7, "who": "d"},
            {"n": 5, "who": "c"},
        ]
        assert table.take(np.empty(0, np.int64), ["n"]).num_rows == 0
        assert pa.table(tables["one"]).schema == ONE.schema
    assert not list(tmp_path.iterdir())


def worked(question, tables, part=None):
    """What a partition with these tables comes to."""
    inputs = Layout.of({name: [(f.name, f.type) for f in t.schema] for name, t in tables.items()})
    batches = [inputs.join(name, rows) for name, table in tables.items() for rows in pa.table(table).to_batches()]
    empty = question.answer(lc.Scorer(MODEL), {name: pa.table(table).slice(0, 0) for name, table in tables.items()})
    schemas = {name: pa.table(table).schema for name, table in empty.items()}
    outputs = Layout.of({name: [(f.name, plain(f.type)) for f in schema] for name, schema in schemas.items()})
    work = Work(MODEL.to_json(), MODEL.fingerprint, question, Names({}, {}), inputs, outputs, part)
    found = list(pickle.loads(pickle.dumps(work))(iter(batches)))
    return {
        name: [rows for batch in found for one, rows in outputs.split(batch) if one == name] for name in outputs.tables
    }


LEADS = {"lead_id": [3, 4], "title": ["x", "y"]}
EVENTS = {"lead_id": [3, 5], "at": ["2026-03-01", "2026-03-02"], "type": ["visit"] * 2, "event_id": ["e", "f"]}
T = "2026-03-08T00:00Z"


def test_a_partition():
    """Leads are scored though their events come first; a partition without rows gives none."""
    question = _score._Question(T, Options(None, "score", "raise", True, 1), alone=True)
    found = worked(question, {"events": pa.record_batch(EVENTS), "leads": pa.record_batch(LEADS)})
    rows = [row for batch in found["scores"] for row in batch.to_pylist()]
    assert rows == [{"lead_id": i, "s": n} for i, n in ((3, 5_000_000), (4, 0), (5, 5_000_000))]
    assert worked(question, {"leads": pa.record_batch(LEADS).slice(0, 0)}) == {"scores": []}


@pytest.mark.parametrize(
    ("further", "unknown", "told"),
    [
        (
            {"leads": {"lead_id": [3], "title": ["z"]}},
            "score",
            r"leads, column lead_id: '3' stands in another row too \(lead '3'\)",
        ),
        ({}, "error", r"events, column lead_id: '5' is not in the leads table"),
        (
            {"events": {**EVENTS, "at": [None, "2026-03-02"]}},
            "score",
            r"(?s)events, column at is null \(lead '3', event 'e'\)",
        ),
        ({"events": {**EVENTS, "type": ["demo", "visit"]}}, "score", r"than another row \(lead '3', event 'e'\)"),
    ],
)
def test_faulty_rows_are_told_by_their_ids(further, unknown, told):
    """Where a row stands in a partition says nothing to anybody."""
    tables = {"leads": pa.table(LEADS), "events": pa.table(EVENTS)}
    tables |= {
        name: pa.concat_tables([tables[name], pa.table(rows, tables[name].schema)]) for name, rows in further.items()
    }
    with pytest.raises(lc.DataError, match=told):
        worked(_score._Question(T, Options(None, unknown, "raise", True, 1), alone=True), tables)


def test_ledgers_of_a_partition():
    """Each part has its ledger; facts too late are told by their ids; what is no ledger is refused."""
    question = _apply._Question(T, "1d", None, "raise", True, 1, pa.int64(), pa.string())
    part = _apply._PART
    ledgers = pa.table({part: pa.array([4, 2], pa.int32()), "ledger": pa.array([None, None], pa.binary())})
    events = pa.table({part: pa.array([2, 4], pa.int32()), **EVENTS})
    found = worked(question, {"events": events, "ledgers": ledgers}, part)
    rows = [row for batch in found["ledgers"] for row in batch.to_pylist()]
    assert [(row["partition"], *ledger_of(row["ledger"], lc.Scorer(MODEL))) for row in rows] == [(2, 3), (4, 5)]
    state = pa.table({part: pa.array([2], pa.int32()), "ledger": [rows[0]["ledger"]]})
    old = events.slice(0, 1).set_column(2, "at", [["2026-02-01"]]).set_column(4, "event_id", [["old"]])
    with pytest.raises(lc.DataError, match=r"events, column at.*too late for lead 3.* \(lead '3', event 'old'\)"):
        worked(question, {"events": old, "ledgers": state}, part)
    with pytest.raises(lc.StateError, match="is not a saved ledger"):
        worked(question, {"events": old, "ledgers": state.set_column(1, "ledger", [[b"none"]])}, part)


def test_a_process_compiles_a_model_once():
    """As long as it is among the last it was asked for."""
    first = scorer_of(MODEL.fingerprint, MODEL.to_json())
    assert scorer_of(MODEL.fingerprint, "not read") is first
    for i in range(20):
        other = MODEL.model_copy(update={"name": f"other {i}"})
        scorer_of(str(i), other.to_json())
    assert scorer_of(MODEL.fingerprint, MODEL.to_json()) is not first


@pytest.mark.parametrize("module", ["pyspark", "pyarrow"])
def test_without_pyspark(monkeypatch, module):
    """Without it an error names the extra that brings it."""
    monkeypatch.setitem(sys.modules, "pyspark", ModuleType("pyspark"))
    monkeypatch.setitem(sys.modules, module, None)
    model = lc.Model.from_yaml("{leadcore: 1, name: x, scores: {s: {criteria: []}}}")
    with pytest.raises(lc.LeadcoreError, match=rf'this needs {module}: pip install "leadcore\[spark\]"'):
        lc.spark.score(None, [], model, "2026-03-08")


class Field:
    """A column as Spark says it is."""

    def __init__(self, name: str, kind: str) -> None:
        self.name, self.dataType, self.kind = name, self, kind

    def simpleString(self) -> str:
        """Spark's name of the type."""
        return self.kind


def test_types_of_columns():
    """Those a model's columns may have, whatever their collation, and a clear word about others."""
    schema = arrow_schema("leads", [Field("a", "decimal(10,2)"), Field("b", "string collate UTF8_LCASE")])
    assert schema.types == [pa.decimal128(10, 2), pa.string()]
    with pytest.raises(lc.DataError, match=r"leads, column c is map<string,int>: text, a number"):
        arrow_schema("leads", [Field("c", "map<string,int>")])


def test_a_difference_is_noticed(tmp_path):
    """The benchmark compares what both sides wrote, order aside, to the last bit."""
    table = pa.table({"lead_id": [1, 2], "s": [0.1, 0.2], "at": pa.array([1, 2], pa.timestamp("us", "UTC"))})
    pq.write_table(table, tmp_path / "local-scores.parquet")
    pq.write_table(table.take([1, 0]), tmp_path / "spark-scores")
    assert compare(tmp_path, "scores") == 2
    pq.write_table(table.set_column(1, "s", [[0.1, 0.2 + 2**-54]]), tmp_path / "spark-scores")
    with pytest.raises(SystemExit, match="scores: column s differs"):
        compare(tmp_path, "scores")
    pq.write_table(table.slice(1), tmp_path / "spark-scores")
    with pytest.raises(SystemExit, match="scores: Spark wrote"):
        compare(tmp_path, "scores")
