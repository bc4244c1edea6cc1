"""The canonical form: written, read back, hashed (spec 11)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadcore.model import Model
from leadcore.model.text import document_events
from leadcore.model.tree import build
from leadcore.model.write import json_text, yaml_text

EXAMPLE = Path(__file__).parents[1] / "data" / "six_stage.yaml"


def six_stage() -> Any:
    tree, _, _ = build(document_events(EXAMPLE.read_bytes(), "yaml"))
    return tree


def read(text: str, form: str) -> Any:
    return build(document_events(text.encode(), form))[0]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["true", "no", "on", "~", "null", "1", "1.5", "0x1F", "12:30", "- a", "a: b", "a #b", "#", "*a", "&a", "!a", "? a", "|", ">", "%", "@", "`", "'", '"', "{}", "[]", "a\nb", " a", "a ", "---", "...", "<<", "x-a", "\ufeff", "\u2028", "\x85", "=", ".nan", "+.inf", "-", "a" * 2_000]
)  # fmt: skip
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**15), max_value=10**15)
trees = st.recursive(
    texts | numbers | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(texts, trees, min_size=1, max_size=4))
@settings(max_examples=400)
def test_any_tree_is_read_back_from_both_forms(tree: dict[str, Any]) -> None:
    """What is written is valid YAML 1.2 and JSON, and says exactly the same."""
    assert read(yaml_text(tree), "yaml") == tree
    assert read(json_text(tree), "json") == tree


def test_the_example_comes_back_equal() -> None:
    model = Model.load(EXAMPLE)

    for again in (Model.from_yaml(model.to_yaml()), Model.from_json(model.to_json())):
        assert again == model
        assert again.fingerprint == model.fingerprint
        assert again.semantics == model.semantics
        assert again.to_yaml() == model.to_yaml()
        assert again.to_json() == model.to_json()
    json.loads(model.to_json())


def test_the_canonical_form_says_only_what_was_set() -> None:
    document = {
        "name": "m",
        "timezone": "UTC",
        "attributes": {"a": {"type": "text", "optional": False}},
        "events": {"e": {}},
        "scores": {
            "s": {
                "criteria": [
                    {
                        "kind": "event",
                        "name": "c",
                        "on": "e",
                        "points": {"stars": 1.50},
                        "case_sensitive": False,
                        "description": None,
                        "decay": {"half_life": "P14D"},
                    }
                ]
            }
        },
        "lifecycle": {"initial": "new", "stages": [{"name": "new", "kind": "success"}, {"name": "won"}], "transitions": [{"name": "t", "from": ["new"], "to": "won"}]},
    }  # fmt: skip
    assert Model.model_validate(document).to_yaml() == (
        "leadcore: 1\n"
        "name: m\n"
        "attributes: {a: text}\n"
        "events:\n"
        "  e: {}\n"
        "scores:\n"
        "  s:\n"
        "    criteria:\n"
        "      - {name: c, kind: event, on: [e], stars: 1.5, decay: {half_life: 2w}}\n"
        "lifecycle:\n"
        "  initial: new\n"
        "  stages: [{name: new}, {name: won}]\n"
        "  transitions: [{name: t, from: new, to: won}]\n"
    )


def changed(path: str, value: Any) -> Model:
    """The example with one thing changed; DROP takes it away."""
    tree = six_stage()
    *above, last = path.split(".")
    node = tree
    for key in above:
        node = node[int(key) if key.isdigit() else key]
    if value is DROP:
        del node[last]
    else:
        node[int(last) if last.isdigit() and isinstance(node, list) else last] = value
    return Model.model_validate(tree)


DROP = object()
CRITERION = "scores.engagement.groups.intent.criteria.0"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{CRITERION}.decay", {"half_life": "2w"}),
        (f"{CRITERION}.decay", {"half_life": "P14D"}),
        (f"{CRITERION}.points", 15.0),
        (f"{CRITERION}.on", "page_view"),
        (f"{CRITERION}.case_sensitive", False),
        (f"{CRITERION}.where.field", "event.url"),
        ("timezone", "UTC"),
        ("lifecycle.stages.0.kind", "success"),
        ("lifecycle.transitions.1.from", ["new"]),
        ("attributes.country", {"type": "text"}),
        ("points_per_star", 10),
    ],
)
def test_the_same_said_otherwise(path: str, value: Any) -> None:
    """Another spelling of the same document has the same hashes."""
    model = Model.load(EXAMPLE)
    assert changed(path, value) == model
    assert (changed(path, value).fingerprint, changed(path, value).semantics) == (model.fingerprint, model.semantics)


def upside_down(tree: Any) -> Any:
    """Every mapping in the opposite order."""
    if isinstance(tree, dict):
        return {key: upside_down(value) for key, value in reversed(list(tree.items()))}
    return [upside_down(item) for item in tree] if isinstance(tree, list) else tree


def test_order_of_keys_means_nothing_but_where_it_is_seen() -> None:
    """Keys of parts, attributes, event types, tables: any order. Scores, groups, thresholds, properties: theirs."""
    tree = six_stage()
    model = Model.model_validate(tree)
    turned = upside_down(tree)
    turned["scores"] = dict(reversed(turned["scores"].items()))
    turned["scores"]["engagement"]["groups"] = dict(reversed(turned["scores"]["engagement"]["groups"].items()))

    assert Model.model_validate(turned).fingerprint == model.fingerprint
    assert list(turned["attributes"]) != list(tree["attributes"])
    for ordered in ("scores", "events"):
        other = six_stage()
        if ordered == "scores":
            other["scores"] = dict(reversed(other["scores"].items()))
        else:
            other["events"]["page_view"] = {"title": "text", "url": "text"}
            model = Model.model_validate(other)
            other["events"]["page_view"] = {"url": "text", "title": "text"}
        assert Model.model_validate(other).semantics != model.semantics


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("title", "Six stages"),
        ("description", "What for"),
        ("x-owner", "us"),
        ("tests", [1]),
        ("scores.fit.title", "Fit"),
        ("scores.x-note", "n"),
        (f"{CRITERION}.description", "why"),
        (f"{CRITERION}.decay", {"half_life": "14d", "x-why": "two weeks"}),
        ("lifecycle.stages.0.goal", "wake them"),
        ("lifecycle.stages.3.sla.alerts.0.notify", ["boss"]),
        ("attributes.country", {"type": "text", "title": "Country"}),
    ],
)
def test_what_has_no_meaning(path: str, value: Any) -> None:
    """Title, description, tests, goal, notify and x- change the fingerprint, not the semantics."""
    model, other = Model.load(EXAMPLE), changed(path, value)
    assert other.semantics == model.semantics
    assert other.fingerprint != model.fingerprint
    assert Model.from_yaml(other.to_yaml()) == other


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "other"),
        ("timezone", "Europe/Oslo"),
        (f"{CRITERION}.name", "other"),
        (f"{CRITERION}.points", 15.000001),
        (f"{CRITERION}.decay", {"half_life": "15d"}),
        (f"{CRITERION}.limit", DROP),
        (f"{CRITERION}.where.value", "/Pricing"),
        (f"{CRITERION}.where.case_sensitive", False),
        ("scores.engagement.max", 99),
        ("thresholds.mql.latch", True),
        ("lifecycle.stages.0.owner", "sales"),
        ("lifecycle.stages.3.sla.alerts.0.after", "1h"),
        ("lifecycle.evaluate", DROP),
        ("segments", {"a": 1}),
        ("attributes.country", {"type": "text", "optional": True}),
    ],
)
def test_what_has_a_meaning(path: str, value: Any) -> None:
    model, other = Model.load(EXAMPLE), changed(path, value)
    assert other.semantics != model.semantics
    assert other.fingerprint != model.fingerprint
    assert Model.from_yaml(other.to_yaml()) == other


def test_hashes_stay() -> None:
    """Saved state binds to these: they change only with a new version of the format."""
    model = Model.load(EXAMPLE)
    assert model.fingerprint == "f9d821a6998d5f1e7306f6588b3671438ecce719d29cb9f90fb3115ea59caab0"
    assert model.semantics == "452c2ff2caffe20241afc8e350d9fce39fd87cb58d45c0383b9665144305e697"
