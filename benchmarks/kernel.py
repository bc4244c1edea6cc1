"""How near the kernel comes to the machine: from codes to scores with one thread, beside a loop that only touches memory.

``python -m benchmarks.kernel [--events 10_000_000] [--repeat 5]``. The loop, in numba, does one random read-modify-write
per event into 64 MB of sums: the least that scattering events over their leads' sums can cost.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from statistics import median
from typing import Any

import numpy as np

import leadcore as lc
from benchmarks.border import Block, block, encoder_of, store_of, walking
from benchmarks.contest import command_of, installed
from benchmarks.measure import Took, stopwatch, surroundings
from benchmarks.peers.compiled import COMPILED, njit
from benchmarks.peers.w2 import Codes, Floats
from benchmarks.workload import Workload, make, w1_model

STATE = 64_000_000 // 8  # sums


@njit(cache=True, nogil=True)
def touch(places: Codes, values: Floats, sums: Floats) -> None:
    """Add each value at its place."""
    for i in range(len(places)):
        sums[places[i]] += values[i]


def touching(places: Codes, values: Floats, sums: Floats) -> Took:
    """Time the loop."""
    with stopwatch() as took:
        touch(places, values, sums)
    return took


def pushing(blocks: list[Block], counts: list[int], leads: int) -> Took:
    """Time taking rows whose codes are there: partitioned by lead."""
    store = store_of(leads)
    with stopwatch() as took:
        for count, columns in zip(counts, blocks, strict=True):
            store.push(count, *columns)
    return took


def encoded(scorer: lc.Scorer, data: Workload) -> tuple[list[Block], list[int]]:
    """All rows as codes, and how many each block holds."""
    encoder, blocks, counts = encoder_of(scorer, data), [block()], list[int]()
    while count := encoder.next_block(*blocks[-1]):
        counts.append(count)
        blocks.append(block())
    return blocks[:-1], counts


def measure(events: int, repeat: int, seed: int) -> dict[str, Any]:
    """Medians of interleaved runs, as a dict fit for JSON."""
    rng = np.random.default_rng(seed)
    places, values = rng.integers(0, STATE, events, np.int32), rng.random(events)
    sums = np.zeros(STATE)
    scorer, data = lc.Scorer(w1_model()), make(events, seed=seed)
    blocks, counts = encoded(scorer, data)
    parts = {
        "push": partial(pushing, blocks, counts, len(data.leads)),
        "group_and_kernel": partial(walking, scorer, data, 1),
        "touch": partial(touching, places, values, sums),
    }
    for part in parts.values():
        part()  # compilers, and pages touched for the first time
    runs: dict[str, list[Took]] = {name: [] for name in parts}
    for _ in range(repeat):
        for name, part in parts.items():
            runs[name].append(part())
    found = {
        name: {what: round(median(getattr(run, what) for run in taken) * 1e9 / events, 2) for what in ("wall", "cpu")}
        for name, taken in runs.items()
    }
    both = {what: round(found["push"][what] + found["group_and_kernel"][what], 2) for what in ("wall", "cpu")}
    return {
        "benchmark": "kernel",
        "command": command_of(
            "benchmarks.kernel", (("events", events, None), ("repeat", repeat, None), ("seed", seed, 1))
        ),
        "events": events,
        "ns_per_event": found,
        "ratio": {what: round(both[what] / found["touch"][what], 2) for what in ("wall", "cpu")},
        "surroundings": surroundings() | {"numba": installed("numba")},
    }


def show(found: dict[str, Any]) -> str:
    """The figures as a table."""
    out = [
        f"W1 from codes, {found['events']:,} events, 1 thread, medians of interleaved runs",
        f"{'ns per event':<50}{'wall':>9}{'CPU':>9}",
    ]
    titles = {
        "push": "leadcore, rows into the kernel's store",
        "group_and_kernel": "leadcore, grouping and kernel",
        "touch": "one random read-modify-write into 64 MB",
    }
    rows = [(title, found["ns_per_event"][name]) for name, title in titles.items()] + [
        ("ratio of both to that", found["ratio"])
    ]
    out += [f"{title:<50}{figures['wall']:>9.2f}{figures['cpu']:>9.2f}" for title, figures in rows]
    out += ["{cpu}, {cpus} CPUs, load {load}".format(**found["surroundings"]), found["command"]]
    return "\n".join(out)


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernel", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if not COMPILED:
        raise SystemExit("the loop needs numba: uv pip install -r requirements/bench.txt")
    found = measure(options.events, options.repeat, options.seed)
    print(show(found))
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    main()
