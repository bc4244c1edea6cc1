"""Lines and columns for the faults of a document that was text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from leadcore.errors import Fault

Position = tuple[int, int]


class _Wanted:
    """A tree of the paths asked for, with the positions found: of the value, and of its key."""

    __slots__ = ("below", "key", "value")

    def __init__(self) -> None:
        self.below: dict[str | int, _Wanted] = {}
        self.value: Position | None = None
        self.key: Position | None = None


def located(faults: Sequence[Fault], events: Sequence[tuple[Any, ...]]) -> list[Fault]:
    """The faults with line and column of what they are about, or of the nearest thing around it that is there.

    An unknown key is shown where the key stands, anything else where its value does. Sorted by position.
    """
    top = _Wanted()
    for fault in faults:
        node = top
        for key in fault.keys:
            node = node.below.setdefault(key, _Wanted())
    _walk(top, events)
    found = [_placed(fault, top) for fault in faults]
    return sorted(found, key=lambda fault: (fault.line or 0, fault.column or 0))


def _placed(fault: Fault, top: _Wanted) -> Fault:
    if fault.line is not None:
        return fault
    node, position = top, top.value
    for key in fault.keys:
        node = node.below[key]
        position = (node.key if fault.on_key and key is fault.keys[-1] else node.value) or position
    return replace(fault, line=position[0], column=position[1]) if position else fault


def _walk(top: _Wanted, events: Sequence[tuple[Any, ...]]) -> None:
    """Go through the events once, looking only at what lies on a path asked for."""
    stack: list[tuple[bool, _Wanted | None, Any, int]] = []  # of the containers around: mapping?, wanted, key, count
    mapping, here, key, count = False, None, None, -1  # count -1: before the root
    for event in events:
        kind = event[0]
        if kind == "}" or kind == "]":
            mapping, here, key, count = stack.pop()
            key = None
            continue
        if kind == "anchor":
            continue
        position: Position = (event[-2], event[-1])
        if mapping and key is None:
            key = event[1]
            if here is not None and kind == "scalar" and key in here.below:
                here.below[key].key = position
            elif kind == "alias":
                key = ""  # its text is not looked up: the fault is shown at what is around
            continue
        if count < 0:
            node: _Wanted | None = top
        else:
            node = here.below.get(str(key) if mapping else count) if here is not None else None
        if node is not None:
            node.value = position
        if kind == "{" or kind == "[":
            stack.append((mapping, here, None, count + 1))
            mapping, here, key, count = kind == "{", node, None, 0
        else:
            count += 1
            key = None
