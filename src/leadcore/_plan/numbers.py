"""Exact decimals of a document as the kernel's integers (spec 9)."""

from __future__ import annotations

from decimal import MAX_PREC, ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Any

HELD = 10**18
"""Values are held within +-10^18 micropoints (spec 9.6)."""

_WIDEST = 4 * 10**18


def millionths(value: Decimal) -> int:
    """A number of at most six places, exactly, in millionths."""
    scaled = value.scaleb(6)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"{value} has more than six places")
    return whole


def scaled_down(value: Decimal, scale: int) -> int:
    """The largest whole number of 1/scale not above the value, held within 64 bits."""
    return _held(value, scale, ROUND_FLOOR)


def scaled_up(value: Decimal, scale: int) -> int:
    """The smallest whole number of 1/scale not below the value, held within 64 bits."""
    return _held(value, scale, ROUND_CEILING)


def _held(value: Decimal, scale: int, rounding: str) -> int:
    if abs(value) * scale > _WIDEST:  # beyond every score, and every time in a stage
        return _WIDEST if value > 0 else -_WIDEST
    with localcontext(prec=MAX_PREC):
        return int((value * scale).to_integral_value(rounding=rounding))


def as_number(value: Any) -> float:
    """A literal against a number column: its nearest float64, -0.0 as 0.0 (spec 2.7, 3.2)."""
    return float(value) + 0.0
