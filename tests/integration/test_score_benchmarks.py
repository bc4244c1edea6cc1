"""Benchmarks of W1 in small: its variants are what they are called, and whoever takes part gets leadcore's scores."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from benchmarks import score, workload
from benchmarks.peers.w1 import described
from benchmarks.same_scores import gap_between, near_micropoints
from benchmarks.score import CONTENDERS, OURS, UNTIL
from benchmarks.workload import Variant, Workload

FEW = 2000  # events
MANY = 40_000
IN_DEV = ("numba", "pandas", "polars", "polars-rows", "polars-memory", "duckdb", "duckdb-plain")


@pytest.fixture(autouse=True)
def _without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The peer in numba runs as plain Python, which is quicker here than compiling it."""
    ours = ("benchmarks.peers.compiled", "benchmarks.peers.numba_loop", "benchmarks.peers.w1_numba")
    monkeypatch.setitem(sys.modules, "numba", None)
    for name in ours:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield
    for name in ours:
        sys.modules.pop(name, None)


def agrees(name: str, data: Workload, variant: Variant = "plain", folder: Path | None = None) -> None:
    """Hold one contender to leadcore's scores."""
    w1 = described(workload.w1_document(variant), UNTIL)
    ours = score.leadcore_work(variant)(data.events, data.leads)
    if folder:
        score.write(data, folder)
    tables = score.sources(folder, "parquet") if folder else [data.events, data.leads]

    gap = gap_between(ours, CONTENDERS[name].load(variant)(*tables), w1.reach, near_micropoints(w1))

    assert gap.agrees, gap
    assert gap.leads == len(data.leads)
    assert gap.flags < 3


@pytest.mark.parametrize("name", [name for name in CONTENDERS if name not in (*OURS, "pyspark")])
def test_peers_agree(name: str) -> None:
    """Every peer's scores are leadcore's, to within the rounding of integers; Spark takes too long to start."""
    if name not in IN_DEV and (why := score.absent(name)):
        pytest.skip(why)

    agrees(name, workload.make(FEW, ids="uuid"))


@pytest.mark.parametrize("name", ["leadcore", "numba", "pandas", "polars", "duckdb"])
def test_files_say_what_tables_say(name: str, tmp_path: Path) -> None:
    """From Parquet the scores are those of the tables in memory."""
    agrees(name, workload.make(FEW), folder=tmp_path)


@pytest.mark.parametrize("name", ["numba", "pandas", "polars", "duckdb"])
@pytest.mark.parametrize("variant", ["urls", "visits", "criteria"])
def test_peers_agree_on_variants(name: str, variant: Variant) -> None:
    """They do on harsher tables, out of the order of instants too, and under two hundred criteria."""
    agrees(name, workload.make(FEW, variant=variant), variant)


def test_peers_read_the_whole_document() -> None:
    """Twenty criteria in three groups make eight bounded slots and three of the rest."""
    w1 = described(workload.w1_document(), UNTIL)

    assert (len(w1.fit), len(w1.criteria), len(w1.slots), len(w1.tests)) == (10, 20, 11, 10)
    assert w1.reach == 65
    assert w1.fit_high == 40


def test_a_difference_is_noticed() -> None:
    """A point more, a flag that flipped far from the threshold, a lead that is lacking or there twice."""
    table = pa.table({"lead_id": [1, 2], "fit": [1.0, 2.0], "engagement": [70.0, 63.0 - 1e-7], "mql": [True, False]})
    table = table.append_column("total", pc.add(table["fit"], table["engagement"]))

    def changed(column: str, values: list[object]) -> pa.Table:
        return table.set_column(table.column_names.index(column), column, pa.array(values))

    found = [
        gap_between(table, other, 65.0, 1e-6).agrees
        for other in (
            table,
            changed("mql", [True, True]),  # within rounding of the threshold
            changed("mql", [False, False]),
            changed("fit", [2.0, 2.0]),
            table.slice(1),
            pa.concat_tables([table, table.slice(1)]),
        )
    ]

    assert found == [True, True, False, False, False, False]


def test_urls_hardly_repeat() -> None:
    events = workload.make(MANY, variant="urls").events

    assert len(pc.unique(events["url"].drop_null())) == MANY // 2
    assert events["url"].null_count == workload.make(MANY).events["url"].null_count


def test_visits_are_bursts() -> None:
    """Most events follow one of the same lead within minutes; visits come in order of their first instant."""
    events, plain = (workload.make(MANY, variant=variant).events for variant in ("visits", "plain"))
    lead, at = events["lead_id"].to_numpy(), events["ts"].to_numpy()
    same = lead[1:] == lead[:-1]
    begins = np.concatenate([[True], ~same])

    assert same.mean() > 0.7
    assert np.median(np.diff(at)[same]) < np.timedelta64(1, "m")
    assert (np.diff(at[begins]) >= np.timedelta64(0)).all()
    assert sorted(lead) == sorted(plain["lead_id"].to_numpy())


def test_criteria_are_ten_times_as_many() -> None:
    """Of each kind of test, decay and bound; and about as many leads reach the threshold."""
    plain, many = (described(workload.w1_document(variant), UNTIL) for variant in ("plain", "criteria"))
    data = workload.make(MANY)

    assert len(many.criteria) == 10 * len(plain.criteria)
    assert len({one.text for one in many.criteria if one.text}) > 5 * len(plain.tests)
    for of in ("decay", "low", "high"):
        assert Counter(getattr(one, of) for one in many.criteria) == Counter(
            {value: 10 * count for value, count in Counter(getattr(one, of) for one in plain.criteria).items()}
        )
    shares = [
        pc.mean(score.leadcore_work(variant)(data.events, data.leads)["mql"].cast("int8")).as_py()
        for variant in ("plain", "criteria")
    ]
    assert shares == pytest.approx([0.02, 0.02], abs=0.015)


def test_it_prints_a_table_and_json(capfd: pytest.CaptureFixture[str]) -> None:
    found = score.main(["--events", str(FEW), "--peers", "leadcore,duckdb", "--repeat", "1"])

    *table, line = capfd.readouterr().out.splitlines()
    assert json.loads(line) == json.loads(json.dumps(found))
    assert all(len(row) <= 100 for row in table)
    assert found["contenders"]["duckdb"]["cpu_ratio"] >= 1
    assert found["agreement"]["duckdb"]["flags"] < 3


def test_who_is_absent_cannot_be_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(score, "installed", lambda package: None)

    with pytest.raises(SystemExit):
        score.main(["--peers", "chdb"])

    assert "chdb is not installed" in capsys.readouterr().err
