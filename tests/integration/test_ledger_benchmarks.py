"""Benchmarks of the ledger in small: they run, and whoever takes part gives the same answers."""

from __future__ import annotations

import json

import pytest

import leadcore as lc
from benchmarks import ledger, ledger_threads, replay, workload
from benchmarks.agreement import NEAR_MICROPOINTS
from benchmarks.contest import installed
from benchmarks.ledger_latency import rows_of, zen_book
from benchmarks.peers.ledger_dict import Book
from benchmarks.peers.w2 import STAGES, fits


@pytest.mark.parametrize("kind", ["plain", "transitions", "zen"])
def test_peers_say_what_a_replay_says(kind):
    """Events one by one into plain dicts, stages by hand or by a library, scores too, end where one replay ends."""
    if kind == "zen" and not installed("zen-engine"):
        pytest.skip("zen-engine is not installed: uv pip install -r requirements/bench.txt")
    data = workload.make(10_000)
    ids = data.leads["lead_id"].to_pylist()
    fit = dict(zip(ids, fits(data.leads).tolist(), strict=True))
    book = zen_book(fit) if kind == "zen" else Book(fit, machine=kind == "transitions")
    for lead_id, at, _, kind, url, value, _ in rows_of(data.events):
        if at <= replay.UNTIL:
            book.add(lead_id, at, kind, url, value)

    replayed = lc.Scorer(lc.Model.load(str(replay.W2))).replay(
        data.events, data.leads, until=data.as_of, columns=workload.COLUMNS
    )

    for state in replayed.states.to_dicts():
        lead_id = state["lead_id"]
        if lead_id in book.leads:
            assert book.score(lead_id, replay.UNTIL) == pytest.approx(state["total"], abs=NEAR_MICROPOINTS)
            assert STAGES[book.leads[lead_id].stage] == state["stage"]


def test_it_prints_tables_and_json(capsys):
    found = ledger.main(["--events", "20000", "--leads", "300", "--calls", "100", "--share", "0.001"])

    *table, line = capsys.readouterr().out.splitlines()
    assert json.loads(line) == json.loads(json.dumps(found))
    assert all(len(row) <= 100 for row in table)
    assert found["nightly"]["same"] == {"transitions_equal": True, "scores_equal": True} | {
        "transitions": found["nightly"]["same"]["transitions"]
    }
    assert found["nightly"]["same"]["transitions"] > 1000
    assert found["latency"]["one_event"]["ledger.add"]["p50"] > 0


def test_a_wrong_answer_is_noticed():
    """An answer of one version under the name of the other is counted as wrong."""
    swapped = ledger_threads.Swapped()
    one = ledger_threads.One("a", 10.0, [{"lead_id": "a", "at": ledger_threads.BEGIN, "type": "visit", "pages": 7.0}])
    first, second = swapped.versions

    swapped.check("score", first, swapped.must_score(first, one, ledger_threads.BEGIN), lambda v: swapped.must_score(v, one, ledger_threads.BEGIN))  # fmt: skip
    swapped.check("score", first, swapped.must_score(second, one, ledger_threads.BEGIN), lambda v: swapped.must_score(v, one, ledger_threads.BEGIN))  # fmt: skip

    assert len(swapped.wrong) == 1
    assert "the other one" in swapped.wrong[0]
