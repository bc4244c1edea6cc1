"""Numbers of a document: places, sizes, bounds (spec 4, 6.2)."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from leadcore.model.checks.scope import Flaws, Scope
from leadcore.model.path import Flaw, Path, shown
from leadcore.model.scalar import EXACT, Points, Stars, places, plain

MOST_POINTS = Decimal(100_000)
"""Points of a criterion at most, in size (spec 4)."""
MOST_BOUND = Decimal(10**12)
"""Bounds of groups and scores, thresholds and grades: values are held within this (spec 9.6)."""
MOST_FACTOR = Decimal(10**6)
"""Weights and factors at most, in size (spec 6.2)."""


def points_out_of_range(scope: Scope, value: Points | None, path: Path, most: Decimal = MOST_POINTS) -> Flaws:
    """Points of more than six places or beyond their size, also once stars are points."""
    if value is None:
        return
    exact = scope.model.points(value)
    worth = ""
    if isinstance(value, Stars):
        path, worth = (*path, "stars"), f"{shown(value.stars)} stars are {_short(exact)} points: "
    if abs(exact) > most:
        yield Flaw(path, f"{worth}points are at most {plain(most)} in size")
    elif places(exact) > 6:
        yield Flaw(path, f"{worth}points have at most 6 decimal places", _rounded(exact))


def factor_out_of_range(value: Decimal | None, path: Path, least: Decimal, most: Decimal) -> Flaws:
    """A factor or weight of more than six places or outside its range."""
    if value is None:
        return
    if not least <= value <= most:
        yield Flaw(path, f"a number from {plain(least)} to {plain(most)} is wanted here, not {shown(value)}")
    elif places(value) > 6:
        yield Flaw(path, "a number has at most 6 decimal places here", _rounded(value))


def min_above_max(scope: Scope, part: Any, path: Path) -> Flaws:
    """`min` larger than `max`."""
    if part.min is not None and part.max is not None and scope.model.points(part.min) > scope.model.points(part.max):
        low, high = (_short(scope.model.points(value)) for value in (part.min, part.max))
        yield Flaw((*path, "min"), f"min {low} is larger than max {high}")


def bounds(scope: Scope, part: Any, path: Path, most: Decimal = MOST_BOUND) -> Flaws:
    """Faults of a part's `min` and `max`."""
    if part.min is not None or part.max is not None:
        yield from points_out_of_range(scope, part.min, (*path, "min"), most)
        yield from points_out_of_range(scope, part.max, (*path, "max"), most)
        yield from min_above_max(scope, part, path)


def no_float(value: Decimal, path: Path) -> Flaws:
    """A literal beyond the largest float64, which number columns are (spec 2.7, 3.2)."""
    try:
        beyond = math.isinf(float(value))
    except OverflowError:
        beyond = True
    if beyond:
        yield Flaw(path, "this number is beyond those of a number column", "at most 1.7e308 in size")


def _short(value: Decimal) -> str:
    text = plain(value)
    return text if len(text) <= 24 else shown(value)


def _rounded(value: Decimal) -> str | None:
    near = value.quantize(Decimal("0.000001"), context=EXACT)
    return f"{plain(near)} perhaps" if near else None
