"""Criteria: the keys of each kind, bands, tables, filters (spec 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from leadcore.model.checks import decay
from leadcore.model.checks.condition import A, faults_of_condition, when_of_criterion, where
from leadcore.model.checks.number import bounds, no_float, points_out_of_range
from leadcore.model.checks.scope import Flaws, Scope, no_event_types
from leadcore.model.criterion import (
    AttributeCriterion,
    ByProperty,
    CriterionPart,
    EventCriterion,
    FrequencyCriterion,
    PerProperty,
    PointsBand,
    RecencyCriterion,
    Reset,
)
from leadcore.model.limits import too_long
from leadcore.model.path import Flaw, Nearest, Path, shown
from leadcore.model.scalar import EXACT, Points, plain
from leadcore.model.text import fold_text

MOST_BANDS = 1_000
MOST_COUNT = 1_000


def check(scope: Scope) -> Flaws:
    """Every fault of every criterion."""
    seen: dict[str, Path] = {}
    for path, criterion in scope.criteria():
        yield from _name_twice(criterion, path, seen)
        yield from bounds(scope, criterion, path, _MOST)
        if criterion.when is not None:
            place = when_of_criterion(criterion.case_sensitive)
            yield from faults_of_condition(scope, criterion.when, (*path, "when"), place)
        if isinstance(criterion, AttributeCriterion):
            yield from _attribute(scope, criterion, path)
        else:
            yield from _KINDS[type(criterion)](scope, criterion, path)
            yield from _acts(scope, criterion, path)


_MOST = Decimal(100_000)


def _name_twice(criterion: CriterionPart, path: Path, seen: dict[str, Path]) -> Flaws:
    if not criterion.name:
        yield Flaw((*path, "name"), "the name is empty")
    elif seen.setdefault(criterion.name, path) is not path:
        yield Flaw((*path, "name"), f"two criteria are called `{criterion.name[:40]}`", "names are unique in the model")


def _attribute(scope: Scope, criterion: AttributeCriterion, path: Path) -> Flaws:
    yield from _mixed_forms(criterion, path)
    for key in ("points", "otherwise", "missing"):
        yield from points_out_of_range(scope, getattr(criterion, key), (*path, key))
    wanted = "text" if criterion.table is not None else "number"
    if criterion.field is not None and (criterion.table is None) != (criterion.bands is None):
        kind = scope.attribute(criterion.field)
        at = (*path, "field")
        if kind is None:
            hint = Nearest(criterion.field.removeprefix("lead."), scope.attributes, "attribute")
            yield Flaw(at, f"there is no attribute `{criterion.field[:40]}`", hint)
        elif kind and kind != wanted:
            form = "a table looks at text" if wanted == "text" else "bands look at a number"
            yield Flaw(at, f"{form}, `{criterion.field[:40]}` is {A[kind]}")
    if criterion.table is not None:
        yield from rows(scope, criterion.table, (*path, "table"), criterion.case_sensitive)
    if criterion.bands is not None:
        yield from points_bands(scope, criterion.bands, (*path, "bands"))


def _mixed_forms(criterion: AttributeCriterion, path: Path) -> Flaws:
    """An attribute criterion is one of three forms (spec 4.3)."""
    given = [key for key in ("field", "table", "bands", "otherwise", "missing") if getattr(criterion, key) is not None]
    forms = "`when` with `points`, or `field` with `table`, or `field` with `bands`"
    if criterion.points is not None:
        if given:
            yield Flaw((*path, given[0]), f"`{given[0]}` and `points` exclude each other", forms)
        elif criterion.when is None:
            yield Flaw(path, "`when` is missing: `points` are given where it holds", forms)
    elif criterion.table is not None and criterion.bands is not None:
        yield Flaw((*path, "bands"), "`table` and `bands` exclude each other", forms)
    elif criterion.table is None and criterion.bands is None:
        yield Flaw(path, "this criterion gives no points", forms)
    elif criterion.field is None:
        yield Flaw(path, f"`field` is missing: `{given[0]}` looks at it", forms)


def _event(scope: Scope, criterion: EventCriterion, path: Path) -> Flaws:
    points, at = criterion.points, (*path, "points")
    if isinstance(points, PerProperty):
        yield from _unfit_property(scope, points.per, criterion.on, (*at, "per"), "number")
        yield from no_float(points.rate, (*at, "rate"))
        yield from bounds(scope, points, at, _MOST)
    elif isinstance(points, ByProperty):
        yield from _unfit_property(scope, points.by, criterion.on, (*at, "by"), "text")
        yield from rows(scope, points.table, (*at, "table"), criterion.case_sensitive)
        yield from points_out_of_range(scope, points.otherwise, (*at, "otherwise"))
        yield from points_out_of_range(scope, points.missing, (*at, "missing"))
    else:
        yield from points_out_of_range(scope, points, at)
    yield from decay.check(criterion.decay, (*path, "decay"))
    if criterion.unique_by is not None:
        yield from _unfit_property(scope, criterion.unique_by, criterion.on, (*path, "unique_by"), None)


def _frequency(scope: Scope, criterion: FrequencyCriterion, path: Path) -> Flaws:
    forms = "`at_least` with `points`, or `bands`"
    if criterion.bands is not None:
        for key in ("at_least", "points"):
            if getattr(criterion, key) is not None:
                yield Flaw((*path, key), f"`{key}` and `bands` exclude each other", forms)
        yield from points_bands(scope, criterion.bands, (*path, "bands"))
        for n, band in enumerate(criterion.bands):
            yield from _no_count(band.at_least, (*path, "bands", n, "at_least"))
    elif criterion.at_least is None or criterion.points is None:
        missing = [f"`{key}`" for key in ("at_least", "points") if getattr(criterion, key) is None]
        yield Flaw(path, f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing", forms)
    if criterion.at_least is not None:
        yield from _no_count(Decimal(criterion.at_least), (*path, "at_least"))
    yield from points_out_of_range(scope, criterion.points, (*path, "points"))
    if criterion.distinct is not None:
        yield from _unfit_property(scope, criterion.distinct, criterion.on, (*path, "distinct"), None)


def _no_count(value: Decimal, path: Path) -> Flaws:
    if not 1 <= value <= MOST_COUNT or value != value.to_integral_value():
        yield Flaw(path, f"a whole number from 1 to {MOST_COUNT} is wanted here, not {shown(value)}")


def _recency(scope: Scope, criterion: RecencyCriterion, path: Path) -> Flaws:
    yield from ages(criterion.bands, (*path, "bands"))
    for n, band in enumerate(criterion.bands):
        yield from points_out_of_range(scope, band.points, (*path, "bands", n, "points"))
    yield from points_out_of_range(scope, criterion.otherwise, (*path, "otherwise"))
    yield from points_out_of_range(scope, criterion.never, (*path, "never"))


_KINDS: dict[type[CriterionPart], Callable[[Scope, Any, Path], Flaws]] = {
    EventCriterion: _event,
    FrequencyCriterion: _frequency,
    RecencyCriterion: _recency,
}


def _acts(scope: Scope, criterion: Any, path: Path) -> Flaws:
    """What all criteria over events share: `on`, `where`, `reset`."""
    yield from no_event_types(scope, criterion.on, (*path, "on"))
    if criterion.where is not None:
        place = where(criterion.on, criterion.case_sensitive)
        yield from faults_of_condition(scope, criterion.where, (*path, "where"), place)
    yield from reset(scope, criterion.reset, (*path, "reset"), criterion.case_sensitive)


def reset(scope: Scope, value: Reset | None, path: Path, case_sensitive: bool = False) -> Flaws:
    """Faults of a reset (spec 4.8)."""
    if value is not None:
        yield from no_event_types(scope, value.on, (*path, "on"))
        yield from faults_of_condition(scope, value.where, (*path, "where"), where(value.on, case_sensitive))


def _unfit_property(scope: Scope, name: str, on: tuple[str, ...], path: Path, wanted: str | None) -> Flaws:
    """A property that none of the event types declares, or of the wrong type."""
    kind = scope.property(name, on)
    if kind is None:
        hint = Nearest(name.removeprefix("event."), scope.property_names(on), "property")
        yield Flaw(path, f"no event type in `on` has a property `{name[:40]}`", hint)
    elif kind and wanted and kind != wanted:
        yield Flaw(path, f"a {wanted} property is wanted here, `{name[:40]}` is {A[kind]}")


def rows(scope: Scope, table: dict[str, Points], path: Path, case_sensitive: bool) -> Flaws:
    """Faults of a table: empty, keys equal after folding (spec 11), points out of range."""
    if not table:
        yield Flaw(path, "the table is empty", "at least one row")
    seen: dict[str, str] = {}
    for key, points in table.items():
        yield from points_out_of_range(scope, points, (*path, key))
        if not key:
            yield Flaw((*path, key), "the text is empty", "`missing` is for leads without a value", True)
        elif not case_sensitive and seen.setdefault(fold_text(key), key) != key:
            other = seen[fold_text(key)]
            hint = "case_sensitive: true tells them apart"
            yield Flaw((*path, key), f"{shown(key)} and {shown(other)} are the same text without case", hint, True)


def points_bands(scope: Scope, bands: tuple[PointsBand, ...], path: Path) -> Flaws:
    """Faults of bands by number: none, too many, two with one bound."""
    yield from _how_many(bands, path)
    seen: dict[float, int] = {}
    for n, band in enumerate(bands):
        faults = list(no_float(band.at_least, (*path, n, "at_least")))
        yield from faults
        if not faults and seen.setdefault(float(band.at_least), n) != n:
            yield Flaw((*path, n, "at_least"), f"two bands begin at {plain(EXACT.plus(band.at_least))}")
        yield from points_out_of_range(scope, band.points, (*path, n, "points"))


def ages(bands: Iterable[Any], path: Path) -> Flaws:
    """Faults of bands by age: none, too many, two with one age."""
    bands = list(bands)
    yield from _how_many(bands, path)
    seen: dict[int, int] = {}
    for n, band in enumerate(bands):
        if seen.setdefault(band.within, n) != n:
            yield Flaw((*path, n, "within"), f"two bands end at {band.within}")


def _how_many(bands: Iterable[Any], path: Path) -> Flaws:
    count = len(list(bands))
    if not count:
        yield Flaw(path, "there are no bands", "at least one")
    elif count > MOST_BANDS:
        yield Flaw(path, too_long(MOST_BANDS, "bands", count))
