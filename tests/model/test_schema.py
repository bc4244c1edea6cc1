"""The JSON Schema says what the loader does, as far as a schema can."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leadcore.model import Model
from leadcore.model.text import document_events
from leadcore.model.tree import build

jsonschema_rs = pytest.importorskip("jsonschema_rs")

EXAMPLE = Path(__file__).parents[1] / "data" / "six_stage.yaml"
SCHEMA = Model.json_schema()


def document() -> Any:
    """The example as plain JSON values."""
    return json.loads(Model.load(EXAMPLE).to_json())


def valid(tree: Any) -> bool:
    return bool(jsonschema_rs.validator_for(SCHEMA).is_valid(tree))


def test_it_is_a_schema() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(SCHEMA)
    json.dumps(SCHEMA)


def test_the_example_fits() -> None:
    assert valid(document())


def test_every_key_is_described() -> None:
    """An editor shows a line for every key; there is no reference without its target."""
    for name, part in {"Model": SCHEMA, **SCHEMA["$defs"]}.items():
        for key, node in part.get("properties", {}).items():
            assert node.get("description"), f"{name}.{key}"

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [r for value in node.values() for r in references(value)]
        return [r for item in node for r in references(item)] if isinstance(node, list) else []

    assert {reference.removeprefix("#/$defs/") for reference in references(SCHEMA)} <= SCHEMA["$defs"].keys()


def test_kinds_are_told_apart() -> None:
    discriminator = SCHEMA["$defs"]["Criterion"]["discriminator"]
    assert discriminator["propertyName"] == "kind"
    assert set(discriminator["mapping"]) == {"attribute", "event", "frequency", "recency"}


def criterion(**keys: Any) -> Any:
    return {
        "name": "m",
        "scores": {"s": {"criteria": [{"name": "a", "kind": "event", "on": "visit", "points": 1, **keys}]}},
    }


@pytest.mark.parametrize(
    "tree",
    [
        criterion(),
        criterion(on=["visit", "mail"]),
        criterion(points={"stars": 2}),
        criterion(points={"per": "seconds", "rate": 2, "min": {"stars": 1}}),
        criterion(points={"by": "url", "table": {"x-large": 3}}),
        criterion(where={"all": [{"not": {"field": "url", "op": "in", "value": ["a", 1, True]}}, {"any": []}]}),
        criterion(decay={"half_life": "P14D", "delay": "0s", "keep": 0.5}),
        criterion(**{"x-note": {"any": "thing"}}),
        {"name": "m", "scores": {}, "attributes": {"a": "text", "b": {"type": "number", "optional": True}, "x-c": 1}},
        {"name": "m", "scores": {}, "events": {"visit": None, "mail": {}, "call": {"minutes": "number"}}},
        {"name": "m", "scores": {"x-note": 1, "s": {"criteria": [], "x-note": 2}}},
    ],
)  # fmt: skip
def test_what_fits(tree: Any) -> None:
    assert valid(tree)


@pytest.mark.parametrize(
    "tree",
    [
        criterion(kind="evnt"),
        criterion(colour=1),
        criterion(points="20"),
        criterion(points=None),
        criterion(on=[]),
        criterion(stars=1),
        criterion(cooldown="1mo"),
        criterion(cooldown="1.5d"),
        criterion(cooldown=14),
        criterion(where={"field": "url", "op": "equals", "value": "a"}),
        criterion(where={"field": "url", "op": "eq"}),
        criterion(where={"field": "url", "op": "eq", "value": None}),
        criterion(decay={"half_life": "14d", "linear": "3d"}),
        criterion(decay={"half_life": "14d", "keep": 1}),
        {"name": "m", "scores": {"s": {}}},
        {"name": "m", "scores": {"s": {"criteria": [], "combine": {"t": 1}}}},
        {"name": "m", "scores": {"my score": {"criteria": []}}},
        {"name": "m", "scores": {}, "attributes": {"a": "string"}},
        {"name": 5, "scores": {}},
        {"leadcore": 2, "name": "m", "scores": {}},
        {"scores": {}},
    ],
)
def test_what_does_not_fit(tree: Any) -> None:
    """Refused by the schema, and by the loader as well."""
    assert not valid(tree)
    with pytest.raises(ValueError, match="fault"):
        Model.model_validate(tree)


def test_whatever_the_loader_refuses_for_its_form_the_schema_refuses() -> None:
    """Of the table of bad documents, those with unknown or missing keys fail here too."""
    table = build(document_events(Path(__file__).with_name("faults.yaml").read_bytes(), "yaml"))[0]
    seen = 0
    for case in table:
        if "unknown key" not in case["message"] and "is missing" not in case["message"]:
            continue
        if "stands" in case["message"] or "missing: " in case["message"]:
            continue
        tree = build(document_events(case["document"].encode(), "yaml"))[0]
        seen += 1
        assert not valid(json.loads(json.dumps(tree, default=float))), case["name"]
    assert seen >= 10
