"""A ledger as one file: bound to its model, checked to the last bit, written whole or not at all.

Numbers are little-endian. A file is::

    magic (16 bytes)  format (u32)  header length (u32)  header (JSON, UTF-8)
    blocks: kind (u32)  count (u32)  length (u64)  payload
    checksum (32 bytes): BLAKE2b over everything before it

The header holds ``leadcore`` (the version that wrote it), ``layout`` (of the states), ``model`` (the document), its
``fingerprint`` and ``semantics``, ``late`` and ``clock`` (microseconds, null: all, never). A block of kind 1 holds
leads: their ids, the lengths of their images (u64), the images; one of kind 2 records merged away: their ids, then the
ids of the leads they are part of; kind 0, without payload, ends the file, and its count is that of all leads. Ids are a
kind (u8), then 1: i64 each; 2: lengths (u32) and UTF-8.

Blocks are not packed: zlib's fastest level takes four times as long as all the rest, for a file 0.6 times as large.
"""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from leadcore import __version__
from leadcore._durable import replacing, sync_folder
from leadcore._kernel import LAYOUT_VERSION
from leadcore._time import FIRST, LAST
from leadcore.errors import LeadcoreError, ModelError, StateError
from leadcore.ledger.facts import SINCE_EVER
from leadcore.ledger.ids import Id
from leadcore.ledger.memory import new_book
from leadcore.model import Model
from leadcore.model.duration import LONGEST
from leadcore.scorer import Scorer

if TYPE_CHECKING:
    from leadcore.ledger.book import Book

MAGIC = b"\x93leadcore\r\n\x1a\n\0\0\0"
FORMAT = 1
_HEAD = struct.Struct("<16sII")
_BLOCK = struct.Struct("<IIQ")
_SUM = 32
_PER_BLOCK = 16_384
_READ = 1 << 20
_END, _LEADS, _RECORDS = 0, 1, 2
_INTEGERS, _TEXT = 1, 2


@dataclass(frozen=True)
class State:
    """What a file says of the whole ledger.

    Attributes:
        scorer: The compiled model.
        late: Lateness in microseconds, -1 for all.
        clock: Instant to which all leads were advanced, -2**63: never.
    """

    scorer: Scorer
    late: int
    clock: int


def save_state(path: str | os.PathLike[str], state: State, books: Iterator[Book]) -> None:
    """Write a ledger to a file, in place of what stood there.

    Raises:
        StateError: It cannot be written; what stood there stands.
    """
    target = _path(path)
    before = os.path.lexists(target)
    try:
        with replacing(target) as file:
            _Writer(file).write(state, books)
    except OSError as fault:
        whole = "; the file that stood there is whole" if before else ""
        raise StateError(f"{target}: the ledger cannot be saved: {_reason(fault)}{whole}") from fault
    try:
        sync_folder(Path(os.path.realpath(target)).parent)
    except OSError as fault:
        reason = f"the ledger is saved, but may be lost if the machine fails now: {_reason(fault)}"
        raise StateError(f"{target}: {reason}") from fault


def dumped(state: State, books: Iterator[Book]) -> bytes:
    """The bytes of a file."""
    file = io.BytesIO()
    _Writer(file).write(state, books)
    return file.getvalue()


def load_state(path: str | os.PathLike[str], scorer: Scorer | None) -> tuple[State, Book]:
    """Read a ledger from a file.

    Args:
        path: The file.
        scorer: The compiled model, of the semantics of the file; None to compile the file's own.

    Raises:
        StateError: The file cannot be read, is no ledger, damaged, or of another model or a newer format.
    """
    source = _path(path)
    try:
        with source.open("rb") as file:
            return _Reader(file, str(source)).read(scorer)
    except OSError as fault:
        raise StateError(f"{source}: the ledger cannot be loaded: {_reason(fault)}") from fault


def loaded(data: bytes, scorer: Scorer) -> tuple[State, Book]:
    """What `dumped` gave, read."""
    return _Reader(io.BytesIO(data), "the ledger's bytes").read(scorer)


class _Writer:
    """Writes a ledger, block by block, and keeps its checksum."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._sum = file, blake2b(digest_size=_SUM)

    def write(self, state: State, books: Iterator[Book]) -> None:
        """Write everything."""
        model = state.scorer.model
        header = {
            "leadcore": __version__,
            "layout": LAYOUT_VERSION,
            "name": model.name,
            "fingerprint": model.fingerprint,
            "semantics": model.semantics,
            "late": None if state.late < 0 else state.late,
            "clock": None if state.clock == SINCE_EVER else state.clock,
            "model": model.to_json(),
        }
        text = json.dumps(header, separators=(",", ":")).encode("ascii")
        self._put(_HEAD.pack(MAGIC, FORMAT, len(text)), text)
        leads = 0
        for book in books:
            known = book.lead_ids()
            leads += len(known)
            for i in range(0, len(known), _PER_BLOCK):
                some = known[i : i + _PER_BLOCK]
                images = [book.image(lead_id) for lead_id in some]
                lengths = np.array([len(image) for image in images], "<u8")
                self._block(_LEADS, len(some), _ids_bytes(some), lengths.tobytes(), *images)
            merged = list(book.aliases.items())
            for i in range(0, len(merged), _PER_BLOCK):
                records, into = zip(*merged[i : i + _PER_BLOCK], strict=True)
                self._block(_RECORDS, len(records), _ids_bytes(records), _ids_bytes(into))
        self._block(_END, leads)
        self._file.write(self._sum.digest())

    def _block(self, kind: int, count: int, *parts: bytes) -> None:
        self._put(_BLOCK.pack(kind, count, sum(map(len, parts))), *parts)

    def _put(self, *parts: bytes) -> None:
        for part in parts:
            self._sum.update(part)
            self._file.write(part)


class _Reader:
    """Reads a ledger: first its checksum, then its blocks."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name

    def read(self, scorer: Scorer | None) -> tuple[State, Book]:
        """Read everything."""
        self._end = self._checked()
        header = self._header()
        scorer = self._scorer(header, scorer)
        late, clock = (-1 if header["late"] is None else header["late"]), header["clock"]
        book = new_book(scorer, late)
        book.clock = SINCE_EVER if clock is None else clock
        leads = 0
        while (block := self._block())[0] != _END:
            kind, count, payload = block
            if kind == _LEADS:
                leads += count
                self._leads(book, count, payload)
            elif kind == _RECORDS:
                self._records(book, count, payload)
            else:
                raise self._damaged(f"block of unknown kind {kind}")
        _, count, payload = block
        if count != leads or payload or self._file.tell() != self._end:
            raise self._damaged("its end")
        return State(scorer, late, book.clock), book

    def _checked(self) -> int:
        """Where the checksum begins, which fits."""
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        head = self._file.read(_HEAD.size)
        if head[:16] != MAGIC[: len(head)] or not head:
            what = "is empty" if not head else "does not begin like one"
            raise StateError(f"{self._name}: is not a saved ledger: it {what}")
        if size < _HEAD.size + _BLOCK.size + _SUM:
            raise StateError(f"{self._name}: is cut off: a saved ledger is longer than {size} bytes")
        self._file.seek(0)
        summed, rest = blake2b(digest_size=_SUM), size - _SUM
        while rest:
            part = self._file.read(min(_READ, rest))
            if not part:
                raise self._damaged("its length")
            summed.update(part)
            rest -= len(part)
        fits = self._file.read(_SUM) == summed.digest()
        _, version, _ = _HEAD.unpack(head)
        if version > FORMAT and fits:
            raise StateError(
                f"{self._name}: is a saved ledger of format {version}, and leadcore {__version__} reads formats up to "
                f"{FORMAT}: load it with the newer leadcore that wrote it"
            )
        if not fits:
            raise StateError(f"{self._name}: is damaged or cut off: its checksum does not fit its {size:,} bytes")
        if version != FORMAT:
            raise self._damaged(f"format {version}")
        return size - _SUM

    def _header(self) -> dict[str, Any]:
        self._file.seek(0)
        _, _, length = _HEAD.unpack(self._take(_HEAD.size))
        try:
            header = json.loads(self._take(length))
        except (ValueError, RecursionError):
            raise self._damaged("its header") from None
        kinds = {
            "leadcore": str, "layout": int, "name": str, "fingerprint": str, "semantics": str, "model": str,
            "late": (int, type(None)), "clock": (int, type(None)),
        }  # fmt: skip
        if not isinstance(header, dict) or not all(_is(header.get(key), kind) for key, kind in kinds.items()):
            raise self._damaged("its header")
        if header["layout"] != LAYOUT_VERSION:
            raise StateError(
                f"{self._name}: was saved by leadcore {header['leadcore']} with states of layout {header['layout']}; "
                f"leadcore {__version__} has layout {LAYOUT_VERSION}: take in the events anew"
            )
        if not (_within(header["late"], 0, LONGEST) and _within(header["clock"], FIRST, LAST)):
            raise self._damaged("its header")
        return header

    def _scorer(self, header: dict[str, Any], scorer: Scorer | None) -> Scorer:
        """The scorer given, if it fits the file; else the file's own."""
        if scorer is not None:
            if scorer.model.semantics != header["semantics"]:
                raise StateError(
                    f"{self._name}: is a ledger of model {header['name']!r} with semantics {header['semantics'][:12]}, not "
                    f"of {scorer.model.name!r} with {scorer.model.semantics[:12]}: load it with its own model, "
                    "Ledger.load(path), and move it with scorer.migrate(ledger)"
                )
            return scorer
        try:
            own = Scorer(Model.from_json(header["model"]))
        except ModelError as fault:
            raise self._damaged("the model in it") from fault
        if own.model.semantics != header["semantics"] or own.model.fingerprint != header["fingerprint"]:
            raise self._damaged("the fingerprint of the model in it")
        return own

    def _block(self) -> tuple[int, int, bytes]:
        kind, count, length = _BLOCK.unpack(self._take(_BLOCK.size))
        return kind, count, self._take(length)

    def _leads(self, book: Book, count: int, payload: bytes) -> None:
        known, at = self._ids(payload, 0, count)
        lengths = np.frombuffer(self._part(payload, at, 8 * count), "<u8").tolist()
        at += 8 * count
        if at + sum(lengths) != len(payload):
            raise self._damaged("the lengths of leads")
        for lead_id, length in zip(known, lengths, strict=True):
            try:
                if lead_id in book.ids:
                    raise ValueError("it is there twice")
                book.put(lead_id, payload[at : at + length])
            except ValueError as fault:
                raise self._damaged(f"lead {lead_id!r}: {fault}") from None
            at += length

    def _records(self, book: Book, count: int, payload: bytes) -> None:
        records, at = self._ids(payload, 0, count)
        into, at = self._ids(payload, at, count)
        if at != len(payload):
            raise self._damaged("the records of leads")
        for record, lead_id in zip(records, into, strict=True):
            if record in book.ids or record in book.aliases or lead_id in book.aliases:
                raise self._damaged(f"record {record!r}")
            book.alias(record, lead_id)

    def _ids(self, payload: bytes, at: int, count: int) -> tuple[list[Id], int]:
        """Ids from a place of a payload on, and the place after them."""
        kind = self._part(payload, at, 1)[0]
        at += 1
        if kind == _INTEGERS:
            return np.frombuffer(self._part(payload, at, 8 * count), "<i8").tolist(), at + 8 * count
        if kind != _TEXT:
            raise self._damaged(f"ids of unknown kind {kind}")
        lengths = np.frombuffer(self._part(payload, at, 4 * count), "<u4").tolist()
        at += 4 * count
        found: list[Id] = []
        for length in lengths:
            try:
                found.append(str(self._part(payload, at, length), "utf-8"))
            except ValueError:
                raise self._damaged("an id") from None
            at += length
        return found, at

    def _part(self, payload: bytes, at: int, length: int) -> bytes:
        if at + length > len(payload):
            raise self._damaged("a block that is too short")
        return payload[at : at + length]

    def _take(self, length: int) -> bytes:
        """The next bytes before the checksum."""
        if self._file.tell() + length > self._end:
            raise self._damaged("a length that leads beyond its end")
        data = self._file.read(length)
        if len(data) != length:
            raise self._damaged("its length")
        return data

    def _damaged(self, what: str) -> StateError:
        return StateError(f"{self._name}: is damaged, though its checksum fits: {what} is not as it should be")


def _ids_bytes(ids: Sequence[Id]) -> bytes:
    """Ids as a file has them."""
    if isinstance(ids[0], int):
        return bytes([_INTEGERS]) + np.array(ids, "<i8").tobytes()
    texts = [str(one).encode() for one in ids]
    return bytes([_TEXT]) + np.array([len(text) for text in texts], "<u4").tobytes() + b"".join(texts)


def _is(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _within(value: int | None, least: int, most: int) -> bool:
    return value is None or least <= value <= most


def _path(path: Any) -> Path:
    try:
        found = Path(path)
    except TypeError:
        raise LeadcoreError(f"path is the name of a file, not {path!r}") from None
    if "\0" in str(found):
        raise LeadcoreError(f"path is the name of a file, which {path!r} cannot be")
    return found


def _reason(fault: OSError) -> str:
    return fault.strerror or str(fault)
