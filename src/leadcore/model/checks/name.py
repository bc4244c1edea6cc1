"""Names and declarations: what may be called how (spec 1.3, 2.3, 2.7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from leadcore.model.checks.number import factor_out_of_range
from leadcore.model.checks.scope import Flaws, Kind, Scope, unknown_timezone
from leadcore.model.path import Flaw, Path

COLUMNS_OF_LEADS = ("lead_id", "account_id", "created_at", "valid_from")
COLUMNS_OF_EVENTS = ("lead_id", "at", "type", "event_id")
COLUMNS_OF_RESULTS = frozenset(
    [
        "lead_id",
        "at",
        "from_stage",
        "to_stage",
        "rule",
        "cause",
        "event_id",
        "stage",
        "visit",
        "entered_at",
        "left_at",
        "entered_by",
        "left_by",
        "owner",
        "sla_due_at",
        "sla_status",
        "level",
        "notify",
        "rating",
        "label",
        "rejected_rows",
        "as_of",
    ]
)
"""Columns of spec 8.10 and 12, and the ``as_of`` of scores at several instants."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check(scope: Scope) -> Flaws:
    """Every fault of names and declarations."""
    model = scope.model
    if not model.name:
        yield Flaw(("name",), "the name is empty")
    yield from unknown_timezone(model.timezone, ("timezone",))
    yield from factor_out_of_range(model.points_per_star, ("points_per_star",), -Decimal(100_000), Decimal(100_000))
    for name in model.attributes:
        yield from reserved_field(name, ("attributes", name), "attribute")
    for event_type, properties in model.events.items():
        if not event_type:
            yield Flaw(("events", event_type), "the name is empty", None, True)
        for name in properties:
            yield from reserved_field(name, ("events", event_type, name), "property")
    yield from _two_types(scope)
    yield from _results(model.scores, "scores", {})
    yield from _results(model.thresholds, "thresholds", model.scores)


def reserved_field(name: str, path: Path, what: str) -> Flaws:
    """An attribute or property named like a column that means something else."""
    if not name:
        yield Flaw(path, "the name is empty", None, True)
    elif "." in name:
        yield Flaw(path, f"the name of an {what} has no dot".replace("an p", "a p"), name.replace(".", "_"), True)
    elif name in (*COLUMNS_OF_LEADS, *COLUMNS_OF_EVENTS):
        yield Flaw(path, f"`{name}` is a column of its own in leads or events", f"{name}_ perhaps", True)
    elif name in ("rating", "label"):
        yield Flaw(path, f"`{name}` is a field of its own in conditions", f"{name}_ perhaps", True)


def _two_types(scope: Scope) -> Flaws:
    """A property that has another type elsewhere (spec 2.7)."""
    seen: dict[str, tuple[str, Kind]] = {}
    for event_type, properties in scope.properties.items():
        for name, kind in properties.items():
            other, before = seen.setdefault(name, (event_type, kind))
            if kind != before:
                reason = f"`{name[:40]}` is {kind} here and {before} in `{other[:40]}`"
                yield Flaw(("events", event_type, name), reason, "a property has one type throughout the model")


def _results(named: Mapping[str, Any], section: str, others: Mapping[str, Any]) -> Flaws:
    what = section[:-1]
    for name in named:
        yield from unfit_result_name(name, (section, name), what)
        if name in others:
            yield Flaw(
                (section, name), f"a score is also called `{name}`", "scores and thresholds share their names", True
            )


def unfit_result_name(name: str, path: Path, what: str) -> Flaws:
    """A name that cannot be a column of results (spec 2.3)."""
    if not _IDENTIFIER.fullmatch(name):
        hint = re.sub(r"[^A-Za-z0-9_]+", "_", name)[:40].strip("_") or what
        hint = f"_{hint}" if hint[0].isdigit() else hint
        yield Flaw(path, f"the name of a {what} is letters, digits and _", f"{hint} perhaps", True)
    elif name.endswith("_grade"):
        yield Flaw(path, "names do not end in _grade: those columns are for grades", None, True)
    elif name in COLUMNS_OF_RESULTS:
        yield Flaw(path, f"`{name}` is a column of its own in results", f"{name}_score perhaps", True)
