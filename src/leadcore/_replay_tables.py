"""The tables of a replay, from what the kernel says of it: transitions, spans, alerts, states (spec 8.9, 8.10)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from leadcore._arrow import Encoder, Table
from leadcore._opening import NEVER
from leadcore._points import to_points
from leadcore._replay_log import CAUSES, Ints, Moves, ReplayLog, Small
from leadcore._spans import Alerts, Spans
from leadcore.model import Model

Name = Literal["transitions", "spans", "alerts", "states", "score_changes"]
Column = tuple[str, Any]

NAMES: tuple[Name, ...] = ("transitions", "spans", "alerts", "states")
"""The tables of spec 8.10, as files are called."""

STATUSES = ("met", "met_late", "breached", "open")
_NO_EVENT = 2**32 - 1
"""An identity number that no event has."""
_BIRTH = CAUSES.index("birth")


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
        self._model, self._log, self._encoder, self._end = model, log, encoder, end
        self._micropoints, self._rejected = micropoints, rejected_rows

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
        return transition_table(
            self._model, moves, self._lead_ids, self._event_ids(moves.event), self._micropoints,
            stage_names(self._model), rule_names(self._model),
        )  # fmt: skip

    @cached_property
    def spans(self) -> Table:
        """Every stay in a stage."""
        return span_table(self._model, self._log.moves, self._spans, self._lead_ids)

    @cached_property
    def alerts(self) -> Table:
        """Every alert logged."""
        moves = self._log.moves
        alerts, told = self._alerts
        leads = self._encoder.ids(self._log.lead[moves.lead[alerts.span]])
        return alert_table(
            stage_names(self._model), leads, moves.to_stage[alerts.span], moves.at[alerts.span], alerts, told
        )

    @cached_property
    def states(self) -> Table:
        """Where every lead stands at the end."""
        log = self._log
        columns: list[Column] = [
            ("lead_id", ("column", self._encoder.ids(log.lead))),
            ("stage", ("dictionary", log.stage, stage_names(self._model))),
            ("entered_at", ("instant", log.entered, log.stage >= 0)),
            *score_columns(self._model, log.scores, self._micropoints),
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
        moves = self._log.moves
        return Spans(self._model, moves.lead, moves.at, moves.to_stage, self._end)

    @cached_property
    def _alerts(self) -> tuple[Alerts, list[tuple[str, ...]]]:
        return self._spans.alerts()

    @cached_property
    def _lead_ids(self) -> Table:
        """The lead of every move."""
        return self._encoder.ids(self._log.lead[self._log.moves.lead])

    def _event_ids(self, events: Ints) -> Table:
        return self._encoder.event_ids(np.where(events < 0, _NO_EVENT, events).astype(np.uint32))

    def _points(self, micropoints: Ints) -> npt.NDArray[Any]:
        return points_column(micropoints, self._micropoints)


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


def points_column(values: Ints, micropoints: bool) -> npt.NDArray[Any]:
    """A column of points, or of whole micropoints where they were asked for."""
    values = np.ascontiguousarray(values)
    return values if micropoints else to_points(values)


def score_columns(model: Model, scores: Ints, micropoints: bool) -> list[Column]:
    """A column per score."""
    return [(name, points_column(scores[:, i], micropoints)) for i, name in enumerate(model.scores)]


def transition_table(
    model: Model, moves: Moves, leads: Table, event_ids: Table, micropoints: bool, stages: list[str], rules: list[str]
) -> Table:
    """The table of transitions, from the ids of leads and events of each move, and names of stages and rules."""
    return Table.build(
        [
            ("lead_id", ("column", leads)),
            ("at", ("instant", moves.at, None)),
            ("from_stage", ("dictionary", moves.from_stage, stages)),
            ("to_stage", ("dictionary", moves.to_stage, stages)),
            ("rule", ("dictionary", moves.rule, rules)),
            ("cause", ("dictionary", moves.cause, list(CAUSES))),
            ("event_id", ("column", event_ids)),
            *score_columns(model, moves.scores, micropoints),
        ]
    )


def span_table(model: Model, moves: Moves, spans: Spans, leads: Table) -> Table:
    """The table of spans, from the moves that began them and the ids of their leads."""
    assert model.lifecycle is not None
    stages, rules = model.lifecycle.stages, model.lifecycle.transitions
    due, status = spans.due()
    otherwise = np.where(moves.cause == _BIRTH, len(rules), len(rules) + 1)
    begun_by = np.where(moves.rule >= 0, moves.rule, otherwise).astype(np.int32)
    ended_by = np.where(spans.open, -1, np.append(begun_by[1:], -1)[: len(begun_by)]).astype(np.int32)
    by = [*(rule.name for rule in rules), "birth", "manual"]
    owners = list(dict.fromkeys(stage.owner for stage in stages if stage.owner is not None))
    place = {owner: i for i, owner in enumerate(owners)}
    owner = np.array([-1 if stage.owner is None else place[stage.owner] for stage in stages], np.int32)
    return Table.build(
        [
            ("lead_id", ("column", leads)),
            ("stage", ("dictionary", moves.to_stage, [stage.name for stage in stages])),
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


def alert_table(
    stages: list[str], leads: Table, stage: Small, entered: Ints, alerts: Alerts, told: list[tuple[str, ...]]
) -> Table:
    """The table of alerts, from the ids of their leads, the stays they fall into and who is told."""
    ends = np.cumsum([0, *map(len, told)], dtype=np.int64)
    names = [("notify", ("lists", ends, [name for names in told for name in names]))]
    return Table.build(
        [
            ("lead_id", ("column", leads)),
            ("stage", ("dictionary", stage, stages)),
            ("entered_at", ("instant", entered, None)),
            ("at", ("instant", alerts.at, None)),
            ("level", alerts.level),
            ("notify", ("column", Table.build(names).take(alerts.told))),
        ]
    )


def stage_names(model: Model) -> list[str]:
    """Names of a model's stages in document order; none without a lifecycle."""
    return [] if model.lifecycle is None else [stage.name for stage in model.lifecycle.stages]


def rule_names(model: Model) -> list[str]:
    """Names of a model's transitions in document order; none without a lifecycle."""
    return [] if model.lifecycle is None else [rule.name for rule in model.lifecycle.transitions]


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
