"""W3: one event for one lead, the new score back; and the score of one lead: leadcore beside Python and two libraries.

Every contender holds the same leads with the same history and is given the same events in the same order, a hundred at a
stretch: all take turns, another one begins each time, and each call is timed by itself. `transitions` moves leads between
stages; `zen-engine`, where it is installed, tests events and adds up scores.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import perf_counter_ns
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

import leadcore as lc
from benchmarks.agreement import NEAR_MICROPOINTS
from benchmarks.contest import installed
from benchmarks.peers.ledger_dict import Book
from benchmarks.peers.w2 import STAGES, fits, instants
from benchmarks.workload import COLUMNS, Workload, make

W2 = Path(__file__).with_name("w2.yaml")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BLOCK = 100  # calls of one contender at a stretch
WARM = 500  # events for which answers are compared before the clock runs


class Row(NamedTuple):
    """An event as a program would hold it."""

    lead_id: Hashable
    at: int
    when: datetime
    kind: str
    url: str | None
    value: float | None
    properties: dict[str, Any]

    @property
    def as_row(self) -> dict[str, Any]:
        return {"lead_id": self.lead_id, "at": self.when, "type": self.kind, "url": self.url, "value": self.value}


def rows_of(events: pa.Table) -> list[Row]:
    """The events as Python values."""
    at = instants(events["ts"]).tolist()
    columns = (events[name].to_pylist() for name in ("lead_id", "event_type", "url", "value"))
    return [
        Row(lead_id, t, EPOCH + timedelta(microseconds=t), kind, url, value, {"url": url, "value": value})
        for t, lead_id, kind, url, value in zip(at, *columns, strict=True)
    ]


def zen_book(fits: Mapping[Hashable, float]) -> Book:
    """The peer that needs a package of its own."""
    from benchmarks.peers.ledger_zen import ZenBook

    return ZenBook(fits)


class Contenders:
    """Who is asked, all with the same history."""

    def __init__(self, data: Workload, history: int) -> None:
        scorer = lc.Scorer(lc.Model.load(str(W2)))
        self.added, self.applied = lc.Ledger(scorer), lc.Ledger(scorer)
        self.tally = lc.Tally(scorer)
        for lead in data.leads.to_pylist():
            self.tally.put(lead["lead_id"], {name: lead[name] for name in scorer.model.attributes})
        past = data.events.slice(0, history)
        for ledger in (self.added, self.applied):
            ledger.apply(past, data.leads, columns=COLUMNS)
        fit = dict(zip(data.leads["lead_id"].to_pylist(), fits(data.leads).tolist(), strict=True))
        self.books = {"plain dicts": Book(fit), "transitions": Book(fit, machine=True)}
        if installed("zen-engine"):
            self.books["zen-engine"] = zen_book(fit)
        for lead_id, at, _, kind, url, value, properties in rows_of(past):
            for book in self.books.values():
                book.add(lead_id, at, kind, url, value)
            self.tally.add(lead_id, at, kind, properties)

    def adding(self) -> dict[str, Callable[[Row], Any]]:
        """One event."""
        tallied, added, applied = self.tally.add, self.added.add, self.applied.apply

        def adding_to(book: Book) -> Callable[[Row], Any]:
            add = book.add
            return lambda row: add(row.lead_id, row.at, row.kind, row.url, row.value)

        return {
            "tally.add": lambda row: tallied(row.lead_id, row.when, row.kind, row.properties),
            "ledger.add": lambda row: added(row.lead_id, row.when, row.kind, row.properties),
            "ledger.apply, one row": lambda row: applied([row.as_row]),
            **{name: adding_to(book) for name, book in self.books.items()},
        }

    def asking(self) -> dict[str, Callable[[Hashable, Row], Any]]:
        """The scores of one lead at the instant of a row."""
        tally, ledger = self.tally.score, self.added

        def asking_of(book: Book) -> Callable[[Hashable, Row], Any]:
            score = book.score
            return lambda lead_id, row: score(lead_id, row.at)

        return {
            "tally.score": lambda lead_id, row: tally(lead_id, row.when),
            "ledger.lead": lambda lead_id, row: ledger.lead(lead_id, row.when),
            "ledger.score": lambda lead_id, row: ledger.score(row.when, leads=[lead_id]),
            **{name: asking_of(book) for name, book in self.books.items()},
        }

    def compare(self, lead_id: Hashable, row: Row) -> float:
        """How far the contenders' answers for a lead lie apart, in points; stages must be the same."""
        state = self.added.lead(lead_id, row.when)
        scored = self.added.score(row.when, leads=[lead_id])[lead_id]
        if scored["total"] != state["total"]:
            raise SystemExit(f"lead and score differ: {state['total']} and {scored['total']} for {lead_id}")
        if self.tally.score(lead_id, row.at)["total"] != state["total"]:
            raise SystemExit(f"tally and ledger differ for {lead_id}")
        gap = 0.0
        for book in self.books.values():
            gap = max(gap, abs(book.score(lead_id, row.at) - state["total"]))
            stage = STAGES[book.leads[lead_id].stage]
            if stage != state.stage or gap > NEAR_MICROPOINTS:
                raise SystemExit(f"a peer differs for {lead_id}: {stage} and {state.stage}, {gap} points")
        return gap


def measure(leads: int, count: int, seed: int) -> dict[str, Any]:
    """Times of single calls: ``count`` events after the history of ``leads`` leads."""
    data = make(20 * leads + WARM + count, seed=seed)
    history = len(data.events) - WARM - count
    contenders = Contenders(data, history)
    rows = rows_of(data.events.slice(history))
    rng = Random(seed)
    known = list(contenders.books["plain dicts"].leads)
    adding, asking = list(contenders.adding().values()), list(contenders.asking().values())
    gap = 0.0
    for row in rows[:WARM]:
        for call in adding:
            call(row)
        gap = max(gap, contenders.compare(row.lead_id, row), contenders.compare(rng.choice(known), row))
    taken = np.zeros((2, len(adding), count))
    asked = [rng.choice(known) for _ in range(count)]
    for first in range(0, count, BLOCK):
        block = range(first, min(first + BLOCK, count))
        for i in range(len(adding)):
            k = (first // BLOCK + i) % len(adding)
            for n in block:
                row = rows[WARM + n]
                begin = perf_counter_ns()
                adding[k](row)
                taken[0, k, n] = perf_counter_ns() - begin
        row = rows[WARM + block[-1]]
        for i in range(len(asking)):
            k = (first // BLOCK + i) % len(asking)
            for n in block:
                lead_id = asked[n]
                begin = perf_counter_ns()
                asking[k](lead_id, row)
                taken[1, k, n] = perf_counter_ns() - begin
    last = rows[-1]
    gap = max(gap, *(contenders.compare(lead_id, last) for lead_id in rng.sample(known, min(1000, len(known)))))
    return {
        "leads": len(known),
        "history": history,
        "calls": count,
        "largest_gap": gap,
        "clock_us": clock(),
        "one_event": figures(list(contenders.adding()), taken[0]),
        "one_score": figures(list(contenders.asking()), taken[1]),
    }


def clock() -> float:
    """Microseconds of timing nothing; part of every figure."""
    taken = []
    for _ in range(10_000):
        begin = perf_counter_ns()
        taken.append(perf_counter_ns() - begin)
    return float(np.median(taken)) / 1e3


def figures(names: list[str], taken: Any) -> dict[str, dict[str, float]]:
    """Microseconds by contender."""
    return {
        name: {
            "p50": round(float(np.percentile(one, 50)) / 1e3, 2),
            "p99": round(float(np.percentile(one, 99)) / 1e3, 2),
            "mean": round(float(one.mean()) / 1e3, 2),
        }
        for name, one in zip(names, taken, strict=True)
    }


def show(found: dict[str, Any]) -> str:
    """The figures as a table."""
    out = [
        f"W3, {found['leads']:,} leads with {found['history']:,} events, then {found['calls']:,} more, one by one;"
        f" clock {found['clock_us']:.2f} us"
    ]
    for part, title in (("one_event", "one event"), ("one_score", "score of one lead")):
        out.append(f"{title + ', us':<27}{'p50':>9}{'p99':>9}{'mean':>9}{'ratio':>8}")
        plain = found[part]["plain dicts"]["p50"]
        for name, one in found[part].items():
            out.append(f"  {name:<25}{one['p50']:>9.2f}{one['p99']:>9.2f}{one['mean']:>9.2f}{one['p50'] / plain:>8.2f}")
    out.append(f"scores within {found['largest_gap']:.1g} points, stages equal")
    return "\n".join(out)
