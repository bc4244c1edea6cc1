"""Answers of a ledger's books: scores of many leads, the state of one, what changes next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from leadcore._arrow import Encoder, Table
from leadcore._replay_log import Ints, Moves
from leadcore._replay_tables import alert_table, rule_names, span_table, stage_names, transition_table
from leadcore._run import Answers
from leadcore._service_levels import ServiceLevels
from leadcore._spans import Spans
from leadcore._time import to_datetime
from leadcore.errors import LeadcoreError
from leadcore.explanation import Explanation, Share
from leadcore.frame import Frame
from leadcore.ledger.book import Book
from leadcore.ledger.facts import SINCE_EVER
from leadcore.ledger.ids import Id, id_column
from leadcore.ledger.state import LeadState
from leadcore.model import Model
from leadcore.scorer import Scorer
from leadcore.scores import LeadScore
from leadcore.timeline import Timeline


class AskedLeads:
    """Leads asked at one instant, and what stands behind their scores: a ledger that may go on.

    Args:
        scorer: The compiled model that answered.
        leads: Ids, row by row.
        instant: The instant.
        person: The lead that an id is, or is a record of.
        lines_of: Lines of a lead's explanation, as of now.
        scores: What was answered, to see whether it still holds.
        like: An id of the ledger, for the kind of ids where there are no rows.
    """

    own_instants = False
    rejected_rows = None

    def __init__(
        self, scorer: Scorer, leads: Sequence[Id], instant: int, person: Callable[[Id], Id],
        lines_of: Callable[[Id], Ints], scores: Ints, like: Id | None,
    ) -> None:  # fmt: skip
        self._scorer, self._leads, self._instant, self._like = scorer, leads, instant, like
        self._person, self._lines_of, self._scores = person, lines_of, scores

    @cached_property
    def at(self) -> Ints:
        """The instant of each row."""
        return np.full(len(self._leads), self._instant, np.int64)

    @cached_property
    def _ids(self) -> Table:
        return id_column("lead_id", self._leads, self._like)

    @cached_property
    def _places(self) -> dict[Id, list[int]]:
        places: dict[Id, list[int]] = {}
        for row, lead_id in enumerate(self._leads):
            places.setdefault(lead_id, []).append(row)
        return places

    def ids(self, rows: npt.NDArray[np.intp] | None = None) -> Table:
        """The lead ids of these rows, or of all."""
        return self._ids if rows is None else self._ids.take(rows.astype(np.int64))

    def id_of(self, row: int) -> int | str:
        """The lead id of one row."""
        return self._leads[row]

    def rows_of(self, lead_id: int | str) -> npt.NDArray[np.intp]:
        """The rows of a lead, or of a record that was merged into it."""
        rows = self._places.get(lead_id)
        return np.array(self._places.get(self._person(lead_id), ()) if rows is None else rows, np.intp)

    def rejects(self) -> Table:
        """No rows: a ledger refuses faulty tables."""
        return Encoder(self._scorer._program).rejects()

    def accounts(self) -> tuple[Ints, Table]:
        """A ledger keeps no accounts."""
        raise LeadcoreError("a ledger does not know the accounts of its leads: ask Scorer.score for account scores")

    def lines(self, row: int) -> Ints:
        """The lines of a row's explanation, each in two words.

        Raises:
            LeadcoreError: The ledger took in facts of that time since.
        """
        lead_id, plan = self._leads[row], self._scorer._plan
        lines = self._lines_of(lead_id)
        explained = Explanation.of(plan, lead_id, to_datetime(self._instant), {}, lines, [])
        sums = dict.fromkeys(plan.scores, 0)
        for line in explained.lines:
            sums[line.score] += line.micropoints
        if list(sums.values()) != self._scores[row].tolist():
            raise LeadcoreError(
                f"the ledger took in facts of {lead_id!r} since these scores were asked: ask again, with explain=True "
                "to have it kept"
            )
        return lines

    def shares(self, row: int) -> list[Share]:
        """A ledger keeps what events have come to, not each event's part."""
        raise LeadcoreError(
            "a ledger keeps sums of old events, not each event's part: ask Scorer.score(...).explain(lead_id, shares=True)"
        )


def joined_answers(scorer: Scorer, parts: Sequence[Any], words: int) -> Answers:
    """Answers of several books behind each other, with so many words a line of explanation."""
    if len(parts) == 1:
        return Answers(*parts[0][:5])
    plan = scorer._plan
    none = (
        np.empty((0, len(plan.scores)), np.int64), np.empty((0, len(plan.scores) if plan.grades else 0), np.int32),
        np.empty(0, np.int32), np.empty(0, np.int32), np.empty((0, words * plan.tables["lines_size"]), np.int64),
    )  # fmt: skip
    columns = zip(none, *(part[:5] for part in parts), strict=True)
    scores, grades, rating, label, lines = (np.concatenate(column) for column in columns)
    return Answers(scores, grades, rating, label, lines)


def lines_of(book: Book, lead_id: Id, at: int) -> Ints:
    """Lines of the explanation of one lead, each in two words."""
    lines: Ints = book.score(slots(book, [lead_id]), np.array([at]), 2)[4][0]
    return lines


def slots(book: Book, leads: Sequence[Id]) -> Ints:
    """Where a book keeps these leads."""
    return np.array([book.ids[lead_id] for lead_id in leads], np.int64)


def lead_state(scorer: Scorer, book: Book, lead_id: Id, as_of: int | None, levels: ServiceLevels) -> LeadState:
    """One lead of a book, by default as of the instant to which it was told.

    Later than that, timers and the grid are let pass as if nothing else happened.

    Raises:
        LeadcoreError: Nothing was told of it yet, or ``as_of`` is too old.
    """
    model, plan = scorer.model, scorer._plan
    told = book.told(lead_id)
    at = told if as_of is None else as_of
    if at == SINCE_EVER:
        raise LeadcoreError(f"nothing was told of lead {lead_id!r} yet: its facts come later; advance, or give as_of")
    lead_id = book.aliases.get(lead_id, lead_id)
    if at > told:
        book = _ahead(book, lead_id, at)
    slot = slots(book, [lead_id])
    scores, grades, rating, label, lines, _ = book.score(slot, np.array([at]), 2)
    micropoints = tuple(scores[0].tolist())

    def explain(_: bool) -> Explanation:
        totals = dict(zip(plan.scores, micropoints, strict=True))
        return Explanation.of(plan, lead_id, to_datetime(at), totals, lines[0], [])

    one = LeadScore(
        plan, model, lead_id, at, micropoints, tuple(grades[0].tolist()), int(rating[0]) if plan.ratings else 0,
        int(label[0]) if plan.labels else 0, explain,
    )  # fmt: skip
    thresholds = one.thresholds
    if model.lifecycle is not None:
        reached = book.stand(int(slot[0]), at)[3]
        thresholds = dict(zip(model.thresholds, map(bool, reached), strict=True))
    moves, _, event_ids = book.log(int(slot[0]))
    moves = _moves_to(moves, at)

    def tell() -> Timeline:
        return _timeline(model, lead_id, at, moves, event_ids, one.scores, thresholds, levels)

    stage = stage_names(model)[moves.to_stage[-1]] if len(moves.at) else None
    entered = to_datetime(int(moves.at[-1])) if len(moves.at) else None
    return LeadState(
        lead_id, one.as_of, stage, entered, one.scores, one.micropoints, one.grades, one.rating, one.label, thresholds,
        model.semantics, tell, one.explain,
    )  # fmt: skip


def _ahead(book: Book, lead_id: Id, at: int) -> Book:
    """A book of its own in which a lead is brought to an instant: asking changes nothing."""
    ahead = Book(book.compiled, book.late)
    ahead.clock = book.clock
    ahead.put(lead_id, book.image(lead_id))
    ahead.bring(slots(ahead, [lead_id]), at)
    return ahead


def _timeline(
    model: Model, lead_id: Id, at: int, moves: Moves, event_ids: Sequence[Id | None], scores: dict[str, float],
    thresholds: dict[str, bool], levels: ServiceLevels,
) -> Timeline:  # fmt: skip
    """The story of one lead's moves up to an instant."""
    if not len(moves.at):
        return Timeline(lead_id, to_datetime(at), None, None, scores, thresholds, [], [], [])
    who = id_column("lead_id", [lead_id])
    first = np.zeros(len(moves.at), np.int64)
    place = np.where(moves.event < 0, len(event_ids), moves.event)
    events = id_column("event_id", [*event_ids, None]).take(place)
    stages = stage_names(model)
    spans = Spans(model, first, moves.at, moves.to_stage, at, levels)
    alerts, notified = spans.alerts()
    stage, entered = moves.to_stage[alerts.span], moves.at[alerts.span]
    return Timeline(
        lead_id, to_datetime(at), stages[moves.to_stage[-1]], to_datetime(int(moves.at[-1])), scores, thresholds,
        transition_table(model, moves, who.take(first), events, False, stages, rule_names(model)).to_dicts(),
        span_table(model, moves, spans, who.take(first)).to_dicts(),
        alert_table(stages, who.take(np.zeros(len(stage), np.int64)), stage, entered, alerts, notified).to_dicts(),
    )  # fmt: skip


def _moves_to(moves: Moves, at: int) -> Moves:
    """One lead's moves up to an instant."""
    count = int(np.searchsorted(moves.at, at, "right"))
    return Moves(*(getattr(moves, column.name)[:count] for column in fields(Moves)))


def next_changes(model: Model, parts: Sequence[tuple[Sequence[Id], Any]], like: Id | None) -> Frame:
    """The table of `Ledger.next_change`, from rows (lead, kind, name, at, reached) of each book.

    Without rows its ids are of the kind of ``like``.
    """
    leads: list[Id] = []
    columns: list[list[Ints]] = [[], [], [], []]
    for some, rows in parts:
        leads += [some[i] for i in rows[0].tolist()]
        for column, values in zip(columns, rows[1:], strict=True):
            column.append(np.asarray(values, np.int64))
    kind, name, at, reached = (np.concatenate([np.empty(0, np.int64), *column]) for column in columns)
    names = [*model.thresholds, *stage_names(model)]
    return Frame(
        Table.build(
            [
                ("lead_id", ("column", id_column("lead_id", leads, like))),
                ("kind", ("dictionary", kind.astype(np.int32), ["threshold", "stage"])),
                ("name", ("dictionary", (name + kind * len(model.thresholds)).astype(np.int32), names)),
                ("at", ("instant", at, None)),
                ("reached", ("nullable", reached != 0, kind == 0)),
            ]
        )
    )
