"""Reads the tables of hand-computed cases beside this file; a malformed one is an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import yaml

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNITS = {"us": 1, "s": 10**6, "m": 60 * 10**6, "h": 3600 * 10**6, "d": 86_400 * 10**6, "w": 7 * 86_400 * 10**6}
INSTANT_COLUMNS = {"at", "valid_from", "created_at"}

FILE_KEYS = {"about", "base", "T", "cases"}
CASE_KEYS = {
    "name", "spec", "why", "T", "model", "criterion", "group", "leads", "events", "aliases", "unknown_leads", "as_of",
    "value", "values", "rows", "accounts", "lines", "ignored", "error",
}  # fmt: skip
EXPECTATIONS = ("value", "values", "rows", "accounts", "lines", "error")


class MalformedCase(Exception):
    """A case that says too little, too much, or something nobody understands."""


@dataclass(frozen=True)
class Case:
    """One case: what is scored and what must come out.

    Attributes:
        name: Unique over all files.
        spec: The section it is about.
        why: The reason in words.
        document: The whole model document.
        leads, events, aliases: Rows, instants in microseconds.
        as_of: T, or T by lead, or pairs.
        expected: By kind: ``rows``, ``accounts``, ``lines``, ``ignored``, ``error``.
    """

    name: str
    spec: str
    why: str
    document: dict[str, Any]
    leads: list[dict[str, Any]] | None
    events: list[dict[str, Any]]
    as_of: Any
    aliases: list[dict[str, Any]] | None = None
    unknown_leads: str = "score"
    expected: dict[str, Any] = field(default_factory=dict)


class Loader(yaml.SafeLoader):
    """YAML 1.2's core schema: ``on`` and dates are text; numbers with a point are exact decimals."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9_]+$"), list("-+0123456789"))
Loader.add_implicit_resolver("!decimal", re.compile(r"^-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?$"), list("-0123456789"))
Loader.add_implicit_resolver("!nan", re.compile(r"^\.(?:nan|inf)$"), ["."])
Loader.add_constructor("!decimal", lambda loader, node: Decimal(loader.construct_scalar(node)))
Loader.add_constructor("!nan", lambda loader, node: float(loader.construct_scalar(node)[1:]))
Loader.add_constructor(
    "tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node).replace("_", ""))
)


def _mapping(loader: Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    if len(set(keys)) != len(keys):
        raise MalformedCase(f"a key occurs twice: {keys} at {node.start_mark}")
    return dict(zip(keys, [loader.construct_object(value, deep=True) for _, value in node.value], strict=True))


Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def load_all(folder: Path) -> list[Case]:
    """Every case of every ``*.yaml`` in a folder, with unique names; sections 8 and 10 have cases of their own kinds."""
    paths = [path for path in sorted(folder.glob("*.yaml")) if path.name.partition("_")[0] not in ("8", "10")]
    cases = [case for path in paths for case in load(path)]
    names = [case.name for case in cases]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise MalformedCase(f"names must be unique: {twice}")
    return cases


def load(path: Path) -> list[Case]:
    """The cases of one file."""
    content = yaml.load(path.read_text(encoding="utf-8"), Loader)
    if not isinstance(content, dict) or set(content) - FILE_KEYS or not content.get("cases"):
        raise MalformedCase(f"{path.name}: a file has only {sorted(FILE_KEYS)}, and cases")
    found = []
    for number, row in enumerate(content["cases"]):
        try:
            found.extend(read_case(row, content))
        except MalformedCase as error:
            name = row.get("name") if isinstance(row, dict) else None
            raise MalformedCase(f"{path.name}, case {number} ({name}): {error}") from None
    return found


def read_case(row: Any, content: dict[str, Any]) -> Iterator[Case]:
    """One row of a file: one case, or with ``values`` one for each T."""
    if not isinstance(row, dict):
        raise MalformedCase("a case is a mapping")
    if set(row) - CASE_KEYS:
        raise MalformedCase(f"unknown keys {sorted(set(row) - CASE_KEYS)}")
    for key in ("name", "spec", "why"):
        if not isinstance(row.get(key), str) or not row[key].strip():
            raise MalformedCase(f"{key} is wanted, as text")
    if sum(key in row for key in EXPECTATIONS) < 1 or ("value" in row and "values" in row):
        raise MalformedCase(f"what is expected? one of {EXPECTATIONS}")
    base = instant(row.get("T", content.get("T")), None)
    common = {
        "spec": row["spec"],
        "why": row["why"],
        "document": document_of(row, content.get("base") or {}),
        "leads": rows_of(row.get("leads"), base, row, content),
        "events": events_of(row, base, content),
        "aliases": row.get("aliases"),
        "unknown_leads": row.get("unknown_leads", "score"),
    }
    if "values" in row:
        if not isinstance(row["values"], dict) or not row["values"]:
            raise MalformedCase("values maps instants to micropoints")
        for text, value in row["values"].items():
            expected = {"rows": [{"lead_id": 1, "s": micropoints(value)}]}
            yield Case(f"{row['name']} [{text}]", as_of=instant(text, base), expected=expected, **common)
        return
    expected = {key: row[key] for key in (*EXPECTATIONS, "ignored") if key in row and key != "value"}
    if "value" in row:
        expected["rows"] = [{"lead_id": 1, "s": micropoints(row["value"])}]
    for kind in ("rows", "accounts", "lines"):
        if kind in expected and not isinstance(expected[kind], list):
            raise MalformedCase(f"{kind} is a list")
    yield Case(row["name"], as_of=asked(row, base), expected=expected, **common)


def events_of(row: dict[str, Any], base: int, content: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of events, of lead 1 and of the only type there is unless they say otherwise."""
    types = list(document_of(row, content.get("base") or {}).get("events", {}))
    default: dict[str, Any] = {"lead_id": 1, "type": types[0]} if len(types) == 1 else {"lead_id": 1}
    events = [{**default, **event} for event in rows_of(row.get("events"), base, row, content) or []]
    if any(event.get("type") is None or "at" not in event for event in events):
        raise MalformedCase("events have an instant, and a type where there are several")
    return events


def asked(row: dict[str, Any], base: int) -> Any:
    """T, T by lead, or (lead, T) pairs."""
    as_of = row.get("as_of", "T")
    if isinstance(as_of, dict):
        return {lead: instant(text, base) for lead, text in as_of.items()}
    if isinstance(as_of, list):
        return [(lead, instant(text, base)) for lead, text in as_of]
    return instant(as_of, base)


def micropoints(value: Any) -> int:
    """An expected value."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise MalformedCase(f"{value!r} is no whole number of micropoints")
    return value


def document_of(row: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """The model document: the file's base with the case's ``model``, or one score ``s`` of a ``criterion`` or ``group``."""
    if sum(key in row for key in ("model", "criterion", "group")) > 1:
        raise MalformedCase("a case has a model, a group or a criterion")
    document = {"leadcore": 1, "name": "case", **base, **row.get("model", {})}
    if "criterion" in row:
        document["scores"] = {"s": {"criteria": [{"name": "c", **row["criterion"]}]}}
    elif "group" in row:
        document["scores"] = {"s": {"groups": {"g": row["group"]}}}
    if "scores" not in document:
        raise MalformedCase("no scores")
    return document


def rows_of(rows: Any, base: int, row: dict[str, Any], content: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Rows with their instants read; a row may only have columns that exist."""
    if rows is None:
        return None
    document = document_of(row, content.get("base") or {})
    fields = dict(document.get("attributes", {}))
    for properties in document.get("events", {}).values():
        fields.update(properties)
    columns = INSTANT_COLUMNS | {"lead_id", "account_id", "type", "event_id", *fields}
    found = []
    for one in rows:
        if not isinstance(one, dict) or set(one) - columns:
            raise MalformedCase(f"not a row of {sorted(columns)}: {one}")
        instants = INSTANT_COLUMNS | {name for name, declared in fields.items() if declared == "instant"}
        read = {key: instant(value, base) if key in instants else number(value) for key, value in one.items()}
        found.append(read)
    return found


def number(value: Any) -> Any:
    """A value of a row: decimals are float64 there."""
    return float(value) if isinstance(value, Decimal) else value


def instant(text: Any, base: int | None) -> Any:
    """``2024-06-03T00:00Z``, or ``T`` with distances: ``T-14d+1us``; anything else of another type stays as it is."""
    if not isinstance(text, str):
        if base is None:
            raise MalformedCase("T is wanted, in the case or in its file")
        return text
    if not text.startswith("T"):
        if not re.search(r"(Z|[-+]\d\d:\d\d)$", text):
            raise MalformedCase(f"an instant names its zone: {text}")
        try:
            return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)
        except ValueError as error:
            raise MalformedCase(str(error)) from None
    if base is None or not re.fullmatch(r"T(?:[-+]\d+(?:us|[smhdw]))*", text):
        raise MalformedCase(f"not an instant: {text}")
    parts = re.findall(r"([-+])(\d+)(us|[smhdw])", text)
    return base + sum((1 if sign == "+" else -1) * int(count) * UNITS[unit] for sign, count, unit in parts)
