"""Replaying leads through the lifecycle, recomputed from the whole event set at every evaluation (spec 8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from leadcore._reference.aliases import person_of, read_aliases
from leadcore._reference.calendar import FIRST, LAST
from leadcore._reference.engine import Unknown, check_ids, people_of
from leadcore._reference.lifecycle import Journey, Tally, birth_of
from leadcore._reference.moment import Moment, Person
from leadcore._reference.opening import Opening
from leadcore._reference.scores import score_lead
from leadcore._reference.stays import alert_rows, span_row
from leadcore._reference.tables import Id, Problems, Row, RowReader, read_events, read_leads
from leadcore.errors import LeadcoreError
from leadcore.model.document import Model
from leadcore.model.lifecycle import Lifecycle


@dataclass
class ReplayResult:
    """The tables of a replay (spec 8.10) as rows, instants in microseconds, scores in micropoints.

    Attributes:
        transitions, spans, alerts: By lead in the order of ``states``, then as they happened.
        states: The leads table in its order, then the others by id.
        score_changes: Every change of a score from one evaluation to the next, if asked for.
        ignored: Rows of each undeclared event type (spec 2.6).
        loop_stops: By transition, how often it was passed over (spec 8.5); none that never was.
        manual_current: Manual events that name the stage the lead is in (spec 8.7).
        manual_unknown: Manual events that name no stage (spec 8.7).
    """

    transitions: list[dict[str, Any]] = field(default_factory=list)
    spans: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    score_changes: list[dict[str, Any]] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)
    loop_stops: dict[str, int] = field(default_factory=dict)
    manual_current: int = 0
    manual_unknown: int = 0


@dataclass(frozen=True, slots=True)
class Start:
    """Where a lead enters the lifecycle, in place of its birth by spec 8.3."""

    lead_id: Id
    stage: str
    entered_at: int
    row: int


def replay(
    model: Model,
    leads: Sequence[Row] | None,
    events: Sequence[Row],
    until: int,
    aliases: Sequence[Row] | None = None,
    unknown_leads: Unknown = "score",
    start: Sequence[Row] | None = None,
    score_changes: bool = False,
) -> ReplayResult:
    """Replay leads to an instant from rows of plain Python values; instants are microseconds since 1970.

    Args:
        model: A checked model with a lifecycle.
        leads: Rows of leads (spec 2.1), or None where there is no such table.
        events: Rows of events (spec 2.2).
        until: The end of the run.
        aliases: Rows of ``lead_id``, ``same_as`` (spec 2.8).
        unknown_leads: What to do with leads known only from events (spec 2.6).
        start: Rows of ``lead_id``, ``stage``, ``entered_at``: such a lead is born then and there. What lies before counts
            for scores and is no evaluation.
        score_changes: Whether to note every change of a score.

    Raises:
        LeadcoreError: The model has no lifecycle.
        DataError: Rows are faulty, leads are unknown and ``unknown_leads`` is ``"error"``, or a lead moves without end.
    """
    if model.lifecycle is None:
        raise LeadcoreError("the model has no lifecycle to replay")
    problems = Problems()
    facts = read_leads(model, leads or (), problems)
    happened, ignored = read_events(model, events, problems)
    same_as = read_aliases(aliases or (), problems)
    starts = read_start(model.lifecycle, start or (), problems)
    check_ids(facts, happened, same_as, problems, more=[("start", one.row, "lead_id", one.lead_id) for one in starts])
    if isinstance(until, bool) or not isinstance(until, int) or not FIRST <= until <= LAST:
        problems.add("until", None, "until", until, "an instant within years 1 to 9999 is wanted here")
    problems.stop()

    begun: dict[Id, Start] = {}
    for one in starts:
        lead = person_of(one.lead_id, same_as)
        if begun.setdefault(lead, one) is not one:
            reason = f"row {begun[lead].row} is of the same lead"
            problems.add("start", one.row, "lead_id", one.lead_id, reason)
    people = people_of(facts, happened, same_as, problems, more=begun)
    problems.stop()

    kept = []
    for person in people.values():
        if person.in_leads or person.lead_id in begun:
            kept.append(person)
        elif person.events[0].at > until:
            continue  # spec 2.6: "known only from declared events at or before T"
        elif unknown_leads == "error":
            row = min(event.row for event in person.events if event.at <= until)
            problems.add("events", row, "lead_id", person.lead_id, "is not among the leads")
        elif unknown_leads == "score":
            kept.append(person)
    problems.stop()

    calendars = {name: Opening(calendar, model.timezone) for name, calendar in model.calendars.items()}
    result, tally = ReplayResult(ignored=ignored), Tally()
    for person in kept:
        one_start = begun.get(person.lead_id)
        birth = birth_of(person, until) if one_start is None else one_start.entered_at
        if birth is None:
            result.states.append(state_row(model, person, None, until))
            continue
        if birth > until:
            continue  # spec 8.3: "born after the end it is left out"
        initial = model.lifecycle.initial if one_start is None else one_start.stage
        journey = Journey(model, person, birth, initial, until, tally)
        journey.run()
        result.transitions += journey.transitions
        for stay in journey.stays:
            result.spans.append(span_row(person.lead_id, stay, until, calendars))
            result.alerts += alert_rows(person.lead_id, stay, until, calendars)
        result.states.append(state_row(model, person, journey, until))
        result.score_changes += journey.score_changes if score_changes else []
    result.loop_stops = dict(tally.loop_stops)
    result.manual_current, result.manual_unknown = tally.manual_current, tally.manual_unknown
    return result


def read_start(lifecycle: Lifecycle, rows: Iterable[Row], problems: Problems) -> list[Start]:
    """Rows of the start table; a stage is one of the model."""
    stages = {stage.name for stage in lifecycle.stages}
    starts = []
    for number, row in enumerate(rows):
        reader = RowReader("start", number, row, problems)
        lead = reader.id("lead_id")
        entered_at = reader.instant("entered_at", required=True)
        stage = row.get("stage")
        if stage is None:
            reader.fault("stage", None, "is null")
        elif not isinstance(stage, str) or stage not in stages:
            reader.fault("stage", stage, "is no stage of the model")
        elif lead is not None and entered_at is not None:
            starts.append(Start(lead, stage, entered_at, number))
    return starts


def state_row(model: Model, person: Person, journey: Journey | None, until: int) -> dict[str, Any]:
    """A row of states (spec 8.10): "scores at the end, thresholds as of the last evaluation".

    Spec 8.3: a lead that is never born "has a state without a stage (`entered_at` null, thresholds false)".
    """
    return {
        "lead_id": person.lead_id,
        "stage": journey.stage.name if journey else None,
        "entered_at": journey.stays[-1].entered_at if journey else None,
        **score_lead(Moment(model, person, until)).values,
        **(journey.thresholds if journey else dict.fromkeys(model.thresholds, False)),
    }
