"""The scalars of a document: numbers, points, durations, names (spec 1.2, 4, 6.2)."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from leadcore.model.base import Part

_UNITS = {"w": 604_800_000_000, "d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000}
_SHORT = re.compile(r"(?:([0-9]+)w)?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
_ISO = re.compile(r"P(?:([0-9]+)W|(?:([0-9]+)D)?(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)S)?)?)")
LONGEST = 36_525 * _UNITS["d"]


class Duration(int):
    """Whole microseconds; text ``"1d12h"`` or ISO 8601 in documents (spec 1.2)."""

    def __new__(cls, value: str | timedelta | Duration) -> Duration:
        if isinstance(value, Duration):
            return value
        if isinstance(value, timedelta):
            return int.__new__(cls, value // timedelta(microseconds=1))
        if not isinstance(value, str):
            raise ValueError('a duration is text such as "14d", "1d12h" or "PT36H"')
        match = _SHORT.fullmatch(value) or _ISO.fullmatch(value)
        if match is None or not any(match.groups()):
            raise ValueError(_why_not(value))
        micros = sum(int(n) * unit for n, unit in zip(match.groups(), _UNITS.values(), strict=True) if n)
        return int.__new__(cls, micros)

    def __str__(self) -> str:
        rest, text = int(self), ""
        for name, unit in _UNITS.items():
            if name == "w" and rest % unit:
                continue
            count, rest = divmod(rest, unit)
            text += f"{count}{name}" if count else ""
        return text or "0s"

    def __repr__(self) -> str:
        return f"Duration({str(self)!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls, serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="unless-none")
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "examples": ["14d", "1d12h", "90m", "PT36H"]}


def _why_not(text: str) -> str:
    """Say why this text is no duration."""
    if re.search(r"[0-9][.,][0-9]", text):
        return "fractions are not durations: use the smaller unit, 36h for 1.5 days"
    if re.search(r"[0-9]\s*(mo|M|months?|y|Y|years?)", text) and "T" not in text:
        return "months and years have no fixed length: use days or weeks, 30d or 52w"
    return "a duration is whole numbers of w, d, h, m, s, each at most once and in this order, or ISO 8601"


def _number(value: Any) -> Any:
    """Decimal, int, or float by its repr; never a boolean or text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ValueError("a number is wanted here")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise ValueError("a finite number is wanted here")
    return number


Number = Annotated[Decimal, BeforeValidator(_number)]
"""An exact decimal."""


def _integer(value: Any) -> Any:
    number = _number(value)
    if number != number.to_integral_value() or number < 1:
        raise ValueError("a whole number of at least 1 is wanted here")
    return int(number)


PositiveInt = Annotated[int, BeforeValidator(_integer)]


class Stars(Part):
    """``{"stars": n}``: n times the model's ``points_per_star`` (spec 4)."""

    stars: Number


Points = Stars | Number
"""Points: an exact decimal, or stars. `Model.micropoints` turns either into micropoints."""


def take_stars(data: Any) -> Any:
    """Read ``stars: n`` as short for ``points: {stars: n}`` (spec 4)."""
    if isinstance(data, dict) and "stars" in data and "points" not in data:
        data = dict(data)
        data["points"] = {"stars": data.pop("stars")}
    return data


def _names(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
"""One name or several."""

EventTypes = Names
"""Names of declared event types."""
