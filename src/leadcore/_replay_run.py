"""One replay: tables in, every lead taken through its stages (spec 8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from leadcore import _kernel
from leadcore._arrow import ArrowStream, Program, Table
from leadcore._inputs import data_errors
from leadcore._plan import Plan, plan_model
from leadcore._plan.zones import grid_pieces
from leadcore._replay_log import Changes, Codes, Ints, Moves, ReplayLog, Small
from leadcore._run import Reading, Request, in_threads, taken, threads_of
from leadcore.errors import DataError, Fault, ModelError, Problem
from leadcore.model import Model
from leadcore.model.lifecycle import Lifecycle
from leadcore.model.path import meant

_NEVER = 2**63 - 1
_SINCE_EVER = -(2**63)
MOST_MOVES = 10**6
"""Transitions per lead and run (spec 11)."""


@dataclass(frozen=True)
class Compiled:
    """A model compiled for replay.

    Attributes:
        model: The model, with a lifecycle.
        plan: Its plan, lifecycle included.
        kernel: The kernel's view of it.
        program: The edge's rules; events of one lead at one instant come in no order.
        ordered: The same with their canonical order, which costs time and memory (spec 2.4).
    """

    model: Model
    plan: Plan
    kernel: _kernel.Plan
    program: Program
    ordered: Program

    @property
    def lifecycle(self) -> Lifecycle:
        """The model's lifecycle."""
        if self.model.lifecycle is None:
            raise TypeError("a model compiled for replay has a lifecycle")
        return self.model.lifecycle


def compile_replay(model: Model) -> Compiled:
    """Compile a checked model with its lifecycle.

    Raises:
        ModelError: All its patterns together are too large.
    """
    plan = plan_model(model, replay=True)
    programs = []
    for program in (plan.program, plan.ordered_program):
        try:
            programs.append(Program(program))
        except ValueError as error:
            raise ModelError([Fault("", str(error))]) from None
    return Compiled(model, plan, _kernel.Plan(plan.tables), *programs)


def run_replay(compiled: Compiled, request: Request, changes: bool) -> tuple[Reading, ReplayLog, int, dict[str, int]]:
    """Replay every lead.

    Events of one lead at one instant are rare, and then mostly alike. So their canonical order is worked out only where
    it matters: in a second reading, or in the first where a table may be one that is read only once: it has no length.

    Returns:
        What was read, what happened, how many leads known only from events were left out, and by criterion the events
        beyond 65,536 values of ``unique_by``.

    Raises:
        DataError: A table is faulty, or a lead makes too many transitions.
    """
    tables = (request.events, request.leads, request.aliases)
    again = all(table is None or rereadable(table) for table in tables)
    for program in (compiled.program, compiled.ordered) if again else (compiled.ordered,):
        reading = Reading(compiled.plan, program, request, idle=True)
        result = _Run(compiled, reading, changes).result()
        if result is not None:
            return reading, *result
    raise AssertionError("canonical order left two events of one instant in no order")


class _Run:
    """One reading's replay."""

    def __init__(self, compiled: Compiled, reading: Reading, changes: bool) -> None:
        self.compiled, self.reading, self.changes = compiled, reading, changes
        if reading.request.instant is None:
            raise TypeError("a replay ends at one instant")
        self.end = reading.request.instant

    def result(self) -> tuple[ReplayLog, int, dict[str, int]] | None:
        """What happened; None where the order of events at one instant would have to be known."""
        reading, plan = self.reading, self.compiled.plan
        code = reading.canonical(reading.rows.get("code", np.empty(0, np.uint32)))
        count = reading.lead_count
        born, begins = self._births(code)
        adopted = np.flatnonzero(begins >= 0).astype(np.uint32)
        lead, left_out = reading.population(code, adopted)
        if reading.request.sort:
            lead = lead[np.argsort(reading.encoder.id_ranks()[lead])]
        place = np.full(count, -1, np.int64)
        place[lead] = np.arange(len(lead))
        stage, entered = np.full(len(lead), -2, np.int32), np.zeros(len(lead), np.int64)
        scores = np.zeros((len(lead), len(plan.scores)), np.int64)
        thresholds = np.zeros((len(lead), len(self.compiled.model.thresholds)), np.uint8)
        sets = reading.hit_sets(self.compiled.kernel)
        rows, since, says = reading.timelines(code)
        store = reading.store
        partitions = deque(range(store.partitions))
        halt = np.zeros(1, np.int32)
        grid, every = self._grid(born)

        def work() -> tuple[Any, list[tuple[int, int, int]], bool]:
            worker = _kernel.Replayer(self.compiled.kernel, grid, every, self.changes, halt)
            faults: list[tuple[int, int, int]] = []
            for partition in taken(partitions):
                found, ambiguous, circling = worker.run(
                    store, partition, count, *sets, reading.ranks, reading.first_id, reading.repeats, self.end, place,
                    born, begins, rows, since, says, stage, entered, scores, thresholds,
                )  # fmt: skip
                faults += found
                if circling is not None:
                    raise DataError([self._circling(*circling)])
                if ambiguous:
                    return worker, faults, True
            return worker, faults, False

        def stop() -> None:
            halt[0] = 1

        parts = in_threads(threads_of(reading), work, stop)
        if any(ambiguous for _, _, ambiguous in parts):
            return None
        reading.repeated([fault for _, faults, _ in parts for fault in faults])
        workers = [worker for worker, _, _ in parts]
        overflow = np.stack([worker.overflow() for worker in workers]).sum(axis=0)
        counted = {name: int(n) for name, n in zip(plan.folds, overflow, strict=True) if n}
        here = stage != -2
        shift = np.cumsum(here) - 1  # leads born after the end have no place in the result
        counts = [worker.counts() for worker in workers]
        log = ReplayLog(
            lead=lead[here],
            stage=stage[here],
            entered=entered[here],
            scores=scores[here],
            thresholds=thresholds[here],
            moves=_moves([worker.moves() for worker in workers], shift),
            changes=_changes([worker.changes() for worker in workers], shift) if self.changes else None,
            loop_stops=np.stack([passed for passed, _, _ in counts]).sum(axis=0),
            manual_current=sum(current for _, current, _ in counts),
            manual_unknown=sum(unknown for _, _, unknown in counts),
        )
        return log, left_out, counted

    def _births(self, code: Codes) -> tuple[Ints, Small]:
        """When each lead is born at the latest, and into which stage a lead of ``start`` is (spec 8.3)."""
        reading = self.reading
        born = np.full(reading.lead_count, _NEVER, np.int64)
        if "created_at" in reading.rows:
            np.minimum.at(born, code, reading.rows["created_at"])
        if "valid_from" in reading.rows:
            since = reading.rows["valid_from"]
            np.minimum.at(born, code, np.where(since == _SINCE_EVER, _NEVER, since))
        begins = np.full(reading.lead_count, -1, np.int32)
        if reading.start:
            self._adopt(born, begins)
        return born, begins

    def _adopt(self, born: Ints, begins: Small) -> None:
        """Put the leads of ``start`` where they are."""
        reading = self.reading
        names = {stage.name: i for i, stage in enumerate(self.compiled.lifecycle.stages)}
        with data_errors("start"):
            stages = _stage_column(reading.request.start)
        lead = reading.canonical(reading.start["lead_id"])
        near = cache(lambda name: meant(name, names))
        problems: list[tuple[Problem, int]] = []
        seen: dict[int, int] = {}
        for row, who, at in zip(reading.start_rows.tolist(), lead.tolist(), reading.start["entered_at"], strict=True):
            name = stages[row]
            if not isinstance(name, str) or name not in names:
                problems.append((_no_stage(row, name, near), who))
            elif who in seen:
                reason = f"is in row {seen[who]} already: a lead starts in one stage"
                problems.append((Problem("start", row, "lead_id", str(reading.id_of(who)), reason), who))
            else:
                seen[who] = row
                born[who], begins[who] = at, names[name]
        if problems and not reading.request.reject:
            raise DataError([problem for problem, _ in problems[:100]], len(problems))
        for problem, who in problems:
            reading.reject(problem, who)

    def _grid(self, born: Ints) -> tuple[Any, int]:
        """The grid of the run, from the first birth to the end (spec 8.6)."""
        evaluate = self.compiled.lifecycle.evaluate
        store = self.reading.store
        if evaluate is None:
            return np.empty(0, _kernel.DTYPES["piece"]), 0
        first = min(int(born.min(initial=_NEVER)), store.earliest)
        pieces = grid_pieces(self.compiled.model.timezone, int(evaluate.every), first, self.end)
        rows = np.zeros(len(pieces), _kernel.DTYPES["piece"])
        rows["start"], rows["stop"], rows["residue"] = pieces[:, 0], pieces[:, 1], pieces[:, 2]
        return rows, int(evaluate.every)

    def _circling(self, code: int, newest: list[int]) -> Problem:
        names = [stage.name for stage in self.compiled.lifecycle.stages]
        circle = list(dict.fromkeys(names[stage] for stage in newest))
        reason = f"makes more than {MOST_MOVES:,} transitions; it circles " + " -> ".join(reversed(circle))
        return Problem("events", None, "lead_id", str(self.reading.id_of(code)), reason)


def _no_stage(row: int, found: Any, near: Callable[[str], str | None]) -> Problem:
    """Say what is wrong with a stage of ``start``."""
    if found is None:
        return Problem("start", row, "stage", None, "is null")
    if not isinstance(found, str):
        return Problem("start", row, "stage", str(found)[:32], "is not text")
    hint = near(found)
    return Problem("start", row, "stage", found[:32], "is no stage of the model" + (f" ({hint})" if hint else ""))


def _stage_column(start: ArrowStream | None) -> list[Any]:
    """The stages of ``start``, row by row."""
    table = Table.collect(start) if start is not None else None
    if table is None or "stage" not in table.column_names:
        raise DataError([Problem("start", None, "stage", None, "is missing")])
    return list(table.column("stage"))


def rereadable(table: ArrowStream) -> bool:
    """Whether a table can be read twice: a file says so; a table that knows its length can, a stream cannot."""
    return bool(getattr(table, "rereadable", hasattr(table, "__len__")))


def _moves(parts: list[tuple[Any, Ints]], shift: Ints) -> Moves:
    """The transitions of all threads, in the order of the result."""
    rows, order = _in_order(np.concatenate([records for records, _ in parts]), len(shift))
    scores = np.concatenate([values for _, values in parts])
    taken = {name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or () if name != "lead"}
    return Moves(lead=shift[rows["lead"]], scores=np.take(scores, order, axis=0), **taken)


def _changes(parts: list[Any], shift: Ints) -> Changes:
    """The score changes of all threads, in the order of the result."""
    rows, _ = _in_order(np.concatenate(parts), len(shift))
    names = [name for name in rows.dtype.names or () if name not in ("lead", "pad")]
    return Changes(lead=shift[rows["lead"]], **{name: np.ascontiguousarray(rows[name]) for name in names})


def _in_order(rows: Any, leads: int) -> tuple[Any, Ints]:
    """Records by lead, and where each came from; a lead's lie together already, since one thread wrote them."""
    lead = np.ascontiguousarray(rows["lead"])
    first = np.flatnonzero(np.diff(lead, prepend=-1))
    begin, size = np.zeros(leads, np.int64), np.zeros(leads, np.int64)
    begin[lead[first]], size[lead[first]] = first, np.diff(first, append=len(lead))
    order = np.arange(len(lead)) + np.repeat(begin - (np.cumsum(size) - size), size)
    words = rows.view(np.int64).reshape(len(rows), rows.dtype.itemsize // 8)
    return np.take(words, order, axis=0).view(rows.dtype).reshape(len(rows)), order


def collected(request: Request) -> Request:
    """The request with ``start`` read whole: it is read twice, for ids and for stages."""
    if request.start is None:
        return request
    with data_errors("start"):
        return replace(request, start=Table.collect(request.start))
