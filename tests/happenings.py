"""What happens in a replay, as names, and all there is: read from the tables of a result and the rows it came from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from leadcore._reference.calendar import MONDAY, changes, offset
from leadcore._reference.replay import ReplayResult
from leadcore.model import Model
from leadcore.model.lifecycle import Calendar
from leadcore.model.score import Threshold
from tests.grids import grid, grid_readings, read_wall_time, wall_time
from tests.random_lifecycles import ReplayCase
from tests.random_parts import DAY, MINUTE

CAUSES = ("birth", "event", "attribute", "timer", "grid")

ALL_HAPPENINGS = [
    *(f"fired.{cause}" for cause in (*CAUSES, "manual")), "born", "moved.manual", "fired.second", "fired.third",
    "fired.on_then_without", "fired.star", "fired.on_after", "fired.on_after.at_once", "fired.grid.age", "loop_stop",
    "loop_stop.twice", "manual.current", "manual.unknown", "manual.null", "manual.out_of_exit",
    "event_id.text", "event_id.integer", "event_id.null", "event.repeated", "event.tie", "event.undeclared", "event.after_end",
    "event.before_start", "at_one_instant.event+grid", "at_one_instant.event+timer", "at_one_instant.timer+grid",
    "at_one_instant.attribute+event", "at_one_instant.birth+event", "at_one_instant.birth+grid",
    "attribute.changed", "attribute.same_again", "attribute.at_event", "attribute.since_ever",
    "end.at_event", "end.at_timer", "end.at_grid", "end.before_everything", "end.past_everything", "end.moved_at",
    "no_birth", "born_after_end", "unknown.scored", "unknown.ignored", "unknown.later",
    "start", "start.after_end", "start.unknown", "start.aliased", "start.exit", "aliases.merged_rows", "aliases.merged_events",
    "span.zero_length", "span.again", "span.long_visits", "span.owner", "span.left_by_manual",
    *(f"sla.{status}" for status in ("met", "met_late", "breached", "open", "none", "met.at_due", "open.at_due", "due.never")),
    "sla.due.at_closing", "sla.due.at_opening", "sla.calendar", "sla.calendar.other_timezone", "sla.calendar.clocks", "sla.calendar.overlap", "sla.calendar.upside_down",
    "sla.calendar.holiday",
    "alert", "alert.at_entry", "alert.at_end", "alert.late", "alert.out_of_order", "alert.same_instant", "alert.left_before",
    "alert.left_at", "alert.not_yet",
    "grid.gap", "grid.doubled", "grid.out_of_order", "grid.clocks", "grid.hundreds",
    "threshold.reached", "threshold.held", "threshold.released", "threshold.latched", "threshold.again",
    *(f"change.{cause}" for cause in (*CAUSES, "manual")), "change.criterion", "change.no_criterion", "change.combined",
    "year_1", "year_9999", "nothing",
]  # fmt: skip
"""Every name that random replays must hit."""


def happenings(case: ReplayCase, model: Model, result: ReplayResult) -> set[str]:
    """What happens in the replay of a case; the result must have its score changes."""
    return set(Happenings(case, model, result).names())


class Happenings:
    """One look at a case and its result."""

    def __init__(self, case: ReplayCase, model: Model, result: ReplayResult) -> None:
        assert model.lifecycle is not None
        self.case, self.model, self.result, self.lifecycle = case, model, result, model.lifecycle
        self.rules = {rule.name: rule for rule in self.lifecycle.transitions}
        self.stages = {stage.name: stage for stage in self.lifecycle.stages}
        self.same_as = {row["lead_id"]: row["same_as"] for row in case.aliases or ()}
        self.born = {row["lead_id"]: row["at"] for row in result.transitions if row["from_stage"] is None}
        self.events = [row for row in case.events if row["type"] in model.events]
        self.every = None if self.lifecycle.evaluate is None else int(self.lifecycle.evaluate.every)
        self.grid: set[int] = set()
        if self.every is not None and self.born:
            self.grid = set(grid(model.timezone, self.every, min(self.born.values()), case.until))

    def names(self) -> Iterator[str]:
        """Everything that happens."""
        yield from self.moves()
        yield from self.counts()
        yield from self.rows()
        yield from self.meetings()
        yield from self.people()
        yield from self.spans()
        yield from self.alerts()
        yield from self.grids()
        yield from self.thresholds()
        yield from self.changes()

    def person(self, lead: Any) -> Any:
        """Whose id this is."""
        while lead in self.same_as:
            lead = self.same_as[lead]
        return lead

    # -- moves -------------------------------------------------------------------------------------------------------

    def moves(self) -> Iterator[str]:
        """What transitions show."""
        entered: dict[Any, int] = {}
        run: list[dict[str, Any]] = []
        for row in self.result.transitions:
            stay = row["at"] - entered.get(row["lead_id"], row["at"])
            entered[row["lead_id"]] = row["at"]
            keys = ("lead_id", "at", "cause", "event_id")
            run = [*run, row] if run and all(row[key] == run[-1][key] for key in keys) else [row]
            if row["from_stage"] is None:
                yield "born"
                continue
            yield from ["end.moved_at"] if row["at"] == self.case.until else []
            if row["rule"] is None:
                yield "moved.manual"
                yield from ["manual.out_of_exit"] if self.stages[row["from_stage"]].kind == "exit" else []
                continue
            rule = self.rules[row["rule"]]
            yield f"fired.{row['cause']}"
            yield from ["fired.star"] if rule.from_ == ("*",) else []
            if rule.on is not None and rule.after is not None:
                yield "fired.on_after"
                yield from ["fired.on_after.at_once"] if stay == rule.after else []
            yield from ["fired.grid.age"] if row["cause"] == "grid" and "stage.age" in str(rule.when) else []
            fired = [self.rules[one["rule"]] for one in run if one["rule"] is not None]
            if len(fired) > 1:
                yield "fired.third" if len(fired) > 2 else "fired.second"
                yield from ["fired.on_then_without"] if fired[0].on is not None else []
            if row["cause"] in ("event", "manual"):
                id_ = row["event_id"]
                yield f"event_id.{'null' if id_ is None else 'text' if isinstance(id_, str) else 'integer'}"
        yield from ["nothing"] if not self.result.states else []

    def counts(self) -> Iterator[str]:
        """What is counted."""
        yield from ["loop_stop"] if self.result.loop_stops else []
        yield from ["loop_stop.twice"] if max(self.result.loop_stops.values(), default=0) > 1 else []
        yield from ["manual.current"] if self.result.manual_current else []
        yield from ["manual.unknown"] if self.result.manual_unknown else []
        manual = self.lifecycle.manual
        for row in self.events if manual is not None else ():
            if (
                manual
                and row["type"] == manual.on
                and row[manual.field] is None
                and self.lives(row["lead_id"], row["at"])
            ):
                yield "manual.null"

    def lives(self, lead: Any, instant: int) -> bool:
        """Whether a lead is evaluated at what happens at an instant."""
        born = self.born.get(self.person(lead))
        return born is not None and born <= instant <= self.case.until

    # -- rows --------------------------------------------------------------------------------------------------------

    def rows(self) -> Iterator[str]:
        """What the tables show."""
        for row in self.case.events:
            yield from ["event.undeclared"] if row["type"] not in self.model.events else []
            yield from ["event.after_end"] if row["at"] > self.case.until else []
        ids = Counter(row["event_id"] for row in self.events if row.get("event_id") is not None)
        yield from ["event.repeated"] if max(ids.values(), default=0) > 1 else []
        ties = Counter((self.person(row["lead_id"]), row["at"]) for row in self.events if row.get("event_id") is None)
        lives = [count for (lead, at), count in ties.items() if self.lives(lead, at)]
        yield from ["event.tie"] if max(lives, default=0) > 1 else []
        by_lead = defaultdict(list)
        for row in self.case.leads or ():
            if row.get("valid_from") is not None and self.lives(row["lead_id"], row["valid_from"]):
                by_lead[row["lead_id"]].append(row)
            elif "valid_from" in row and row["valid_from"] is None:
                yield "attribute.since_ever"
        for rows in by_lead.values():
            for before, after in pairwise(sorted(rows, key=lambda row: row["valid_from"])):
                same = all(repr(before[name]) == repr(after[name]) for name in self.model.attributes)
                yield "attribute.same_again" if same else "attribute.changed"

    def meetings(self) -> Iterator[str]:
        """Evaluations of one lead at one instant, and at the end."""
        at: dict[tuple[Any, int], set[str]] = defaultdict(set)
        for lead, born in self.born.items():
            at[lead, born].add("birth")
        for row in self.events:
            if self.lives(row["lead_id"], row["at"]):
                at[self.person(row["lead_id"]), row["at"]].add("event")
        for row in self.case.leads or ():
            since = row.get("valid_from")
            if (
                since is not None
                and self.lives(row["lead_id"], since)
                and self.born[self.person(row["lead_id"])] < since
            ):
                at[self.person(row["lead_id"]), since].add("attribute")
        for row in self.result.spans:
            for rule in self.rules.values():
                if (
                    rule.after is not None
                    and (row["stage"] in rule.from_ or rule.from_ == ("*",))
                    and rule.to != row["stage"]
                ):
                    instant = row["entered_at"] + rule.after
                    if instant <= self.case.until and (row["left_at"] is None or instant <= row["left_at"]):
                        at[row["lead_id"], instant].add("timer")
        for (_, instant), causes in at.items():
            if instant in self.grid:
                causes.add("grid")
        for (_, instant), causes in at.items():
            for pair in ("event+grid", "event+timer", "timer+grid", "attribute+event", "birth+event", "birth+grid"):
                yield from [f"at_one_instant.{pair}"] if set(pair.split("+")) <= causes else []
            yield from ["attribute.at_event"] if {"attribute", "event"} <= causes else []
            if instant == self.case.until:
                yield from (f"end.at_{cause}" for cause in causes & {"event", "timer"})
        yield from ["end.at_grid"] if self.case.until in self.grid else []
        instants = [row["at"] for row in self.events]
        instants += [row[key] for row in self.case.leads or () for key in ("created_at", "valid_from") if row.get(key)]
        if instants:
            yield from ["end.before_everything"] if self.case.until < min(instants) else []
            yield from ["end.past_everything"] if self.case.until > max(instants) else []

    def people(self) -> Iterator[str]:
        """Who is replayed, and who is not."""
        case, until = self.case, self.case.until
        states = {row["lead_id"]: row for row in self.result.states}
        yield from ["no_birth"] if any(row["stage"] is None for row in states.values()) else []
        listed = {self.person(row["lead_id"]) for row in case.leads or ()}
        started = {self.person(row["lead_id"]): row for row in case.start or ()}
        yield from ["born_after_end"] if listed - set(states) - set(started) else []
        known = listed | set(started)
        for row in self.events:
            lead = self.person(row["lead_id"])
            if lead not in known:
                yield (
                    "unknown.later"
                    if lead not in states and row["at"] > until
                    else ("unknown.ignored" if case.unknown_leads == "ignore" else "unknown.scored")
                )
            if lead in started and row["at"] < started[lead]["entered_at"] <= until:
                yield "event.before_start"
        for lead, row in started.items():
            yield "start" if row["entered_at"] <= until else "start.after_end"
            if lead in states:
                yield from ["start.unknown"] if lead not in listed else []
                yield from ["start.aliased"] if lead != row["lead_id"] else []
                yield from ["start.exit"] if self.stages[row["stage"]].kind == "exit" else []
        rows = {(self.person(row["lead_id"]), row["lead_id"]) for row in case.leads or ()}
        acts = {(self.person(row["lead_id"]), row["lead_id"]) for row in self.events}
        for name, pairs in (("rows", rows), ("events", acts)):
            counts = Counter(lead for lead, _ in pairs)
            yield from [f"aliases.merged_{name}"] if max(counts.values(), default=0) > 1 else []

    # -- stays -------------------------------------------------------------------------------------------------------

    def spans(self) -> Iterator[str]:
        """What spans show."""
        for row in self.result.spans:
            yield from ["year_1"] if row["entered_at"] < -62_000_000_000 * 1_000_000 else []
            yield from ["year_9999"] if row["entered_at"] > 253_300_000_000 * 1_000_000 else []
            yield from ["span.zero_length"] if row["entered_at"] == row["left_at"] else []
            yield from ["span.again"] if row["visit"] > 1 else []
            yield from ["span.long_visits"] if row["visit"] > 5 else []
            yield from ["span.owner"] if row["owner"] is not None else []
            yield from ["span.left_by_manual"] if row["left_by"] == "manual" else []
            yield f"sla.{row['sla_status'] or 'none'}"
            if row["sla_status"] is not None:
                yield from self.service(row)

    def service(self, row: dict[str, Any]) -> Iterator[str]:
        """What a stay with a service level shows."""
        due, sla = row["sla_due_at"], self.stages[row["stage"]].sla
        assert sla is not None
        if due is None:
            yield "sla.due.never"
            return
        yield from ["sla.met.at_due"] if row["left_at"] == due else []
        yield from ["sla.open.at_due"] if row["left_at"] is None and due == self.case.until else []
        if sla.calendar is None:
            return
        yield "sla.calendar"
        calendar = self.model.calendars[sla.calendar]
        zone = calendar.timezone or self.model.timezone
        yield from ["sla.calendar.other_timezone"] if zone != self.model.timezone else []
        days = range(row["entered_at"] // DAY, min(due // DAY, row["entered_at"] // DAY + 60) + 1)
        if clock_changes(zone, days):
            yield "sla.calendar.clocks"
            yield from self.disturbed(calendar, zone, days)
        dates = {str(wall_date(wall_time(zone, day * DAY + DAY // 2))) for day in days}
        yield from ["sla.calendar.holiday"] if dates & set(calendar.holidays) else []
        wall = wall_time(zone, due)
        minutes, rest = divmod(wall % DAY, MINUTE)
        if rest == 0:
            time = f"{minutes // 60:02}:{minutes % 60:02}"
            here, yesterday = (self.hours(calendar, wall - back) for back in (0, DAY))
            ends = {piece[6:] for piece in here} | (
                {"00:00"} if any(piece.endswith("24:00") for piece in yesterday) else set()
            )
            yield from ["sla.due.at_closing"] if time in ends else []
            yield from ["sla.due.at_opening"] if time in {piece[:5] for piece in here} else []

    def disturbed(self, calendar: Calendar, zone: str, days: range) -> Iterator[str]:
        """What a change of the clocks does to opening hours."""
        stretches = []
        for day in range(days.start - 1, days.stop + 1):
            for piece in self.hours(calendar, day * DAY):
                minutes = [int(time[:2]) * 60 + int(time[3:]) for time in piece.split("-")]
                stretches.append([read_wall_time(zone, day * DAY + minute * MINUTE) for minute in minutes])
        yield from ["sla.calendar.upside_down"] if any(begin >= end for begin, end in stretches) else []
        right = sorted((begin, end) for begin, end in stretches if begin < end)
        yield from ["sla.calendar.overlap"] if any(one[1] > other[0] for one, other in pairwise(right)) else []

    def hours(self, calendar: Any, wall: int) -> tuple[str, ...]:
        """The hours of the date of a wall time."""
        day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(wall - MONDAY) // DAY % 7]
        return tuple(calendar.hours.get(day, ()))

    def alerts(self) -> Iterator[str]:
        """What alerts show, and those that are not there."""
        logged: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
        due = {(row["lead_id"], row["stage"], row["entered_at"]): row["sla_due_at"] for row in self.result.spans}
        for row in self.result.alerts:
            key = (row["lead_id"], row["stage"], row["entered_at"])
            logged[key].append(row)
            yield "alert"
            yield from ["alert.at_entry"] if row["at"] == row["entered_at"] else []
            yield from ["alert.at_end"] if row["at"] == self.case.until else []
            yield from ["alert.late"] if due[key] is not None and row["at"] > due[key] else []
        for rows in logged.values():
            for before, after in pairwise(rows):
                yield from ["alert.out_of_order"] if before["level"] > after["level"] else []
                yield from ["alert.same_instant"] if before["at"] == after["at"] else []
        for row in self.result.spans:
            sla = self.stages[row["stage"]].sla
            for alert in sla.alerts if sla is not None and sla.calendar is None else ():
                at = row["entered_at"] + alert.after
                if row["left_at"] is None:
                    yield from ["alert.not_yet"] if at > self.case.until else []
                else:
                    yield from ["alert.left_at"] if at == row["left_at"] else []
                    yield from ["alert.left_before"] if at > row["left_at"] else []

    # -- grid and scores ---------------------------------------------------------------------------------------------

    def grids(self) -> Iterator[str]:
        """Peculiarities of the grid."""
        if not self.born or self.every is None:
            return
        zone, begin, end = self.model.timezone, min(self.born.values()), self.case.until
        readings = grid_readings(zone, self.every, begin, end)
        yield from ["grid.hundreds"] if len(readings) > 100 else []
        yield from ["grid.gap"] if len(set(readings)) < len(readings) else []
        yield from ["grid.out_of_order"] if readings != sorted(readings) else []
        for change, before in clock_changes(zone, range(begin // DAY, min(end // DAY, begin // DAY + 400) + 1)):
            yield "grid.clocks"
            back = before - (wall_time(zone, change) - change)
            for instant in readings:
                yield from ["grid.doubled"] if back > 0 and change - back <= instant < change else []

    def thresholds(self) -> Iterator[str]:
        """What thresholds do at evaluations that change their score."""
        values: dict[tuple[Any, str], list[int]] = defaultdict(list)
        for row in self.result.score_changes:
            values[row["lead_id"], row["score"]].append(row["after"])
        for threshold in self.model.thresholds.values():
            for (_, score), way in values.items():
                if score == threshold.score:
                    yield from self.crossed(threshold, way)

    def crossed(self, threshold: Threshold, way: list[int]) -> Iterator[str]:
        """How a threshold goes along values of its score."""
        at = self.model.micropoints(threshold.at)
        release = at if threshold.release is None else self.model.micropoints(threshold.release)
        reached = False
        released = False
        for value in way:
            if value >= at:
                yield "threshold.reached"
                yield from ["threshold.again"] if released and not reached else []
                reached = True
            elif reached and value >= release:
                yield "threshold.held"
            elif reached and threshold.latch:
                yield "threshold.latched"
            elif reached:
                yield "threshold.released"
                reached, released = False, True

    def changes(self) -> Iterator[str]:
        """What score changes show."""
        for row in self.result.score_changes:
            yield f"change.{row['cause']}"
            yield "change.no_criterion" if row["criterion"] is None else "change.criterion"
            combined = self.model.scores[row["score"]].combine is not None
            yield from ["change.combined"] if combined and row["criterion"] is not None else []


def clock_changes(zone: str, days: range) -> list[tuple[int, int]]:
    """The instants of days at which the clocks of a zone change, with the offset before."""
    found = [day for day in days if offset(zone, day * DAY) != offset(zone, (day + 1) * DAY)]
    return [change for day in found for change in changes(zone, day)]


def wall_date(wall: int) -> date:
    """The date of a wall time, held within those Python has."""
    days = min(max(wall // DAY, -719_000), 2_932_000)
    return date(1970, 1, 1) + timedelta(days=days)
