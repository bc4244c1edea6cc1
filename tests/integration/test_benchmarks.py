"""Benchmarks in small: they run, their data is what the yardstick says, and their model is W1's."""

from __future__ import annotations

import importlib
import json
import sys
from functools import partial
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest

import leadcore as lc
from benchmarks import agreement, border, one_lead, replay, workload
from benchmarks.peers import pandas_rounds, python_loop
from benchmarks.peers.w2 import (
    ACCEPTED,
    COLD_AFTER,
    DAY,
    FIRST_ACT,
    GOOD_FIT,
    GROUPS,
    REACH,
    RELEASE,
    STAGES,
    STALLED_AFTER,
    Criterion,
    Log,
)
from benchmarks.same_scores import NEAR_FLOATS
from leadcore.model import Model

ROWS = 40_000
FEW = 20_000  # events, for replays in plain Python


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


def w2() -> dict[str, Any]:
    return json.loads(lc.Model.load(str(replay.W2)).to_json())


def test_w2_scores_as_w1_does() -> None:
    """Replays and scores at T are measured on the same scores."""
    assert w2()["scores"] == json.loads(workload.w1_model().to_json())["scores"]


def test_peers_know_what_the_document_says() -> None:
    """The document, made anew from what is written in the peers, is the document."""
    document = w2()
    groups = document["scores"]["engagement"]["groups"]
    for group, (criteria, high) in zip(groups.values(), GROUPS, strict=True):
        before = {c["name"]: c for c in group["criteria"]}
        group |= {"max": high, "criteria": [as_written(c, before[c.name]) for c in criteria]}
    document["thresholds"] = {"mql": {"score": "total", "at": REACH, "release": RELEASE}}
    lifecycle = document["lifecycle"]
    rules = {rule["name"]: rule for rule in lifecycle["transitions"]}
    rules["first_act"]["on"] = list(FIRST_ACT)
    rules["accepted"]["on"] = list(ACCEPTED)
    rules["profile_fits"]["when"]["value"] = GOOD_FIT
    rules["gone_cold"]["after"] = f"{COLD_AFTER // DAY}d"
    rules["stalled"]["after"] = f"{STALLED_AFTER // DAY}d"

    assert [stage["name"] for stage in lifecycle["stages"]] == list(STAGES)
    assert Model.from_json(json.dumps(document)) == Model.load(str(replay.W2))


def as_written(c: Criterion, before: dict[str, Any]) -> dict[str, Any]:
    """A criterion as the peers know it; tests of numbers are in their code and taken from the document."""
    made: dict[str, Any] = {"name": c.name, "kind": "event", "on": list(c.on), "points": c.points}
    if c.text:
        made["where"] = {"field": "url", "op": c.text[0], "value": c.text[1]}
    elif "where" in before:
        made["where"] = before["where"]
    if c.decay != "none":
        made["decay"] = {c.decay: f"{c.length}d"}
    return made | {key: value for key, value in (("min", c.low), ("max", c.high)) if np.isfinite(value)}


@pytest.fixture(scope="module")
def few() -> workload.Workload:
    """Events of all leads but the first of the table."""
    made = workload.make(FEW)
    return workload.Workload(
        made.events.filter(pc.not_equal(made.events["lead_id"], made.leads["lead_id"][0])), made.leads
    )


@pytest.fixture(scope="module")
def by_hand(few: workload.Workload) -> Log:
    """What the peer in numba says, without its compiler: `make test` does not need it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "numba", None)
        for name in ("compiled", "numba_loop"):
            patch.delitem(sys.modules, f"benchmarks.peers.{name}", raising=False)
        plain = importlib.import_module("benchmarks.peers.numba_loop")
        compiled = sys.modules["benchmarks.peers.compiled"]
        for name in ("compiled", "numba_loop"):
            patch.delitem(sys.modules, f"benchmarks.peers.{name}")
    assert not compiled.COMPILED
    return plain.run(few.events, few.leads, replay.UNTIL)


PEERS = {
    "pandas": (partial(pandas_rounds.run, until=replay.UNTIL), NEAR_FLOATS),
    "python": (partial(python_loop.run, until=replay.UNTIL), NEAR_FLOATS),
    "python-statemachine": (lambda *tables: replay.statemachine_work()(*tables), NEAR_FLOATS),
    "transitions": (partial(python_loop.run, until=replay.UNTIL, make_lead=python_loop.machine_lead), NEAR_FLOATS),
} | {
    name: (lambda *tables: replay.leadcore_work()(*tables), agreement.NEAR_MICROPOINTS)
    for name in replay.available()
    if name == "leadcore"
}


@pytest.mark.parametrize("name", PEERS)
def test_replays_agree(name: str, few: workload.Workload, by_hand: Log) -> None:
    """Whoever replays W2 gets the same log, but for leads whose total is a threshold to within rounding."""
    if name not in replay.available():
        pytest.skip(f"{name} is not installed: uv pip install -r requirements/bench.txt")
    work, tolerance = PEERS[name]

    found = agreement.compare(by_hand, work(few.events, few.leads), few.events, few.leads, replay.UNTIL, tolerance)

    assert found.agrees, found
    assert found.leads < 3
    assert found.rows > 2 * len(few.leads)


@pytest.mark.parametrize("name", ["polars", "duckdb"])
def test_totals_agree(name: str, few: workload.Workload, by_hand: Log) -> None:
    """Whoever gives totals after events has those of the log wherever an event moves a lead."""
    totals = replay.CONTENDERS[name].load()(few.events, few.leads).transitions

    found = agreement.compare_totals(by_hand, totals, NEAR_FLOATS)

    assert found.agrees, found
    assert found.rows > len(few.leads) / 2
    assert not agreement.compare_totals(by_hand, totals.slice(1), -1.0).agrees


def test_agreement_tells_a_near_threshold_from_a_fault(few: workload.Workload, by_hand: Log) -> None:
    """A log that lacks a row differs, and is excused only if the tolerance is as wide as the lead's distance."""
    lacking = Log(by_hand.transitions.slice(1), by_hand.states)

    found = [
        agreement.compare(by_hand, lacking, few.events, few.leads, replay.UNTIL, tolerance) for tolerance in (1e-9, 1e9)
    ]

    assert [(one.leads, one.near, one.agrees) for one in found] == [(1, 0, False), (1, 1, True)]


def test_replay_prints_a_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = replay.main(["--events", "20000", "--peers", "pandas,python,duckdb", "--repeat", "1"])

    *table, line = capsys.readouterr().out.splitlines()
    assert json.loads(line) == found
    assert all(len(row) <= 100 for row in table)
    assert found["agreement"]["python"]["agrees"]
    assert found["contenders"]["pandas"]["wall"] > 0


@pytest.mark.parametrize("kinds", [*([kind] for kind in one_lead.KINDS), list(one_lead.KINDS)], ids=str)
def test_one_lead_has_a_model_of_each_kind(kinds: list[str]) -> None:
    model = one_lead.model_of(kinds)

    assert len(json.loads(model.to_json())["scores"]["total"]["criteria"]) == len(kinds)
    assert lc.Scorer(model)
