"""From a parser's events to a tree of dicts, lists, text, decimals, booleans and null (spec 11).

Plain scalars follow the YAML 1.2 core schema, so ``on``, ``no``, dates and ``12:30`` are text. A key is the text it is
written with, whether plain or quoted.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from leadcore.errors import ModelError
from leadcore.model.limits import MOST_FAULTS, MOST_ITEMS, too_long
from leadcore.model.path import Flaw, Path, shown

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASED = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MAY_BE_NUMBER = frozenset("0123456789+-.")
_LONGEST_NUMBER = 400

NO_NUMBER = Decimal("NaN")
"""Stands in the tree where a number was refused; the checks are silent about it."""


class _UnfitError(Exception):
    """A plain scalar that is a number by its form and cannot be one here."""


def scalar(text: str) -> Any:
    """Resolve a plain scalar by the YAML 1.2 core schema, numbers as exact decimals.

    Example:
        >>> [scalar(t) for t in ("on", "2026-01-31", "12:30", "1.50", "0x1F", "~")]
        ['on', '2026-01-31', '12:30', Decimal('1.50'), Decimal('31'), None]
    """
    if text[:1] not in _MAY_BE_NUMBER:
        return _CONSTANTS.get(text, text)
    if not text:
        return None
    if _NUMBER.fullmatch(text):
        if len(text) > _LONGEST_NUMBER:
            raise _UnfitError(f"a number has at most {_LONGEST_NUMBER} digits")
        if "e" not in text and "E" not in text:
            return Decimal(text)
        try:
            value = Decimal(text)
        except ArithmeticError:  # an exponent beyond all measure
            raise _UnfitError(f"a number has at most {_LONGEST_NUMBER} digits") from None
        exponent = value.as_tuple().exponent
        if not -_LONGEST_NUMBER <= int(exponent) <= _LONGEST_NUMBER:
            raise _UnfitError(f"a number has at most {_LONGEST_NUMBER} digits")
        return value
    if text[0] == "0" and _BASED.fullmatch(text):
        if len(text) > _LONGEST_NUMBER:
            raise _UnfitError(f"a number has at most {_LONGEST_NUMBER} digits")
        return Decimal(int(text, 0))
    if _NO_NUMBER.fullmatch(text):
        raise _UnfitError("NaN and infinity are no numbers here")
    return text


def build(events: list[tuple[Any, ...]]) -> tuple[Any, list[Flaw], bool]:
    """Build the tree.

    Returns:
        The tree; the flaws that need the text to be seen (duplicate keys, refused numbers), where building went on;
        and whether parts of the tree are shared by aliases.

    Raises:
        ModelError: There is no tree: the document is empty, a key is no text, or an alias stands within what it names.
    """
    flaws: list[Flaw] = []
    anchors: dict[Any, Any] = {}
    stack: list[tuple[Any, Any, Any]] = []  # container, key waiting for a value, anchor of the container
    top: Any = None
    key: Any = None
    anchor: Any = None
    shared = False
    root: Any = _NOTHING

    for event in events:
        kind = event[0]
        if kind == "scalar":
            if key is None and type(top) is dict:
                key = event[1]
                if anchor is not None:
                    anchors[anchor], anchor = key, None
                if key in top and len(flaws) < MOST_FAULTS:
                    flaws.append(Flaw((*_path(stack, top, None), key), "this key stands twice", None, True, event[3:5]))
                continue
            if event[2]:
                try:
                    value = scalar(event[1])
                except _UnfitError as error:
                    if len(flaws) < MOST_FAULTS:
                        at = _path(stack, top, key)
                        flaws.append(Flaw(at, str(error), f"found {event[1][:40]}", position=event[3:5]))
                    value = NO_NUMBER
            else:
                value = event[1]
            if anchor is not None:
                anchors[anchor], anchor = value, None
        elif kind == "{" or kind == "[":
            if key is None and type(top) is dict:
                raise _fatal(_path(stack, top, None), "a key is text, not a mapping or a list", event[1:3])
            stack.append((top, key, anchor))
            top, key, anchor = ({} if kind == "{" else []), None, None
            continue
        elif kind == "}" or kind == "]":
            value = top
            top, key, own = stack.pop()
            if own is not None:
                anchors[own] = value
            if len(value) > MOST_ITEMS:
                what = "items" if kind == "]" else "entries"
                raise _fatal(_path(stack, top, key), too_long(MOST_ITEMS, what, len(value)), None)
        elif kind == "alias":
            if event[1] not in anchors:
                raise _fatal(_path(stack, top, key), "an alias stands within what it names", event[2:4])
            value = anchors[event[1]]
            if key is None and type(top) is dict:
                if not isinstance(value, str):
                    raise _fatal(_path(stack, top, None), f"a key is text, not {shown(value)}", event[2:4])
                key = value
                continue
            shared = True
        else:  # "anchor": names the node that comes next
            anchor = event[1]
            continue
        if type(top) is dict:
            top[key] = value
            key = None
        elif top is None:
            root = value
        else:
            top.append(value)
    if root is _NOTHING:
        raise _fatal((), "the document is empty", None)
    return root, flaws, shared


_NOTHING = object()


def _path(stack: list[tuple[Any, Any, Any]], top: Any, key: Any) -> Path:
    """Where the builder stands."""
    path: list[str | int] = []
    for container, waiting, _ in stack:
        if type(container) is dict:
            path.append(waiting)
        elif container is not None:
            path.append(len(container))
    if type(top) is dict:
        if key is not None:
            path.append(key)
    elif top is not None:
        path.append(len(top))
    return tuple(path)


def _fatal(path: Path, reason: str, position: tuple[int, int] | None) -> ModelError:
    return ModelError([Flaw(path, reason, position=position).fault()])
