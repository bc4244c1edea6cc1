"""One run: tables in, every asked lead scored (spec 1 to 6)."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from leadcore import _kernel
from leadcore._aliases import canonical_codes
from leadcore._arrow import ArrowStream, Encoder, Program, Table
from leadcore._inputs import Names, data_errors
from leadcore._plan import Plan
from leadcore.errors import DataError, Problem

Codes = npt.NDArray[np.uint32]
Ints = npt.NDArray[np.int64]

MOST_THREADS = 64
WORTH_THREADS = 100_000
"""Records from which on more than one thread is used."""
_PULSE = 0.05
"""Seconds after which a wait for threads lets signals be handled."""
_BEFORE_ALL = -(2**63)

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """What a caller asked for, brought into one form; enough to run it again."""

    events: ArrowStream | None
    leads: ArrowStream | None
    aliases: ArrowStream | None
    names: Names
    instant: int | None
    """The one instant, or None with ``column`` or ``asks``."""
    column: str | None
    asks: ArrowStream | None
    unknown_leads: str
    reject: bool
    sort: bool
    threads: int | None
    """None: as many as the process may use, one for a small run."""
    progress: Callable[[int], None] | None = None
    start: ArrowStream | None = None
    """Leads adopted with a stage, for a replay."""


@dataclass
class Asks:
    """Who is asked when: one entry per row of the result."""

    lead: Codes
    at: Ints
    attributes: Codes
    account: Codes | None


@dataclass
class Answers:
    """What the kernel wrote, one row per ask."""

    scores: Ints
    grades: npt.NDArray[np.int32]
    rating: npt.NDArray[np.int32]
    label: npt.NDArray[np.int32]
    lines: Ints
    wrapped: bool = False
    """Whether a line did not fit its one word."""


@dataclass
class Counts:
    """Where every row went (spec 12: rows in = used + ignored + rejected).

    Attributes:
        leads: Rows of the leads table.
        events: Rows of the events table.
        ignored: Rows of undeclared types, by type (spec 2.6).
        later: Rows after the last instant asked; they are used, and count for nothing yet (spec 1.4).
        rejected: Rows rejected, by table.
        unknown_leads: Leads known only from events that were left out.
        overflow: By criterion, events beyond 65,536 distinct values of ``unique_by`` in one lead (spec 4.6).
    """

    leads: int = 0
    events: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    later: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    unknown_leads: int = 0
    overflow: dict[str, int] = field(default_factory=dict)

    @property
    def used(self) -> int:
        """Rows of both tables that took part."""
        rejected = self.rejected.get("leads", 0) + self.rejected.get("events", 0)
        return self.leads + self.events - sum(self.ignored.values()) - rejected


class Reading:
    """The tables of a request, read: ids as codes, events in a store, attributes as hit sets."""

    def __init__(self, plan: Plan, program: Program, request: Request, rows: bool = False, idle: bool = False) -> None:
        """Read everything.

        ``rows`` keeps row numbers, for `shares` of an explanation; ``idle`` keeps events that do nothing to a score,
        for a replay, to which every event is an evaluation.

        Raises:
            DataError: A table is faulty.
        """
        self.plan, self.request = plan, request
        self.threads = min(request.threads or default_threads(), MOST_THREADS)
        self.encoder = Encoder(program, request.reject, threads=self.threads)
        self._further: list[tuple[Problem, int]] = []
        self._read_leads()
        known = self.encoder.lead_count
        self._read_asks()
        self._read_start()
        self._read_aliases()
        # Codes from `known` on are watched for their first event; all are, where a lead's own row may be no lead.
        self._read_events(0 if request.reject or self.alias is not None else known, rows, idle)

    def _read_leads(self) -> None:
        request = self.request
        self.rows: dict[str, npt.NDArray[Any]] = {}
        if request.leads is not None:
            with data_errors("leads"):
                self.rows = self.encoder.read_leads(request.leads, request.names.leads, request.column)
        elif request.column is not None:
            raise DataError(
                [Problem("leads", None, request.column, None, "is wanted by as_of, but there is no leads table")]
            )

    def _read_aliases(self) -> None:
        self.alias: Codes | None = None
        if self.request.aliases is None:
            return
        with data_errors("aliases"):
            pairs = self.encoder.read_pairs(self.request.aliases, "aliases", {}, ["lead_id", "same_as"], [])
        self.alias = canonical_codes(pairs["lead_id"], pairs["same_as"], self.encoder.lead_count, self.id_of)

    def _read_asks(self) -> None:
        self.pairs: dict[str, npt.NDArray[Any]] | None = None
        if self.request.asks is not None:
            with data_errors("as_of"):
                self.pairs = self.encoder.read_pairs(self.request.asks, "as_of", {}, ["lead_id"], ["as_of"])

    def _read_start(self) -> None:
        self.start: dict[str, npt.NDArray[Any]] = {}
        self.start_rows: Ints = np.empty(0, np.int64)
        if self.request.start is not None:
            with data_errors("start"):
                self.start = self.encoder.read_pairs(self.request.start, "start", {}, ["lead_id"], ["entered_at"])
            rejected = {fault["row"] for fault in self.encoder.rejects().to_dicts() if fault["table"] == "start"}
            rows = self.encoder.counts()["rows"]["start"]
            self.start_rows = np.array([row for row in range(rows) if row not in rejected], np.int64)

    def _horizon(self) -> int:
        if self.request.instant is not None:
            return self.request.instant
        instants = self.pairs["as_of"] if self.pairs is not None else self.rows["as_of"]
        return int(instants.max()) if len(instants) else _BEFORE_ALL

    def _read_events(self, known: int, rows: bool, idle: bool) -> None:
        plan, request, encoder = self.plan, self.request, self.encoder
        identities = contents = False
        if request.events is not None:
            with data_errors("events"):
                identities, contents = encoder.open_events(request.events, request.names.events)
        self.repeats = contents
        self.store = _kernel.Store(
            bits=8 if encoder.lead_count > 4096 or encoder.lead_count == 0 else 2,
            identities=identities,
            row=rows or contents,
            codes=plan.codes,
            numbers=plan.numbers,
            horizon=self._horizon(),
            known=known,
            keep_idle=idle or contents,
            keep_later=contents,
            alias=self.alias,
        )
        if request.events is not None:
            self._push_blocks(identities, contents)
        self.ranks, self.first_id = encoder.identity_ranks() if identities else (np.empty(0, np.uint32), 0)

    def _push_blocks(self, identities: bool, contents: bool) -> None:
        """Rows cross in blocks through arrays that are used again and again; a fault ends the run, nothing else.

        Of more than one block, one is pushed while the next is read.
        """
        n = _kernel.BLOCK

        def block() -> tuple[Any, ...]:
            return (
                np.empty(n, np.uint32), np.empty(n, np.int64), np.empty(n, np.uint32), np.empty(n, np.int64),
                np.empty(n if identities else 0, np.uint32), np.empty(n if contents else 0, np.uint32),
                np.empty((self.plan.codes, n), np.uint32), np.empty((self.plan.numbers, n), np.float64),
            )  # fmt: skip

        here, other = block(), block()
        done = count = self._next_block(here)
        if count < n or self.threads == 1:
            while count:
                self.store.push(count, *here)
                self._progress(done)
                count = self._next_block(here)
                done += count
            return
        with ThreadPoolExecutor(1, thread_name_prefix="leadcore") as pool:
            while count:
                pushing = pool.submit(self.store.push, count, *here)
                here, other = other, here
                count = self._next_block(here)
                pushing.result()
                self._progress(done)
                done += count

    def _next_block(self, block: tuple[Any, ...]) -> int:
        with data_errors("events"):
            return self.encoder.next_block(*block)

    def _progress(self, done: int) -> None:
        if self.request.progress is not None:
            self.request.progress(done)

    def id_of(self, code: int) -> Any:
        """The lead id of a code."""
        return self.encoder.ids(np.array([code], np.uint32)).row(0)["lead_id"]

    @property
    def lead_count(self) -> int:
        """How many lead codes there are."""
        return self.encoder.lead_count

    # who is asked when

    def asks(self) -> tuple[Asks, int]:
        """Rows of the result, and how many leads known only from events were left out (spec 2.6, 12)."""
        count = self.lead_count
        code = self.canonical(self.rows.get("code", np.empty(0, np.uint32)))
        listed = np.zeros(count, bool)
        listed[code] = True
        if self.pairs is not None:
            lead, at = self.canonical(self.pairs["lead_id"]), self.pairs["as_of"]
            known = listed[lead]
            left_out = self._unknown(np.unique(lead[~known]))
            if self.request.unknown_leads == "ignore":
                lead, at = lead[known], at[known]
        else:
            lead, left_out = self.population(code, np.empty(0, np.uint32))
            at = self._instants(lead, code)
        if self.request.sort:
            order = np.lexsort((at, self.encoder.id_ranks()[lead]))
            lead, at = lead[order], at[order]
        attributes, account = self.in_force(lead, at, code)
        return Asks(lead, at, attributes, account), left_out

    def population(self, code: Codes, adopted: Codes) -> tuple[Codes, int]:
        """Leads in the order of a result, and how many were left out (spec 2.6, 12).

        Those of the leads table, whose rows are of ``code``; then by id those ``adopted`` with a stage and those known
        only from events.
        """
        count = self.lead_count
        listed = np.zeros(count, bool)
        listed[code] = True
        first = np.unique(code, return_index=True)[1] if len(code) else np.empty(0, np.int64)
        others = np.zeros(count, bool)
        left_out = 0
        if self.request.instant is not None:
            others = self.store.first_seen(count) <= self.request.instant
            if self.request.unknown_leads == "score":  # a lead of rejected rows alone still says how many
                others[self.canonical(self._rejected_leads()[0])] = True
            others[code] = False
            others[adopted] = False
            left_out = self._unknown(np.flatnonzero(others).astype(np.uint32))
            if self.request.unknown_leads == "ignore":
                others[:] = False
        others[adopted] = ~listed[adopted]
        rest = np.flatnonzero(others).astype(np.uint32)
        if len(rest):
            rest = rest[np.argsort(self.encoder.id_ranks()[rest])]
        return np.concatenate([code[np.sort(first)], rest]), left_out

    def canonical(self, codes: Codes) -> Codes:
        """The codes these stand for (spec 2.8); codes that came after the aliases stand for themselves."""
        if self.alias is None or not len(self.alias):
            return codes
        return np.where(codes < len(self.alias), self.alias[np.minimum(codes, len(self.alias) - 1)], codes)

    def _unknown(self, codes: Codes) -> int:
        """Leads not in the leads table: refuse them, or count those left out (spec 2.6)."""
        if self.request.unknown_leads == "error" and len(codes):
            table = "events" if self.pairs is None else "as_of"
            problems = [
                Problem(table, None, "lead_id", str(self.id_of(c)), "is not in the leads table") for c in codes[:100]
            ]
            raise DataError(problems, len(codes))
        return len(codes) if self.request.unknown_leads == "ignore" else 0

    def _instants(self, lead: Codes, code: Codes) -> Ints:
        """The instant of each lead: the same for all, or that of its rows."""
        if self.request.instant is not None:
            return np.full(len(lead), self.request.instant, np.int64)
        given = np.empty(self.lead_count, np.int64)
        given[code] = self.rows["as_of"]
        differ = np.flatnonzero(given[code] != self.rows["as_of"])
        if len(differ):
            row = int(differ[0])
            reason = "has rows with different instants; give as_of as a table (lead_id, as_of) instead"
            raise DataError([Problem("leads", row, self.request.column, str(self.id_of(code[row])), reason)])
        return given[lead]

    def in_force(self, lead: Codes, at: Ints, code: Codes) -> tuple[Codes, Codes | None]:
        """Hit set of the attributes in force at each ask, and its account (spec 2.1, 2.8)."""
        row = self._row_in_force(lead, at, code)
        hits = np.append(self.rows.get("hits", np.empty(0, np.uint32)), np.uint32(0))
        account = self.rows.get("account")
        return hits[row], None if account is None else np.append(account, np.uint32(0))[row]

    def _row_in_force(self, lead: Codes, at: Ints, code: Codes) -> Ints:
        """Index of the leads row in force at each ask, -1 where there is none."""
        rows = self._by_preference(code)
        if "valid_from" not in self.rows:
            place = np.full(self.lead_count, -1, np.int64)
            place[code[rows]] = rows
            return place[lead]
        valid_from = self.rows["valid_from"][rows]
        who = np.concatenate([code[rows], lead])
        when = np.concatenate([valid_from, at])
        is_ask = np.concatenate([np.zeros(len(rows), bool), np.ones(len(lead), bool)])
        order = np.lexsort((is_ask, when, who))
        last = np.maximum.accumulate(np.where(is_ask[order], -1, np.arange(len(order))))
        candidate = np.where(last >= 0, order[np.maximum(last, 0)], 0)
        fits = (last >= 0) & (who[candidate] == who[order])
        found = np.full(len(order), -1, np.int64)
        found[order] = np.where(fits, np.append(rows, -1)[np.minimum(candidate, len(rows))], -1)
        return found[len(rows) :]

    def _by_preference(self, code: Codes) -> Ints:
        """Rows of leads, those that win over others of the same instant last: that of `same_as`, then the lowest id."""
        if self.alias is None:
            return np.arange(len(code))
        own = self.rows.get("code", code)
        preference = np.where(own == code, -1, self.encoder.id_ranks()[own].astype(np.int64))
        return np.argsort(-preference, kind="stable")

    def timelines(self, code: Codes) -> tuple[Ints, Ints, Codes]:
        """Every lead's attributes over time: where its rows begin, since when each is in force, its hit set (spec 2.1, 2.8)."""
        rows = self._by_preference(code)
        since = self.rows.get("valid_from", np.full(len(code), _BEFORE_ALL, np.int64))[rows]
        rows = rows[np.lexsort((since, code[rows]))]  # stable: the winner of one instant comes last
        since = self.rows.get("valid_from", np.full(len(code), _BEFORE_ALL, np.int64))[rows]
        who = code[rows]
        last = np.ones(len(rows), bool)
        last[:-1] = (who[1:] != who[:-1]) | (since[1:] != since[:-1])
        rows, since, who = rows[last], since[last], who[last]
        starts = np.zeros(self.lead_count + 1, np.int64)
        np.cumsum(np.bincount(who, minlength=self.lead_count), out=starts[1:])
        return starts, np.ascontiguousarray(since), self.rows.get("hits", np.empty(0, np.uint32))[rows]

    # scoring

    def hit_sets(self, kernel_plan: _kernel.Plan) -> tuple[_kernel.Sets, _kernel.Sets]:
        """Hit sets spelled out, of events and of leads."""
        events = _kernel.Sets.of_events(kernel_plan, *self.encoder.hit_sets())
        return events, _kernel.Sets.of_leads(kernel_plan, *self.encoder.lead_hit_sets())

    def counts(self, left_out: int, overflow: dict[str, int]) -> Counts:
        """Where every row went."""
        counted = self.encoder.counts()
        rejected = Counter(counted["rejected"])
        rejected.update(problem.table for problem, _ in self._further)
        return Counts(
            leads=counted["rows"].get("leads", 0),
            events=counted["rows"].get("events", 0),
            ignored=counted["ignored"],
            later=self.store.later,
            rejected=dict(rejected),
            unknown_leads=left_out,
            overflow=overflow,
        )

    def rejected_rows(self, lead: Codes) -> Ints:
        """How many rejected rows concern each of these leads (spec 12)."""
        rejected = np.zeros(self.lead_count, np.int64)
        faulty, rows = self._rejected_leads()
        np.add.at(rejected, self.canonical(faulty), rows)
        return rejected[lead]

    def reject(self, problem: Problem, lead: int) -> None:
        """Add a row of ``start`` to the rejects: for faults that the edge does not look for."""
        self._further.append((problem, lead))

    def rejects(self) -> Table:
        """Every rejected row and column: ``table``, ``row``, ``column``, ``value``, ``reason``."""
        found = self.encoder.rejects()
        if not self._further:
            return found
        rows = [*found.to_dicts(), *(asdict(problem) for problem, _ in self._further)]
        number = np.array([0 if row["row"] is None else row["row"] for row in rows], np.int64)
        texts = {name: ("text", [row[name] for row in rows]) for name in ("table", "column", "value", "reason")}
        known = np.array([row["row"] is not None for row in rows], bool)
        return Table.build([(name, texts.get(name, ("nullable", number, known))) for name in found.column_names])

    def _rejected_leads(self) -> tuple[Codes, Ints]:
        """Lead codes with rejected rows, and how many rows each."""
        faulty, rows = self.encoder.rejected_leads()
        further = np.array([lead for _, lead in self._further], np.uint32)
        return np.concatenate([faulty, further]), np.concatenate([rows, np.ones(len(further), np.int64)])

    def repeated(self, faults: Sequence[tuple[int, int, int]]) -> None:
        """Refuse, or reject, rows that repeat an ``event_id`` and differ (spec 2.5)."""
        if not faults:
            return
        reason = "repeats an event_id of its lead with another instant, type or property than row {}"
        column = self.request.names.events.get("event_id", "event_id")
        if not self.request.reject:
            problems = [Problem("events", b, column, None, reason.format(a)) for _, a, b in sorted(faults)]
            raise DataError(problems, len(problems))
        others = {b: (code, a) for code, a, b in faults}
        others |= {a: (code, b) for code, a, b in sorted(faults, reverse=True)}
        for row, (code, other) in sorted(others.items()):
            self.encoder.reject_row(row, column, None, reason.format(other), code)


def run(
    plan: Plan, kernel_plan: _kernel.Plan, reading: Reading, asks: Asks, line_words: int
) -> tuple[Answers, dict[str, int]]:
    """Score every ask, partition by partition, in threads.

    ``line_words`` is how many words a line of the explanation takes: 0 for none; 1; 2 for low and high words, which
    always fit.

    Returns:
        The answers, and the overflow of ``unique_by`` by criterion.
    """
    count = len(asks.lead)
    threads = threads_of(reading)
    answers = Answers(
        np.empty((count, len(plan.scores)), np.int64),
        np.empty((count, len(plan.scores) if plan.grades else 0), np.int32),
        np.empty(count if plan.ratings else 0, np.int32),
        np.empty(count if plan.labels else 0, np.int32),
        np.empty((count, line_words * plan.tables["lines_size"]), np.int64),
    )
    leads = reading.lead_count
    starts = np.zeros(leads + 1, np.int64)
    np.cumsum(np.bincount(asks.lead, minlength=leads), out=starts[1:])
    ascending = count < 2 or bool((np.diff(asks.lead.astype(np.int64)) > 0).all())
    order = np.arange(count) if ascending else np.lexsort((asks.at, asks.lead))
    sets = reading.hit_sets(kernel_plan)
    store = reading.store
    partitions = deque(range(store.partitions))

    def work() -> tuple[list[tuple[int, int, int]], Ints]:
        worker, faults = _kernel.Worker(kernel_plan), list[tuple[int, int, int]]()
        for partition in taken(partitions):
            faults.extend(
                worker.run(
                    store, partition, leads, *sets, reading.ranks, reading.first_id, reading.repeats, starts, order,
                    asks.at, asks.attributes, answers.scores, answers.grades, answers.rating, answers.label, answers.lines,
                )
            )  # fmt: skip
            answers.wrapped |= worker.wrapped
        return faults, worker.overflow()

    # Stopped, nobody takes another: an interrupt is answered after the partitions at hand.
    parts = [work()] if threads == 1 else in_threads(threads, work, partitions.clear)
    reading.repeated([fault for faults, _ in parts for fault in faults])
    overflow: Ints = np.stack([counted for _, counted in parts]).sum(axis=0)
    return answers, {name: int(n) for name, n in zip(plan.folds, overflow, strict=True) if n}


def threads_of(reading: Reading) -> int:
    """How many threads a run uses."""
    threads = reading.request.threads or (default_threads() if reading.store.kept >= WORTH_THREADS else 1)
    return min(threads, reading.store.partitions, MOST_THREADS)


def taken(partitions: deque[T]) -> Iterator[T]:
    """Partitions, one after the other; of all threads whoever is free takes the next, also without the GIL."""
    while True:
        try:
            yield partitions.popleft()
        except IndexError:
            return


def in_threads(threads: int, work: Callable[[], T], stop: Callable[[], None]) -> list[T]:
    """What ``work`` gives in each of so many threads; an interrupt or a fault makes ``stop`` end the others.

    The wait goes in pulses: a signal wakes no thread that waits where somebody's handler restarts system calls, as the
    one does that polars installs when it is imported, and Python's own handler runs only when the main thread does.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="leadcore") as pool:
        try:
            futures = [pool.submit(work) for _ in range(threads)]
            waiting = True
            while waiting:
                ended, running = wait(futures, _PULSE, FIRST_EXCEPTION)
                for future in ended:
                    future.result()
                waiting = bool(running)
            return [future.result() for future in futures]
        except BaseException:
            stop()
            raise


def default_threads() -> int:
    """Processors this process may use, by affinity and by its cgroup's quota."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            count = min(count, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return count


__all__ = [
    "Answers",
    "Asks",
    "Counts",
    "Reading",
    "Request",
    "default_threads",
    "in_threads",
    "run",
    "taken",
    "threads_of",
]
