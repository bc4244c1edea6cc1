"""What Spark's partitions are worked on with, without Spark: tables laid out in one, tables on disk."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest

import leadcore as lc
from leadcore.spark._layout import Layout
from leadcore.spark._spool import Spool
from leadcore.spark._types import arrow_schema

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
