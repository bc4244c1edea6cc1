"""Instants: whole microseconds since 1970-01-01T00:00Z, from year 1 to year 9999 (spec 1.1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = -62_135_596_800_000_000
LAST = 253_402_300_799_999_999
_MICROSECOND = timedelta(microseconds=1)


def to_micros(value: datetime | date | str) -> int:
    """An instant as microseconds: a datetime (naive is UTC), a date (its midnight UTC) or ISO 8601 text.

    Raises:
        ValueError: The text is not ISO 8601, or the instant is outside the years 1 to 9999.

    Example:
        >>> to_micros("2026-03-01T12:00+01:00")
        1772362800000000
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not an ISO 8601 instant, such as 2026-03-01T12:00Z") from None
    elif isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)
    else:
        raise ValueError(f"an instant is a datetime, a date or ISO 8601 text, not {type(value).__name__}")
    if moment.tzinfo is None:
        micros = (moment - EPOCH.replace(tzinfo=None)) // _MICROSECOND
    else:
        micros = (moment.replace(tzinfo=None) - EPOCH.replace(tzinfo=None) - (moment.utcoffset() or timedelta(0))) // (
            _MICROSECOND
        )
    if not FIRST <= micros <= LAST:
        raise ValueError(f"{value!r} is outside the years 1 to 9999")
    return micros


def to_datetime(micros: int) -> datetime:
    """The instant as an aware datetime in UTC."""
    return EPOCH + timedelta(microseconds=micros)


def to_text(micros: int) -> str:
    """The instant as ISO 8601 text with Z."""
    return to_datetime(micros).isoformat().replace("+00:00", "Z")
