"""Many threads, one ledger, and two versions of its model swapped twice a second: every answer is that of the version it names.

``python -m benchmarks.ledger_threads [--minutes 10] [--threads 32] [--swaps 2]`` prints what was asked and how many answers
were wrong, and one line of JSON; it ends with 1 if any was. A thread has leads of its own, so it knows all facts of each; what
a version must say of them is asked of that version's scorer, in batch. At the end the net of all changes handed out is compared
with one replay of everything.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import leadcore as lc
from benchmarks.measure import surroundings

DOCUMENT = """
leadcore: 1
name: swapped
attributes: {{employees: number}}
events: {{visit: {{pages: number}}, download: {{}}, call: {{}}}}
scores:
  fit: {{criteria: [{{name: size, kind: attribute, field: employees, bands: [{{at_least: 10, points: {fit}}}]}}]}}
  interest:
    max: 200
    criteria:
      - {{name: visits, kind: event, on: visit, points: {visit}, decay: {{half_life: 7d}}}}
      - {{name: deep, kind: event, on: visit, where: {{field: pages, op: ge, value: 5}}, points: {deep}, decay: {{linear: 10d}}}}
      - {{name: downloads, kind: event, on: download, points: {download}, max: 60}}
  total: {{combine: {{fit: 1, interest: 1}}}}
thresholds: {{ready: {{score: total, at: 60, release: 40}}}}
lifecycle:
  initial: new
  evaluate: {{every: 1d}}
  stages: [{{name: new}}, {{name: known}}, {{name: ready}}, {{name: called}}, {{name: cold, kind: detour}}]
  transitions:
    - {{name: act, from: new, to: known, on: [visit, download]}}
    - {{name: rise, from: [known, cold], to: ready, when: {{field: threshold.ready, op: eq, value: true}}}}
    - {{name: call, from: ready, to: called, on: call}}
    - {{name: cool, from: [ready, called], to: cold, after: {wait}, when: {{field: threshold.ready, op: eq, value: false}}}}
"""
VERSIONS = (
    {"fit": 10, "visit": 8, "deep": 12, "download": 15, "wait": "2d"},
    {"fit": 11, "visit": 6.25, "deep": 20, "download": 17, "wait": "12h"},
)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
LIFE = 30  # events after which a lead is forgotten and another one comes
MARKS = ("lead_id", "at", "from_stage", "to_stage", "rule", "cause", "total")


def models() -> list[lc.Model]:
    """Two versions of one model; no lead with an event scores alike in both."""
    return [lc.Model.from_yaml(DOCUMENT.format(**version)) for version in VERSIONS]


@dataclass
class One:
    """A lead and its facts; ``told`` are all events it was ever told, or is about to be, those taken back among them."""

    lead_id: str
    employees: float
    events: list[dict[str, Any]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)

    @property
    def row(self) -> dict[str, Any]:
        return {"lead_id": self.lead_id, "employees": self.employees}


class Swapped:
    """The ledger, its two scorers, and everything that was answered."""

    def __init__(self, url: str | None = None) -> None:
        self.scorers = {model.semantics: lc.Scorer(model) for model in models()}
        self.versions = list(self.scorers)
        first = self.scorers[self.versions[0]]
        self.keeps = url is not None
        self.ledger = lc.Ledger(first, late="all") if url is None else lc.Ledger.open(url, first, late="all")
        self.stop = threading.Event()
        self.lock, self.gate, self.telling = threading.Lock(), threading.Condition(), 0
        self.swapping = False
        self.wrong: list[str] = []
        self.asked: Counter[str] = Counter()
        self.told: Counter[tuple[Any, ...]] = Counter()
        self.leads: dict[str, One] = {}
        self.gone: set[str] = set()

    # what must be

    def must_score(self, version: str, one: One, at: datetime) -> dict[str, int]:
        """Micropoints of a lead by a version."""
        return self.scorers[version].score_lead(one.row, one.events, as_of=at).micropoints

    def must_stand(self, version: str, one: One, at: datetime) -> dict[str, Any]:
        """Where a version's replay leaves a lead."""
        replayed = self.scorers[version].replay(one.events, [one.row], until=at)
        row: dict[str, Any] = replayed.states.to_dicts()[0]
        return row

    # what is

    def check(self, what: str, version: str, found: Any, must: Callable[[str], Any]) -> None:
        """An answer is what the version it names must give."""
        expected = must(version)
        with self.lock:
            self.asked[what] += 1
            self.asked[f"by version {self.versions.index(version) + 1}"] += 1
            if found != expected:
                other = [v for v in self.versions if v != version and must(v) == found]
                self.wrong.append(
                    f"{what} of {version[:8]}: {found}, not {expected}{' (the other one!)' * bool(other)}"
                )

    def note(self, changes: lc.Changes) -> None:
        """Add to the net of what was told."""
        rows = changes.transitions.to_dicts()
        with self.lock:
            for row in rows:
                key = (row["key"], *(row[name] for name in MARKS))
                self.told[key] += 1 if row["change"] == "new" else -1

    def changed(self, what: str, changes: lc.Changes, ones: list[One]) -> None:
        """Scores after a change are those of the version that changed them."""
        self.note(changes)
        by_id = {one.lead_id: one for one in ones}
        for row in changes.scores.to_dicts():
            one, score = by_id[row["lead_id"]], row["score"]

            def must(version: str, one: One = one, row: dict[str, Any] = row, score: str = score) -> float:
                return self.must_score(version, one, row["as_of"])[score] / 1e6

            self.check(what, changes.version, row["after"], must)

    def asks(self, rng: Random, ones: list[One]) -> None:
        """Ask for scores and for one lead."""
        one = rng.choice(ones)
        if not one.events:
            return
        at = one.events[-1]["at"] + timedelta(hours=rng.randrange(100))
        scores = self.ledger.score(at, leads=[each.lead_id for each in ones], micropoints=True)
        version = scores.model.semantics
        rows = {row["lead_id"]: row for row in scores.to_dicts()}
        for each in ones:
            found = {name: rows[each.lead_id][name] for name in ("fit", "interest", "total")}
            self.check("score", version, found, lambda v, each=each: self.must_score(v, each, at))
        state = self.ledger.lead(one.lead_id)
        self.check(
            "lead, scores", state.version, state.micropoints, lambda v: self.must_score(v, one, state.as_of)
        )  # fmt: skip
        if rng.random() < 0.2:
            names = ("stage", "entered_at", "ready")
            found = (state.stage, state.entered_at, state.thresholds["ready"])

            def must(version: str) -> tuple[Any, ...]:
                stands = self.must_stand(version, one, state.as_of)
                return tuple(stands[name] for name in names)

            self.check("lead, stage", state.version, found, must)

    def tells(self, rng: Random, ones: list[One]) -> None:
        """Tell the ledger of one event, or of some."""
        one = rng.choice(ones)
        if rng.random() < 0.6:
            event = self.event(rng, one)
            one.told.append(event)
            properties = {"pages": event["pages"]} if event["type"] == "visit" else None
            changes = self.ledger.add(one.lead_id, event["at"], event["type"], properties, event["event_id"])
            one.events.append(event)
            self.changed("add", changes, [one])
        elif rng.random() < 0.8:
            new: list[tuple[One, dict[str, Any]]] = []
            for _ in range(rng.randrange(1, 12)):
                one = rng.choice(ones)
                event = self.event(rng, one)
                one.told.append(event)
                one.events.append(event)
                new.append((one, event))
            rows = [event for _, event in new]
            rng.shuffle(rows)
            changes = self.ledger.apply(rows)
            self.changed("apply", changes, ones)
        elif one.events:
            event = one.events.pop(rng.randrange(len(one.events)))
            if one.events:
                pair = [{"lead_id": one.lead_id, "event_id": event["event_id"]}]
                self.changed("retract", self.ledger.retract(pair), [one])
            else:
                one.events.append(event)

    def event(self, rng: Random, one: One) -> dict[str, Any]:
        """The next event of a lead, or now and then one between those before."""
        last = one.events[-1]["at"] if one.events else BEGIN + timedelta(minutes=rng.randrange(10**4))
        first = one.events[0]["at"] if one.events else last
        if rng.random() < 0.1:
            at = first + (last - first) * rng.random()
        else:
            at = max((event["at"] for event in one.events), default=last) + timedelta(minutes=rng.randrange(2000))
        kind = rng.choice(("visit", "visit", "visit", "download", "call"))
        pages = float(rng.randrange(9)) if kind == "visit" else None
        name = f"{one.lead_id}/{len(one.events)}/{rng.randrange(10**9)}"
        return {"lead_id": one.lead_id, "at": at, "type": kind, "pages": pages, "event_id": name}

    # threads

    def born(self, rng: Random, name: str) -> One:
        """A lead that the ledger has not seen."""
        one = One(name, float(rng.choice((1, 10, 200))))
        with self.tell():
            with self.lock:
                self.leads[name] = one
            self.note(self.ledger.apply(leads=[one.row]))
        return one

    def work(self, number: int, seed: int) -> None:
        """One thread."""
        rng, count = Random(seed * 1000 + number), 0
        ones: list[One] = []
        try:
            while not self.stop.is_set():
                while len(ones) < 3:
                    ones.append(self.born(rng, f"{number}-{count}"))
                    count += 1
                if rng.random() < 0.5:
                    with self.tell():
                        self.tells(rng, ones)
                else:
                    self.asks(rng, ones)
                if len(ones[0].events) > LIFE and not self.stop.is_set():
                    old = ones.pop(0)
                    with self.tell():
                        known = self.ledger.forget(old.lead_id)
                        del self.leads[old.lead_id]
                    with self.lock:
                        self.asked["forget"] += 1
                        self.gone.add(old.lead_id)
                        if not known or old.lead_id in self.ledger:
                            self.wrong.append(f"forget: {old.lead_id} was {known}")
        except BaseException as error:
            self.stop.set()
            with self.lock:
                self.wrong.append(f"thread {number}: {error!r}")
            raise

    @contextmanager
    def tell(self) -> Iterator[None]:
        """While facts change; many at a time, but not while a ledger in memory is given all facts."""
        with self.gate:
            self.gate.wait_for(lambda: not self.swapping)
            self.telling += 1
        try:
            yield
        finally:
            with self.gate:
                self.telling -= 1
                self.gate.notify_all()

    def swap_to(self, scorer: lc.Scorer) -> lc.Changes:
        """Migrate to another version."""
        if self.keeps:
            return scorer.migrate(self.ledger)
        with self.gate:
            self.swapping = True
            self.gate.wait_for(lambda: not self.telling)
        try:
            leads = list(self.leads.values())
            events = [event for one in leads for event in one.told]
            return scorer.migrate(self.ledger, events=events or None, leads=[one.row for one in leads])
        finally:
            with self.gate:
                self.swapping = False
                self.gate.notify_all()

    def swap(self, seconds: float, each: float) -> int:
        """Swap versions until the time is over; how often."""
        count, begin = 0, time.monotonic()
        while time.monotonic() < begin + seconds and not self.stop.is_set():
            count += 1
            self.stop.wait(max(0.0, begin + count * each - time.monotonic()))
            scorer = self.scorers[self.versions[count % 2]]
            self.note(changes := self.swap_to(scorer))
            if changes.version != scorer.model.semantics:
                self.wrong.append("migrate names another version")
        self.stop.set()
        return count

    def compare_all(self) -> int:
        """The net of all that was told is one replay of all that is left; how many moves that is."""
        leads = list(self.leads.values())
        events = [event for one in leads for event in one.events]
        end = max(event["at"] for event in events) + timedelta(days=40)
        self.note(self.ledger.advance(end))
        replayed = self.scorers[self.ledger.model.semantics].replay(events, [one.row for one in leads], until=end)
        must = Counter(tuple(row[name] for name in MARKS) for row in replayed.transitions.to_dicts())
        net: Counter[tuple[Any, ...]] = Counter()
        for (_, lead_id, *rest), count in self.told.items():
            if lead_id not in self.gone:
                net[lead_id, *rest] += count
        net = Counter({key: count for key, count in net.items() if count})
        if net != must:
            some = [*(net - must).items(), *(must - net).items()][:5]
            self.wrong.append(f"the net of all changes differs from one replay: {some}")
        return must.total()


def measure(seconds: float, threads: int, swaps: float, seed: int, url: str | None = None) -> dict[str, Any]:
    """Run it."""
    swapped = Swapped(url)
    workers = [threading.Thread(target=swapped.work, args=(i, seed), daemon=True) for i in range(threads)]
    begin = time.monotonic()
    for worker in workers:
        worker.start()
    count = swapped.swap(seconds, 1 / swaps)
    took = time.monotonic() - begin
    for worker in workers:
        worker.join(60)
        if worker.is_alive():
            swapped.wrong.append(f"{worker.name} does not end")
    moves = 0 if swapped.wrong else swapped.compare_all()
    return {
        "benchmark": "ledger_threads",
        "seconds": round(took, 1),
        "threads": threads,
        "url": url,
        "swaps": count,
        "leads": len(swapped.leads) + len(swapped.gone),
        "forgotten": len(swapped.gone),
        "checked": dict(sorted(swapped.asked.items())),
        "transitions_net": moves,
        "wrong": len(swapped.wrong),
        "wrong_first": swapped.wrong[:5],
        "surroundings": surroundings(),
    }


async def heartbeat(work: Callable[[], Any], every: float = 0.002) -> list[float]:
    """Seconds by which an event loop is late, beat by beat, while ``work`` runs in a thread."""
    lags: list[float] = []
    done = asyncio.ensure_future(asyncio.to_thread(work))
    while not done.done():
        begin = time.perf_counter()
        await asyncio.sleep(every)
        lags.append(time.perf_counter() - begin - every)
    await done
    return lags


def main(arguments: list[str] | None = None) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger_threads", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--swaps", type=float, default=2, help="a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", help="of a store, instead of memory")
    options = parser.parse_args(arguments)
    found = measure(options.minutes * 60, options.threads, options.swaps, options.seed, options.url)
    checked = sum(n for name, n in found["checked"].items() if not name.startswith("by version"))
    print(
        f"{found['threads']} threads, {found['seconds']:,.0f} s, {found['swaps']:,} swaps of the model, "
        f"{found['leads']:,} leads, {found['forgotten']:,} forgotten; {checked:,} answers checked, "
        f"{found['wrong']} wrong; net of all changes: {found['transitions_net']:,} moves, as one replay"
    )
    for wrong in found["wrong_first"]:
        print(f"  {wrong}")
    print(json.dumps(found))
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
