"""The tables of a replay, from what the kernel says of it: transitions, spans, alerts, states (spec 8.9, 8.10)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from leadcore._arrow import Encoder, Table
from leadcore._opening import NEVER, Opening, after
from leadcore._points import to_points
from leadcore._replay_log import CAUSES, Ints, ReplayLog
from leadcore.model import Model

Name = Literal["transitions", "spans", "alerts", "states", "score_changes"]
Column = tuple[str, Any]

NAMES: tuple[Name, ...] = ("transitions", "spans", "alerts", "states")
"""The tables of spec 8.10, as files are called."""

STATUSES = ("met", "met_late", "breached", "open")
_NO_EVENT = 2**32 - 1
"""An identity number that no event has."""
_BIRTH, _MANUAL = CAUSES.index("birth"), CAUSES.index("manual")


@dataclass(frozen=True)
class Alerts:
    """Alerts, ordered by span, then by instant, then by level.

    Attributes:
        span: Which span.
        at: Instant.
        level: From 1, in document order.
        told: Row of the table of who is told.
    """

    span: Ints
    at: Ints
    level: Ints
    told: Ints


class Spans:
    """Every stay, in the order of the moves that began them: a move begins a stay, the lead's next one ends it.

    Attributes:
        left: Instant at which it was left; `NEVER` while it was not.
        open: Whether it was not left.
    """

    def __init__(self, model: Model, log: ReplayLog, end: int) -> None:
        assert model.lifecycle is not None
        self._model, self._moves, self._end = model, log.moves, end
        self._stages = model.lifecycle.stages
        self.open = np.append(self._moves.lead[1:] != self._moves.lead[:-1], True)[: len(self._moves.lead)]
        self.left = np.where(self.open, NEVER, np.append(self._moves.at[1:], NEVER)[: len(self.open)])
        self._openings = {name: Opening(calendar, model.timezone) for name, calendar in model.calendars.items()}
        order = np.argsort(self._moves.to_stage.astype(np.int16), kind="stable")
        self._of_stage = np.split(order, np.cumsum(np.bincount(self._moves.to_stage, minlength=len(self._stages)))[:-1])

    def visits(self) -> Ints:
        """How often each lead had entered the stage by then, from 1 (spec 8.10)."""
        visits = np.empty(len(self.open), np.int64)
        for rows in self._of_stage:
            lead = self._moves.lead[rows]
            place = np.arange(len(rows))
            first = np.append(True, lead[1:] != lead[:-1])[: len(rows)]
            visits[rows] = place - np.maximum.accumulate(np.where(first, place, 0)) + 1
        return visits

    def begun_by(self) -> npt.NDArray[np.int32]:
        """What began each stay: a transition by its place in the document, then `birth`, then `manual` (spec 8.10)."""
        assert self._model.lifecycle is not None
        rules, moves = len(self._model.lifecycle.transitions), self._moves
        otherwise = np.where(moves.cause == _BIRTH, rules, rules + 1)
        return np.where(moves.rule >= 0, moves.rule, otherwise).astype(np.int32)

    def due(self) -> tuple[Ints, npt.NDArray[np.int32]]:
        """When each stay is due, `NEVER` without an sla or beyond the year 9999, and its status, -1 without an sla."""
        due = np.full(len(self.open), NEVER, np.int64)
        status = np.full(len(self.open), -1, np.int32)
        for stage, rows in zip(self._stages, self._of_stage, strict=True):
            if stage.sla is not None:
                due[rows] = self._after(rows, int(stage.sla.due), stage.sla.calendar)
                late = np.where(self.open[rows], self._end, self.left[rows]) > due[rows]
                status[rows] = np.where(self.open[rows], np.where(late, 2, 3), np.where(late, 1, 0))
        return due, status

    def alerts(self) -> tuple[Alerts, list[tuple[str, ...]]]:
        """Alerts that fall into a stay [entered, left) and the run (spec 8.9), and who is told."""
        told: list[tuple[str, ...]] = []
        parts: list[tuple[Ints, Ints, int, int]] = []
        last = np.minimum(self.left - 1, self._end)  # where an alert may be at the latest
        for stage, rows in zip(self._stages, self._of_stage, strict=True):
            if stage.sla is None:
                continue
            # Of one stay a longer time comes later whatever the calendar, so this order is that of instants and levels.
            for level, alert in sorted(enumerate(stage.sla.alerts, 1), key=lambda item: (item[1].after, item[0])):
                near = rows[self._moves.at[rows] + int(alert.after) <= last[rows]]  # no calendar makes it earlier
                at = self._after(near, int(alert.after), stage.sla.calendar)
                inside = at <= last[near]
                parts.append((near[inside], at[inside], level, len(told)))
                told.append(alert.notify)
        if not parts:
            none = np.empty(0, np.int64)
            return Alerts(none, none, none, none), told
        span = np.concatenate([rows for rows, _, _, _ in parts])
        counts = [len(rows) for rows, _, _, _ in parts]
        order = np.argsort(span, kind="stable")
        return Alerts(
            span[order],
            np.concatenate([at for _, at, _, _ in parts])[order],
            np.repeat(np.array([level for _, _, level, _ in parts], np.int64), counts)[order],
            np.repeat(np.array([who for _, _, _, who in parts], np.int64), counts)[order],
        ), told

    def _after(self, rows: Ints, duration: int, calendar: str | None) -> Ints:
        entered = self._moves.at[rows]
        return after(entered, duration) if calendar is None else self._openings[calendar].due(entered, duration)


class Tables(Protocol):
    """The tables of a replay, however they were made."""

    @property
    def transitions(self) -> Table:
        """Every move, births included."""

    @property
    def spans(self) -> Table:
        """Every stay in a stage, in the order of the transitions that began them."""

    @property
    def alerts(self) -> Table:
        """Every alert logged."""

    @property
    def states(self) -> Table:
        """Where every lead stands at the end."""

    @property
    def score_changes(self) -> Table | None:
        """Every change of a score, where they were asked for."""

    def leads(self, table: Name) -> Ints:
        """The lead of each row of a table, by its place in the result; ascending."""


class ReplayTables:
    """The tables of a replay, each made when it is first asked for.

    Args:
        model: The model, which has a lifecycle.
        log: What the kernel said.
        encoder: The encoder that read the tables.
        end: The end of the run.
        micropoints: Scores as whole micropoints.
        rejected_rows: Rejected rows by lead of the result, where rows are rejected.
    """

    def __init__(
        self, model: Model, log: ReplayLog, encoder: Encoder, end: int, micropoints: bool = False,
        rejected_rows: Ints | None = None,
    ) -> None:  # fmt: skip
        assert model.lifecycle is not None
        self._model, self._log, self._encoder, self._end = model, log, encoder, end
        self._micropoints, self._rejected = micropoints, rejected_rows
        self._stages = [stage.name for stage in model.lifecycle.stages]
        self._rules = [rule.name for rule in model.lifecycle.transitions]

    def leads(self, table: Name) -> Ints:
        """The lead of each row of a table, by its place in the result; ascending."""
        if table == "states":
            return np.arange(len(self._log.lead))
        if table == "alerts":
            return self._log.moves.lead[self._alerts[0].span]
        if table == "score_changes":
            return np.empty(0, np.int64) if self._log.changes is None else self._log.changes.lead
        return self._log.moves.lead

    @cached_property
    def transitions(self) -> Table:
        """Every move, births included."""
        moves = self._log.moves
        return Table.build(
            [
                ("lead_id", ("column", self._lead_ids)),
                ("at", ("instant", moves.at, None)),
                ("from_stage", ("dictionary", moves.from_stage, self._stages)),
                ("to_stage", ("dictionary", moves.to_stage, self._stages)),
                ("rule", ("dictionary", moves.rule, self._rules)),
                ("cause", ("dictionary", moves.cause, list(CAUSES))),
                ("event_id", ("column", self._event_ids(moves.event))),
                *self._scores(moves.scores),
            ]
        )

    @cached_property
    def spans(self) -> Table:
        """Every stay in a stage."""
        assert self._model.lifecycle is not None
        moves, spans = self._log.moves, self._spans
        due, status = spans.due()
        begun_by = spans.begun_by()
        ended_by = np.where(spans.open, -1, np.append(begun_by[1:], -1)[: len(begun_by)]).astype(np.int32)
        by = [*self._rules, "birth", "manual"]
        owners = list(dict.fromkeys(stage.owner for stage in self._model.lifecycle.stages if stage.owner is not None))
        place = {owner: i for i, owner in enumerate(owners)}
        owner = np.array([-1 if s.owner is None else place[s.owner] for s in self._model.lifecycle.stages], np.int32)
        return Table.build(
            [
                ("lead_id", ("column", self._lead_ids)),
                ("stage", ("dictionary", moves.to_stage, self._stages)),
                ("visit", spans.visits()),
                ("entered_at", ("instant", moves.at, None)),
                ("left_at", _instants(spans.left)),
                ("entered_by", ("dictionary", begun_by, by)),
                ("left_by", ("dictionary", ended_by, by)),
                ("owner", ("dictionary", owner[moves.to_stage], owners)),
                ("sla_due_at", _instants(due)),
                ("sla_status", ("dictionary", status, list(STATUSES))),
            ]
        )

    @cached_property
    def alerts(self) -> Table:
        """Every alert logged."""
        moves = self._log.moves
        alerts, told = self._alerts
        ends = np.cumsum([0, *map(len, told)], dtype=np.int64)
        names = [("notify", ("lists", ends, [name for names in told for name in names]))]
        return Table.build(
            [
                ("lead_id", ("column", self._encoder.ids(self._log.lead[moves.lead[alerts.span]]))),
                ("stage", ("dictionary", moves.to_stage[alerts.span], self._stages)),
                ("entered_at", ("instant", moves.at[alerts.span], None)),
                ("at", ("instant", alerts.at, None)),
                ("level", alerts.level),
                ("notify", ("column", Table.build(names).take(alerts.told))),
            ]
        )

    @cached_property
    def states(self) -> Table:
        """Where every lead stands at the end."""
        log = self._log
        columns: list[Column] = [
            ("lead_id", ("column", self._encoder.ids(log.lead))),
            ("stage", ("dictionary", log.stage, self._stages)),
            ("entered_at", ("instant", log.entered, log.stage >= 0)),
            *self._scores(log.scores),
        ]
        for i, name in enumerate(self._model.thresholds):
            columns.append((name, log.thresholds[:, i] != 0))
        if self._rejected is not None:
            columns.append(("rejected_rows", self._rejected))
        return Table.build(columns)

    @cached_property
    def score_changes(self) -> Table | None:
        """Every change of a score, where they were asked for."""
        changes = self._log.changes
        if changes is None:
            return None
        return Table.build(
            [
                ("lead_id", ("column", self._encoder.ids(self._log.lead[changes.lead]))),
                ("at", ("instant", changes.at, None)),
                ("cause", ("dictionary", changes.cause, list(CAUSES))),
                ("event_id", ("column", self._event_ids(changes.event))),
                ("score", ("dictionary", changes.score, list(self._model.scores))),
                ("before", self._points(changes.before)),
                ("after", self._points(changes.after)),
                ("criterion", ("dictionary", changes.criterion, criterion_names(self._model))),
            ]
        )

    @cached_property
    def _spans(self) -> Spans:
        return Spans(self._model, self._log, self._end)

    @cached_property
    def _alerts(self) -> tuple[Alerts, list[tuple[str, ...]]]:
        return self._spans.alerts()

    @cached_property
    def _lead_ids(self) -> Table:
        """The lead of every move."""
        return self._encoder.ids(self._log.lead[self._log.moves.lead])

    def _event_ids(self, events: Ints) -> Table:
        return self._encoder.event_ids(np.where(events < 0, _NO_EVENT, events).astype(np.uint32))

    def _scores(self, micropoints: Ints) -> list[Column]:
        return [(name, self._points(micropoints[:, i])) for i, name in enumerate(self._model.scores)]

    def _points(self, micropoints: Ints) -> npt.NDArray[Any]:
        values = np.ascontiguousarray(micropoints)
        return values if self._micropoints else to_points(values)


@dataclass(frozen=True)
class FinishedTables:
    """The tables of a replay that somebody else made, such as the reference engine."""

    transitions: Table
    spans: Table
    alerts: Table
    states: Table
    score_changes: Table | None = None

    def leads(self, table: Name) -> Ints:
        """The lead of each row of a table, by its place in the result; ascending."""
        place = {lead_id: i for i, lead_id in enumerate(self.states.column("lead_id"))}
        found: Table | None = getattr(self, table)
        return np.array([place[lead_id] for lead_id in ([] if found is None else found.column("lead_id"))], np.int64)


def criterion_names(model: Model) -> list[str]:
    """Names of a model's criteria in document order, as the kernel counts them."""
    names: list[str] = []
    for score in model.scores.values():
        names += [criterion.name for criterion in score.criteria or ()]
        names += [criterion.name for group in (score.groups or {}).values() for criterion in group.criteria]
    return names


def _instants(values: Ints) -> Any:
    """A column of instants, null where there is none."""
    known = values != NEVER
    return ("instant", np.where(known, values, 0), known)
