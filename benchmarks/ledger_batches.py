"""How many events a second a ledger takes, in batches of 1, 100, 10,000 and 1,000,000."""

from __future__ import annotations

from statistics import median
from typing import Any

import leadcore as lc
from benchmarks.ledger_latency import W2
from benchmarks.measure import Took, stopwatch
from benchmarks.workload import COLUMNS, make

SIZES = {1_000_000: 1, 10_000: 20, 100: 300, 1: 3_000}


def measure(share: float, seed: int) -> dict[str, Any]:
    """Apply one stream of events, first as much as the largest batch at once, then in batches of all sizes.

    ``share`` shrinks batches and their number, for a try.
    """
    sizes = {max(1, round(size * share)): max(1, round(count * max(share, 0.01))) for size, count in SIZES.items()}
    largest = max(sizes)
    data = make(largest + sum(size * count for size, count in sizes.items()), seed=seed)
    ledger = lc.Ledger(lc.Scorer(lc.Model.load(str(W2))))
    found: dict[str, Any] = {"leads": len(data.leads), "events": len(data.events)}
    with stopwatch() as took:
        ledger.apply(data.events.slice(0, largest), data.leads, columns=COLUMNS)
    found["first"] = per_second(largest, [took])
    done = largest
    found["batches"] = {}
    for size, count in sizes.items():
        runs = []
        for _ in range(count):
            batch = data.events.slice(done, size)
            with stopwatch() as took:
                ledger.apply(batch, columns=COLUMNS)
            runs.append(took)
            done += size
        found["batches"][size] = {"calls": count, **per_second(size, runs)}
    return found


def per_second(size: int, runs: list[Took]) -> dict[str, Any]:
    """Events a second, by the median call."""
    wall, cpu = median(run.wall for run in runs), median(run.cpu for run in runs)
    return {
        "size": size,
        "us_per_call": round(wall * 1e6, 1),
        "events_per_second": round(size / wall),
        "cpu_ns_per_event": round(cpu * 1e9 / size, 1),
    }


def show(found: dict[str, Any]) -> str:
    """The figures as a table."""
    out = [
        f"apply, {found['events']:,} events of {found['leads']:,} leads in one stream; medians of the calls",
        f"{'events per call':>17}{'calls':>8}{'us per call':>14}{'events/s':>13}{'CPU ns/event':>14}",
    ]
    rows = [("first " + format(found["first"]["size"], ","), {"calls": 1, **found["first"]})]
    rows += [(format(int(size), ","), one) for size, one in found["batches"].items()]
    for title, one in rows:
        out.append(
            f"{title:>17}{one['calls']:>8,}{one['us_per_call']:>14,.1f}{one['events_per_second']:>13,}"
            f"{one['cpu_ns_per_event']:>14,.0f}"
        )
    return "\n".join(out)
