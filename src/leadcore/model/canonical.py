"""The canonical form of a document, and its hash: one form however the model was written (spec 11)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from leadcore.model.base import Named, Part
from leadcore.model.duration import Duration

_ALWAYS = frozenset({"leadcore", "kind"})
"""Keys that are written though they are the default: they say what the rest is."""
_WITHOUT_MEANING = frozenset({"title", "description", "goal", "notify", "tests"})
"""Keys that saved state does not depend on."""
_ORDERED = frozenset({("Model", "scores"), ("Model", "thresholds"), ("Score", "groups"), ("Accounts", "scores")})
"""Mappings whose order can be seen: columns of results and lines of explanations follow it."""


class _Key(NamedTuple):
    name: str
    key: str
    default: Any
    always: bool
    ordered: bool


_keys: dict[type[Part], tuple[_Key, ...]] = {}


def _keys_of(part: type[Part]) -> tuple[_Key, ...]:
    """The keys of a part in the order they are written: what it is called and what it is first, bounds last."""
    if part not in _keys:
        fields = part.model_fields.items()
        found = [
            _Key(
                name,
                field.alias or name,
                field.get_default(call_default_factory=True),
                # a stage is a success stage unless it says otherwise; a criterion always says what it is
                name in _ALWAYS and part.__name__ != "Stage",
                (part.__name__, name) in _ORDERED,
            )
            for name, field in fields
        ]
        first = ("leadcore", "name", "type", "kind", "title", "description")
        rank = {name: n for n, name in enumerate(first)} | {"min": 98, "max": 99}
        _keys[part] = tuple(sorted(found, key=lambda key: rank.get(key.name, 50)))
    return _keys[part]


def canonical(part: Part) -> dict[str, Any]:
    """A part as a tree of dicts, lists, text, decimals and booleans: only what was set, in short forms."""
    tree: dict[str, Any] = {}
    for name, key, default, always, _ in _keys_of(type(part)):
        value = getattr(part, name)
        if value is None or (value == default and type(value) is type(default) and not always):
            continue
        short = _short(value)
        if name == "points" and isinstance(short, dict) and "stars" in short:
            tree |= short  # `stars: n`
        elif name == "from_" and len(short) == 1:
            tree[key] = short[0]
        else:
            tree[key] = short
    tree.update((key, _short(value)) for key, value in (part.__pydantic_extra__ or {}).items())
    return tree


def _short(value: Any) -> Any:
    if isinstance(value, Part):
        tree = canonical(value)
        return tree["type"] if tree.keys() == {"type"} else tree  # a declared field
    if isinstance(value, Named):
        entries = {key: _short(item) for key, item in value.items()}
        return entries | {key: _short(item) for key, item in value.extensions.items()}
    if isinstance(value, tuple):
        return [_short(item) for item in value]
    if isinstance(value, Duration):
        return str(value)
    return value


def digest(part: Part, *, semantic: bool) -> str:
    """SHA-256 of a part; ``semantic`` leaves out what saved state does not depend on.

    Equal for ``14d``, ``2w`` and ``P14D``, for ``1`` and ``1.0``, and for any order of keys and of names in mappings
    where order means nothing.
    """
    text = json.dumps(_hashed(part, semantic, False), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _hashed(value: Any, semantic: bool, ordered: bool) -> Any:
    """A value so that equal meaning gives equal JSON: numbers as tagged text, mappings as sorted pairs."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, Duration):
        return str(value)
    if isinstance(value, (Decimal, int)):
        return {"n": _exact(value)}
    if isinstance(value, tuple):
        return [_hashed(item, semantic, False) for item in value]
    if isinstance(value, Part):
        pairs = []
        for name, key, default, always, in_order in _keys_of(type(value)):
            item = getattr(value, name)
            if item is None or (item == default and type(item) is type(default) and not always):
                continue
            if semantic and name in _WITHOUT_MEANING:
                continue
            if (type(value).__name__, name) == ("Model", "events"):  # the order of properties matters (spec 2.4)
                pairs.append([key, _pairs(item.items(), semantic, True) + _extensions(item, semantic)])
            else:
                pairs.append([key, _hashed(item, semantic, in_order)])
        return [*pairs, *([] if semantic else _pairs((value.__pydantic_extra__ or {}).items(), semantic, False))]
    if isinstance(value, Named):
        pairs = [[key, _hashed(item, semantic, False)] for key, item in value.items()]
        return (pairs if ordered else sorted(pairs, key=lambda pair: str(pair[0]))) + _extensions(value, semantic)
    raise TypeError(f"no part of a document: {type(value).__name__}")


def _pairs(items: Iterable[tuple[str, Any]], semantic: bool, ordered: bool) -> list[Any]:
    return sorted(([key, _hashed(item, semantic, ordered)] for key, item in items), key=lambda pair: str(pair[0]))


def _extensions(value: Mapping[str, Any], semantic: bool) -> list[Any]:
    extensions: dict[str, Any] = getattr(value, "extensions", {})
    return [] if semantic else _pairs(extensions.items(), semantic, False)


def _exact(value: Decimal | int) -> str:
    """A number in a form that does not depend on how it was written."""
    if isinstance(value, int):
        value = Decimal(value)
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    bare = text.rstrip("0")
    if not bare:
        return "0"
    return f"{'-' if sign else ''}{bare}e{int(exponent) + len(text) - len(bare)}"
