"""Conditions: fields, ops and values that fit each other (spec 3, 6.4, 8.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from leadcore.model.checks.number import no_float
from leadcore.model.checks.scope import Flaws, Kind, Scope
from leadcore.model.condition import All, Clause, Condition, Not
from leadcore.model.limits import MOST_ITEMS, too_long
from leadcore.model.path import Flaw, Nearest, Path, listed, meant, shown
from leadcore.model.scalar import instant, number
from leadcore.model.text import pattern_fault

DEEPEST = 64
"""Nesting of conditions at most (spec 3.1)."""

MOST_PATTERNS = 1_024
"""Patterns of a model."""
MOST_LISTED_PATTERNS = 1_000
"""Patterns of one list."""
MOST_REFUSED_PATTERNS = 20
"""Refused patterns that are told of a document; the others are not compiled."""

_EVERY = ("eq", "ne", "in", "not_in", "exists")
_ORDERED = (*_EVERY, "lt", "le", "gt", "ge", "between")
TEXT_OPS = ("contains", "has_word", "starts_with", "ends_with", "matches")
OPS: dict[Kind, tuple[str, ...]] = {
    "text": (*_EVERY, *TEXT_OPS),
    "number": _ORDERED,
    "instant": _ORDERED,
    "boolean": _EVERY,
}
A: dict[Kind, str] = {"text": "text", "number": "a number", "instant": "an instant", "boolean": "a boolean"}


@dataclass(frozen=True)
class Place:
    """Where a condition stands, and so which fields it may name.

    Attributes:
        what: How the place is called in messages.
        bare: What a name without prefix means: ``lead`` or ``event``.
        prefixes: The prefixes that may stand here.
        names: Whole names that may stand here: ``rating``, ``label``.
        on: The event types in question, None where there are none.
        case_sensitive: What the criterion around says.
    """

    what: str
    bare: str
    prefixes: tuple[str, ...]
    names: tuple[str, ...] = ()
    on: tuple[str, ...] | None = None
    case_sensitive: bool = False


def when_of_criterion(case_sensitive: bool) -> Place:
    """Conditions on the lead's attributes (spec 4.1)."""
    return Place("`when` of a criterion", "lead", ("lead",), case_sensitive=case_sensitive)


def where(on: tuple[str, ...], case_sensitive: bool) -> Place:
    """Conditions on an event's properties (spec 4.4)."""
    return Place("`where`", "event", ("event",), on=on, case_sensitive=case_sensitive)


WHEN_OF_LABEL = Place("`when` of a label", "lead", ("lead", "score", "grade"), ("rating",))


def when_of_transition(on: tuple[str, ...] | None) -> Place:
    """Conditions of the lifecycle (spec 8.2)."""
    prefixes = ("lead", "score", "grade", "threshold", "stage", *(("event",) if on is not None else ()))
    return Place("`when` of a transition", "lead", prefixes, ("rating", "label"), on)


def faults_of_condition(scope: Scope, condition: Condition | None, path: Path, place: Place) -> Flaws:
    """Every fault of a condition."""
    if condition is None:
        return
    for at, clause, depth in clauses(condition, path):
        if depth > DEEPEST:
            yield Flaw(at, f"conditions are nested at most {DEEPEST} deep")
            return
        if isinstance(clause, Clause):
            yield from _faults_of_clause(scope, clause, at, place)


def clauses(condition: Condition, path: Path) -> Iterator[tuple[Path, Condition, int]]:
    """Clauses with their places, and whatever lies deeper than allowed; without recursion."""
    stack: list[tuple[Path, Condition, int]] = [(path, condition, 0)]
    while stack:
        at, here, depth = stack.pop()
        if isinstance(here, Clause) or depth > DEEPEST:
            yield at, here, depth
        elif isinstance(here, Not):
            stack.append(((*at, "not"), here.not_, depth + 1))
        else:
            key, parts = ("all", here.all) if isinstance(here, All) else ("any", here.any)
            stack.extend(((*at, key, n), part, depth + 1) for n, part in reversed(list(enumerate(parts))))


def _faults_of_clause(scope: Scope, clause: Clause, path: Path, place: Place) -> Flaws:
    kind = yield from _undeclared_field(scope, clause.field, (*path, "field"), place)
    if not kind or (*path, "op") in scope.ghosts.lost or (*path, "value") in scope.ghosts.lost:
        return  # what is wrong there is told already
    if clause.op not in OPS[kind]:
        yield from _op_does_not_fit(clause, kind, (*path, "op"))
        return
    yield from _value_does_not_fit(clause, kind, (*path, "value"), place)
    if kind == "text" and clause.op == "matches":
        yield from _bad_pattern(scope, clause, (*path, "value"), place)


def _undeclared_field(scope: Scope, field: str, path: Path, place: Place) -> Any:
    """The type of a field; where it may not stand here or is not declared, a fault and None."""
    found = _look_up(scope, field, place)
    if isinstance(found, str):
        return found
    yield Flaw(path, *found)
    return None


Found = Kind | tuple[str, str | Nearest | None]
"""The type of a field, or why there is none and what would be right."""


def _look_up(scope: Scope, field: str, place: Place) -> Found:
    prefix, dot, name = field.partition(".")
    if not dot:
        if field in ("rating", "label"):
            return _whole_name(scope, field, place)
        prefix, name = place.bare, field
    if prefix not in place.prefixes:
        if prefix in _PREFIXES:
            return f"{place.what} cannot look at `{prefix}.`", _elsewhere(prefix, place)
        near = meant(prefix, place.prefixes)
        return f"`{field[:40]}` is no field", near or f"{place.what} looks at {_looked_at(place)}"
    return _PREFIXES[prefix](scope, name, place)


def _elsewhere(prefix: str, place: Place) -> str:
    if prefix == "event" and "stage" in place.prefixes:
        return "say in `on` at which event types the transition is tried"
    if prefix == "event":
        return "event properties are tested in `where`, or in a transition with `on`"
    if prefix == "lead":
        return "attributes are tested in `when`"
    return f"it looks at {_looked_at(place)}"


def _looked_at(place: Place) -> str:
    return listed([*(f"{prefix}.X" for prefix in place.prefixes), *place.names])


def _whole_name(scope: Scope, field: str, place: Place) -> Found:
    if field not in place.names:
        return f"{place.what} cannot look at `{field}`", f"it looks at {_looked_at(place)}"
    declared = scope.model.rating if field == "rating" else scope.model.labels
    if declared is None and field not in scope.ghosts.others:
        return f"the model has no `{'labels' if field == 'label' else field}`", None
    return "text"


def _lead(scope: Scope, name: str, place: Place) -> Found:
    kind = scope.attribute(name)
    if kind is not None:
        return kind
    return f"there is no attribute `{name[:40]}`", Nearest(name, scope.attributes, "attribute")


def _event(scope: Scope, name: str, place: Place) -> Found:
    if name == "type" and "stage" in place.prefixes:
        return "text"
    kind = scope.property(name, place.on)
    if kind is not None:
        return kind
    on = place.on or ()
    whose = f"`{on[0][:40]}` has no" if len(on) == 1 else f"none of {', '.join(on[:8])} has a"
    hint = Nearest(name, scope.property_names(on), "property")
    return f"{whose} property `{name[:40]}`", hint


def _score(scope: Scope, name: str, place: Place) -> Found:
    return _of(scope.model.scores, scope.ghosts.scores, name, "score", "number")


def _threshold(scope: Scope, name: str, place: Place) -> Found:
    return _of(scope.model.thresholds, scope.ghosts.thresholds, name, "threshold", "boolean")


def _of(names: Mapping[str, Any], ghosts: set[str | None], name: str, what: str, kind: Kind) -> Found:
    if name in names:
        return kind
    if name in ghosts or None in ghosts:
        return ""
    return f"there is no {what} `{name[:40]}`", Nearest(name, names, what)


def _grade(scope: Scope, name: str, place: Place) -> Found:
    if name in scope.graded:
        return "text"
    if name in scope.ghosts.graded or None in scope.ghosts.graded:
        return ""
    if name in scope.model.scores:
        return f"the score `{name[:40]}` has no grades", None
    return _score(scope, name, place)


def _stage(scope: Scope, name: str, place: Place) -> Found:
    if name in ("age", "visits"):
        return "number"
    return f"`stage.{name[:40]}` is no field", "stage.age (days) or stage.visits"


_PREFIXES = {
    "lead": _lead,
    "event": _event,
    "score": _score,
    "grade": _grade,
    "threshold": _threshold,
    "stage": _stage,
}


def _op_does_not_fit(clause: Clause, kind: Kind, path: Path) -> Flaws:
    hint = f"for {A[kind]}: {listed(OPS[kind], 12)}"
    yield Flaw(path, f"`{clause.op}` does not fit `{clause.field[:40]}`, which is {A[kind]}", hint)


def _value_does_not_fit(clause: Clause, kind: Kind, path: Path, place: Place) -> Flaws:
    """A value of the wrong type or form for the op (spec 3.5)."""
    op, value = clause.op, clause.value
    if op == "exists":
        if not isinstance(value, bool):
            yield Flaw(path, f"`exists` is true or false, not {shown(value)}")
        return
    many = isinstance(value, tuple)
    if op == "between":
        yield from _no_between(value, kind, path)
    elif many and op not in ("in", "not_in", *TEXT_OPS):
        yield Flaw(path, f"`{op}` compares with one value, not a list", "op: in" if op == "eq" else None)
    elif not many and op in ("in", "not_in"):
        yield Flaw(path, f"`{op}` wants a list", f"[{shown(value)}]")
    elif many and not value:
        yield Flaw(path, "the list is empty", "at least one value")
    elif many and len(value) > MOST_ITEMS:
        yield Flaw(path, too_long(MOST_ITEMS, "values", len(value)))
    elif many:
        for n, item in enumerate(value):
            yield from _wrong_type(item, kind, (*path, n))
    else:
        yield from _wrong_type(value, kind, path)


def _wrong_type(value: Any, kind: Kind, path: Path) -> Flaws:
    if kind == "text":
        if not isinstance(value, str):
            yield Flaw(path, f"text is wanted here, not {shown(value)}", f'write it in quotes: "{shown(value)}"')
        elif not value:
            yield Flaw(path, "the text is empty", "op: exists finds out whether there is a value")
    elif kind == "boolean":
        if not isinstance(value, bool):
            yield Flaw(path, f"true or false is wanted here, not {shown(value)}")
    elif kind == "number":
        if isinstance(value, bool) or not isinstance(value, Decimal):
            yield Flaw(path, f"a number is wanted here, not {shown(value)}", _without_quotes(value))
        else:
            yield from no_float(value, path)
    else:
        yield from _no_instant(value, path)


def _without_quotes(value: Any) -> str | None:
    try:
        return f"without quotes: {value}" if isinstance(value, str) and number(Decimal(value)) is not None else None
    except (ArithmeticError, ValueError):
        return None


def _no_instant(value: Any, path: Path) -> Flaws:
    if not isinstance(value, str):
        yield Flaw(
            path, f"an instant is wanted here, not {shown(value)}", 'ISO 8601 text such as "2026-01-31T09:30:00Z"'
        )
        return
    try:
        instant(value)
    except ValueError as error:
        yield Flaw(path, f"{shown(value)} is no instant: {error}")


def _no_between(value: Any, kind: Kind, path: Path) -> Flaws:
    """`between` that is not two values, or upside down."""
    if not isinstance(value, tuple) or len(value) != 2:
        yield Flaw(path, "`between` wants two values", "[low, high], both included")
        return
    faults = [flaw for n, item in enumerate(value) for flaw in _wrong_type(item, kind, (*path, n))]
    yield from faults
    if not faults:
        low, high = (instant(item) if kind == "instant" else item for item in value)
        if low > high:
            hint = f"[{shown(value[1])}, {shown(value[0])}]"
            yield Flaw(path, f"`between` is upside down: {shown(value[0])} is larger than {shown(value[1])}", hint)


def _bad_pattern(scope: Scope, clause: Clause, path: Path, place: Place) -> Flaws:
    """A regular expression that is invalid or too large (spec 3.2)."""
    sensitive = place.case_sensitive if clause.case_sensitive is None else clause.case_sensitive
    many = isinstance(clause.value, tuple)
    patterns: tuple[Any, ...] = clause.value if many else (clause.value,)
    if len(patterns) > MOST_LISTED_PATTERNS:
        yield Flaw(path, too_long(MOST_LISTED_PATTERNS, "patterns of one list", len(patterns)))
        return
    told = scope.patterns
    for n, pattern in enumerate(patterns):
        if not isinstance(pattern, str) or not pattern:
            continue
        at = (*path, n) if many else path
        told.seen += 1
        if told.seen > MOST_PATTERNS:
            told.first_too_many = told.first_too_many or at
        elif told.refused >= MOST_REFUSED_PATTERNS:
            told.unchecked += 1
            told.first_unchecked = told.first_unchecked or at
        elif reason := pattern_fault(pattern, sensitive):
            told.refused += 1
            yield Flaw(at, f"this is no pattern: {reason}")


def too_many_patterns(scope: Scope) -> Flaws:
    """What is to be said of patterns when all conditions have been seen."""
    told = scope.patterns
    if told.first_unchecked:
        yield Flaw(told.first_unchecked, f"further patterns were not checked: {told.unchecked}")
    if told.first_too_many:
        yield Flaw(told.first_too_many, too_long(MOST_PATTERNS, "patterns of one model", told.seen))
