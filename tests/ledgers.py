"""A ledger beside the oracle: both are told and asked the same, plain rows in and plain rows out, and every difference is an error."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import leadcore as lc
from leadcore._time import to_micros, to_text
from leadcore.errors import LeadcoreError
from leadcore.model import Model
from tests.engines import arrow
from tests.ledger_oracle import (
    ALERT,
    TRANSITION,
    Changed,
    Id,
    OracleLedger,
    Row,
    Told,
    event_table,
    lead_table,
    micros,
    plain,
)

TABLES = ("scores", "thresholds", "transitions", "alerts", "late")


class LiveLedger:
    """The real ledger with the oracle's rows: instants in microseconds, scores in micropoints."""

    def __init__(self, scorer: lc.Scorer, late: str | timedelta = "7d", ledger: Any = None) -> None:
        self.ledger = lc.Ledger(scorer, late) if ledger is None else ledger

    @property
    def model(self) -> Model:
        return self.ledger.model

    @property
    def clock(self) -> int | None:
        return None if self.ledger.clock is None else to_micros(self.ledger.clock)

    def apply(
        self, events: Sequence[Row] | None = None, leads: Sequence[Row] | None = None, *, until: int | None = None,
        on_late: str = "raise",
    ) -> Changed:  # fmt: skip
        end = None if until is None else to_text(until)
        return changed(
            self.ledger.apply(
                event_table(self.model, events) if events else None, lead_table(self.model, leads or ()), until=end,
                on_late=on_late, micropoints=True,
            )
        )  # fmt: skip

    def add(
        self, lead_id: Id, at: int, type: str, properties: Row | None = None, event_id: Id | None = None
    ) -> Changed:
        kinds = {name: one.type for name, one in self.model.events.get(type, {}).items()}
        given = {
            name: to_text(value) if kinds.get(name) == "instant" and value is not None else value
            for name, value in (properties or {}).items()
        }
        return changed(self.ledger.add(lead_id, to_text(at), type, given, event_id))

    def advance(self, until: int) -> Changed:
        return changed(self.ledger.advance(to_text(until), micropoints=True))

    def retract(self, events: Sequence[Row]) -> Changed:
        return changed(self.ledger.retract(arrow(events, {})))

    def forget(self, lead_id: Id) -> bool:
        return self.ledger.forget(lead_id)

    def merge(self, lead_id: Id, into: Id) -> Changed:
        return changed(self.ledger.merge(lead_id, into))

    def migrate(
        self,
        scorer: lc.Scorer,
        at: int | None = None,
        events: Sequence[Row] | None = None,
        leads: Sequence[Row] | None = None,
    ) -> Changed:
        given = None if events is None else event_table(scorer.model, events)
        end = None if at is None else to_text(at)
        return changed(scorer.migrate(self.ledger, end, given, lead_table(scorer.model, leads or ()), micropoints=True))

    def next_change(self, as_of: int, until: int, leads: Sequence[Id]) -> list[Row]:
        span = timedelta(microseconds=until - as_of)
        return plain(self.ledger.next_change(to_text(as_of), span, leads))

    def score(self, as_of: int, leads: Sequence[Id] | None = None) -> list[Row]:
        return plain(self.ledger.score(to_text(as_of), leads=leads, micropoints=True))

    def lead(self, lead_id: Id, as_of: int | None = None) -> Told:
        one = self.ledger.lead(lead_id, None if as_of is None else to_text(as_of))
        story = one.timeline
        return Told(one.micropoints, one.thresholds, micros(story.transitions), micros(story.alerts))

    def __len__(self) -> int:
        return len(self.ledger)

    def __contains__(self, lead_id: Id) -> bool:
        return lead_id in self.ledger

    def save(self, path: Path) -> None:
        self.ledger.save(path)

    def load(self, path: Path) -> LiveLedger:
        self.ledger = lc.Ledger.load(path)
        return self


def changed(changes: Any) -> Changed:
    """What a call of the real ledger changed, as plain rows."""
    changes._micropoints = True  # not every call has the option; tables are made when they are first asked for
    return Changed(**{name: plain(getattr(changes, name)) for name in TABLES}, counts=asdict(changes.counts))


class Difference(AssertionError):
    """The ledger and the oracle do not say the same."""


class Pair:
    """A ledger and the oracle, told and asked the same.

    Args:
        document: The model.
        late: As a ledger takes it.
        live: Makes the ledger from a scorer and ``late``.

    Attributes:
        census: How often what happened.
        calls: All calls so far.
        failed: Whether a difference was found.
    """

    def __init__(self, document: Row, late: Any, live: Any = LiveLedger) -> None:
        scorer = lc.Scorer(Model.model_validate(document))
        self.first_document = self.document = document
        self.late = late
        self.ledger: Any = live(scorer, late)
        self.oracle = OracleLedger(scorer, late)
        self.received: dict[Id, Told] = defaultdict(Told)
        self.keys: dict[str, str] = {}
        self.census: Counter[str] = Counter()
        self.calls: list[tuple[str, Row]] = []
        self.failed = False

    # -- both are told the same --------------------------------------------------------------------------------------

    def tell(self, name: str, **given: Any) -> Changed | None:
        """Call both; what the oracle says changed, or None where both refuse."""
        self.calls.append((name, given))
        if name == "migrate":
            events, leads, _ = self.oracle.rows(list(self.oracle.leads))
            everyone = self.oracle.leads.values()
            events += [row for lead in everyone for row in lead.unread]
            if given["with_dead"]:  # of those too old to come again a ledger in memory knows nothing any more
                floors = [(lead, self.oracle._floor(lead)) for lead in everyone]
                dead = [(row, floor) for lead, floor in floors for row in lead.dead.values()]
                events += [row for row, floor in dead if floor is None or row["at"] >= floor]
            old = self.oracle.model
            self.document = given["document"]
            scorer = lc.Scorer(Model.model_validate(self.document))
            given = {"scorer": scorer, "at": given.get("at"), "events": events, "leads": leads}
        before = {lead_id: (lead.told, lead.newest) for lead_id, lead in self.oracle.leads.items()}
        found, error = self.attempt(getattr(self.ledger, name), given)
        if name == "apply" and found is not None:
            late = {row["row"] for row in found.late if row["table"] == "leads"}
            given = given | {"taken": {*range(len(given.get("leads") or ()))} - late}
        expected, refused = self.attempt(getattr(self.oracle, name), given)
        if (refused is None) != (error is None):
            self.fail(f"{name}: refused with {error!r}, the oracle says {refused!r}")
        if refused is not None:
            self.census[f"{name}.refused"] += 1
            self.census["refused"] += 1
            return None
        assert expected is not None
        assert found is not None
        self.census[name] += 1
        if name == "migrate":
            name = "migrate" if given["at"] is None else "migrate_at"
            self.note_swap(name, old)
        self.note(name, given, expected, before)
        self.receive(name, found, expected)
        if name == "merge":
            self.received.pop(given["lead_id"], None)
        return expected

    def forget(self, lead_id: Id) -> None:
        """Forget a lead: what was said of it is void."""
        self.calls.append(("forget", {"lead_id": lead_id}))
        person = self.oracle.person(lead_id)
        there = lead_id in self.oracle
        self.census["forget.known" if there else "forget.unknown"] += 1
        self.oracle.forget(lead_id)
        if self.ledger.forget(lead_id) < there:
            self.fail(f"forget: there was nothing of {lead_id!r}")
        self.received.pop(person, None)

    def reload(self, path: Path) -> None:
        """Save and load."""
        self.calls.append(("reload", {}))
        self.census["reload"] += 1
        self.ledger.save(path)
        self.ledger = self.ledger.load(path)

    def model_names(self) -> list[str]:
        """Names of attributes."""
        return list(self.oracle.model.attributes)

    # -- what changed ------------------------------------------------------------------------------------------------

    def receive(self, name: str, found: Changed, expected: Changed) -> None:
        """Take what the ledger says changed to what it said before, and compare with what is true."""
        for key, count in expected.counts.items():
            if found.counts.get(key) != count:
                self.fail(f"counts: {key} is {found.counts.get(key)}, not {count}")
        late = [
            sorted((r["table"], r["row"], r["lead_id"], r["at"] if r["table"] == "events" else None) for r in said.late)
            for said in (found, expected)
        ]  # a row of leads may be late by more than one instant
        self.same("late", *late)
        self.take_values("scores", "score", found.scores)
        self.take_values("thresholds", "threshold", found.thresholds)
        for lead_id in expected.touched:
            said = {
                row["lead_id"]
                for told in (expected.thresholds, expected.transitions, expected.alerts, found.scores)
                for row in told
            }
            if name == "advance" and self.oracle.model.lifecycle is not None and lead_id not in said:
                self.census["advance.untold"] += 1  # nothing happens to it, so its decay need not be told
            else:
                self.check_values(lead_id)
        for table in ("transitions", "alerts"):
            self.take(table, getattr(found, table))
            leads = {row["lead_id"]: None for said in (found, expected) for row in getattr(said, table)}
            for lead_id in leads:
                self.check_told(table, lead_id)

    def take_values(self, table: str, name: str, rows: Sequence[Row]) -> None:
        """Scores and thresholds lead from what was said before to what is true at the instant told."""
        for row in rows:
            lead_id = row["lead_id"]
            lead = self.oracle.leads.get(lead_id)
            if lead is None:
                continue  # it was merged into another
            said = self.values(self.received[lead_id], table)
            true = self.values(lead.state, table)
            before, after = said.get(row[name], 0), true.get(row[name], 0)
            ends = {"before": before, "after": after} if table == "scores" else {"reached": bool(after)}
            as_of = lead.told if lead else row["as_of"]  # of a lead without facts the instant says nothing
            self.same(f"{table}", row, {"lead_id": lead_id, "as_of": as_of, name: row[name], **ends})
            if before == after:
                self.fail(f"{table}: nothing changed: {row}")
            said[row[name]] = after

    def check_values(self, lead_id: Id) -> None:
        """What was said last of a lead that was touched is what is true of it."""
        lead, said = self.oracle.leads.get(lead_id), self.received[lead_id]
        if lead is None or lead.told is None:
            return
        for table in ("scores", "thresholds"):
            one, other = self.values(said, table), self.values(lead.state, table)
            self.same(
                f"{table} of {lead_id!r} last told",
                {name: value for name, value in sorted(one.items()) if value},
                {name: value for name, value in sorted(other.items()) if value},
            )

    @staticmethod
    def values(state: Told, table: str) -> Row:
        """Scores, or thresholds reached."""
        if table == "thresholds":
            return state.reached
        if state.scores is None:
            state.scores = {}
        return state.scores

    def take(self, table: str, rows: Sequence[Row]) -> None:
        """Withdraw and add rows."""
        last: dict[tuple[Id, str], int] = {}
        for row in rows:
            lead_id, change = row["lead_id"], row["change"]
            plain_row = {name: value for name, value in row.items() if name != "change"}
            said = getattr(self.received[lead_id], table)
            place = next((i for i, one in enumerate(said) if one["key"] == row["key"]), None)
            if change == "withdrawn":
                if (lead_id, "new") in last:
                    self.fail(f"{table}: withdrawn after new ones: {row}")
                if place is None:
                    self.fail(f"{table}: withdrawn, but never said: {row}")
                self.same(f"{table}: withdrawn", plain_row, said.pop(place))
            elif change == "new":
                if place is not None:
                    self.fail(f"{table}: said again: {row}")
                said.append(plain_row)
            else:
                self.fail(f"{table}: change is {change!r}")
            if row["at"] < last.get((lead_id, change), row["at"]):
                self.fail(f"{table}: not in order of happening: {row}")
            last[lead_id, change] = row["at"]
        if not self.minimal(rows):
            self.census[f"{table} withdrawn and said again"] += 1

    @staticmethod
    def minimal(rows: Sequence[Row]) -> bool:
        """Whether no row is withdrawn and said again as it was."""
        texts = Counter(repr({name: value for name, value in row.items() if name != "change"}) for row in rows)
        return max(texts.values(), default=0) < 2

    def check_told(self, table: str, lead_id: Id) -> None:
        """What was said of a lead is what is true of it, under keys that stay the same."""
        lead = self.oracle.leads.get(lead_id)
        wanted = getattr(lead.state, table) if lead is not None else []
        said: dict[str, list[str]] = defaultdict(list)
        true: dict[str, list[str]] = defaultdict(list)
        for rows, by in ((getattr(self.received[lead_id], table), said), (wanted, true)):
            for row in rows:
                by[repr({name: value for name, value in row.items() if name != "key"})].append(row["key"])
        if {text: len(keys) for text, keys in said.items()} != {text: len(keys) for text, keys in true.items()}:
            missing = [text for text, keys in true.items() if len(keys) > len(said.get(text, ()))]
            extra = [text for text, keys in said.items() if len(keys) > len(true.get(text, ()))]
            self.fail(f"{table} of {lead_id!r}: missing {missing}, too many {extra}")
        for text, keys in true.items():
            if len(keys) == 1 and self.keys.setdefault(f"{table} {keys[0]}", said[text][0]) != said[text][0]:
                self.fail(
                    f"{table}: the key of {text} was {self.keys[f'{table} {keys[0]}']}, now it is {said[text][0]}"
                )

    # -- both are asked the same -------------------------------------------------------------------------------------

    def check_leads(self) -> None:
        """The same leads, the same clock."""
        for lead_id, lead in self.oracle.leads.items():
            if lead and lead_id not in self.ledger:
                self.fail(f"{lead_id!r} is missing")
        if not len(self.oracle) <= len(self.ledger) <= len(self.oracle.leads):  # retracted ids of a lead are kept
            self.fail(f"{len(self.ledger)} leads, not {len(self.oracle)}")
        self.same("clock", self.ledger.clock, self.oracle.clock)

    def ask_score(self, as_of: int, leads: Sequence[Id] | None = None) -> None:
        """Scores at an instant; where it is before what is kept, they may be refused."""
        self.calls.append(("ask_score", {"as_of": as_of, "leads": leads}))
        asked = [one for one in (self.oracle.leads if leads is None else leads) if one in self.oracle]
        if leads is not None and not asked:
            return
        floors = [self.oracle._floor(self.oracle.leads[self.oracle.person(one)]) for one in asked]
        old = any(floor is not None and as_of < floor for floor in floors)
        found, error = self.attempt(self.ledger.score, {"as_of": as_of, "leads": None if leads is None else asked})
        if error is not None and old:
            self.census["score.refused"] += 1
            return
        if error is not None:
            self.fail(f"score at {as_of} of {asked}: {error!r}")
        self.census["score.old" if old else "score"] += 1
        wanted = self.oracle.score(as_of, None if leads is None else asked)
        if leads is None:
            found, wanted = ({row["lead_id"]: row for row in rows} for rows in (found, wanted))
        self.same(f"score at {as_of} of {leads}", found, wanted)

    def ask_lead(self, lead_id: Id, as_of: int | None) -> None:
        """One lead, where something was told of it."""
        self.calls.append(("ask_lead", {"lead_id": lead_id, "as_of": as_of}))
        lead = self.oracle.leads.get(self.oracle.person(lead_id))
        if lead is None or lead.told is None or not lead:
            return
        at = lead.told if as_of is None else as_of
        floor = self.oracle._floor(lead)
        if lead.adopted is not None and at < lead.adopted.at:
            return
        found, error = self.attempt(self.ledger.lead, {"lead_id": lead_id, "as_of": as_of})
        if error is not None:
            if floor is None or at >= floor:
                self.fail(f"lead {lead_id!r} at {as_of}: {error!r}")
            return
        self.census["lead"] += 1
        wanted = self.oracle.lead(lead_id, as_of)
        names = [name for name in TRANSITION if name != "lead_id"]
        self.same(f"scores of {lead_id!r} at {at}", found.scores, wanted.scores or found.scores)
        if at <= lead.told:
            self.census["lead.told"] += 1
            self.same(f"thresholds of {lead_id!r} at {at}", found.reached, wanted.reached or found.reached)
            for table, columns in (("transitions", names), ("alerts", ALERT[1:])):
                one, other = (
                    [[row[name] for name in columns] for row in getattr(said, table)] for said in (found, wanted)
                )
                self.same(f"{table} of {lead_id!r} at {at}", one, other)

    def ask_next(self, lead_id: Id, as_of: int, until: int) -> None:
        """What changes next if nothing happens: exact at each instant named, and nothing before at many others."""
        self.calls.append(("ask_next", {"lead_id": lead_id, "as_of": as_of, "until": until}))
        person = self.oracle.person(lead_id)
        lead = self.oracle.leads.get(person)
        if not lead or (lead.adopted is not None and as_of < lead.adopted.at):
            return
        later = (all(since is not None and since > as_of for since in record.rows) for record in lead.records.values())
        if any(later):
            return  # tables of what was known by then could not say its created_at without its attributes
        floor = self.oracle._floor(lead)
        given = {"as_of": as_of, "until": until, "leads": [lead_id]}
        found, error = self.attempt(self.ledger.next_change, given)
        if error is not None:
            if floor is None or as_of >= floor:
                self.fail(f"next change of {lead_id!r} from {as_of} to {until}: {error!r}")
            return
        state, moves = self.oracle.foreseen(person, as_of, until)
        if state.scores is None:
            return  # it is not there yet
        stages = [(row["at"], row["name"]) for row in found if row["kind"] == "stage"]
        self.same(
            f"next stage of {lead_id!r} from {as_of} to {until}", stages, [(r["at"], r["to_stage"]) for r in moves[:1]]
        )
        self.census["next.stage"] += len(stages)
        for name in self.oracle.model.thresholds:
            row = next((row for row in found if (row["kind"], row["name"]) == ("threshold", name)), None)
            said = None if row is None else row["at"]
            beside = [] if said is None else [said - 1, said]
            wanted = self.oracle.crossing(name, person, as_of, until, beside)
            self.same(f"next {name} of {lead_id!r} from {as_of} to {until}", said, wanted)
            if row is not None:
                self.census["next.threshold"] += 1
                self.same(f"next {name}", row["reached"], not state.reached[name])

    def check_all(self) -> None:
        """What was said is what one batch run over all leads says, to the last bit; so are the scores."""
        self.calls.append(("check_all", {}))
        told = {lead_id: lead.told for lead_id, lead in self.oracle.leads.items() if lead.told is not None}
        everyone = [lead_id for lead_id, lead in self.oracle.leads.items() if lead.adopted is None]
        if everyone and self.oracle.model.lifecycle is not None and told:
            events, leads, aliases = self.oracle.tables(everyone)
            scorer, end = self.oracle.scorer, to_text(max(told.values()))
            result = scorer.replay(events, leads, until=end, aliases=aliases, micropoints=True)
            for table in ("transitions", "alerts"):
                wanted: dict[Id, list[str]] = {lead_id: [] for lead_id in everyone}
                for row in plain(getattr(result, table)):
                    if row["at"] <= told.get(row["lead_id"], row["at"] - 1):
                        wanted[row["lead_id"]].append(repr(row))
                for lead_id in everyone:
                    rows = getattr(self.received[lead_id], table)
                    said = [repr({name: value for name, value in row.items() if name != "key"}) for row in rows]
                    self.same(f"batch {table} of {lead_id!r}", sorted(said), sorted(wanted[lead_id]))
        for instant in sorted(set(told.values())):
            self.ask_score(instant, [lead_id for lead_id, at in told.items() if at == instant])

    # -- parts -------------------------------------------------------------------------------------------------------

    def note(self, name: str, given: Row, expected: Changed, before: dict[Id, Any]) -> None:
        """Count what happened."""
        census, happened = self.census, []
        happened += [
            f"{name}.{key}" for key in ("duplicates", "unknown", "late", "ignored") if expected.counts.get(key)
        ]
        for table in ("transitions", "alerts"):
            for row in getattr(expected, table):
                happened.append(f"{table}.{row['change']}")
                happened += [f"{table}.{row['change']}.{row['cause']}"] if "cause" in row else []
        keys = [(row["key"], row["change"]) for row in expected.transitions]
        happened += ["transitions.only_scores"] if len(keys) > len({key for key, _ in keys}) else []
        happened += [f"thresholds.{row['reached']}" for row in expected.thresholds]
        happened += [f"{name}.moved"] if expected.transitions else []
        for row in given.get("events") or ():
            told, newest = before.get(self.oracle.person(row["lead_id"]), (None, None))
            if "at" in row and name == "apply":
                happened += ["event.late"] if newest is not None and row["at"] < newest else []
                happened += ["event.at_newest"] if newest is not None and row["at"] == newest else []
                happened += ["event.before_told"] if told is not None and row["at"] <= told else []
        for lead_id, lead in self.oracle.leads.items():
            floor = self.oracle._floor(lead)
            if floor is not None and lead.instants() and min(lead.instants()) < floor:
                happened += [f"{name}.with_base"]
            if any(at > (lead.told if lead.told is not None else at - 1) for at in lead.instants()):
                happened += ["pending"]
            if before.get(lead_id, (0, 0))[0] != lead.told and name == "advance" and lead_id in before:
                happened += ["advance.lead"]
        census.update(set(happened))

    def note_swap(self, name: str, old: Model) -> None:
        """Count what another model has otherwise."""
        new, leads = self.oracle.model, self.oracle.leads.values()
        happened = [name] if name != "migrate" else []
        if old.lifecycle is None or new.lifecycle is None:
            happened += [f"{name}.lifecycle_gained"] if new.lifecycle is not None else []
            happened += [f"{name}.lifecycle_lost"] if old.lifecycle is not None else []
        happened += [f"{name}.type_lost"] if old.events.keys() - new.events.keys() else []
        happened += [f"{name}.type_gained"] if new.events.keys() - old.events.keys() else []
        happened += [f"{name}.unread"] if any(lead.unread for lead in leads) else []
        happened += [f"{name}.with_dead"] if any(lead.dead for lead in leads) else []
        self.census.update(happened)

    def attempt(self, call: Any, given: Row) -> tuple[Any, LeadcoreError | None]:
        """The result of a call, or the error with which it is refused; any other error is a fault."""
        try:
            return call(**given), None
        except LeadcoreError as error:
            return None, error
        except Exception as error:
            self.failed = True
            raise Difference(f"{call.__name__}: {error!r}") from error

    def same(self, what: str, found: Any, wanted: Any) -> None:
        """Both are equal."""
        if spelt(found) != spelt(wanted):
            self.fail(f"{what}:\n found  {found}\n wanted {wanted}")

    def fail(self, what: str) -> None:
        """Say what differs."""
        self.failed = True
        raise Difference(what)

    @property
    def story(self) -> tuple[Row, Any, list[tuple[str, Row]]]:
        """Everything needed to do it again, by `again`."""
        return self.first_document, self.late, self.calls

    @classmethod
    def again(
        cls, document: Row, late: Any, calls: Sequence[tuple[str, Row]], folder: Path, live: Any = LiveLedger
    ) -> Pair:
        """Do a story again."""
        pair = cls(document, late, live)
        for name, given in calls:
            if name == "reload":
                pair.reload(folder / "ledger")
            elif name in ("forget", "ask_score", "ask_lead", "ask_next", "check_all"):
                getattr(pair, name)(**given)
            else:
                pair.tell(name, **given)
            pair.check_leads()
        return pair


def spelt(value: Any) -> str:
    """A value and the types in it, as text; rows may come in any order of leads, columns may not."""
    if isinstance(value, dict) and any(isinstance(one, dict) for one in value.values()):
        return repr(sorted((repr(key), repr(one)) for key, one in value.items()))
    return repr(value)
