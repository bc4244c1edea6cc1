"""The limits that must hold before anything looks closer at a document (spec 3.1, 11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from leadcore.model.path import Flaw, Path

DEEPEST = 160
"""Nesting of a document: 64 levels of conditions, two containers each, in what is around them."""
MOST_VALUES = 1_000_000
"""Values of a document in all, those behind an alias as often as they are named."""
MOST_ITEMS = 65_536
"""Items of a list (spec 11), and entries of a mapping: each that is faulty costs some microseconds and a kilobyte."""
MOST_FAULTS = 10_000
"""More faults than these help nobody; the rest is not listed."""


_SCALARS = frozenset({str, Decimal, int, float, bool, type(None)})


def _containers(pairs: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    return [
        (key, value)
        for key, value in pairs
        if type(value) not in _SCALARS and isinstance(value, (dict, list, tuple, Mapping))
    ]


def oversized(tree: Any) -> list[Flaw]:
    """Too deep or too many values. Walks without recursion, and no further than the limits."""
    stack: list[tuple[Any, Path]] = [(value, ()) for _, value in _containers([("", tree)])]
    count = 0
    while stack:
        node, path = stack.pop()
        count += len(node)
        if count > MOST_VALUES:
            return [Flaw((), f"a document has at most {MOST_VALUES} values, those behind aliases counted each time")]
        mapping = isinstance(node, Mapping)
        if len(node) > MOST_ITEMS:
            return [Flaw(path, too_long(MOST_ITEMS, "entries" if mapping else "items", len(node)))]
        children = _containers(node.items() if mapping else enumerate(node))
        if children and len(path) >= DEEPEST:
            return [Flaw(path[:8], f"a document is at most {DEEPEST} levels deep")]
        stack.extend((child, (*path, key)) for key, child in children)
    return []


_MOST = {"criteria": 4_096, "stages": 256, "transitions": 4_096}


def crowded(tree: Any) -> list[Flaw]:
    """Too many criteria, stages or transitions."""
    if not isinstance(tree, Mapping):
        return []
    flaws = []
    criteria = 0
    for score in _values(tree.get("scores")):
        criteria += _length(score, "criteria") + sum(
            _length(group, "criteria") for group in _values(_of(score, "groups"))
        )
    if criteria > _MOST["criteria"]:
        flaws.append(Flaw(("scores",), too_long(_MOST["criteria"], "criteria", criteria)))
    for key in ("stages", "transitions"):
        length = _length(tree.get("lifecycle"), key)
        if length > _MOST[key]:
            flaws.append(Flaw(("lifecycle", key), too_long(_MOST[key], key, length)))
    return flaws


def too_long(most: int, what: str, found: int) -> str:
    """Say that there is too much of something."""
    return f"at most {most} {what} are allowed, here are {found}"


def _of(node: Any, key: str) -> Any:
    return node.get(key) if isinstance(node, Mapping) else getattr(node, key, None)


def _values(node: Any) -> list[Any]:
    return list(node.values()) if isinstance(node, Mapping) else []


def _length(node: Any, key: str) -> int:
    value = _of(node, key)
    return len(value) if isinstance(value, (list, tuple)) else 0
