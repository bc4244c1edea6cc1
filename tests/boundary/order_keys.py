"""Order keys and digests of events in plain Python, as the stub of the edge describes them; instants in microseconds."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

WORD = 2**64 - 1
KEY = b"leadcore digests"
NO_DIGEST = bytes(16)
TAGS = {"boolean": 1, "number": 2, "instant": 3, "text": 4}

Fields = Mapping[str, str]
"""Types of properties by name, in document order."""


def order_key(types: Mapping[str, Fields], row: Mapping[str, Any]) -> bytes:
    """The order key of a row of a declared type."""
    match row.get("event_id"):
        case None:
            return b"\0" + properties(types, row)
        case int(number):
            return b"\1" + (number + 2**63).to_bytes(8)
        case text:
            return b"\2" + text.encode()


def content_digest(types: Mapping[str, Fields], row: Mapping[str, Any]) -> bytes:
    """The digest of a row of a declared type; zeros without an id."""
    if row.get("event_id") is None:
        return NO_DIGEST
    return siphash((row["at"] + 2**63).to_bytes(8) + b"\0" + properties(types, row))


def value_digest(kind: str, value: Any) -> bytes:
    """The digest of one value; zeros for null."""
    if is_null(value):
        return NO_DIGEST
    return siphash(bytes([TAGS[kind]]) + (value.encode() if kind == "text" else payload(kind, value)))


def properties(types: Mapping[str, Fields], row: Mapping[str, Any]) -> bytes:
    """The place of the type by name, and the properties it declares."""
    fields = types[row["type"]]
    place = sorted(types).index(row["type"]).to_bytes(2)
    values = [(kind, row.get(name)) for name, kind in fields.items()]
    return place + b"".join(b"\0" if is_null(value) else b"\1" + payload(kind, value) for kind, value in values)


def is_null(value: Any) -> bool:
    return value is None or value != value


def payload(kind: str, value: Any) -> bytes:
    """A value that is not null, such that bytes sort as values do."""
    match kind:
        case "boolean":
            return bytes([value])
        case "instant":
            return (value + 2**63).to_bytes(8)
        case "number":
            (bits,) = struct.unpack(">Q", struct.pack(">d", value + 0.0))
            return (bits ^ WORD if bits >> 63 else bits ^ 1 << 63).to_bytes(8)
        case _:
            return value.encode().replace(b"\0", b"\0\xff") + b"\0\0"


def siphash(data: bytes, key: bytes = KEY) -> bytes:
    """SipHash-2-4 with 128 bits, from its paper and reference code."""
    a, b = struct.unpack("<QQ", key)
    v = [a ^ 0x736F6D6570736575, b ^ 0x646F72616E646F6D ^ 0xEE, a ^ 0x6C7967656E657261, b ^ 0x7465646279746573]
    padded = data + bytes(-(len(data) + 1) % 8) + bytes([len(data) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        rounds(v, 2)
        v[0] ^= word
    halves = []
    for place, mark in ((2, 0xEE), (1, 0xDD)):
        v[place] ^= mark
        rounds(v, 4)
        halves.append(v[0] ^ v[1] ^ v[2] ^ v[3])
    return struct.pack("<QQ", *halves)


def rounds(v: list[int], count: int) -> None:
    def turn(word: int, by: int) -> int:
        return (word << by | word >> (64 - by)) & WORD

    for _ in range(count):
        for one, two, by, far in ((0, 1, 13, 32), (2, 3, 16, 0), (0, 3, 21, 0), (2, 1, 17, 32)):
            v[one] = (v[one] + v[two]) & WORD
            v[two] = turn(v[two], by) ^ v[one]
            v[one] = turn(v[one], far) if far else v[one]
