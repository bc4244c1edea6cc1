"""Where the time of W1 goes, and what it costs that rows pass from Rust to Cython.

``python -m benchmarks.border [--rows 10000000] [--ids int|uuid]`` prints a table and one line of JSON. Parts of the edge
are differences between runs over tables in which one column has nothing left to do.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

import leadcore as lc
from benchmarks.measure import Took, interleaved, peak_of, stopwatch, surroundings
from benchmarks.workload import COLUMNS, Ids, Workload, make, w1_model
from leadcore import _kernel
from leadcore._arrow import Encoder
from leadcore._run import Asks, Reading, default_threads, run

PROMISE = 5.0  # ns per event that the border may cost
PROMISED_BYTES = {"event": 64, "lead": 200}  # of memory beyond the input

Block = tuple[Any, ...]


def block(rows: int = _kernel.BLOCK) -> Block:
    """The arrays through which rows cross, as the scorer makes them for W1: no identities, codes or numbers."""
    return (
        np.empty(rows, np.uint32), np.empty(rows, np.int64), np.empty(rows, np.uint32), np.empty(rows, np.int64),
        np.empty(0, np.uint32), np.empty(0, np.uint32), np.empty((0, rows), np.uint32), np.empty((0, rows), np.float64),
    )  # fmt: skip


def encoder_of(scorer: lc.Scorer, data: Workload) -> Encoder:
    """An encoder that has read the leads and is about to read the events."""
    encoder = Encoder(scorer._program)
    encoder.read_leads(data.leads, {})
    encoder.open_events(data.events, COLUMNS["events"])
    return encoder


def store_of(leads: int) -> _kernel.Store:
    """A store like that of a run over W1."""
    return _kernel.Store(bits=8, identities=False, row=False, codes=0, numbers=0, known=leads)


def edge(scorer: lc.Scorer, data: Workload, *, push: bool = False) -> Took:
    """Every block of the events, with or without handing it to the kernel's store."""
    encoder, arrays = encoder_of(scorer, data), block()
    store = store_of(encoder.lead_count)
    with stopwatch() as took:
        while count := encoder.next_block(*arrays):
            if push:
                store.push(count, *arrays)
    return took


def without_ids(data: Workload) -> Workload:
    """The same events, all of one lead with a small integer id."""
    one = pa.array(np.ones(len(data.events), np.int64))
    leads = data.leads.slice(0, 1).set_column(0, "lead_id", pa.array([1]))
    return Workload(data.events.set_column(0, "lead_id", one), leads)


def without_text(data: Workload) -> Workload:
    """The same events without a url."""
    place = data.events.column_names.index("url")
    return Workload(data.events.set_column(place, "url", pa.nulls(len(data.events), pa.string())), data.leads)


def filling(blocks: int, ready: Block) -> Took:
    """Write the columns that crossed once more, from arrays as warm as they are: a bound on what filling costs."""
    arrays = block(len(ready[0]))
    with stopwatch() as took:
        for _ in range(blocks):
            for to, this in zip(arrays[:4], ready[:4], strict=True):
                np.copyto(to, this)
    return took


def taking(blocks: int, ready: Block, leads: int) -> Took:
    """`Store.push` of blocks just filled whose rows hit nothing: it reads all of a row and keeps none."""
    arrays = (*ready[:2], np.zeros_like(ready[2]), *ready[3:])
    store = store_of(leads)
    with stopwatch() as took:
        for _ in range(blocks):
            store.push(len(ready[0]), *arrays)
    return took


def calling(blocks: int, finished: Encoder, ready: Block) -> Took:
    """As many calls of both sides as there are blocks, with nothing to do."""
    store = store_of(1)
    with stopwatch() as took:
        for _ in range(blocks):
            finished.next_block(*ready)
            store.push(0, *ready)
    return took


def read(scorer: lc.Scorer, data: Workload, threads: int) -> tuple[Reading, Asks]:
    """The tables read: rows in the store, and who is asked."""
    names = (COLUMNS, None, "score", "raise", False, threads, None)
    reading = Reading(scorer._plan, scorer._program, scorer._request(data.events, data.leads, data.as_of, *names))
    return reading, reading.asks()[0]


def walk(scorer: lc.Scorer, reading: Reading, asks: Asks) -> None:
    """Grouping and kernel: the store's rows are used up, the scores are there."""
    run(scorer._plan, scorer._kernel_plan, reading, asks, False)


def walking(scorer: lc.Scorer, data: Workload, threads: int) -> Took:
    """Time grouping and kernel alone."""
    reading, asks = read(scorer, data, threads)
    with stopwatch() as took:
        walk(scorer, reading, asks)
    return took


def whole(scorer: lc.Scorer, data: Workload, threads: int | None = None) -> Took:
    """From tables in memory to the table of scores."""
    with stopwatch() as took:
        score(scorer, data, threads)
    return took


def score(scorer: lc.Scorer, data: Workload, threads: int | None = None) -> lc.Scores:
    """W1's scores, as a table that exists."""
    scores = scorer.score(data.events, data.leads, as_of=data.as_of, columns=COLUMNS, threads=threads)
    assert len(scores.table) == len(data.leads)
    return scores


def measure(rows: int, ids: Ids, repeat: int, seed: int = 1) -> dict[str, Any]:
    """Every figure of the table, as a dict fit for JSON."""
    data, scorer, threads = make(rows, ids=ids, seed=seed), lc.Scorer(w1_model()), default_threads()
    peak, added = peak_of(partial(score, scorer, data))
    no_ids, no_text = without_ids(data), without_text(data)
    encoder, ready = encoder_of(scorer, data), block(min(rows, _kernel.BLOCK))
    encoder.next_block(*ready)
    finished, spare = encoder_of(scorer, Workload(data.events.slice(0, 0), data.leads)), block()
    blocks = -(-rows // _kernel.BLOCK)
    share = rows / (blocks * len(ready[0]))  # of the last block
    took = interleaved(
        {
            "edge": partial(edge, scorer, data),
            "edge, one id": partial(edge, scorer, no_ids),
            "edge, no url": partial(edge, scorer, no_text),
            "edge and push": partial(edge, scorer, data, push=True),
            "fill": partial(filling, blocks, ready),
            "take": partial(taking, blocks, ready, encoder.lead_count),
            "calls": partial(calling, blocks, finished, spare),
            "walk, 1 thread": partial(walking, scorer, data, 1),
            "walk": partial(walking, scorer, data, threads),
            "all, 1 thread": partial(whole, scorer, data, 1),
            "all": partial(whole, scorer, data),
        },
        repeat,
    )
    for name in ("fill", "take"):
        took[name] = Took(took[name].wall * share, took[name].cpu * share)
    parts = {
        "ids": took["edge"] - took["edge, one id"],
        "text": took["edge"] - took["edge, no url"],
        "edge": took["edge"],
        "push": took["edge and push"] - took["edge"],
        "border": took["fill"] + took["take"] + took["calls"],
        "border_fill": took["fill"],
        "border_take": took["take"],
        "border_calls": took["calls"],
        "group_and_kernel_1_thread": took["walk, 1 thread"],
        "group_and_kernel": took["walk"],
        "end_to_end_1_thread": took["all, 1 thread"],
        "end_to_end": took["all"],
    }
    return {
        "benchmark": "border",
        "command": f"python -m benchmarks.border --rows {rows} --ids {ids} --repeat {repeat} --seed {seed}",
        "rows": rows, "leads": len(data.leads), "ids": ids, "threads": threads, "input_mb": round(data.megabytes, 1),
        "ns_per_event": {name: part.ns(rows) for name, part in parts.items()},
        "seconds": round(took["all"].wall, 3),
        "peak_mb": round(peak / 1e6, 1), "peak_added_mb": round(added / 1e6, 1),
        "promised_mb": round((PROMISED_BYTES["event"] * rows + PROMISED_BYTES["lead"] * len(data.leads)) / 1e6, 1),
        "surroundings": surroundings(),
    }  # fmt: skip


LINES = (
    ("ids", "lead ids to codes"),
    ("text", "text: 10 tests on url"),
    ("edge", "the whole edge (next_block), 1 thread"),
    ("push", "push: rows into the kernel's store"),
    ("border", "THE BORDER: fill, take, calls"),
    ("border_fill", "  filling the block's arrays"),
    ("border_take", "  reading them on the other side"),
    ("border_calls", "  calls"),
    ("group_and_kernel_1_thread", "grouping + kernel, 1 thread"),
    ("group_and_kernel", "grouping + kernel, {threads} threads"),
    ("end_to_end_1_thread", "tables to scores, 1 thread"),
    ("end_to_end", "tables to scores, {threads} threads"),
)


def show(found: dict[str, Any]) -> str:
    """The figures as a table."""
    out = [
        f"W1, {found['rows']:,} events of {found['leads']:,} leads, {found['ids']} ids, best of the runs",
        f"{'ns per event':<46}{'wall':>10}{'CPU':>10}",
    ]
    for name, title in LINES:
        ns = found["ns_per_event"][name]
        out.append(f"{title.format(**found):<46}{ns['wall']:>10.2f}{ns['cpu']:>10.2f}")
    border = found["ns_per_event"]["border"]["cpu"]
    out += [
        f"border {border:.2f} ns per event, at most {PROMISE:g}: {'kept' if border <= PROMISE else 'BROKEN'}",
        f"{found['rows'] / found['seconds'] / 1e6:.1f} million events per second, {found['seconds']:.2f} s in all",
        f"memory: input {found['input_mb']:,.0f} MB, a run adds {found['peak_added_mb']:,.0f} MB "
        f"(promised: at most {found['promised_mb']:,.0f}), peak {found['peak_mb']:,.0f} MB",
        "{cpu}, {cpus} CPUs, load {load}".format(**found["surroundings"]),
        found["command"],
    ]
    return "\n".join(out)


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.border", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--ids", choices=("int", "uuid"), default="int")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    found = measure(options.rows, options.ids, options.repeat, options.seed)
    print(show(found))
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    main()
