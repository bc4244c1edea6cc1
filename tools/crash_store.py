"""Kill whoever writes to a store, again and again, and compare what is left with a run that nobody disturbed.

    python -m tools.crash_store sqlite --kills 1000
    python -m tools.crash_store sqlite --kills 200 --workers 2
    python -m tools.crash_store postgres --kills 200

Workers take in a list of steps (tables of events, single events, rows of leads, retractions, merges, advances), noting
each when it is done, and begin again some steps before where they were killed, as a queue that delivers at least once.
At every start the checkpoint of the store (clock, end of the feed, events) must be one that the undisturbed run
had between two transactions, else it is torn. At the end all answers, events and the whole feed must be the same: what is
missing is lost, what is there once more is doubled; and all that a worker was ever told must be in the feed once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import leadcore as lc
from leadcore._time import to_micros, to_text
from leadcore.errors import LeadcoreError, StateError
from leadcore.ledger.feed import feed_entries
from leadcore.ledger.stores import keeper
from leadcore.ledger.stores.base import Entry
from leadcore.ledger.stores.keeper import StoreKeeping
from leadcore.ledger.stores.keys import lead_id_of
from leadcore.ledger.stores.rows import kept_requests
from tests.stores.server import Server

Step = tuple[str, Any]
MODEL = """
leadcore: 1
name: crash
attributes: {title: {type: text, optional: true}, size: {type: number, optional: true}}
events: {visit: {points: {type: number, optional: true}}, call: {note: {type: text, optional: true}}}
scores:
  interest:
    criteria:
      - {name: visits, kind: event, on: visit, points: {per: points, rate: 1}, decay: {half_life: 7d}}
      - {name: calls, kind: event, on: call, points: 7, limit: {count: 2, per: day}}
      - {name: boss, kind: attribute, when: {field: title, op: eq, value: CEO}, points: 20}
thresholds: {hot: {score: interest, at: 40, release: 20}}
lifecycle:
  initial: new
  evaluate: {every: 1d}
  stages:
    - {name: new}
    - {name: warm, sla: {due: 2d, alerts: [{after: 1d, notify: [sales]}, {after: 3d, notify: [boss]}]}}
    - {name: cold}
  transitions:
    - {name: keen, from: [new, cold], to: warm, when: {field: score.interest, op: ge, value: 25}}
    - {name: off, from: warm, to: cold, after: 4d}
    - {name: gone, from: [warm, new], to: cold, when: {field: score.interest, op: lt, value: 2}}
"""
SCORER = lc.Scorer(lc.Model.from_yaml(MODEL))
START = datetime(2026, 3, 1, tzinfo=UTC)
END = "2027-06-01"
LEADS, STEPS = 40, 120
AGAIN = 3
"""Steps that a worker takes again at most, when it begins anew."""


class Kept:
    """A ledger of a store, and what is to be seen of it."""

    def __init__(self, url: str, tenant: str) -> None:
        self.ledger = lc.Ledger.open(url, SCORER, late="2d", tenant=tenant)
        keeping = self.ledger._keeping
        assert isinstance(keeping, StoreKeeping)
        self.keeping = keeping

    def take(self, step: Step) -> list[str]:
        """Take a step; what was told, each as text that is in the feed once."""
        what, given = step
        if what == "apply":
            changes = self.ledger.apply(given)
        elif what == "leads":
            changes = self.ledger.apply(leads=given)
        elif what == "add":
            rest = {name: given[name] for name in ("points", "note")}
            changes = self.ledger.add(given["lead_id"], given["at"], given["type"], rest, given["event_id"])
        elif what == "advance":
            changes = self.ledger.advance(given)
        elif what == "retract":
            changes = self.ledger.retract(given)
        else:
            try:
                changes = self.ledger.merge(*given)
            except StateError:
                raise
            except LeadcoreError:
                return []  # they are one already
        return [_text(entry) for entry in feed_entries(changes)]

    def checkpoint(self) -> tuple[int, ...]:
        """Clock, end of the feed and number of events."""
        with self.keeping._read() as reading:
            row = reading.ledger
            sql = "SELECT count(*) FROM leadcore_event AS e JOIN leadcore_lead AS l ON l.number = e.lead WHERE l.ledger = ?"
            return row.clock, row.seq, int(reading._connection.select(sql, row.id)[0][0])  # type: ignore[attr-defined]

    def feed(self) -> list[str]:
        """All that was ever told, as text."""
        return [_text(entry) for entry in self.keeping.changes(0, 10**6)]

    def answers(self) -> Any:
        """What it says of every lead, and every event and row it keeps."""
        scores = self.ledger.score(END, micropoints=True).to_dicts()
        timelines = [str(self.ledger.lead(lead_id)) for lead_id in self.ledger]
        with self.keeping._read() as reading:
            leads = reading.page(b"", 10**6)
            return scores, timelines, [
                (lead.key, lead.records, reading.events(lead), reading.attributes([lead])) for lead in leads
            ]  # fmt: skip

    def batch(self) -> tuple[Any, Any]:
        """What one batch run over all facts that it keeps says: the net of all transitions, and the scores."""
        events, rows, aliases = [], [], []
        with self.keeping._read() as reading:
            until = to_text(reading.ledger.clock)
            for lead in reading.page(b"", 10**6):
                events += [row for row in reading.events(lead) if not row.retracted]
                rows += reading.attributes([lead])
                aliases += [{"lead_id": lead_id_of(key), "same_as": lead_id_of(lead.key)} for key in lead.records]
        (request,) = kept_requests(SCORER.model, events, rows)
        replay = SCORER.replay(request.events, request.leads, until=until, aliases=aliases, sort=True)
        scores = SCORER.score(request.events, request.leads, as_of=until, aliases=aliases, sort=True, micropoints=True)
        return Counter(_move(row) for row in replay.transitions.to_dicts()), scores.to_dicts()

    def net(self) -> tuple[Any, Any]:
        """The same, by the feed and by the ledger."""
        net: Counter[str] = Counter()
        for entry in self.keeping.changes(0, 10**6):
            if entry.kind == "transition":
                row = {**entry.payload, **entry.payload["scores"], "lead_id": entry.lead_id, "at": entry.at}
                net[_move(row)] += 1 if entry.payload["change"] == "new" else -1
        clock = self.ledger.clock
        assert clock is not None
        return +net, self.ledger.score(clock, micropoints=True).to_dicts()

    def close(self) -> None:
        """Let go of it."""
        self.ledger.close()


def _text(entry: Entry) -> str:
    return json.dumps([entry.kind, entry.lead_id, entry.at, entry.payload], sort_keys=True)


def _move(row: dict[str, Any]) -> str:
    names = ("lead_id", "from_stage", "to_stage", "rule", "cause", "event_id", *SCORER.model.scores)
    at = row["at"] if isinstance(row["at"], int) else to_micros(row["at"])
    return json.dumps([at, *(row[name] for name in names)])


Opens = Callable[[str], Kept]
"""A ledger by the name of its place."""


def plan(seed: int, steps: int = STEPS) -> list[Step]:
    """What the workers do, the same for a seed."""
    dice = random.Random(seed)
    now, made, found = START, list[dict[str, Any]](), list[Step]()
    leads = [f"lead-{i}" for i in range(LEADS)]
    free = leads[:]

    def event() -> dict[str, Any]:
        old = dice.random() < 0.1
        at = now - timedelta(seconds=dice.randrange(0, 86_400 * (9 if old else 1)))
        row = {
            "lead_id": dice.choice(leads), "at": at.isoformat(), "type": dice.choice(["visit", "visit", "call"]),
            "points": dice.choice([None, 1.0, 2.5, 40.0]), "note": dice.choice([None, "", "länger\0"]),
            "event_id": f"e{len(made)}",
        }  # fmt: skip
        made.append(row)
        return row

    for _ in range(steps):
        now += timedelta(hours=dice.randrange(1, 30))
        what = dice.random()
        if what < 0.55 or not made:
            rows = [event() for _ in range(dice.randrange(1, 30))]
            found.append(("apply", rows + dice.sample(made, min(len(made), dice.randrange(3)))))
        elif what < 0.68:
            found.append(("add", event()))
        elif what < 0.80:
            found.append(("advance", now.isoformat()))
        elif what < 0.88:
            gone = dice.sample(made, min(len(made), 3))
            found.append(("retract", [{"lead_id": row["lead_id"], "event_id": row["event_id"]} for row in gone]))
        elif what < 0.96 or len(free) < 10:
            since = now.isoformat()  # a row of another instant: taken again later it corrects nothing
            found.append(("leads", [
                {"lead_id": one, "valid_from": since, "title": dice.choice(["CEO", None]), "size": dice.randrange(9)}
                for one in dice.sample(leads, 5)
            ]))  # fmt: skip
        else:
            one, other = dice.sample(free, 2)
            free.remove(one)
            found.append(("merge", (one, other)))
    return [*found, ("advance", (now + timedelta(days=30)).isoformat())]


@dataclass
class Tally:
    """What came out."""

    blows: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    steps: int = 0
    entries: int = 0
    events: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    differing: int = 0

    @property
    def bad(self) -> int:
        """Everything that must not be."""
        return self.lost + self.doubled + self.torn + self.differing

    def __str__(self) -> str:
        blows = ", ".join(f"{n} {what}" for what, n in sorted(self.blows.items()))
        return (
            f"{sum(self.blows.values())} blows ({blows}) in {self.rounds} rounds of {self.steps} steps, {self.events} events, "
            f"{self.entries} entries of the feed, {self.acknowledged} seen by workers: lost {self.lost}, doubled "
            f"{self.doubled}, torn {self.torn}, differing answers {self.differing}"
        )


class Disturber(Protocol):
    """Does harm, between two looks at the workers."""

    def harm(self, workers: list[int], dice: random.Random) -> str | None:
        """Kill something; what it was, None if there was nothing."""
        ...


class KillWorker:
    """Kills one of the workers."""

    def harm(self, workers: list[int], dice: random.Random) -> str:
        """Kill it."""
        os.kill(dice.choice(workers), signal.SIGKILL)
        return "kill -9 of a worker"


def crash_round(
    opens: Opens, place: str, calm_place: str, seed: int, tally: Tally, workers: int = 1, steps: int = STEPS,
    disturber: Disturber | None = None, pause: tuple[float, float] = (0.005, 0.150), most: int = 10**9,
) -> None:  # fmt: skip
    """One list of steps, disturbed until it is through.

    Args:
        opens: Opens the ledger of a place.
        place: Where it is disturbed.
        calm_place: Where it is not.
        seed: Of all dice.
        tally: Takes what comes out.
        workers: How many take the same steps at a time.
        steps: How many there are.
        disturber: What happens to them; by default one of them is killed.
        pause: Seconds from one blow to the next, at least and at most.
        most: Blows at most.
    """
    dice, todo = random.Random(seed), plan(seed, steps)
    calm = opens(calm_place)
    between = {calm.checkpoint()}
    with watched(calm, between):
        for step in todo:
            calm.take(step)
    expected, answers = calm.feed(), calm.answers()
    calm.close()
    disturber, blows = disturber or KillWorker(), 0
    with tempfile.TemporaryDirectory() as folder:
        notes = [Path(folder) / f"worker-{i}" for i in range(workers)]
        running: dict[int, Path] = {}
        waiting = list(notes)
        while running or waiting:
            if waiting:
                tally.torn += _checkpoint(opens, place) not in between
            running |= {_worker(opens, place, todo, path, dice.randrange(AGAIN + 1)): path for path in waiting}
            waiting = []
            time.sleep(dice.uniform(*pause))
            if blows < most and (what := disturber.harm(list(running), dice)) is not None:
                tally.blows[what] += 1
                blows += 1
            for pid in [pid for pid in running if _ended(pid, blows >= most)]:
                path = running.pop(pid)
                if f"done {len(todo)}" not in _lines(path):
                    waiting.append(path)
        left = opens(place)
        _compare(tally, expected, left.feed(), Counter(text for path in notes for text in _seen(path)))
        tally.differing += left.answers() != answers
        tally.differing += left.net() != left.batch()
        tally.torn += left.checkpoint() not in between
        tally.events += left.checkpoint()[2]
        left.close()
    tally.rounds += 1
    tally.steps += len(todo)


def _compare(tally: Tally, expected: list[str], found: list[str], seen: Counter[str]) -> None:
    want, have = Counter(expected), Counter(found)
    tally.entries += len(found)
    tally.lost += sum((want - have).values())
    tally.doubled += sum((have - want).values())
    tally.differing += want == have and expected != found
    tally.acknowledged += sum(seen.values())
    tally.lost += sum((seen - have).values())


def _worker(opens: Opens, url: str, todo: list[Step], path: Path, again: int) -> int:
    """A process of its own that takes the steps; its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        return pid
    try:
        done = [int(line.split()[1]) for line in _lines(path) if line.startswith("done ")]
        _work(opens, url, todo, path, max(0, (done[-1] if done else 0) - again))
        os._exit(0)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)


def _work(opens: Opens, url: str, todo: list[Step], path: Path, first: int) -> None:
    with path.open("ab", buffering=0) as notes:
        kept: Kept | None = None
        for place in range(first, len(todo)):
            for _ in range(3000):
                try:
                    kept = kept or opens(url)
                    told = kept.take(todo[place])
                    break
                except StateError:  # the database was killed: until it is there again
                    time.sleep(0.01)
            else:
                raise SystemExit("the database did not come back")
            notes.write(f"\ntold {json.dumps(told)}\ndone {place + 1}\n".encode())


def _lines(path: Path) -> list[str]:
    """Whole lines: the last may be cut."""
    return path.read_text().split("\n")[:-1] if path.exists() else []


def _seen(path: Path) -> Iterator[str]:
    for line in _lines(path):
        if line.startswith("told "):
            with contextlib.suppress(ValueError):
                yield from json.loads(line[5:])


def _ended(pid: int, wait: bool) -> bool:
    found, status = os.waitpid(pid, 0 if wait else os.WNOHANG)
    if found and os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a worker failed by itself")
    return found != 0


def _checkpoint(opens: Opens, url: str) -> tuple[int, ...]:
    for _ in range(3000):
        try:
            kept = opens(url)
            try:
                return kept.checkpoint()
            finally:
                kept.close()
        except StateError:
            time.sleep(0.01)
    raise SystemExit("the database did not come back")


@contextlib.contextmanager
def watched(kept: Kept, between: set[tuple[int, ...]]) -> Iterator[None]:
    """Note the checkpoint after every transaction."""
    from leadcore.ledger.stores.sql import SqlStore

    write = SqlStore.write

    @contextlib.contextmanager
    def noted(self: SqlStore, ledger: int) -> Iterator[Any]:
        with write(self, ledger) as writing:
            yield writing
        between.add(kept.checkpoint())

    SqlStore.write = noted  # type: ignore[method-assign]
    try:
        yield
    finally:
        SqlStore.write = write  # type: ignore[method-assign]


def sqlite_rounds(seed: int, tally: Tally, enough: Callable[[], bool], **more: Any) -> None:
    """Rounds in files of their own."""
    while not enough():
        with tempfile.TemporaryDirectory() as folder:

            def opens(place: str, folder: str = folder) -> Kept:
                return Kept(f"sqlite:///{folder}/{place}.db?timeout=60", "crash")

            crash_round(opens, "killed", "calm", seed + tally.rounds, tally, **more)
            _check_sqlite(f"{folder}/killed.db", tally)


def _check_sqlite(path: str, tally: Tally) -> None:
    with contextlib.closing(sqlite3.connect(path)) as raw:
        tally.torn += raw.execute("PRAGMA integrity_check").fetchall() != [("ok",)]
        tally.torn += raw.execute("PRAGMA foreign_key_check").fetchall() != []


class HarmServer:
    """Kills a worker, ends or kills the server's process that serves one, or restarts the server as after a crash."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def harm(self, workers: list[int], dice: random.Random) -> str | None:
        """Do one of them."""
        what = dice.random()
        if what < 0.6:
            return KillWorker().harm(workers, dice)
        if what < 0.75:
            return self._server.terminate(dice)
        if what < 0.9:
            return self._server.kill(dice)
        self._server.restart()
        return "immediate restart"


def postgres_rounds(seed: int, tally: Tally, enough: Callable[[], bool], server: Server, **more: Any) -> None:
    """Rounds of tenants of one server."""
    while not enough():
        number = seed + tally.rounds

        def opens(place: str, number: int = number) -> Kept:
            return Kept(server.url, f"{place}-{number}")

        crash_round(opens, "killed", "calm", number, tally, disturber=HarmServer(server), pause=(0.01, 0.4), **more)


def main() -> int:
    """Run until there were kills enough."""
    parser = argparse.ArgumentParser(description="Kill whoever writes to a store, and compare.")
    parser.add_argument("store", choices=["sqlite", "postgres"])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--steps", type=int, default=STEPS)
    given = parser.parse_args()
    tally, began = Tally(), time.monotonic()

    def enough() -> bool:
        print(f"{time.monotonic() - began:.0f} s: {tally}", flush=True)
        return sum(tally.blows.values()) >= given.kills

    keeper.AT_ONCE = 7  # an advance goes in several parts
    more = {"workers": given.workers, "steps": given.steps}
    if given.store == "sqlite":
        sqlite_rounds(given.seed, tally, enough, **more)
    else:
        server = Server()
        try:
            postgres_rounds(given.seed, tally, enough, server, **more)
        finally:
            server.stop()
    return int(tally.bad > 0)


if __name__ == "__main__":
    sys.exit(main())
