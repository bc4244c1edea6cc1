"""Whole micropoints and exact fractions: the only arithmetic there is (spec 9)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from leadcore.model.document import Model
from leadcore.model.scalar import Points, Stars

POINT = 1_000_000
"""Micropoints in a point (spec 9)."""

HELD = 10**18
"""What values are held within after their bounds (spec 9.6)."""

PROPERTY_HELD = 10**11
"""What the points of one property are held within (spec 9.1)."""


def rne(numerator: int | Fraction, denominator: int = 1) -> int:
    """Round to the nearest integer, ties to even (spec 9: "`rne(p/q)` rounds to nearest, ties to even")."""
    return round(Fraction(numerator) / denominator)


def exact(number: Decimal | float) -> Fraction:
    """A number of the document as the exact decimal it is (spec 9.1); a float stands for its shortest text."""
    return Fraction(Decimal(repr(number))) if isinstance(number, float) else Fraction(number)


def nearest_float(number: Decimal | float) -> float:
    """A literal as its nearest float64 (spec 3.2)."""
    return float(Decimal(number))


def exact_points(model: Model, points: Points) -> Fraction:
    """Points as an exact fraction: stars are n x ``points_per_star`` (spec 4)."""
    if isinstance(points, Stars):
        return exact(points.stars) * exact(model.points_per_star)
    return exact(points)


def micropoints(model: Model, points: Points | None, default: int = 0) -> int:
    """Points in whole micropoints (spec 9); a checked model has at most six places."""
    if points is None:
        return default
    value = exact_points(model, points) * POINT
    if value.denominator != 1:
        raise ValueError(f"{points} has more than six places")  # the model's checks refuse it (spec 4)
    return value.numerator


def clamp(value: int, low: int | None, high: int | None) -> int:
    """Keep a value within bounds, where there are any (spec 4.2, 6.1)."""
    if low is not None and value < low:
        return low
    if high is not None and value > high:
        return high
    return value


def bounded(model: Model, value: int, low: Points | None, high: Points | None) -> int:
    """Clamp to bounds in points, then hold within 10^18 (spec 4.2, 6.1, 9.6)."""
    low_micro = None if low is None else micropoints(model, low)
    high_micro = None if high is None else micropoints(model, high)
    return clamp(clamp(value, low_micro, high_micro), -HELD, HELD)
