"""The result of a replay: what happened to every lead, and where each stands at the end (spec 8)."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from leadcore._arrow import Table
from leadcore._plan.zones import grid_pieces
from leadcore._points import to_points
from leadcore._replay_tables import Name, Tables
from leadcore._run import Codes, Counts, Ints, Reading
from leadcore._time import to_datetime, to_text
from leadcore.errors import LeadcoreError
from leadcore.frame import Frame
from leadcore.model import Model
from leadcore.model.duration import HOUR, Duration
from leadcore.timeline import Timeline

if TYPE_CHECKING:
    from leadcore._replay_log import ReplayLog

MOST_HISTORY = 100_000_000
"""Rows a history may have: some 10 GB to make."""


@dataclass
class ReplayCounts(Counts):
    """Where every row went, and what rules and hands asked for in vain.

    Attributes:
        loop_stops: By transition: how often it was passed over, its target having been left in the same evaluation
            (spec 8.5); only those that were.
        manual_current: Manual moves to the stage the lead was in (spec 8.7).
        manual_unknown: Manual moves to no stage of the model.
    """

    loop_stops: dict[str, int] = field(default_factory=dict)
    manual_current: int = 0
    manual_unknown: int = 0

    @classmethod
    def of(cls, counts: Counts, model: Model, log: ReplayLog) -> ReplayCounts:
        """What scoring counts, with what the kernel counted on the way."""
        assert model.lifecycle is not None
        rules = [rule.name for rule in model.lifecycle.transitions]
        stops = {name: n for name, n in zip(rules, log.loop_stops.tolist(), strict=True) if n}
        plain = {one.name: getattr(counts, one.name) for one in fields(Counts)}
        return cls(
            **plain, loop_stops=stops, manual_current=log.manual_current, manual_unknown=log.manual_unknown
        )  # fmt: skip


class Replay:
    """What happened to every lead up to an instant (spec 8.10), as tables.

    ``replay.lead(lead_id)`` is one lead's story, ``lead_id in replay`` whether there is one, ``len(replay)`` how many
    leads there are.

    Attributes:
        model: The model that was replayed.
        until: The end of the run, in UTC.
        counts: Where every row went: as in `Scores`, and ``loop_stops`` (by transition), ``manual_current``,
            ``manual_unknown``.
    """

    def __init__(
        self, model: Model, until: int, tables: Tables, counts: ReplayCounts, micropoints: bool,
        rejects: Callable[[], Table], row_of: Callable[[int | str], int | None], score_at: Callable[[Table], Ints],
    ) -> None:  # fmt: skip
        """Put a result together.

        Args:
            model: The model, which has a lifecycle.
            until: The end of the run.
            tables: What happened.
            counts: Where every row went.
            micropoints: Whether scores in the tables are whole micropoints.
            rejects: The rejected rows.
            row_of: The row of a lead in ``tables.states``, or None; `row_finder` makes one.
            score_at: Micropoints of every row of a table (``lead_id``, ``as_of``), shape (rows, scores).
        """
        self.model, self.until, self.counts = model, to_datetime(until), counts
        self._end, self._tables, self._micropoints = until, tables, micropoints
        self._rejects, self._row_of, self._score_at = rejects, row_of, score_at

    @cached_property
    def transitions(self) -> Frame:
        """Every move, births included.

        Columns: ``lead_id``, ``at``, ``from_stage`` (null at birth), ``to_stage``, ``rule`` (null at birth and for a
        manual move), ``cause`` (``birth``, ``attribute``, ``event``, ``timer``, ``grid``, ``manual``), ``event_id``,
        and the scores then. Leads in the order of ``states``, a lead's as they happened.
        """
        return Frame(self._tables.transitions)

    @cached_property
    def spans(self) -> Frame:
        """Every stay in a stage: one row for each transition.

        Columns: ``lead_id``, ``stage``, ``visit`` (from 1), ``entered_at``, ``left_at`` (null: not left),
        ``entered_by`` and ``left_by`` (a rule's name, else ``birth`` or ``manual``), ``owner``, ``sla_due_at``,
        ``sla_status`` (``met``, ``met_late``, ``breached``, ``open``; null without an sla).
        """
        return Frame(self._tables.spans)

    @cached_property
    def alerts(self) -> Frame:
        """Every alert of a service level: ``lead_id``, ``stage``, ``entered_at``, ``at``, ``level``, ``notify`` (a list)."""
        return Frame(self._tables.alerts)

    @cached_property
    def states(self) -> Frame:
        """Where every lead stands at the end.

        Columns: ``lead_id``, ``stage``, ``entered_at`` (null for a lead that was never born), the scores at the end,
        each threshold as of the last evaluation, and ``rejected_rows`` with ``on_error="reject"``.
        """
        return Frame(self._tables.states)

    @cached_property
    def score_changes(self) -> Frame:
        """Every change of a score at an evaluation.

        Columns: ``lead_id``, ``at``, ``cause``, ``event_id``, ``score``, ``before``, ``after``, ``criterion`` (the one
        that moved most).

        Raises:
            LeadcoreError: They were not asked for.
        """
        table = self._tables.score_changes
        if table is None:
            raise LeadcoreError("score changes are kept when asked for: replay with score_changes=True")
        return Frame(table)

    @cached_property
    def rejects(self) -> Table:
        """Rejected rows: ``table``, ``row``, ``column``, ``value``, ``reason``; empty unless ``on_error="reject"``."""
        return self._rejects()

    def __len__(self) -> int:
        """How many leads there are."""
        return len(self._tables.states)

    def __contains__(self, lead_id: object) -> bool:
        return isinstance(lead_id, (int, str)) and self._row_of(lead_id) is not None

    def lead(self, lead_id: int | str) -> Timeline:
        """One lead's story: what happened when and why, how long it stayed where, and where it stands.

        Raises:
            KeyError: No such lead in the result.
        """
        row = self._row(lead_id)
        state = self._tables.states.row(row)

        def told(name: Name, table: Table) -> list[dict[str, Any]]:
            leads = self._tables.leads(name)
            return table.take(np.arange(*np.searchsorted(leads, [row, row + 1]))).to_dicts()

        return Timeline(
            state["lead_id"], self.until, state["stage"], state["entered_at"],
            {name: state[name] for name in self.model.scores}, {name: state[name] for name in self.model.thresholds},
            told("transitions", self._tables.transitions), told("spans", self._tables.spans),
            told("alerts", self._tables.alerts),
        )  # fmt: skip

    def history(self, every: str | timedelta = "1d", leads: Iterable[int | str] | None = None) -> Frame:
        """Stage and scores of leads over time, from birth to the end.

        The instants are a grid as of ``evaluate`` (spec 8.6): wall times of the model's timezone at whole multiples of
        ``every`` from a Monday midnight on. Scores are those of scoring at each instant; the input is read again.

        Args:
            every: The step: ``"1d"``, ``"12h"``, ``"1w"`` or a timedelta; at least an hour.
            leads: Lead ids; all leads by default.

        Returns:
            ``lead_id``, ``at``, ``stage`` and a column per score, by lead in the order given, then by instant; no
            rows for a lead that was never born.

        Raises:
            KeyError: No such lead in the result.
            LeadcoreError: ``every`` is no duration of at least an hour, there would be too many rows, or the input was
                a stream that can be read only once.
        """
        if isinstance(leads, str) or not (leads is None or isinstance(leads, Iterable)):
            raise LeadcoreError(f"leads is a list of lead ids, not {leads!r}: for one lead give [{leads!r}]")
        rows = np.arange(len(self)) if leads is None else np.array([self._row(one) for one in leads], np.int64)
        lead, at, span = self._moments(rows, _step(every))
        ids = self._tables.states.select(["lead_id"]).take(lead)
        scores = self._score_at(Table.build([("lead_id", ("column", ids)), ("as_of", ("instant", at, None))]))
        columns: list[tuple[str, Any]] = [
            ("lead_id", ("column", ids)),
            ("at", ("instant", at, None)),
            ("stage", ("column", self._tables.spans.select(["stage"]).take(span))),
        ]
        for i, name in enumerate(self.model.scores):
            values = np.ascontiguousarray(scores[:, i])
            columns.append((name, values if self._micropoints else to_points(values)))
        return Frame(Table.build(columns))

    def _moments(self, rows: Ints, every: int) -> tuple[Ints, Ints, Ints]:
        """Lead, instant and stay of each row of a history."""
        who = self._tables.leads("spans")
        entered = np.asarray(self._tables.spans.column("entered_at"), "datetime64[us]").astype(np.int64)
        first = np.searchsorted(who, rows)
        rows, first = (a[np.append(who, -1)[np.minimum(first, len(who))] == rows] for a in (rows, first))
        births = entered[first]
        wanted = int(((self._end - births) // every + 1).sum())
        if wanted > MOST_HISTORY:
            raise LeadcoreError(
                f"a history of {len(rows):,} leads every {Duration(timedelta(microseconds=every))} would have some "
                f"{wanted:,} rows: name leads, or take a longer step"
            )
        grid = _grid(self.model.timezone, every, int(births.min()), self._end) if len(rows) else np.empty(0, np.int64)
        begin = np.searchsorted(grid, births)
        counts = len(grid) - begin
        lead = np.repeat(rows, counts)
        place = np.arange(len(lead)) - np.repeat(np.cumsum(counts) - counts - begin, counts)
        width = len(grid) + 1
        spans = np.searchsorted(who * width + np.searchsorted(grid, entered), lead * width + place, "right") - 1
        return lead, grid[place], spans

    def _row(self, lead_id: int | str) -> int:
        row = self._row_of(lead_id)
        if row is None:
            raise KeyError(f"no lead {lead_id!r} in this replay of {len(self)} leads")
        return row

    @cached_property
    def standing(self) -> dict[str, int]:
        """How many leads stand in each stage at the end, in document order; then those without a stage."""
        assert self.model.lifecycle is not None
        found = Counter(self._tables.states.column("stage"))
        counted = {stage.name: found[stage.name] for stage in self.model.lifecycle.stages}
        return counted | ({"no stage": found[None]} if found[None] else {})

    def _summary(self) -> str:
        numbers = (len(self), "leads"), (len(self.transitions), "transitions"), (len(self.alerts), "alerts")
        return f"replay of {self.model.name!r} until {to_text(self._end)}: " + ", ".join(
            f"{n:,} {w}" for n, w in numbers
        )

    def __repr__(self) -> str:
        return f"{self._summary()}\n" + ", ".join(f"{stage} {n:,}" for stage, n in self.standing.items())

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(stage)}</td><td style='text-align:right'>{n:,}</td></tr>"
            for stage, n in self.standing.items()
        )
        head = "<thead><tr><th>stage</th><th>leads</th></tr></thead>"
        return f"<p>{html.escape(self._summary())}</p><table>{head}<tbody>{rows}</tbody></table>"


def row_finder(reading: Reading, leads: Codes) -> Callable[[int | str], int | None]:
    """What tells the place of a lead id, or of a record that is this lead by ``aliases``, among leads of a result."""

    def row_of(lead_id: int | str) -> int | None:
        code = reading.encoder.find(lead_id)
        if code is None:
            return None
        rows = np.flatnonzero(leads == reading.canonical(np.array([code], np.uint32))[0])
        return int(rows[0]) if len(rows) else None

    return row_of


def _step(every: str | timedelta) -> int:
    try:
        step = Duration(every)
    except ValueError as fault:
        raise LeadcoreError(f"every={every!r}: {fault}") from None
    if step < HOUR:
        raise LeadcoreError(f"every={every!r}: a history has a step of at least 1h")
    return int(step)


def _grid(timezone: str, every: int, first: int, last: int) -> Ints:
    """The instants of a grid, each once, ascending."""
    parts = [
        np.arange(start + (residue - start) % every, stop, every)
        for start, stop, residue in grid_pieces(timezone, every, first, last).tolist()
    ]
    return np.unique(np.concatenate([np.empty(0, np.int64), *parts]))
