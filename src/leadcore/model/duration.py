"""Durations: whole numbers of weeks, days, hours, minutes and seconds (spec 1.2)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_UNITS = {"w": 604_800_000_000, "d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000}
_SHORT = re.compile(r"(?:([0-9]+)w)?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
_ISO = re.compile(r"P(?:([0-9]+)W|(?:([0-9]+)D)?(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)S)?)?)")
_PATTERN = r"^(?=[0-9P])([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$|^P([0-9]+W|(?=[0-9T])([0-9]+D)?(T(?=[0-9])([0-9]+H)?([0-9]+M)?([0-9]+S)?)?)$"
LONGEST = 36_525 * _UNITS["d"]
HOUR = _UNITS["h"]
DAY = _UNITS["d"]
MINUTE = _UNITS["m"]


class Duration(int):
    """Whole microseconds; text ``"1d12h"`` or ISO 8601 in documents (spec 1.2).

    Example:
        >>> Duration("P14D") == Duration("2w") == 14 * 86_400_000_000
        True
        >>> str(Duration("36h"))
        '1d12h'
    """

    def __new__(cls, value: str | timedelta | Duration) -> Duration:
        """Read text or a timedelta; `ValueError` says why it is no duration."""
        if isinstance(value, Duration):
            return value
        if isinstance(value, timedelta):
            if value.microseconds:
                raise ValueError("a duration is whole seconds")
            return int.__new__(cls, value // timedelta(microseconds=1))
        if not isinstance(value, str):
            raise ValueError('a duration is wanted here: text such as "14d", "1d12h" or "PT36H"')
        match = (_SHORT.fullmatch(value) or _ISO.fullmatch(value)) if len(value) <= 40 else None
        if match is None or not any(match.groups()):
            raise ValueError(_why_not(value[:40]))
        micros = sum(int(n) * unit for n, unit in zip(match.groups(), _UNITS.values(), strict=True) if n)
        return int.__new__(cls, micros)

    def __str__(self) -> str:
        rest, text = int(self), ""
        for name, unit in _UNITS.items():
            if name == "w" and rest % unit:
                continue  # 15d reads better than 2w1d
            count, rest = divmod(rest, unit)
            text += f"{count}{name}" if count else ""
        return text or "0s"

    def __repr__(self) -> str:
        return f"Duration({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Duration, (str(self),)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _schema(_positive)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": _PATTERN, "examples": ["14d", "1d12h", "90m", "PT36H"]}


class _OrNone:
    """Lets ``"0s"`` through: for ``delay`` and ``alerts.after`` (spec 1.2)."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _schema(_read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": _PATTERN, "examples": ["0s", "24h", "2d"]}


DurationOrZero = Annotated[Duration, _OrNone()]


def _schema(read: Any) -> CoreSchema:
    return core_schema.no_info_plain_validator_function(
        read, serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="unless-none")
    )


def _read(value: Any) -> Duration:
    try:
        duration = Duration(value)
    except ValueError as error:
        raise PydanticCustomError("duration", "{why}", {"why": str(error)}) from None
    if duration < 0:
        raise PydanticCustomError("duration", "a duration is not negative")
    if duration > LONGEST:
        raise PydanticCustomError("duration", "a duration is at most 36525d, a hundred years")
    return duration


def _positive(value: Any) -> Duration:
    duration = _read(value)
    if not duration:
        raise PydanticCustomError("duration", "a duration is longer than 0s here")
    return duration


def _why_not(text: str) -> str:
    """Say why this text is no duration."""
    if re.search(r"[0-9][.,][0-9]", text):
        return "fractions are not durations: use the smaller unit, 36h for 1.5 days"
    if re.search(r"[0-9]\s*(mo|M|months?|y|Y|years?)\b", text) and "T" not in text:
        return "months and years have no fixed length: use days or weeks, 30d or 52w"
    return "a duration is whole numbers of w, d, h, m, s, each at most once and in this order, or ISO 8601"
