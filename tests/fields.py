"""Which fields of the spec a model document and its rows use, as paths, and all there are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

DECAYS = ("half_life", "linear", "expire", "steps", "periodic")
KINDS = ("attribute", "event", "frequency", "recency")
TYPED_OPS = {
    "text": ("eq", "ne", "in", "not_in", "exists", "contains", "has_word", "starts_with", "ends_with", "matches"),
    "number": ("eq", "ne", "in", "not_in", "exists", "lt", "le", "gt", "ge", "between"),
    "boolean": ("eq", "ne", "in", "not_in", "exists"),
    "instant": ("eq", "ne", "in", "not_in", "exists", "lt", "le", "gt", "ge", "between"),
    "score": ("eq", "ne", "in", "not_in", "exists", "lt", "le", "gt", "ge", "between"),
    "grade": ("eq", "ne", "in", "not_in", "contains", "starts_with"),
}


def all_fields() -> list[str]:
    """Every path `fields_hit` can report and random cases must cover."""
    found = ["timezone", "points_per_star", "attributes", "attributes.optional", "events.optional", "rating"]
    found += [f"attributes.{type_}" for type_ in ("text", "number", "boolean", "instant")]
    found += [f"events.{type_}" for type_ in ("text", "number", "boolean", "instant")]
    found += ["scores.groups", "scores.criteria", "scores.combine", "scores.min", "scores.max", "scores.grades"]
    found += ["scores.min.stars", "scores.max.stars", "scores.grades.stars"]
    found += [
        f"groups.{key}" for key in ("min", "max", "min.stars", "max.stars", "weight", "fade", "reset", "reset.where")
    ]
    found += [f"groups.fade.{key}" for key in ("where", "bands", "otherwise", "never")]
    found += ["thresholds", "thresholds.release", "thresholds.latch", "labels.lead", "labels.rating"]
    found += [f"accounts.{key}" for key in ("key", "sum", "max", "mean", "top", "champion")]
    found += ["condition.all", "condition.any", "condition.not", "condition.all.nothing", "condition.any.nothing"]
    found += [
        "condition.case_sensitive.true",
        "condition.case_sensitive.false",
        "condition.qualified",
        "condition.list",
    ]
    found += [f"condition.{type_}.{op}" for type_, ops in TYPED_OPS.items() for op in ops]
    for kind in KINDS:
        found += [
            f"criteria.{kind}.{key}" for key in ("min", "max", "min.stars", "max.stars", "when", "case_sensitive")
        ]
    found += [f"criteria.{kind}.{key}" for kind, key in product(KINDS[1:], ("where", "reset", "reset.where"))]
    found += [
        f"criteria.attribute.{key}"
        for key in ("points", "points.stars", "stars", "table", "bands", "otherwise", "missing")
    ]
    found += [f"criteria.attribute.{key}.stars" for key in ("table", "bands", "otherwise", "missing")]
    found += [f"criteria.event.{key}" for key in ("points", "points.stars", "stars", "unique_by", "cooldown", "decay")]
    found += [
        f"criteria.event.points.{key}" for key in ("per", "per.min", "per.max", "per.min.stars", "per.max.stars", "by")
    ]
    found += [f"criteria.event.points.by.{key}" for key in ("table", "otherwise", "missing")]
    found += [f"criteria.event.points.by.{key}.stars" for key in ("table", "otherwise", "missing")]
    found += [f"criteria.event.limit.{per}" for per in ("hour", "day", "week", "ever")]
    found += [
        f"criteria.event.decay.{kind}{key}" for kind, key in product(DECAYS, ("", ".delay", ".keep", ".delay.keep"))
    ]
    found += ["criteria.event.decay.periodic.compound", "criteria.event.decay.delay.0s"]
    found += [
        f"criteria.frequency.{key}"
        for key in ("within", "distinct", "at_least", "points", "stars", "bands", "bands.stars")
    ]
    found += [
        f"criteria.recency.{key}"
        for key in ("bands", "bands.stars", "otherwise", "never", "otherwise.stars", "never.stars")
    ]
    found += ["criteria.frequency.points.stars"]
    return found


ALL_FIELDS = all_fields()
"""Every path that random cases must hit."""


def fields_hit(document: dict[str, Any]) -> set[str]:
    """The paths of spec fields a valid document uses, such as ``criteria.event.decay.half_life.delay``."""
    return set(Walk(document).paths())


class Walk:
    """One walk through a document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.attributes = {name: type_of(declared) for name, declared in document.get("attributes", {}).items()}
        self.events = {
            name: type_of(declared)
            for declared_all in document["events"].values()
            for name, declared in declared_all.items()
        }

    def paths(self) -> Iterator[str]:
        """Every path used."""
        document = self.document
        yield from (key for key in ("timezone", "points_per_star", "attributes", "rating") if key in document)
        for declared in document.get("attributes", {}).values():
            yield f"attributes.{type_of(declared)}"
            yield from ["attributes.optional"] if isinstance(declared, dict) and declared.get("optional") else []
        for properties in document["events"].values():
            for declared in properties.values():
                yield f"events.{type_of(declared)}"
                yield from ["events.optional"] if isinstance(declared, dict) and declared.get("optional") else []
        for score in document["scores"].values():
            yield from self.score(score)
        for label in document.get("labels", []):
            if "when" in label:
                yield from self.condition(label["when"], "labels")
        for threshold in document.get("thresholds", {}).values():
            yield "thresholds"
            yield from ["thresholds.release"] if "release" in threshold else []
            yield from ["thresholds.latch"] if threshold.get("latch") else []
        if "accounts" in document:
            yield from ["accounts.key"] if "key" in document["accounts"] else []
            yield from (f"accounts.{score['by']}" for score in document["accounts"]["scores"].values())

    def score(self, score: dict[str, Any]) -> Iterator[str]:
        """Paths of a score."""
        yield from (f"scores.{key}" for key in ("groups", "criteria", "combine", "grades") if key in score)
        yield from self.worth(score, "scores", ("min", "max"))
        for grade in score.get("grades", []):
            yield from ["scores.grades.stars"] if isinstance(grade.get("at_least"), dict) else []
        for criterion in score.get("criteria", []):
            yield from self.criterion(criterion)
        for group in score.get("groups", {}).values():
            yield from (f"groups.{key}" for key in ("weight", "fade", "reset") if key in group)
            yield from self.worth(group, "groups", ("min", "max"))
            yield from self.reset(group, "groups")
            if "fade" in group:
                fade = group["fade"]
                yield from (f"groups.fade.{key}" for key in ("where", "bands", "otherwise", "never") if key in fade)
                yield from self.condition(fade["where"], "event") if "where" in fade else []
            for criterion in group["criteria"]:
                yield from self.criterion(criterion)

    def reset(self, part: dict[str, Any], path: str) -> Iterator[str]:
        """Paths of a reset's condition."""
        if "where" in part.get("reset", {}):
            yield f"{path}.reset.where"
            yield from self.condition(part["reset"]["where"], "event")

    def worth(self, part: dict[str, Any], path: str, keys: tuple[str, ...]) -> Iterator[str]:
        """Paths of points, and of stars among them."""
        for key in keys:
            if key in part:
                yield f"{path}.{key}"
                value = part[key]
                values = [value]
                if isinstance(value, dict) and "stars" not in value:
                    values = list(value.values())
                if isinstance(value, list):
                    values = [{"stars": 0} if "stars" in band else band["points"] for band in value]
                if any(isinstance(one, dict) and "stars" in one for one in values):
                    yield f"{path}.{key}.stars"

    def criterion(self, criterion: dict[str, Any]) -> Iterator[str]:
        """Paths of a criterion."""
        path = f"criteria.{criterion['kind']}"
        plain = (
            "when",
            "where",
            "case_sensitive",
            "unique_by",
            "cooldown",
            "decay",
            "reset",
            "within",
            "distinct",
            "at_least",
        )
        yield from (f"{path}.{key}" for key in plain if key in criterion)
        yield from [f"{path}.stars"] if "stars" in criterion else []
        yield from self.worth(criterion, path, ("min", "max", "table", "bands", "otherwise", "missing", "never"))
        if "when" in criterion:
            yield from self.condition(criterion["when"], "lead")
        if "where" in criterion:
            yield from self.condition(criterion["where"], "event")
        yield from self.reset(criterion, path)
        yield from self.points(criterion.get("points"), path)
        if "limit" in criterion:
            yield f"{path}.limit.{criterion['limit']['per']}"
        if "decay" in criterion:
            yield from self.decay(criterion["decay"], f"{path}.decay")

    def points(self, points: Any, path: str) -> Iterator[str]:
        """Paths of points: a number, stars, ``per`` or ``by``."""
        if isinstance(points, dict) and "per" in points:
            yield f"{path}.points.per"
            yield from self.worth(points, f"{path}.points.per", ("min", "max"))
        elif isinstance(points, dict) and "by" in points:
            yield f"{path}.points.by"
            yield from self.worth(points, f"{path}.points.by", ("table", "otherwise", "missing"))
        elif points is not None:
            yield f"{path}.points"
            yield from [f"{path}.points.stars"] if isinstance(points, dict) else []

    def decay(self, decay: dict[str, Any], path: str) -> Iterator[str]:
        """Paths of a decay."""
        kind = next(kind for kind in DECAYS if kind in decay)
        yield f"{path}.{kind}"
        extras = "".join(f".{key}" for key in ("delay", "keep") if key in decay)
        yield from [f"{path}.{kind}{extras}"] if extras else []
        yield from [f"{path}.delay.0s"] if decay.get("delay") == "0s" else []
        if kind == "periodic" and decay["periodic"].get("compound"):
            yield f"{path}.periodic.compound"

    def condition(self, condition: dict[str, Any], place: str) -> Iterator[str]:
        """Paths of a condition; ``place`` says what its bare names are."""
        for form in ("all", "any"):
            if form in condition:
                yield f"condition.{form}" if condition[form] else f"condition.{form}.nothing"
                for part in condition[form]:
                    yield from self.condition(part, place)
                return
        if "not" in condition:
            yield "condition.not"
            yield from self.condition(condition["not"], place)
            return
        yield from self.clause(condition, place)

    def clause(self, clause: dict[str, Any], place: str) -> Iterator[str]:
        """Paths of a clause."""
        field = clause["field"]
        prefix, _, name = field.rpartition(".")
        if field == "rating" or prefix in ("score", "grade"):
            type_ = "grade" if field == "rating" else prefix
            yield from ["labels.rating"] if field == "rating" else []
        else:
            type_ = (self.events if place == "event" else self.attributes)[name]
            yield from ["condition.qualified"] if prefix else []
            yield from ["labels.lead"] if place == "labels" else []
        yield f"condition.{type_}.{clause['op']}"
        yield from (
            ["condition.list"] if isinstance(clause["value"], list) and clause["op"] in TYPED_OPS["text"][5:] else []
        )
        if "case_sensitive" in clause:
            yield f"condition.case_sensitive.{str(clause['case_sensitive']).lower()}"


def type_of(declared: Any) -> str:
    """The type of a declared field."""
    return str(declared["type"] if isinstance(declared, dict) else declared)
