"""The parts of the work, each ready to be done once: what `test_parts.py` times and `counters.py` counts instructions of."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import leadcore as lc
from benchmarks.border import block, encoder_of, read, walk, without_ids, without_text
from benchmarks.ledger_latency import rows_of
from benchmarks.workload import COLUMNS, Ids, Workload, make, w1_model
from leadcore._replay_run import _Run
from leadcore._run import Reading

W2 = Path(__file__).with_name("w2.yaml")
SINGLE = 1000  # events that are applied one by one

Work = Callable[[], object]


class Part(NamedTuple):
    """A part.

    Attributes:
        title: What it is.
        ready: From a number of events to the work, which may be done once, and how many events it serves.
    """

    title: str
    ready: Callable[[int], tuple[Work, int]]


@cache
def scorer() -> lc.Scorer:
    """W1, compiled."""
    return lc.Scorer(w1_model())


@cache
def replayer() -> lc.Scorer:
    """W2, compiled."""
    return lc.Scorer(lc.Model.load(str(W2)))


@cache
def tables(rows: int, ids: Ids = "int") -> Workload:
    """W1's tables."""
    return make(rows, ids=ids)


def _edge(tables_of: Callable[[int], Workload], rows: int) -> tuple[Work, int]:
    encoder, arrays = encoder_of(scorer(), tables_of(rows)), block()

    def work() -> None:
        while encoder.next_block(*arrays):
            pass

    return work, rows


def _score(rows: int) -> tuple[Work, int]:
    reading, asks = read(scorer(), tables(rows), 1)
    return partial(walk, scorer(), reading, asks), rows


def _replay(rows: int) -> tuple[Work, int]:
    data, compiled = tables(rows), replayer()._compiled_for_replay()
    names = (COLUMNS, None, "score", "raise", False, 1, None)
    request = replayer()._request(data.events, data.leads, data.as_of, *names)
    run = _Run(compiled, Reading(compiled.plan, compiled.program, request, idle=True), False)

    def work() -> None:
        assert run.result() is not None

    return work, rows


def _apply(rows: int) -> tuple[Work, int]:
    data, ledger = tables(rows), lc.Ledger(replayer())
    single = min(SINGLE, rows // 2)
    ledger.apply(data.events.slice(0, rows - single), data.leads, columns=COLUMNS)
    told: list[Any] = [
        (row.lead_id, row.when, row.kind, row.properties) for row in rows_of(data.events.slice(rows - single))
    ]

    def work() -> None:
        for event in told:
            ledger.add(*event)

    return work, single


PARTS = {
    "encode-int": Part(
        "ids to codes, integers: the edge without urls", partial(_edge, lambda n: without_text(tables(n)))
    ),
    "encode-uuid": Part("ids to codes, UUIDs: likewise", partial(_edge, lambda n: without_text(tables(n, "uuid")))),
    "match-text": Part("10 text tests: the edge with one id", partial(_edge, lambda n: without_ids(tables(n)))),
    "edge-of-neither": Part(
        "the edge without urls and with one id", partial(_edge, lambda n: without_text(without_ids(tables(n))))
    ),
    "score-kernel": Part("grouping by lead and the kernel, 1 thread", _score),
    "replay-kernel": Part("a year's replay from codes, 1 thread", _replay),
    "apply-one": Part("Ledger.add, one event", _apply),
}
