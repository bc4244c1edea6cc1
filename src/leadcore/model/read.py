"""From text to a checked model: YAML 1.2 (core schema) and JSON (spec 11)."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeVar

from leadcore.errors import ModelError
from leadcore.model.base import Part
from leadcore.model.check import Reading
from leadcore.model.locate import located
from leadcore.model.path import Flaw
from leadcore.model.text import document_events
from leadcore.model.tree import build

M = TypeVar("M", bound=Part)

LARGEST = 5_000_000
"""Bytes of a document at most (spec 11)."""


def parse_file(kind: type[M], file_path: str | PathLike[str]) -> M:
    """Read a document from a file: JSON if its name ends in ``.json``, else YAML."""
    path = fspath(file_path) if isinstance(file_path, (str, PathLike)) else file_path
    if not isinstance(path, str):
        raise ModelError([Flaw((), f"a model is loaded from a path as text, not {_type(path)}").fault()])
    with Path(path).open("rb") as file:
        data = file.read(LARGEST + 1)
    try:
        return parse(kind, data, "json" if path.lower().endswith(".json") else "yaml")
    except ModelError as error:
        raise ModelError(error.faults, path) from None


def parse(kind: type[M], text: str | bytes, form: str) -> M:
    """Read a document from text."""
    if not isinstance(text, (str, bytes, bytearray, memoryview)):  # bytes(5) would be five null bytes
        raise ModelError([Flaw((), f"a model document is text or bytes, not {_type(text)}").fault()])
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    if len(data) > LARGEST:
        raise ModelError([Flaw((), "a document has at most 5 MB").fault()])
    try:
        events = document_events(data, form)
    except ValueError as error:
        raise ModelError([_unreadable(error).fault()]) from None
    tree, flaws, shared = build(events)
    try:
        return kind.model_validate(tree, context=Reading(tuple(flaws), shared))
    except ModelError as error:
        raise ModelError(located(error.faults, events)) from None


def _type(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _unreadable(error: ValueError) -> Flaw:
    """The parser's own complaint, with its position."""
    reason: Any = error.args[0] if error.args else "the document cannot be read"
    position = (error.args[1], error.args[2]) if len(error.args) >= 3 else None
    return Flaw((), str(reason), position=position)
