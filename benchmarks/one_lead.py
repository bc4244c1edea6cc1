"""One lead with a million events: whether a replay's time grows with the events and no faster, for every kind of criterion."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

import leadcore as lc
from benchmarks.measure import Took, best, stopwatch, surroundings

BEGIN = np.datetime64("2025-01-01T00:00:00", "us")
UNTIL = "2025-12-31T00:00:00Z"
DAYS = 364
PAGES, MINUTES = 5_000, 60.0
GROWN = 2.0  # times as long per event as with a tenth of the events, at most: caches end somewhere

EVENT: dict[str, Any] = {"kind": "event", "on": "visit", "points": 0.5}
KINDS: dict[str, dict[str, Any]] = {
    "no decay": EVENT,
    "half_life": EVENT | {"decay": {"half_life": "30d"}},
    "linear": EVENT | {"decay": {"linear": "60d"}},
    "expire": EVENT | {"decay": {"expire": "30d"}},
    "steps": EVENT
    | {"decay": {"steps": [{"after": f"{10 * i}d", "factor": round(1 - i / 8, 3)} for i in range(1, 9)]}},
    "periodic": EVENT | {"decay": {"periodic": {"every": "7d", "lose": 0.1}}},
    "periodic, compound": EVENT | {"decay": {"periodic": {"every": "7d", "lose": 0.1, "compound": True}}},
    "half_life, delay": EVENT | {"decay": {"half_life": "30d", "delay": "14d"}},
    "half_life, keep": EVENT | {"decay": {"half_life": "30d", "keep": 0.2}},
    "points per property": EVENT | {"points": {"per": "minutes", "rate": 0.1, "max": 3}, "decay": {"linear": "60d"}},
    "frequency": {
        "kind": "frequency",
        "on": "visit",
        "within": "30d",
        "bands": [{"at_least": 10, "points": 5}, {"at_least": 1000, "points": 10}],
    },
    "distinct": {
        "kind": "frequency",
        "on": "visit",
        "within": "30d",
        "distinct": "page",
        "bands": [{"at_least": 10, "points": 5}, {"at_least": 1000, "points": 10}],
    },
    "recency": {"kind": "recency", "on": "visit", "bands": [{"within": "1d", "points": 5}], "otherwise": -5},
    "unique_by": EVENT | {"unique_by": "page", "decay": {"half_life": "30d"}},
    "cooldown": EVENT | {"cooldown": "10m", "decay": {"half_life": "30d"}},
    "limit": EVENT | {"limit": {"count": 20, "per": "day"}, "decay": {"half_life": "30d"}},
    "reset": EVENT | {"decay": {"half_life": "30d"}, "reset": {"on": "goodbye"}},
}
ALL = "all together"


def model_of(kinds: list[str]) -> lc.Model:
    """A model with one criterion of each of these kinds, a lifecycle of two stages, and a look each midnight."""
    criteria = [KINDS[kind] | {"name": f"criterion_{list(KINDS).index(kind)}"} for kind in kinds]
    fall_back = {
        "from": "warm",
        "to": "cold",
        "after": "3d",
        "when": {"field": "threshold.hot", "op": "eq", "value": False},
    }
    return lc.Model.from_json(json.dumps({
            "leadcore": 1,
            "name": "one_lead",
            "events": {"visit": {"page": "text", "minutes": "number"}, "goodbye": {}},
            "scores": {"total": {"criteria": criteria}},
            "thresholds": {"hot": {"score": "total", "at": 50, "release": 20}},
            "lifecycle": {
                "initial": "cold",
                "evaluate": {"every": "1d"},
                "stages": [{"name": "cold"}, {"name": "warm"}],
                "transitions": [
                    {"name": "warms", "from": "cold", "to": "warm", "when": {"field": "threshold.hot", "op": "eq", "value": True}},
                    {"name": "cools", **fall_back},
                ],
            },
        }))  # fmt: skip


def history(events: int, seed: int = 1) -> pa.Table:
    """Events of one lead over a year, sorted; one in a thousand is a goodbye."""
    rng = np.random.default_rng([seed, events])
    at = np.sort(rng.integers(0, DAYS * 86_400_000_000, size=events))
    pages = pa.array([f"https://www.example.com/{i}" for i in range(PAGES)])
    page = np.minimum(rng.zipf(1.3, size=events) - 1, PAGES - 1).astype(np.int32)
    kind = (rng.random(events) < 0.001).astype(np.int8)
    return pa.table(
        {
            "lead_id": np.ones(events, np.int64),
            "at": pa.array(BEGIN + at.astype("timedelta64[us]")),
            "type": pa.DictionaryArray.from_arrays(pa.array(kind), pa.array(["visit", "goodbye"])),
            "page": pa.DictionaryArray.from_arrays(pa.array(page), pages).cast(pa.string()),
            "minutes": np.round(rng.random(events) * MINUTES, 1),
        }
    )


def sizes(most: int) -> list[int]:
    """A hundredth, a tenth, all."""
    return [max(1, most // 100), max(1, most // 10), most]


def one_run(scorer: lc.Scorer, events: pa.Table) -> Took:
    with stopwatch() as took:
        len(scorer.replay(events, until=UNTIL).transitions)
    return took


def measure(most: int, repeat: int = 3) -> dict[str, Any]:
    """Nanoseconds per event by kind and number of events, and how they grow in the last step."""
    tables = {size: history(size) for size in sizes(most)}
    found: dict[str, Any] = {}
    for name in (*KINDS, ALL):
        scorer = lc.Scorer(model_of([name] if name in KINDS else list(KINDS)))
        ns = {}
        for size, events in tables.items():
            took = best([one_run(scorer, events) for _ in range(repeat)])
            ns[str(size)] = took.ns(size)
        cpu = [one["cpu"] for one in ns.values()]
        found[name] = {"ns_per_event": ns, "growth": round(cpu[-1] / cpu[-2], 2), "linear": cpu[-1] <= GROWN * cpu[-2]}
    return {
        "benchmark": "one lead",
        "command": f"python -m benchmarks.replay --one-lead {most} --repeat {repeat}",
        "events": most,
        "kinds": found,
        "surroundings": surroundings(),
    }


def show(found: dict[str, Any]) -> str:
    """The figures as a table."""
    counts = sizes(found["events"])
    out = [
        "One lead, a look at each event and each midnight: CPU nanoseconds per event, best of the runs",
        f"{'events':<22}" + "".join(f"{size:>13,}" for size in counts) + f"{'growth':>10}",
    ]
    for name, one in found["kinds"].items():
        ns = "".join(f"{one['ns_per_event'][str(size)]['cpu']:>13,.0f}" for size in counts)
        out.append(f"{name:<22}{ns}{one['growth']:>10.2f}{'' if one['linear'] else '  NOT LINEAR'}")
    out += ["{cpu}, {cpus} CPUs, load {load}".format(**found["surroundings"]), found["command"]]
    return "\n".join(out)
