"""Canonical trees as text: YAML 1.2 and JSON that read back the same (spec 11)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from leadcore.model.scalar import plain

_WIDTH = 110
_LONGEST_KEY = 1_000
"""YAML allows at most 1,024 characters for a key on one line."""

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*|(?:[0-9]+[wdhms])+")
_NOT_PLAIN = frozenset(["true", "false", "null", "yes", "no", "off", "y", "n"])
"""Words that YAML 1.2, or readers of YAML 1.1, take for something else. ``on`` is a key of ours and stays."""
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def json_text(tree: Any) -> str:
    """A tree as indented JSON; decimals are plain numbers."""
    return "".join(_json(tree, 0)) + "\n"


def _json(node: Any, depth: int) -> Iterator[str]:
    if isinstance(node, (dict, list)) and node:
        flow = _flat(node)
        if flow is not None and len(flow) + 2 * depth <= _WIDTH:
            yield flow
            return
        pairs = node.items() if isinstance(node, dict) else ((None, item) for item in node)
        yield "{" if isinstance(node, dict) else "["
        for n, (key, item) in enumerate(pairs):
            yield (",\n" if n else "\n") + "  " * (depth + 1)
            if key is not None:
                yield f"{_quoted(key)}: "
            yield from _json(item, depth + 1)
        yield "\n" + "  " * depth + ("}" if isinstance(node, dict) else "]")
    else:
        yield _flat(node) or ""


def _flat(node: Any, deep: int = 2) -> str | None:
    """A small JSON value on one line; None for what is nested deeper."""
    if isinstance(node, (dict, list)):
        if not node:
            return "{}" if isinstance(node, dict) else "[]"
        if not deep:
            return None
        items = node.items() if isinstance(node, dict) else ((None, item) for item in node)
        parts = []
        width = 0
        for key, item in items:
            text = _flat(item, deep - 1)
            width += len(text or "") + len(key or "")
            if text is None or width > _WIDTH:
                return None
            parts.append(text if key is None else f"{_quoted(key)}: {text}")
        return f"{{{', '.join(parts)}}}" if isinstance(node, dict) else f"[{', '.join(parts)}]"
    if isinstance(node, str):
        return _quoted(node)
    return _constant(node)


def _constant(node: Any) -> str:
    if node is None:
        return "null"
    if isinstance(node, bool):
        return "true" if node else "false"
    return plain(node) if isinstance(node, Decimal) else str(node)


def _quoted(text: str) -> str:
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def yaml_text(tree: dict[str, Any]) -> str:
    """A tree as YAML: what is small on one line, the rest in blocks."""
    return "".join(f"{line}\n" for line in _block(tree, 0))


def _block(node: Any, indent: int) -> Iterator[str]:
    """Lines of a mapping or list, without the indentation of the first key or dash being anything special."""
    pad = " " * indent
    if isinstance(node, dict):
        for key, item in node.items():
            if len(key) > _LONGEST_KEY:
                yield f"{pad}? {_scalar(key)}"
                yield f"{pad}: {_flow(item)}"
                continue
            yield from _entry(f"{pad}{_scalar(key)}:", item, indent, top=indent == 0)
    else:
        for item in node:
            flow = _fitting(item, indent + 2)
            if flow is not None:
                yield f"{pad}- {flow}"
            else:
                lines = list(_block(item, indent + 2))
                yield f"{pad}- {lines[0][indent + 2 :]}"
                yield from lines[1:]


def _entry(head: str, item: Any, indent: int, top: bool) -> Iterator[str]:
    flow = _fitting(item, len(head) + 1)
    nested = top and isinstance(item, dict) and any(isinstance(value, (dict, list)) for value in item.values())
    if flow is not None and not nested:
        yield f"{head} {flow}"
    else:
        yield head
        yield from _block(item, indent + 2)


def _fitting(item: Any, begin: int) -> str | None:
    """A value for the rest of a line that begins at a column, or None where it wants lines of its own."""
    if not isinstance(item, (dict, list)) or not item:
        return _flow(item)
    if _nesting(item, 4) > 3 or _long_key(item):
        return None
    flow = _flow(item)
    if isinstance(item, list) and isinstance(item[0], dict) and len(flow) > _WIDTH // 2:
        return None  # a line for each part reads better
    return flow if begin + len(flow) <= _WIDTH else None


def _nesting(node: Any, most: int) -> int:
    if not isinstance(node, (dict, list)) or not most:
        return 0
    items = node.values() if isinstance(node, dict) else node
    return 1 + max((_nesting(item, most - 1) for item in items), default=0)


def _long_key(node: Any) -> bool:
    if isinstance(node, dict):
        return any(len(key) > _LONGEST_KEY or _long_key(item) for key, item in node.items())
    return isinstance(node, list) and any(_long_key(item) for item in node)


def _flow(node: Any) -> str:
    if isinstance(node, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(map(_flow, node)) + "]"
    return _scalar(node)


def _scalar(node: Any) -> str:
    if not isinstance(node, str):
        return _constant(node)
    if _PLAIN.fullmatch(node) and node.lower() not in _NOT_PLAIN:
        return node
    return _quoted(node)
