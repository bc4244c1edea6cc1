"""The scalars of a document: numbers, points, names, instants (spec 1.1, 3.2, 4, 6.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainValidator, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from leadcore._time import to_micros
from leadcore.model.base import Part
from leadcore.model.duration import DAY, HOUR, LONGEST, MINUTE, Duration, DurationOrZero

__all__ = [
    "DAY",
    "EXACT",
    "HOUR",
    "LONGEST",
    "MINUTE",
    "Count",
    "Duration",
    "DurationOrZero",
    "EventTypes",
    "Flag",
    "Names",
    "Number",
    "Points",
    "PositiveInt",
    "Stars",
    "Text",
    "instant",
    "number",
    "places",
    "plain",
    "take_stars",
]

EXACT = Context(prec=2_000, rounding=ROUND_FLOOR, Emin=-100_000, Emax=100_000)
"""Arithmetic that loses nothing: two numbers of a document have at most 400 digits each way (`number`)."""

_MOST_DIGITS = 400


def number(value: Any) -> Decimal:
    """Read a Decimal, int, or float by its repr; never a boolean or text.

    Raises:
        ValueError: It is none of these, or NaN, infinite, or of more than 400 digits before or after the point.
    """
    if type(value) is not Decimal:
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            raise ValueError("a number is wanted here")
        if isinstance(value, int) and value.bit_length() > 1_400:
            raise ValueError(f"a number has at most {_MOST_DIGITS} digits")
        value = Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value)
    if not value.is_finite():
        raise ValueError("a finite number is wanted here")
    _, digits, exponent = value.as_tuple()
    if len(digits) > _MOST_DIGITS or not -_MOST_DIGITS <= exponent <= _MOST_DIGITS:
        raise ValueError(f"a number has at most {_MOST_DIGITS} digits")
    return value if value else Decimal(0)  # -0 is 0 (spec 2.7)


def read_number(value: Any) -> Decimal:
    """`number` for pydantic."""
    try:
        return number(value)
    except ValueError as error:
        raise PydanticCustomError("number", "{why}", {"why": str(error)}) from None


def plain(value: Decimal) -> str:
    """A decimal without exponent and without trailing zeros: ``0.5``, ``1000``."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def places(value: Decimal) -> int:
    """How many decimal places a number needs: 1.50 needs one."""
    exponent = int(value.as_tuple().exponent)
    if exponent < 0:  # 1.50 is written with two places
        exponent = int(value.normalize(EXACT).as_tuple().exponent)
    return max(0, -exponent)


Number = Annotated[Decimal, PlainValidator(read_number), WithJsonSchema({"type": "number"})]
"""An exact decimal."""


def _count(value: Any) -> int:
    whole = read_number(value)
    if whole < 1 or whole != whole.to_integral_value():
        raise PydanticCustomError("count", "a whole number of at least 1 is wanted here")
    if whole > 2**31 - 1:
        raise PydanticCustomError("count", "a whole number of at most 2147483647 is wanted here")
    return int(whole)


PositiveInt = Annotated[int, PlainValidator(_count), WithJsonSchema({"type": "integer", "minimum": 1})]
Count = PositiveInt

Text = Annotated[str, Field(strict=True)]
"""Text; a number or a boolean is not text, it wants quotes."""

Flag = Annotated[bool, Field(strict=True)]
"""true or false, not a word or a number that stands for it."""


class Stars(Part):
    """``{"stars": n}``: n times the model's ``points_per_star`` (spec 4)."""

    stars: Number = Field(description="How many stars: each is worth the model's points_per_star.")


AS_IT_IS = core_schema.plain_serializer_function_ser_schema(lambda value: value)
"""Written as whatever it is: a number as a number, a part as a part."""


class _PointsForm:
    """Reads a number or an object of stars; one call, for points are the most frequent thing in a document."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(
            _points, handler.generate_schema(Stars), serialization=AS_IT_IS
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"oneOf": [handler(schema), {"type": "number"}]}


def _points(value: Any, stars: Callable[[Any], Stars]) -> Stars | Decimal:
    return stars(value) if isinstance(value, (dict, Stars)) else read_number(value)


Points = Annotated[Stars | Decimal, _PointsForm()]
"""Points: an exact decimal, or stars. `Model.micropoints` turns either into micropoints."""


def take_stars(data: Any) -> Any:
    """Read ``stars: n`` as short for ``points: {stars: n}`` (spec 4)."""
    if isinstance(data, dict) and "stars" in data and "points" not in data:
        data = dict(data)
        data["points"] = {"stars": data.pop("stars")}
    return data


def _names(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [getattr(item, "__event_type__", item) for item in value]
    value = getattr(value, "__event_type__", value)
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[Text, ...], BeforeValidator(_names)]
"""One name or several."""

EventTypes = Names
"""Names of declared event types, or their `EventType` classes."""

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)


def instant(text: str) -> int:
    """Microseconds since 1970 of an ISO 8601 date or timestamp (spec 1.1, 3.2).

    A date is its first instant, a timestamp without a zone is UTC, nanoseconds floor.

    Raises:
        ValueError: The text is no instant, or is outside the years 1 to 9999.

    Example:
        >>> instant("1970-01-02")
        86400000000
        >>> instant("1970-01-01T02:00:00.5+02:00")
        500000
    """
    if not _INSTANT.fullmatch(text):
        raise ValueError("this is not ISO 8601, such as 2026-01-31 or 2026-01-31T09:30:00Z")
    try:
        return to_micros(text)
    except ValueError as error:
        beyond = "outside" in str(error)
        raise ValueError(
            "an instant lies between the years 1 and 9999" if beyond else "this date or time of day does not exist"
        ) from None


def instant_text(value: date) -> str:
    """A datetime or date of Python as the ISO 8601 text of documents; naive is UTC."""
    if not isinstance(value, datetime):
        return value.isoformat()
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    if value.utcoffset() == timedelta(0):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    whole = timezone(timedelta(minutes=round(value.utcoffset() / timedelta(minutes=1))))  # type: ignore[operator]  # aware, so not None
    return value.astimezone(whole).isoformat()
