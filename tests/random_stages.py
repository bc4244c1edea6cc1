"""Random lifecycles for random models: stages, transitions, service levels and calendars (spec 8), from a seeded generator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from leadcore._reference.calendar import FIRST, LAST, MONDAY, offset
from tests.grids import EPOCH, wall_time
from tests.random_models import Documents
from tests.random_parts import (
    ATTRIBUTES,
    DAY,
    DURATIONS,
    EVENT_TYPES,
    HOUR,
    MINUTE,
    PROPERTIES,
    SECOND,
    TEXT_OPS,
    ZONES,
    duration_text,
)

STAGES = ("new", "engaged", "mql", "MQL", "sql", "won", "lost", "Größe", "a b", "recycled", "*new", "birth", "null")
"""Names of stages; they compare exactly (spec 3.4)."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIVE, SEVEN = WEEKDAYS[:5], WEEKDAYS
TIMES = ("00:00", "00:01", "01:00", "01:30", "02:00", "02:30", "03:00", "03:30", "06:00", "09:00", "12:00", "12:01", "13:00",
         "17:30", "22:00", "23:59", "24:00")  # fmt: skip
MICRO = 1_000_000
MOST = 10**12 * MICRO
"""Bounds of thresholds and grades in size, in micropoints."""


@dataclass(frozen=True)
class Stretch:
    """What time a case replays: instants from ``begin`` to ``end``, looked at every ``every``, or only at what happens."""

    begin: int
    end: int
    every: int | None

    @property
    def unit(self) -> int:
        """The shortest time in a stage that rules may wait for over and over; it bounds the evaluations."""
        return max(MINUTE, (self.end - self.begin) // 30)


class Lifecycles(Documents):
    """Makes one document in two parts: `scoring`, and once it is known what values its scores reach, `lifecycle`."""

    def __init__(self, rng: Random, anchor: int, write_instant: Any, zone: str, stretch: Stretch) -> None:
        super().__init__(rng, anchor, write_instant, zone)
        self.stretch = stretch
        self.stages = rng.sample(STAGES, rng.choice((2, 3, 4, 4, 5, 6, 8)))
        self.levels: dict[str, list[int]] = {}
        self.words: dict[str, tuple[str, ...]] = {}
        self.calendars: dict[str, Any] = {}
        self.calendar_zone = zone
        span = stretch.end - stretch.begin
        self.usual = [d for d in DURATIONS if span // 60 <= d <= span] or [HOUR]

    @property
    def clocks_go_on(self) -> bool:
        """Whether the anchor is where the clocks of calendars are set on."""
        return offset(self.calendar_zone, self.anchor - 1) < offset(self.calendar_zone, self.anchor)

    def duration(self, low: int = SECOND, high: int = 36_525 * DAY) -> str:
        """Mostly one that passes within the replay."""
        usual = [d for d in self.usual if low <= d <= high]
        if not usual or self.chance(0.15):
            return super().duration(low, high)
        micros = self.rng.choice(usual)
        self.durations.add(micros)
        return duration_text(micros, self.rng)

    def ascending_durations(self, count: int) -> list[str]:
        chosen = sorted({*self.rng.sample(self.usual, min(count, len(self.usual))), self.rng.choice(DURATIONS)})[:count]
        self.durations.update(chosen)
        return [duration_text(micros, self.rng) for micros in chosen]

    # -- scoring -----------------------------------------------------------------------------------------------------

    def scoring(self) -> dict[str, Any]:
        """A small valid document without conclusions and lifecycle."""
        rng = self.rng
        self.attributes = {n: t for n, t in ATTRIBUTES.items() if self.chance(0.6)}
        self.types = {}
        for name in rng.sample(EVENT_TYPES, rng.choice((1, 2, 2, 3))):
            chosen = [n for n in PROPERTIES if self.chance(0.5)]
            rng.shuffle(chosen)
            self.types[name] = {n: PROPERTIES[n] for n in chosen}
        if self.chance(0.7):
            self.types["status_changed"] = {"status": "text", **({"amount": "number"} if self.chance(0.3) else {})}
        found: dict[str, Any] = {"leadcore": 1, "name": "random"}
        if self.zone != "UTC" or self.chance(0.3):
            found["timezone"] = self.zone
        if self.chance(0.2):
            found["points_per_star"] = rng.choice((1, 5, 10, 2.5, -4))
        if self.attributes or self.chance(0.5):
            found["attributes"] = {n: self.declaration(t) for n, t in self.attributes.items()}
        found["events"] = {n: {p: self.declaration(t) for p, t in props.items()} for n, props in self.types.items()}
        found["scores"] = {name: small(score) for name, score in self.scores().items()}
        for score in found["scores"].values():
            score.pop("grades", None)
        return found

    # -- conclusions -------------------------------------------------------------------------------------------------

    def conclude(self, found: dict[str, Any], levels: dict[str, list[int]]) -> None:
        """Grades, thresholds, labels and the lifecycle.

        Args:
            found: What `scoring` made; the rest is added to it.
            levels: Micropoints that each score really reaches, ascending.
        """
        self.levels = {name: [one for one in values if abs(one) < MOST] or [0] for name, values in levels.items()}
        scores = list(found["scores"])
        for name in scores:
            if self.chance(0.45):
                found["scores"][name]["grades"] = self.level_grades(name)
        graded = [name for name in scores if "grades" in found["scores"][name]]
        if graded and self.chance(0.6):
            found["rating"] = self.rng.sample(graded, self.rng.choice((1, len(graded))))
            parts = [self.words[f"grade.{name}"] for name in found["rating"]]
            self.words["rating"] = tuple(self.rng.choice(parts[0]) + "".join(p[0] for p in parts[1:]) for _ in "123")
        if self.chance(0.4):
            fields = self.facts() | self.numbers(found)
            names = self.rng.sample(("MQL", "cold", "warm", "to call"), self.rng.choice((2, 3)))
            labels: list[dict[str, Any]] = [{"name": name, "when": self.condition(fields)} for name in names[:-1]]
            found["labels"] = [*labels, {"name": names[-1]}]
            self.words["label"] = tuple(names)
        if self.chance(0.7):
            names = self.rng.sample(("mql", "Hot_2", "_t"), self.rng.choice((1, 1, 2)))
            found["thresholds"] = {name: self.level_threshold(scores) for name in names}
        if self.chance(0.1):
            found["accounts"] = self.accounts(scores)
        if self.chance(0.9 if self.clocks_go_on else 0.5):
            names = self.rng.sample(("office", "Stunden", "c"), self.rng.choice((1, 1, 2)))
            found["calendars"] = self.calendars = {name: self.calendar() for name in names}
        found["lifecycle"] = self.lifecycle(found)

    def level(self, score: str) -> float:
        """Points at, or a micropoint beside, or between what a score reaches."""
        values = self.levels[score]
        one = self.rng.choice(values)
        draw = self.rng.random()
        if draw < 0.2:
            one += self.rng.choice((1, -1))
        elif draw < 0.5:
            one = (one + self.rng.choice(values)) // 2
        return points_of(one)

    def level_grades(self, score: str) -> list[dict[str, Any]]:
        bounds = sorted({self.level(score) for _ in range(self.rng.choice((1, 2, 3)))}, reverse=True)
        names = self.rng.sample(("A", "B", "C", "hot", "Straße", "a b"), len(bounds) + 1)
        self.words[f"grade.{score}"] = tuple(names)
        return [*({"name": n, "at_least": b} for n, b in zip(names, bounds, strict=False)), {"name": names[-1]}]

    def level_threshold(self, scores: list[str]) -> dict[str, Any]:
        score = self.moving(scores)
        found: dict[str, Any] = {"score": score, "at": self.level(score)}
        if self.chance(0.6):
            found["release"] = min(found["at"], self.level(score), self.level(score))
        if self.chance(0.3):
            found["latch"] = self.chance(0.8)
        return found

    def moving(self, scores: list[str]) -> str:
        """A score, rather one that changes."""
        changing = [name for name in scores if len(self.levels[name]) > 1]
        return self.rng.choice(changing if changing and self.chance(0.9) else scores)

    # -- conditions --------------------------------------------------------------------------------------------------

    def facts(self) -> dict[str, str]:
        return self.qualified(self.attributes, "lead.")

    def numbers(self, document: dict[str, Any]) -> dict[str, str]:
        """What a label may look at besides attributes (spec 6.4)."""
        fields = {f"score.{name}": "score" for name in document["scores"]}
        fields |= {f"grade.{name}": "word" for name, score in document["scores"].items() if "grades" in score}
        return fields | ({"rating": "word"} if "rating" in document else {})

    def moved(self, document: dict[str, Any]) -> dict[str, str]:
        """What a transition looks at and what changes in a replay (spec 8.2)."""
        fields = self.numbers(document) | {"stage.age": "age", "stage.visits": "visits"}
        fields |= {f"threshold.{name}": "boolean" for name in document.get("thresholds", {})}
        return fields | ({"label": "word"} if "labels" in document else {})

    def event_fields(self, on: Any) -> dict[str, str]:
        return {"event.type": "type"} | {f"event.{name}": type_ for name, type_ in self.properties(on).items()}

    def clause(self, name: str, type_: str) -> dict[str, Any]:
        """Scores are compared with what they reach; ages, visits, grades and types have alphabets of their own."""
        rng = self.rng
        if type_ == "score":
            return self.score_clause(name)
        if type_ == "boolean" and name.startswith("threshold.") and self.chance(0.8):
            return {"field": name, "op": "eq", "value": self.chance(0.65)}
        if type_ in ("age", "visits"):
            op = rng.choice(("ge", "ge", "gt", "le", "lt", "between", "eq", "ne", "in", "not_in", "exists"))
            return {"field": name, "op": op, "value": self.counted(op, self.age if type_ == "age" else self.visits)}
        if type_ not in ("word", "type"):
            return super().clause(name, type_)
        op = rng.choice(("eq", "eq", "ne", "in", "not_in", "exists", *TEXT_OPS))
        if op in ("exists", "matches"):
            return {"field": name, "op": op, "value": self.value(op, "text")}
        words = [self.worded(name, type_) for _ in range(rng.choice((1, 2)))]
        many = op in ("in", "not_in") or (op in TEXT_OPS and self.chance(0.3))
        clause: dict[str, Any] = {"field": name, "op": op, "value": self.distinct(words) if many else words[0]}
        if self.chance(0.2):
            clause["case_sensitive"] = self.chance(0.5)
        return clause

    def score_clause(self, name: str) -> dict[str, Any]:
        op = self.rng.choice(
            ("ge", "ge", "ge", "lt", "lt", "le", "gt", "between", "eq", "ne", "in", "not_in", "exists")
        )
        return {"field": name, "op": op, "value": self.counted(op, lambda: self.level(name.partition(".")[2]))}

    def counted(self, op: str, number: Any) -> Any:
        """The value of an op on numbers."""
        if op == "exists":
            return self.chance(0.8)
        if op in ("in", "not_in"):
            return self.distinct([number() for _ in range(self.rng.choice((1, 2, 4)))])
        return sorted((number(), number())) if op == "between" else number()

    def age(self) -> float:
        """Days: what a lead reaches at an event, a timer or a grid instant, exactly, roughly, or as a fraction."""
        span = self.stretch.end - self.stretch.begin
        waits = [d for d in (*self.durations, self.stretch.every or HOUR) if d <= span]
        usual = [(d + self.rng.choice((0, 0, 0, 1, -1))) / DAY for d in waits]
        days = span / DAY
        return self.rng.choice((0, 0.5, 1, 0.041666666667, 0.25, 1.5, 7, round(days / 8, 3), days / 3, *usual, *usual))

    def visits(self) -> float:
        return self.rng.choice((0, 1, 1, 2, 2, 3, 1.5))

    def worded(self, name: str, type_: str) -> str:
        """A grade, rating, label or event type, in some case."""
        words = tuple(self.types) if type_ == "type" else self.words[name]
        word = self.rng.choice(words)
        return self.rng.choice((word, word, word.upper(), word.lower(), word[0]))

    def guard(self, document: dict[str, Any], on: Any, often: float = 0.6) -> dict[str, Any] | None:
        """``when`` of a transition; mostly one that holds now and then."""
        rng = self.rng
        if not self.chance(often):
            return None
        moved = self.moved(document)
        everything = self.facts() | moved | (self.event_fields(on) if on else {})
        draw = rng.random()
        if draw < 0.4:
            names = [name for name, type_ in moved.items() if type_ != "score" or self.varies(name)]
            name = rng.choice(names)
            return self.clause(name, moved[name])
        if draw < 0.8 and on:
            return self.any_clause(self.event_fields(on))
        if draw < 0.6 and self.attributes:
            return self.any_clause(self.facts())
        return self.condition(everything)

    def any_clause(self, fields: dict[str, str]) -> dict[str, Any]:
        """A clause on a field of any type."""
        types = sorted(set(fields.values()))
        type_ = self.rng.choice(types + ["instant"] * ("instant" in types))
        name = self.rng.choice([name for name, one in fields.items() if one == type_])
        return self.clause(name, type_)

    def varies(self, field: str) -> bool:
        return len(self.levels[field.partition(".")[2]]) > 1

    # -- stages ------------------------------------------------------------------------------------------------------

    def lifecycle(self, document: dict[str, Any]) -> dict[str, Any]:
        rng = self.rng
        initial = self.stages[0] if self.chance(0.85) else rng.choice(self.stages)
        found: dict[str, Any] = {"initial": initial}
        if self.stretch.every is not None:
            found["evaluate"] = {"every": duration_text(self.stretch.every, rng)}
        text = [(on, name) for on, props in self.types.items() for name, type_ in props.items() if type_ == "text"]
        if text and self.chance(0.7):
            on, name = ("status_changed", "status") if "status_changed" in self.types else rng.choice(text)
            found["manual"] = {"on": on, "field": name}
        found["stages"] = [self.stage(name) for name in self.stages]
        if self.chance(0.97):
            found["transitions"] = self.transitions(document)
        elif self.chance(0.5):
            found["transitions"] = []
        return found

    def stage(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = {"name": name}
        if self.chance(0.6):
            found["owner"] = self.rng.choice(("marketing", "sales", "Größe"))
        if self.chance(0.5):
            found["kind"] = self.rng.choice(("success", "success", "detour", "exit"))
        for key in ("title", "description", "goal"):
            if self.chance(0.05):
                found[key] = "why"
        if self.chance(0.5):
            found["sla"] = self.sla()
        return found

    def wait(self, low: int = MINUTE) -> int:
        """A time to wait that lies well within the replay."""
        span = self.stretch.end - self.stretch.begin
        pool = [d for d in (*DURATIONS, 3 * HOUR, 8 * HOUR, 25 * HOUR, 3 * DAY) if low <= d <= span // 2]
        if self.stretch.every is not None:
            pool += [d for d in (self.stretch.every, 2 * self.stretch.every) if low <= d <= min(span, 36_525 * DAY)]
        pool += [min(max(low, span // n // SECOND * SECOND), 36_525 * DAY) for n in (3, 7, 16)]
        micros = self.rng.choice(pool)
        self.durations.add(micros)
        return micros

    def sla(self) -> dict[str, Any]:
        """Due times and alerts; with a calendar of few open hours mostly short ones."""
        rng = self.rng
        calendar = rng.choice(list(self.calendars)) if self.calendars and self.chance(0.75) else None
        span = self.stretch.end - self.stretch.begin
        pool = [self.wait() for _ in range(3)] + [HOUR, 8 * HOUR, MINUTE, 3 * HOUR]
        if calendar is not None:
            pool = [min(d, max(span // 4, MINUTE)) // MINUTE * MINUTE for d in pool] + [30 * MINUTE, 4 * HOUR, MINUTE]
            if few(self.calendars[calendar]):
                pool = [MINUTE, 2 * MINUTE, 3 * MINUTE, 30 * SECOND]
            most = open_minutes(self.calendars[calendar]) * 1_000 * MINUTE  # the reference engine walks every day
            pool = [min(d, most) for d in pool]
        due = rng.choice(pool)
        found: dict[str, Any] = {"due": duration_text(due, rng)}
        afters = [0, due, *(rng.choice(pool) for _ in range(4))]
        count = rng.choice((0, 1, 2, 3, 4))
        if count or self.chance(0.5):
            found["alerts"] = [
                {"after": duration_text(after, rng), "notify": self.notified()} for after in rng.sample(afters, count)
            ]
        if calendar is not None:
            found["calendar"] = calendar
        self.durations.update((due, *afters[2:]))
        return found

    def notified(self) -> Any:
        names = self.rng.sample(("rep", "manager", "Größe"), self.rng.choice((1, 1, 2)))
        return names[0] if len(names) == 1 and self.chance(0.3) else names

    # -- transitions -------------------------------------------------------------------------------------------------

    def transitions(self, document: dict[str, Any]) -> list[dict[str, Any]]:
        """Rules along the stages and across; short waits only where each stay takes an event to begin."""
        rng = self.rng
        found = []
        steps = list(zip(self.stages, self.stages[1:], strict=False))
        for here, there in steps:
            if self.chance(0.8):
                found.append(self.transition(document, here, there))
        for _ in range(rng.choice((0, 1, 2, 3, 4, 6))):
            to = rng.choice(self.stages)
            others = [name for name in self.stages if name != to]
            from_ = (
                "*" if self.chance(0.25) else rng.sample(others, rng.choice((1, 1, min(2, len(others)), len(others))))
            )
            found.append(self.transition(document, from_, to))
        rng.shuffle(found)
        for stage in self.stages:
            if all("on" in one for one in found if one["to"] == stage) and self.chance(0.4):
                found.insert(rng.randrange(len(found) + 1), self.short_wait(document, stage))
        return found

    def short_wait(self, document: dict[str, Any], stage: str) -> dict[str, Any]:
        """A rule that waits for little; only for stages that nothing but events led to, so that it is not for ever."""
        wait = self.rng.choice((MINUTE, MINUTE + SECOND, 45 * MINUTE, HOUR, 90 * MINUTE, 3 * HOUR))
        self.durations.add(wait)
        to = self.rng.choice([name for name in self.stages if name != stage])
        found = self.transition(document, stage, to) | {"after": duration_text(wait, self.rng)}
        if self.chance(0.5):
            found.pop("when", None)
        return found

    def transition(self, document: dict[str, Any], from_: Any, to: str) -> dict[str, Any]:
        """One rule: by events, by time, by scores, or at once."""
        form = self.rng.choice(("on", "on", "on", "when", "when", "when", "after", "after", "on_after", "at_once"))
        found: dict[str, Any] = {"name": self.name(self.rng.choice(("t", "Regel ", "ü"))), "from": from_, "to": to}
        if isinstance(from_, list) and len(from_) == 1 and self.chance(0.4):
            found["from"] = from_[0]
        for key in ("title", "description"):
            if self.chance(0.03):
                found[key] = "why"
        if form in ("on", "on_after"):
            found["on"] = self.on()
        if form in ("after", "on_after"):
            found["after"] = duration_text(self.wait(self.stretch.unit), self.rng)
        often = {"on": 0.7, "when": 1.0, "after": 0.4, "on_after": 0.4, "at_once": 0.0}[form]
        when = self.guard(document, found.get("on"), often)
        if when is not None:
            found["when"] = when
        return found

    # -- calendars ---------------------------------------------------------------------------------------------------

    def calendar(self) -> dict[str, Any]:
        rng = self.rng
        form = rng.choice(("office", "lunch", "all", "night", "minute", "clocks", "clocks", "random", "random"))
        if self.clocks_go_on and self.chance(0.6):
            form = "clocks"
        hours: dict[str, list[str]]
        if form == "office":
            pieces = rng.choice((["09:00-17:00"], ["08:30-18:00"], ["09:00-24:00"], ["09:00-12:00", "12:00-17:00"]))
            hours = dict.fromkeys(FIVE, pieces)
        elif form == "lunch":
            pieces = ["09:00-12:00", "13:00-17:30"] if self.chance(0.6) else ["13:00-18:00", "08:00-12:00"]
            hours = dict.fromkeys(FIVE, pieces)
        elif form == "all":
            hours = {day: ["00:00-24:00"] for day in SEVEN}
        elif form == "night":
            hours = {day: ["22:00-24:00", "00:00-06:00"] for day in rng.sample(SEVEN, 4)}
        elif form == "minute":
            hours = {rng.choice(SEVEN): [rng.choice(("12:00-12:01", "02:30-02:31", "23:59-24:00", "00:00-00:01"))]}
        elif form == "clocks":
            hours = self.around_the_change()
        else:
            hours = {day: self.opening() for day in rng.sample(SEVEN, rng.choice((1, 3, 7)))}
            if not any(hours.values()):
                hours["wed"] = ["10:00-11:00"]
        found: dict[str, Any] = {"hours": hours}
        if self.calendar_zone != self.zone and form == "clocks":
            found["timezone"] = self.calendar_zone
        elif self.chance(0.5):
            found["timezone"] = rng.choice((self.calendar_zone, rng.choice(ZONES)))
        if self.chance(0.5):
            found["holidays"] = sorted({self.date() for _ in range(rng.choice((0, 1, 3, 6)))}, reverse=self.chance(0.3))
        return found

    def around_the_change(self) -> dict[str, list[str]]:
        """Hours that begin and end where the clocks may be set on or back."""
        wall = wall_time(self.calendar_zone, self.anchor - 1) + 1
        first = wall % DAY // MINUTE
        cuts = self.rng.choice(([0, 45, 60, 180], [0, 45, 60, 180], [30, 75, 90, 180], [-90, -30, -30, 30, 30, 150]))
        times = [min(max(first + cut, 0), 1440) for cut in cuts]
        texts = [f"{time // 60:02}:{time % 60:02}" for time in times]
        pairs = zip(texts[::2], texts[1::2], strict=True)
        today = WEEKDAYS[(wall - MONDAY) // DAY % 7]
        pieces = [f"{begin}-{end}" for begin, end in pairs if begin < end] or ["00:00-03:00"]
        return {today: pieces, self.rng.choice(WEEKDAYS): ["22:00-24:00"]} | {today: pieces}

    def opening(self) -> list[str]:
        """Some hours of a day that do not overlap."""
        times = sorted(self.rng.sample(TIMES, self.rng.choice((0, 2, 4, 6))))
        return [f"{begin}-{end}" for begin, end in zip(times[::2], times[1::2], strict=True)]

    def date(self) -> str:
        """A date within the replay, where the clocks of the model are."""
        instant = self.rng.choice((self.anchor, self.rng.randrange(self.stretch.begin, self.stretch.end + 1)))
        days = min(max(wall_time(self.zone, instant), FIRST), LAST) // DAY
        return (EPOCH + timedelta(days=days)).date().isoformat()


def few(calendar: dict[str, Any]) -> bool:
    """Whether a calendar opens some minutes a week only."""
    return open_minutes(calendar) < 60


def open_minutes(calendar: dict[str, Any]) -> int:
    """How long a calendar opens in a week."""
    minutes = 0
    for pieces in calendar["hours"].values():
        for piece in pieces:
            begin, end = (int(time[:2]) * 60 + int(time[3:]) for time in piece.split("-"))
            minutes += end - begin
    return minutes


def small(score: dict[str, Any]) -> dict[str, Any]:
    """A score with few criteria."""
    if "criteria" in score:
        del score["criteria"][2:]
    for group in list(score.get("groups", ()))[2:]:
        del score["groups"][group]
    for group in score.get("groups", {}).values():
        del group["criteria"][2:]
    return score


def points_of(micropoints: int) -> float:
    """Micropoints as a number of the document: exact where a float is."""
    points = micropoints / MICRO
    exact = micropoints % MICRO == 0 or abs(micropoints) < 10**14
    return micropoints // MICRO if not exact or micropoints % MICRO == 0 else points
