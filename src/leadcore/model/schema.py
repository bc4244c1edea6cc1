"""JSON Schema (2020-12) of model documents: for completion in editors, and for checks elsewhere."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from leadcore.model.criterion import CRITERIA
from leadcore.model.limits import MOST_ITEMS

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Json = dict[str, Any]

_FRACTION: Json = {"minimum": 0, "maximum": 1}
_FACTOR: Json = {"minimum": -1_000_000, "maximum": 1_000_000}
_SOME: Json = {"minItems": 1}
_BANDS: Json = {"minItems": 1, "maxItems": 1_000}
_RESULT: Json = {"propertyNames": {"pattern": "^([A-Za-z_][A-Za-z0-9_]*|x-.*)$"}}
_FIELD: Json = {"propertyNames": {"pattern": r"^([^.]+|x-.*)$"}}

_RANGES: dict[tuple[str, str], Json] = {
    ("AccountScore", "share"): _FRACTION,
    ("Accounts", "scores"): _RESULT,
    ("AttributeCriterion", "bands"): _BANDS,
    ("AttributeCriterion", "table"): {"minProperties": 1},
    ("ByProperty", "table"): {"minProperties": 1},
    ("Calendar", "hours"): {"propertyNames": {"enum": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}},
    ("DecayPart", "keep"): {"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    ("Fade", "bands"): _BANDS,
    ("Fade", "never"): _FRACTION,
    ("Fade", "otherwise"): _FRACTION,
    ("FadeBand", "factor"): _FRACTION,
    ("FrequencyCriterion", "at_least"): {"maximum": 1_000},
    ("FrequencyCriterion", "bands"): _BANDS,
    ("Group", "weight"): _FACTOR,
    ("Lifecycle", "stages"): {"minItems": 1, "maxItems": 256},
    ("Lifecycle", "transitions"): {"maxItems": 4_096},
    ("Model", "attributes"): _FIELD,
    ("Model", "scores"): _RESULT,
    ("Model", "thresholds"): _RESULT,
    ("Period", "lose"): {"minimum": 0.01, "maximum": 1},
    ("RecencyCriterion", "bands"): _BANDS,
    ("Score", "combine"): {"minProperties": 1},
    ("Score", "grades"): _SOME,
    ("Step", "factor"): _FRACTION,
    ("Steps", "steps"): {"minItems": 1, "maxItems": 64},
}
"""What the checks of `leadcore.model.checks` also say, as far as a schema can say it."""

_FORMS: dict[str, list[list[str]]] = {
    "AgeBand": [["points"], ["stars"]],
    "AttributeCriterion": [["when", "points"], ["when", "stars"], ["field", "table"], ["field", "bands"]],
    "EventCriterion": [["points"], ["stars"]],
    "FrequencyCriterion": [["at_least", "points"], ["at_least", "stars"], ["bands"]],
    "PointsBand": [["points"], ["stars"]],
    "Score": [["groups"], ["criteria"], ["combine"]],
}
"""Keys of which one set must be there."""

_EXAMPLES: dict[str, list[Any]] = {
    "AttributeCriterion": [
        {
            "name": "is_vp",
            "kind": "attribute",
            "when": {"field": "title", "op": "has_word", "value": "vp"},
            "points": 20,
        }
    ],
    "EventCriterion": [
        {"name": "pricing_page", "kind": "event", "on": ["page_view"], "points": 15, "decay": {"half_life": "14d"}}
    ],
    "FrequencyCriterion": [
        {
            "name": "often",
            "kind": "frequency",
            "on": ["page_view"],
            "within": "7d",
            "bands": [{"at_least": 3, "points": 5}],
        }
    ],
    "RecencyCriterion": [
        {"name": "lately", "kind": "recency", "on": ["page_view"], "bands": [{"within": "7d", "points": 5}], "never": 0}
    ],
    "Clause": [{"field": "country", "op": "in", "value": ["NO", "SE"]}],
    "Transition": [
        {"name": "ready", "from": "new", "to": "mql", "when": {"field": "threshold.mql", "op": "eq", "value": True}}
    ],
}


class _Document(GenerateJsonSchema):
    """Pydantic's schema as documents are written: no nulls for keys left out, defaults that say something."""

    schema_dialect = DIALECT

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """A key that is not set is not there."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave out defaults that only say "nothing"."""
        inner = super().default_schema(schema)
        if inner.get("default", 0) in (None, [], {}, ()):
            del inner["default"]
        return inner


def json_schema(kind: type[BaseModel]) -> Json:
    """The schema of a document, ready to be written to a file."""
    schema = kind.model_json_schema(by_alias=True, schema_generator=_Document, mode="validation")
    parts: Json = schema.pop("$defs")
    top = {key: value for key, value in schema.items() if key not in ("title", "$schema")}
    for name, part in (("Model", top), *parts.items()):
        _finish(name, part)
    shared = _shared(parts)
    references = [(node, name) for name, node in shared.items() if name != "Field"]
    whole = _with_references({**top, "$defs": parts}, references)
    whole["$defs"] |= shared
    renamed: Json = _renamed({"$schema": DIALECT, "title": "leadcore model", **whole})
    return renamed


def _finish(name: str, part: Json) -> None:
    """Close a part: unknown keys are refused, keys starting ``x-`` are not; ranges and forms as the checks have them."""
    part.pop("title", None)
    part["description"] = part["description"].split("\n\n")[0].replace("``", "`")
    part["additionalProperties"] = False
    part["patternProperties"] = {"^x-": True}
    properties: Json = part["properties"]
    for key, node in properties.items():
        node.pop("title", None)
        _declared(node)
        for owner in (name, "DecayPart"):
            node.update(_RANGES.get((owner, key), {}))
        _names(key, node)
    if name in CRITERIA_NAMES:
        part["required"] = [*part["required"], "kind"]
        properties["kind"].pop("default", None)
    if name in _FORMS:
        forms = _FORMS[name]
        if ["stars"] in forms or any("stars" in form for form in forms):
            properties["stars"] = {"type": "number", "description": "Short for `points: {stars: n}`."}
        part["required"] = [key for key in part.get("required", []) if key != "points"]
        part["anyOf" if name == "AttributeCriterion" else "oneOf"] = [{"required": form} for form in forms]
    if name in _EXAMPLES:
        part["examples"] = _EXAMPLES[name]
    if name == "Model":
        properties["points_per_star"]["default"] = 10


CRITERIA_NAMES = frozenset(part.__name__ for part in CRITERIA.values())


def _declared(node: Any) -> None:
    """A declared field may be its type alone; an event type may have nothing behind its name."""
    if isinstance(node, dict):
        for key, child in node.items():
            if child == {"$ref": "#/$defs/FieldDeclaration"}:
                node[key] = {"$ref": "#/$defs/Field"}
            else:
                _declared(child)
        inner = node.get("additionalProperties")
        if isinstance(inner, dict) and inner.get("additionalProperties") == {"$ref": "#/$defs/Field"}:
            node["additionalProperties"] = {**inner, "type": ["object", "null"]}


def _names(key: str, node: Json) -> None:
    """Names: one may stand without brackets; there is at least one."""
    if key in ("on", "from", "notify") and node.get("type") == "array":
        described = node.pop("description", None)
        plain = {"type": "string"}
        several = {"type": "array", "items": plain, "minItems": 1, "maxItems": MOST_ITEMS}
        rest = dict(node)
        node.clear()
        node.update({"anyOf": [plain, several], "description": described})
        if "examples" in rest:
            node["examples"] = rest["examples"]


def _shared(parts: Json) -> Json:
    """Definitions that stand in many places."""
    reference = "#/$defs/{}".format
    number = {"type": "number"}
    stars = {"$ref": reference("Stars")}
    mapping = {kind: reference(part.__name__) for kind, part in CRITERIA.items()}
    types = parts["FieldDeclaration"]["properties"]["type"]["enum"]
    return {
        "Condition": {"oneOf": [{"$ref": reference(name)} for name in ("Clause", "All", "Any_", "Not")]},
        "Points": {"oneOf": [stars, number]},
        "EventPoints": {
            "oneOf": [stars, number, {"$ref": reference("PerProperty")}, {"$ref": reference("ByProperty")}]
        },
        "Decay": {
            "oneOf": [{"$ref": reference(name)} for name in ("HalfLife", "Linear", "Expire", "Steps", "Periodic")]
        },
        "Criterion": {
            "oneOf": [{"$ref": target} for target in mapping.values()],
            "discriminator": {"propertyName": "kind", "mapping": mapping},
        },
        "Field": {"anyOf": [{"enum": types}, {"$ref": reference("FieldDeclaration")}]},
    }


def _with_references(node: Any, shared: list[tuple[Json, str]]) -> Any:
    """The same with every use of a shared definition as a reference to it."""
    if isinstance(node, list):
        return [_with_references(item, shared) for item in node]
    if not isinstance(node, dict):
        return node
    for definition, name in shared:
        if node.get("oneOf") == definition["oneOf"]:
            rest = {key: value for key, value in node.items() if key not in ("oneOf", "discriminator")}
            return {"$ref": f"#/$defs/{name}", **rest}
    return {key: _with_references(value, shared) for key, value in node.items()}


def _renamed(node: Any) -> Any:
    """`Any_` is a name of Python; in the schema it is ``Any``."""
    if isinstance(node, list):
        return [_renamed(item) for item in node]
    if isinstance(node, dict):
        return {("Any" if key == "Any_" else key): _renamed(value) for key, value in node.items()}
    return "#/$defs/Any" if node == "#/$defs/Any_" else node
