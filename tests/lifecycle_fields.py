"""Which fields of spec 8 a model document uses, as paths, and all there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leadcore.model.duration import Duration
from tests.fields import TYPED_OPS, fields_hit, type_of
from tests.random_stages import few

ORDERED = ("eq", "ne", "in", "not_in", "exists", "lt", "le", "gt", "ge", "between")
FIELD_OPS = {
    **dict.fromkeys(("grade", "rating", "label", "event.type"), TYPED_OPS["text"]),
    **dict.fromkeys(("score", "stage.age", "stage.visits"), ORDERED),
    "threshold": TYPED_OPS["boolean"],
    **{f"{owner}.{type_}": TYPED_OPS[type_] for owner in ("lead", "event") for type_ in ("text", "number", "boolean", "instant")},
}  # fmt: skip
"""Every field of a condition in a lifecycle (spec 8.2), and the ops that fit it."""

EVERY = {"1h": "1h", "1h30m": "90m", "6h": "6h", "1d": "1d", "2d": "2d", "1w": "7d", "5h": "5h"}

SCORING = (
    "timezone", "points_per_star", "rating", "attributes.optional", "events.optional", "scores.groups", "scores.criteria", "scores.combine",
    "scores.min", "scores.max", "scores.grades", "groups.weight", "groups.fade", "groups.reset", "thresholds", "thresholds.release",
    "thresholds.latch", "criteria.attribute.table", "criteria.attribute.bands", "criteria.attribute.points", "criteria.event.unique_by",
    "criteria.event.cooldown", "criteria.event.limit.day", "criteria.event.points.per", "criteria.event.points.by", "criteria.frequency.bands",
    "criteria.frequency.distinct", "criteria.recency.bands", "criteria.event.reset", "criteria.recency.reset",
    *(f"criteria.event.decay.{kind}{key}" for kind in ("half_life", "linear", "expire", "steps", "periodic") for key in ("", ".delay", ".keep")),
)  # fmt: skip
"""Fields of the scores that a replay looks at; tests/fields.py has them all."""


def all_lifecycle_fields() -> list[str]:
    """Every path `lifecycle_fields_hit` can report and random cases must cover."""
    found = [*SCORING, "labels", "initial.first", "initial.later", "initial.exit", "evaluate.none", "manual"]
    found += [f"evaluate.{every}" for every in ("1h", "90m", "6h", "1d", "2d", "7d", "5h", "odd")]
    found += [f"stages.{key}" for key in ("owner", "title", "description", "goal", "sla", "kind.default", "no_sla")]
    found += [f"stages.kind.{kind}" for kind in ("success", "detour", "exit")]
    found += [f"stages.count.{count}" for count in (2, 8)]
    found += [f"sla.{key}" for key in ("calendar", "no_calendar", "no_alerts", "alerts")]
    found += [
        f"sla.alerts.{key}" for key in ("0s", "at_due", "late", "unordered", "twice", "notify.text", "notify.several")
    ]
    found += ["transitions.none", "transitions.from.text", "transitions.from.one", "transitions.from.several"]
    found += ["transitions.from.star", "transitions.from.star_to_exit", "transitions.on.several", "transitions.on.text"]
    found += [f"transitions.{key}" for key in ("at_once", "after.1m", "title", "description")]
    found += [
        f"transitions.{key}" for key in ("on", "when", "after", "on.when", "on.after", "when.after", "on.when.after")
    ]
    found += [
        "when.all",
        "when.any",
        "when.not",
        "when.nested",
        "when.case_sensitive",
        "when.bare",
        "when.stage.age.fraction",
    ]
    found += [f"when.{field}.{op}" for field, ops in FIELD_OPS.items() for op in ops]
    found += [
        f"calendars.{key}" for key in ("timezone", "no_timezone", "other_timezone", "break", "24:00", "holidays", "few")
    ]
    found += ["calendars.unordered", "calendars.day_without"]
    return found


ALL_LIFECYCLE_FIELDS = all_lifecycle_fields()
"""Every path that random lifecycles must hit."""


def lifecycle_fields_hit(document: dict[str, Any]) -> set[str]:
    """The paths of spec 8 fields a valid document uses, such as ``when.stage.age.ge``."""
    found = set(fields_hit(document)) & set(SCORING)
    return found | set(LifecycleWalk(document).paths())


class LifecycleWalk:
    """One walk through a lifecycle."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.lifecycle: dict[str, Any] = document["lifecycle"]
        self.attributes = {name: type_of(declared) for name, declared in document.get("attributes", {}).items()}
        self.events = {name: type_of(one) for props in document["events"].values() for name, one in props.items()}

    def paths(self) -> Iterator[str]:
        """Every path used."""
        lifecycle = self.lifecycle
        stages = lifecycle["stages"]
        first = next(number for number, stage in enumerate(stages) if stage["name"] == lifecycle["initial"])
        yield "initial.later" if first else "initial.first"
        yield from ["initial.exit"] if stages[first].get("kind") == "exit" else []
        yield from ["labels"] if "labels" in self.document else []
        yield from ["manual"] if "manual" in lifecycle else []
        yield from self.evaluate()
        yield from [f"stages.count.{len(stages)}"] if len(stages) in (2, 8) else []
        for stage in stages:
            yield from self.stage(stage)
        yield from ["transitions.none"] if not lifecycle.get("transitions") else []
        for transition in lifecycle.get("transitions", ()):
            yield from self.transition(transition)
        for calendar in self.document.get("calendars", {}).values():
            yield from self.calendar(calendar)

    def evaluate(self) -> Iterator[str]:
        """How often leads are looked at."""
        if "evaluate" not in self.lifecycle:
            yield "evaluate.none"
            return
        every = EVERY.get(str(Duration(self.lifecycle["evaluate"]["every"])), "odd")
        yield f"evaluate.{every}"

    def stage(self, stage: dict[str, Any]) -> Iterator[str]:
        """Paths of a stage."""
        yield from (f"stages.{key}" for key in ("owner", "title", "description", "goal") if key in stage)
        yield f"stages.kind.{stage.get('kind', 'default')}"
        yield "stages.sla" if "sla" in stage else "stages.no_sla"
        if "sla" not in stage:
            return
        sla = stage["sla"]
        yield "sla.calendar" if "calendar" in sla else "sla.no_calendar"
        yield "sla.alerts" if sla.get("alerts") else "sla.no_alerts"
        afters = [micros(alert["after"]) for alert in sla.get("alerts", ())]
        due = micros(sla["due"])
        yield from ["sla.alerts.0s"] if 0 in afters else []
        yield from ["sla.alerts.at_due"] if due in afters else []
        yield from ["sla.alerts.late"] if any(after > due for after in afters) else []
        yield from ["sla.alerts.unordered"] if afters != sorted(afters) else []
        yield from ["sla.alerts.twice"] if len(set(afters)) < len(afters) else []
        for alert in sla.get("alerts", ()):
            yield from ["sla.alerts.notify.text"] if isinstance(alert["notify"], str) else []
            yield from (
                ["sla.alerts.notify.several"] if isinstance(alert["notify"], list) and len(alert["notify"]) > 1 else []
            )

    def transition(self, transition: dict[str, Any]) -> Iterator[str]:
        """Paths of a transition."""
        from_ = transition["from"]
        kinds = {stage["name"]: stage.get("kind") for stage in self.lifecycle["stages"]}
        yield from ["transitions.from.star"] if from_ == "*" else []
        yield from ["transitions.from.star_to_exit"] if from_ == "*" and kinds[transition["to"]] == "exit" else []
        if isinstance(from_, list):
            yield f"transitions.from.{'several' if len(from_) > 1 else 'one'}"
        elif from_ != "*":
            yield "transitions.from.text"
        yield from (f"transitions.{key}" for key in ("title", "description") if key in transition)
        keys = [key for key in ("on", "when", "after") if key in transition]
        yield f"transitions.{'.'.join(keys) or 'at_once'}"
        if "on" in transition:
            on = transition["on"]
            yield from ["transitions.on.text"] if isinstance(on, str) else []
            yield from ["transitions.on.several"] if isinstance(on, list) and len(on) > 1 else []
        yield from ["transitions.after.1m"] if transition.get("after") in ("1m", "PT1M") else []
        if "when" in transition:
            yield from self.condition(transition["when"], 0)

    def condition(self, condition: dict[str, Any], depth: int) -> Iterator[str]:
        """Paths of a condition."""
        yield from ["when.nested"] if depth > 1 else []
        for form in ("all", "any"):
            if form in condition:
                yield f"when.{form}"
                for part in condition[form]:
                    yield from self.condition(part, depth + 1)
                return
        if "not" in condition:
            yield "when.not"
            yield from self.condition(condition["not"], depth + 1)
            return
        field, op = condition["field"], condition["op"]
        yield f"when.{self.named(field)}.{op}"
        yield from ["when.case_sensitive"] if condition.get("case_sensitive") else []
        yield from ["when.bare"] if "." not in field and field not in ("rating", "label") else []
        if field == "stage.age" and isinstance(condition["value"], float) and not condition["value"].is_integer():
            yield "when.stage.age.fraction"

    def named(self, field: str) -> str:
        """What a field is, as `FIELD_OPS` calls it."""
        prefix, _, name = field.partition(".")
        if field in FIELD_OPS:
            return field
        if prefix in ("score", "grade", "threshold"):
            return prefix
        if prefix == "event":
            return f"event.{self.events[name]}"
        return f"lead.{self.attributes[name or prefix]}"

    def calendar(self, calendar: dict[str, Any]) -> Iterator[str]:
        """Paths of a calendar."""
        zone = calendar.get("timezone")
        yield "calendars.no_timezone" if zone is None else "calendars.timezone"
        yield from ["calendars.other_timezone"] if zone not in (None, self.document.get("timezone", "UTC")) else []
        yield from ["calendars.holidays"] if calendar.get("holidays") else []
        yield from ["calendars.few"] if few(calendar) else []
        for pieces in calendar["hours"].values():
            yield from ["calendars.break"] if len(pieces) > 1 else []
            yield from ["calendars.unordered"] if list(pieces) != sorted(pieces) else []
            yield from ["calendars.24:00"] if any(piece.endswith("24:00") for piece in pieces) else []
            yield from ["calendars.day_without"] if not pieces else []


def micros(duration: str) -> int:
    """A duration of the document in microseconds."""
    return int(Duration(duration))
