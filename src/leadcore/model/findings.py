"""What a document may say but hardly means, and which values its scores can reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from leadcore.model.checks.scope import Scope
from leadcore.model.criterion import AttributeCriterion, CriterionPart, FrequencyCriterion
from leadcore.model.document import Model
from leadcore.model.finding import Finding
from leadcore.model.path import Path, listed, written
from leadcore.model.possible import FREE, NULL, Known, number_range, truth
from leadcore.model.reach import Range, Reach
from leadcore.model.scalar import plain


def findings(model: Model) -> list[Finding]:
    """Everything found, scores first."""
    scope, reach = Scope(model), Reach(model)
    return [
        *_ranges(reach),
        *_criteria(scope, reach),
        *_bounds(model, reach),
        *_thresholds(model, reach),
        *_grades(model, reach),
        *_conditions(scope, reach),
    ]


def _ranges(reach: Reach) -> Iterator[Finding]:
    for name, value in reach.scores.items():
        low = "without a lower end" if value.low is None else f"at least {_text(value.low)}"
        high = "without an upper end" if value.high is None else f"at most {_text(value.high)}"
        message = f"the score is {low} and {high}" if value != Range(None, None) else "the score has no ends"
        yield Finding(written(("scores", name)), "range", message, value.low, value.high)


def _text(value: Decimal) -> str:
    return plain(value.quantize(Decimal("0.000001")) if value.as_tuple().exponent < -6 else value)  # type: ignore[operator]  # finite


def _criteria(scope: Scope, reach: Reach) -> Iterator[Finding]:
    for path, criterion in scope.criteria():
        yield from _never_hits(scope, criterion, path)
        yield from _unreachable_bands(scope, criterion, path)
        yield from _never_binds(reach, criterion, reach.raw(criterion), path)


def _never_hits(scope: Scope, criterion: CriterionPart, path: Path) -> Iterator[Finding]:
    """No declared event fits `where`, or no lead fits `when`."""
    if truth(criterion.when, _lead(scope), criterion.case_sensitive) is False:
        yield Finding(written((*path, "when")), "never_hits", "no lead can fit this condition")
    on: tuple[str, ...] = getattr(criterion, "on", ())
    where = getattr(criterion, "where", None)
    missed = [name for name in on if truth(where, _event(scope, name), criterion.case_sensitive) is False]
    if missed and len(missed) == len(on):
        yield Finding(written((*path, "where")), "never_hits", "no declared event can fit this condition")
    elif missed:
        message = f"no {listed(missed)} event can fit this condition"
        yield Finding(written((*path, "where")), "never_hits", message)


def _lead(scope: Scope) -> Known:
    def known(field: str) -> tuple[str, Range | None]:
        return scope.attributes[field.removeprefix("lead.")], FREE

    return known


def _event(scope: Scope, event_type: str) -> Known:
    """A property that the type does not declare is null (spec 3.5)."""

    def known(field: str) -> tuple[str, Range | None]:
        kind = scope.properties[event_type].get(field.removeprefix("event."))
        return (kind, FREE) if kind is not None else ("text", NULL)

    return known


def _unreachable_bands(scope: Scope, criterion: CriterionPart, path: Path) -> Iterator[Finding]:
    if isinstance(criterion, AttributeCriterion) and criterion.bands and criterion.field and criterion.when is not None:
        low, high = number_range(criterion.when, criterion.field)
        starts = sorted(band.at_least for band in criterion.bands)
        for n, band in enumerate(criterion.bands):
            above = next((start for start in starts if start > band.at_least), None)
            if high is not None and band.at_least > high:
                message = f"`when` lets no {criterion.field} above {_text(high)} through"
            elif low is not None and above is not None and above <= low:
                message = f"`when` lets no {criterion.field} below {_text(low)} through"
            else:
                continue
            yield Finding(written((*path, "bands", n)), "unreachable", message)
    if isinstance(criterion, FrequencyCriterion) and criterion.distinct is not None:
        if scope.property(criterion.distinct, criterion.on) != "boolean":
            return
        counts: list[tuple[Path, Any]] = [
            ((*path, "bands", n), band.at_least) for n, band in enumerate(criterion.bands or ())
        ]
        counts += [((*path, "at_least"), criterion.at_least)] if criterion.at_least else []
        for at, count in counts:
            if count > 2:
                message = f"{criterion.distinct} is true or false: there are no {_text(Decimal(count))} distinct values"
                yield Finding(written(at), "unreachable", message)


def _bounds(model: Model, reach: Reach) -> Iterator[Finding]:
    for name, score in model.scores.items():
        yield from _never_binds(reach, score, reach.before_bounds(score), ("scores", name))
        for group_name, group in (score.groups or {}).items():
            at: Path = ("scores", name, "groups", group_name)
            yield from _never_binds(reach, group, reach.criteria_of(group), at)


def _never_binds(reach: Reach, part: Any, value: Range, path: Path) -> Iterator[Finding]:
    """A bound that the value cannot get beyond anyway."""
    if part.max is not None and value.high is not None and value.high <= reach.model.points(part.max):
        message = f"this bound never binds: the value is at most {_text(value.high)} without it"
        yield Finding(written((*path, "max")), "never_binds", message)
    if part.min is not None and value.low is not None and value.low >= reach.model.points(part.min):
        message = f"this bound never binds: the value is at least {_text(value.low)} without it"
        yield Finding(written((*path, "min")), "never_binds", message)


def _thresholds(model: Model, reach: Reach) -> Iterator[Finding]:
    for name, threshold in model.thresholds.items():
        value, at = reach.scores[threshold.score], model.points(threshold.at)
        path = written(("thresholds", name, "at"))
        if value.high is not None and at > value.high:
            message = f"never reached: {threshold.score} is at most {_text(value.high)}"
            yield Finding(path, "unreachable", message)
        elif value.low is not None and at <= value.low:
            message = f"always reached: {threshold.score} is at least {_text(value.low)}"
            yield Finding(path, "always", message)


def _grades(model: Model, reach: Reach) -> Iterator[Finding]:
    for name, score in model.scores.items():
        value, always = reach.scores[name], ""
        for n, grade in enumerate(score.grades or ()):
            path = written(("scores", name, "grades", n))
            least = None if grade.at_least is None else model.points(grade.at_least)
            if always:
                yield Finding(path, "unreachable", f"every lead has at least {always}")
            elif least is not None and value.high is not None and least > value.high:
                yield Finding(path, "unreachable", f"never reached: the score is at most {_text(value.high)}")
            elif least is not None and value.low is not None and least <= value.low:
                always = grade.name


def _conditions(scope: Scope, reach: Reach) -> Iterator[Finding]:
    """Labels and transitions whose condition cannot hold."""
    model = scope.model
    for n, label in enumerate(model.labels or ()):
        if truth(label.when, _state(scope, reach, None)) is False:
            yield Finding(written(("labels", n, "when")), "never_hits", "no lead can fit this condition")
    for n, rule in enumerate(model.lifecycle.transitions if model.lifecycle else ()):
        types: Iterable[str | None] = rule.on or (None,)
        if all(truth(rule.when, _state(scope, reach, event_type)) is False for event_type in types):
            path = written(("lifecycle", "transitions", n, "when"))
            yield Finding(path, "never_hits", "no lead can fit this condition")


def _state(scope: Scope, reach: Reach, event_type: str | None) -> Known:
    def known(field: str) -> tuple[str, Range | None]:
        prefix, _, name = field.rpartition(".")
        if prefix == "score":
            return "number", reach.scores[name]
        if prefix == "stage":
            return "number", Range(Decimal(0 if name == "age" else 1), None)
        if prefix == "threshold":
            return "boolean", FREE
        if prefix == "grade" or field in ("rating", "label", "event.type"):
            return "text", FREE
        if prefix == "event":
            return _event(scope, event_type)(field) if event_type is not None else ("text", NULL)
        return scope.attributes[name], FREE

    return known
