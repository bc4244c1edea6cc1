"""Rows looked at side by side: codes, counts, faults and scores are those of one row after the other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

import leadcore as lc

ROWS = 400_000
"""More than are read before threads begin, and then many stretches."""
MODEL = lc.Model.model_validate(
    {
        "leadcore": 1, "name": "m", "attributes": {"size": "number"},
        "events": {"visit": {"url": "text", "n": "number", "when": "instant", "ok": "boolean"}, "call": {"n": "number"}},
        "scores": {"s": {"criteria": [
            {"name": "pages", "kind": "event", "on": "visit", "where": {"field": "url", "op": "contains", "value": "/p1"},
             "points": 1, "decay": {"half_life": "7d"}},
            {"name": "once", "kind": "event", "on": "visit", "points": 2, "unique_by": "url"},
            {"name": "calls", "kind": "event", "on": "call", "points": {"per": "n", "rate": 0.5}},
            {"name": "size", "kind": "attribute", "field": "size", "bands": [{"at_least": 5, "points": 3}]},
        ]}},
    }
)  # fmt: skip


def table(ids, faults=0):
    """Events of known and new leads, in batches of odd sizes; texts and ids are new now and then up to the end."""
    rng = np.random.default_rng(5)
    lead = rng.integers(0, 5_000, ROWS)
    lead[rng.random(ROWS) < 0.001] += 1_000_000  # not met before
    kinds = rng.choice(["visit", "call", "other"], ROWS, p=[0.6, 0.3, 0.1]).astype(object)
    rare = rng.integers(0, ROWS, 40)
    kinds[rare] = [f"rare {i}" for i in rare]
    url = np.where(rng.random(ROWS) < 0.3, None, [f"https://example.com/p{n}" for n in rng.zipf(1.4, ROWS) % 30_000])
    at = np.datetime64("2026-01-01", "us") + rng.integers(0, 10**12, ROWS).astype("timedelta64[us]")
    n = rng.normal(size=ROWS)
    at = pa.array(at)
    if faults:
        broken = np.zeros(ROWS, bool)
        broken[rng.integers(ROWS // 2, ROWS, faults)] = True
        at, n = pa.array(at.to_numpy(), mask=broken), np.where(np.roll(broken, 9), np.inf, n)
    who = pa.array(lead) if ids == "integers" else pa.array([f"lead-{i}" for i in lead])
    types = pa.array(kinds.tolist())
    whole = pa.table(
        {
            "lead_id": who, "at": at, "type": types if ids == "integers" else types.dictionary_encode(), "url": pa.array(url),
            "n": pa.array(n), "when": pa.array(np.full(ROWS, None), pa.timestamp("ms")), "ok": pa.array(rng.random(ROWS) < 0.5),
        }
    )  # fmt: skip
    cuts = [0, 70_001, 70_002, 190_000, 333_333, ROWS]
    return pa.Table.from_batches(
        [
            batch
            for begin, end in pairwise(cuts)
            for batch in whole.slice(begin, end - begin).combine_chunks().to_batches()
        ]
    )


LEADS = {"integers": list(range(3_000)), "texts": [f"lead-{i}" for i in range(3_000)]}


def scored(ids, threads, faults=0):
    events = table(ids, faults)
    leads = {"lead_id": LEADS[ids], "size": [i % 11 for i in range(3_000)]}
    return lc.Scorer(MODEL).score(
        events, leads, as_of="2026-02-01", threads=threads, on_error="reject" if faults else "raise", micropoints=True
    )


@pytest.mark.parametrize("ids", ["integers", "texts"])
@pytest.mark.parametrize("faults", [0, 500])
def test_threads_change_nothing(ids, faults):
    one = scored(ids, 1, faults)
    for threads in (2, 5):
        other = scored(ids, threads, faults)
        assert other.to_arrow().equals(one.to_arrow())
        assert other.counts == one.counts
        assert other.rejects.to_dicts() == one.rejects.to_dicts()


def test_faults_are_told_in_the_order_of_rows():
    messages = []
    for threads in (1, 4):
        with pytest.raises(lc.DataError) as raised:
            lc.Scorer(MODEL).score(table("texts", 30), as_of="2026-02-01", threads=threads)
        messages.append(str(raised.value))
    assert messages[0] == messages[1]
