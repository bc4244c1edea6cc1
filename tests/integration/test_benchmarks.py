"""Benchmarks in small: they run, their data is what the yardstick says, and their model is W1's."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.compute as pc
import pytest

import leadcore as lc
from benchmarks import border, workload
from leadcore.model import Model

ROWS = 40_000


@pytest.fixture(scope="module")
def data() -> workload.Workload:
    return workload.make(ROWS)


def test_events_are_as_described(data: workload.Workload) -> None:
    """Twenty events per lead in the mean, sorted by instant, a third without url, half without value."""
    events = data.events

    counts = np.sort(pc.value_counts(events["lead_id"]).field("counts").to_numpy())
    assert (len(events), len(data.leads), len(counts)) == (ROWS, ROWS // 20, ROWS // 20)
    assert np.median(counts) < 15 < counts.max() / 10
    assert (np.diff(events["ts"].to_numpy()) >= np.timedelta64(0)).all()
    assert str(events.schema.field("event_type").type) == "dictionary<values=string, indices=int8, ordered=0>"
    assert len(events["event_type"].chunk(0).dictionary) == 30
    views = pc.equal(events["event_type"].cast("string"), "page_view")
    shares = [events["url"].null_count / ROWS, events["value"].null_count / ROWS, pc.mean(views.cast("int8")).as_py()]
    assert shares == pytest.approx([0.36, 0.5, 0.44], abs=0.01)
    assert pc.mean(pc.binary_length(events["url"])).as_py() == pytest.approx(44.6, abs=1.5)
    assert pc.max(events["lead_id"]).as_py() < 2**53


def test_data_depends_on_seed_and_size_alone(data: workload.Workload) -> None:
    assert workload.make(ROWS).events.equals(data.events)
    assert workload.make(ROWS).leads.equals(data.leads)
    assert not workload.make(ROWS, seed=2).events.equals(data.events)


def test_ids_of_both_types_name_the_same_leads(data: workload.Workload) -> None:
    """Text ids change the names and nothing else."""
    text = workload.make(ROWS, ids="uuid")
    lengths = pc.unique(pc.binary_length(text.events["lead_id"]))
    scores = [
        lc.Scorer(workload.w1_model()).score(
            d.events, d.leads, as_of=d.as_of, columns=workload.COLUMNS, micropoints=True
        )
        for d in (data, text)
    ]

    assert lengths.to_pylist() == [36]
    assert (scores[0].table.column("total") == scores[1].table.column("total")).all()


def behavioural(model: Model) -> list[dict[str, object]]:
    groups = json.loads(model.to_json())["scores"]["engagement"]["groups"]
    return [criterion for group in groups.values() for criterion in group["criteria"]]


def test_model_is_as_described() -> None:
    """20 behavioural criteria of the kinds the yardstick counts, 10 attribute criteria, three capped groups."""
    model = workload.w1_model()
    criteria = behavioural(model)
    decays = [next(iter(c["decay"])) if c.get("decay") else "none" for c in criteria]
    tests = [c["where"]["op"] for c in criteria if c.get("where")]
    document = json.loads(model.to_json())["scores"]

    assert (len(criteria), len(document["fit"]["criteria"])) == (20, 10)
    assert {d: decays.count(d) for d in decays} == {"half_life": 9, "linear": 4, "expire": 3, "none": 4}
    assert [sum(t == op for t in tests) for op in ("contains", "starts_with", "matches")] == [4, 3, 3]
    assert sum(t in ("ge", "gt", "between") for t in tests) == 4
    assert sum("max" in c or "min" in c for c in criteria) == 8
    assert all("max" in group for group in document["engagement"]["groups"].values())


def test_two_in_a_hundred_leads_reach_the_threshold() -> None:
    data = workload.make(200_000)

    scores = lc.Scorer(workload.w1_model()).score(data.events, data.leads, as_of=data.as_of, columns=workload.COLUMNS)

    assert scores.table.column("mql").mean() == pytest.approx(0.019, abs=0.004)


def test_engines_agree_on_it() -> None:
    """The yardstick's scores are the spec's, to the last bit."""
    data = workload.make(4000)
    scorer = lc.Scorer(workload.w1_model())

    tables = [
        scorer.score(data.events, data.leads, as_of=data.as_of, columns=workload.COLUMNS, engine=engine).to_arrow()
        for engine in ("kernel", "reference")
    ]

    assert tables[0].equals(tables[1])


@pytest.mark.parametrize("ids", ["int", "uuid"])
def test_border_prints_a_table_and_json(ids: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = border.main(["--rows", "30000", "--ids", ids, "--repeat", "1"])

    *table, line = capsys.readouterr().out.splitlines()
    assert json.loads(line) == found
    assert all(len(row) <= 80 for row in table)
    assert set(found["ns_per_event"]) == {name for name, _ in border.LINES}
    assert found["ns_per_event"]["edge"]["wall"] > 0
