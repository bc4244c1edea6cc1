"""Ids as bytes that sort as ids do, and seals that tell damaged rows."""

from __future__ import annotations

from zlib import crc32

from leadcore.errors import StateError

LeadId = int | str
_SIGN = 1 << 63


def lead_key(lead_id: LeadId) -> bytes:
    """An id as bytes: integers before text, integers by value, text by code point; 1 and "1" differ.

    Example:
        >>> lead_key("ada") < lead_key("bob"), lead_key(-1) < lead_key(1) < lead_key("1")
        (True, True)
    """
    if isinstance(lead_id, str):
        return b"t" + lead_id.encode("utf-8", "surrogatepass")
    return b"i" + (int(lead_id) + _SIGN).to_bytes(8, "big")


def lead_id_of(key: bytes) -> LeadId:
    """The id of a key.

    Raises:
        StateError: It is the key of no id.
    """
    try:
        if key[:1] == b"t":
            return key[1:].decode("utf-8", "surrogatepass")
        if key[:1] == b"i" and len(key) == 9:
            return int.from_bytes(key[1:], "big") - _SIGN
    except UnicodeDecodeError:
        pass
    raise StateError(f"the store is damaged: {key[:32]!r} is the key of no lead")


def seal(*parts: bytes | str | int | None) -> int:
    """A checksum over a row, kept beside it: databases notice damage to their pages, not to the bytes in a row."""
    return crc32(ascii(parts).encode())  # no `repr`: which characters it escapes is another in each Python


def check_seal(expected: int, table: str, *parts: bytes | str | int | None) -> None:
    """Refuse a row that is not what was written.

    Raises:
        StateError: It is not.
    """
    if seal(*parts) != expected:
        raise StateError(f"the store is damaged: a row of its table {table} is not what was written")
