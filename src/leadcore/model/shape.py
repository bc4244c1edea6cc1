"""Faults of shape: what pydantic finds, said as people say it (spec 11)."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from leadcore.errors import ModelError
from leadcore.model.base import Named
from leadcore.model.path import Flaw, Nearest, Path, faults, listed, meant, shown
from leadcore.model.tree import NO_NUMBER

Detail = Mapping[str, Any]
"""One error of pydantic: ``type``, ``loc``, ``msg``, ``input``, ``ctx``."""


def refusal(error: ValidationError, data: Any, kind: type[BaseModel]) -> ModelError:
    """The `ModelError` for what pydantic refused."""
    details = error.errors(include_url=False)
    for detail in details:
        inner = detail.get("ctx", {}).get("error")
        if isinstance(inner, ModelError):
            return inner
    source = None if kind.__name__ == "Model" else kind.__name__
    return ModelError(faults(flaws(details, data, kind)), source)


def flaws(details: list[Any], tree: Any, kind: type[BaseModel]) -> list[Flaw]:
    """Pydantic's errors as flaws, at paths of the tree."""
    return [flaw for detail in details if (flaw := _flaw(detail, tree, kind)) is not None]


def path_of(loc: tuple[str | int, ...], tree: Any) -> Path:
    """Where in the tree an error's location is: without the tags of unions and what short forms leave out."""
    path: list[str | int] = []
    node, lost = tree, False
    for key in loc:
        if isinstance(key, str) and key.startswith("<") and key.endswith(">"):
            continue  # the tag of a union
        if key == "[key]" or lost:
            continue
        if isinstance(node, Mapping):
            if key not in node and key == "points" and "stars" in node:
                continue  # `stars: n` is short for `points: {stars: n}`
            path.append(key)
            node = node.get(str(key), _NOWHERE)  # an absent key is the last
            lost = node is _NOWHERE
        elif isinstance(node, (list, tuple)) and isinstance(key, int):
            path.append(key)
            node = node[key] if key < len(node) else None
        elif isinstance(node, BaseModel):
            path.append(key)
            node = getattr(node, str(key), None)
        else:
            lost = True  # a short form: `job_title: text` for `job_title: {type: text}`
    return tuple(path)


_NOWHERE = object()


def _flaw(detail: Detail, tree: Any, kind: type[BaseModel]) -> Flaw | None:
    path, value = path_of(detail["loc"], tree), detail.get("input")
    if value is NO_NUMBER:
        return None  # told when the text was read
    error, context = detail["type"], detail.get("ctx", {})
    if error == "missing":
        key = str(detail["loc"][-1])
        return Flaw(path, f"`{key}` is missing", _wanted(kind, detail["loc"]))
    if error == "string_pattern_mismatch" and context.get("pattern") == "^x-":
        return _unknown_key(path, detail["loc"], tree, kind)
    if error in ("union_tag_invalid", "union_tag_not_found"):
        return _UNIONS[_union(detail["loc"], kind)](path, value)
    if error == "tuple_type" and path[-1:] and path[-1] in _ONE_OR_MORE:
        return Flaw(path, f"a name or a list of names is wanted here, not {_found(value)}")
    if error in _WANTED:
        return Flaw(path, f"{_WANTED[error]} is wanted here, not {_found(value)}", _hint(error, value, path))
    if error == "literal_error":
        if context["expected"] == "1":
            return Flaw(path, f"only version 1 is known here, not {_found(value)}")
        choices = [str(c).strip("'") for c in context["expected"].replace(" or ", ", ").split(", ")]
        return Flaw(path, f"{_found(value)} is not known here", _choice(value, choices))
    if error == "number":
        return Flaw(path, *_no_number(context["why"], value))
    if error == "invalid_key":
        return Flaw(path, "a key is text", None, True)
    return Flaw(path, detail["msg"].removeprefix("Value error, "))


_WANTED = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "string_type": "text",
    "string_sub_type": "text",
    "bool_type": "true or false",
}


_ONE_OR_MORE = ("on", "from", "notify")
"""Keys of a name or several."""
_FIRST_KEYS = {"evaluate": "every", "sla": "due", "stages": "name"}
"""What somebody meant who wrote a text where a mapping is wanted."""


def _found(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, bool):
        return shown(value)
    if isinstance(value, (int, float, Decimal)):
        return f"the number {shown(value)}"
    return "nothing" if value is None else shown(value)


def _hint(error: str, value: Any, path: Path) -> str | None:
    if error.startswith("model") and isinstance(value, str):
        key = _FIRST_KEYS.get(next((str(key) for key in reversed(path) if isinstance(key, str)), ""))
        return f"{{{key}: {value}}}" if key is not None and len(value) <= 40 else None
    if error.startswith("string") and isinstance(value, (int, float, Decimal)):
        return f'write it in quotes: "{shown(value)}"'
    if error == "bool_type" and isinstance(value, str) and value.lower() in ("yes", "no", "on", "off", "true", "false"):
        return "YAML 1.2 knows true and false only, without quotes"
    if error in ("tuple_type", "list_type") and isinstance(value, (str, Mapping)):
        return "a list of one is written in brackets too"
    return None


def _no_number(why: str, value: Any) -> tuple[str, str | None]:
    if why != "a number is wanted here":
        return why, None
    hint = None
    if isinstance(value, str):
        try:
            hint = f"without quotes: {value}" if len(value) <= 40 and Decimal(value).is_finite() else None
        except ArithmeticError:
            hint = None
    return f"{why}, not {_found(value)}", hint


def _choice(value: Any, choices: list[str]) -> str | Nearest:
    otherwise = f"one of {listed(choices, 20)}"
    return Nearest(value, choices, otherwise=otherwise) if isinstance(value, str) else otherwise


def _unknown_key(path: Path, loc: tuple[str | int, ...], tree: Any, kind: type[BaseModel]) -> Flaw:
    key = str(loc[-1])
    part = _part_at(kind, loc[:-1])
    names = _keys(part) if part else []
    if key == "stars" and "points" in names:
        return Flaw(path, "`stars: n` is short for `points: {stars: n}`: give one of the two", None, True)
    other = _key_of_another_kind(key, part)
    if other is None and part is not None:
        other = f"{_called(part)} has {listed(names, 24)}".replace(" or ", " and ")
    return Flaw(path, f"unknown key `{key[:40]}`", Nearest(key, names, otherwise=other), True)


def _key_of_another_kind(key: str, part: type[BaseModel] | None) -> str | None:
    from leadcore.model.criterion import CRITERIA

    kinds = [kind for kind, other in CRITERIA.items() if key in _keys(other)]
    if part not in CRITERIA.values() or not kinds:
        return None
    return f"`{key}` is a key of {listed(kinds).replace(' or ', ' and ')} criteria"


def _called(part: type[BaseModel]) -> str:
    """What a part is called in a sentence: ``an event criterion``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", part.__name__.rstrip("_")).lower()
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _keys(part: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in part.model_fields.items()]


def _wanted(kind: type[BaseModel], loc: tuple[str | int, ...]) -> str | None:
    """The description of a missing key is what would be right."""
    part = _part_at(kind, loc[:-1])
    if part is None:
        return None
    for name, field in part.model_fields.items():
        if (field.alias or name) == loc[-1] and field.description:
            hint = field.description.rstrip(".")[:1].lower() + field.description.rstrip(".")[1:]
            return hint if hint != f"the {name}" else None
    return None


def _no_criterion(path: Path, value: Any) -> Flaw:
    from leadcore.model.criterion import CRITERIA

    if not isinstance(value, Mapping):
        return Flaw(path, f"a criterion is wanted here, not {_found(value)}", "a mapping with name, kind and points")
    kind = value.get("kind")
    if kind is None:
        return Flaw((*path, "kind"), "`kind` is missing", f"one of {listed(CRITERIA)}")
    return Flaw((*path, "kind"), f"{_found(kind)} is no kind of criterion", _choice(kind, list(CRITERIA)))


def _no_decay(path: Path, value: Any) -> Flaw:
    from leadcore.model.decay import KINDS

    if not isinstance(value, Mapping):
        return Flaw(path, f"a decay is wanted here, not {_found(value)}", f"a mapping with one of {listed(KINDS)}")
    near = next((hint for key in list(value)[:20] if (hint := meant(str(key), KINDS)) and key not in KINDS), None)
    return Flaw(path, f"a decay has exactly one of {listed(KINDS)}", near)


def _no_condition(path: Path, value: Any) -> Flaw:
    return Flaw(
        path,
        f"a condition is wanted here, not {_found(value)}",
        "a clause {field, op, value}, or {all: [...]}, {any: [...]}, {not: ...}",
    )


_UNIONS: dict[str, Callable[[Path, Any], Flaw]] = {
    "<event>": _no_criterion,
    "<half_life>": _no_decay,
    "<clause>": _no_condition,
}


def _union(loc: tuple[str | int, ...], kind: type[BaseModel]) -> str:
    """Which of the unions stands at a location, named by one of its tags."""
    here = _descended(kind, loc)
    return next((tag for tag in _UNIONS if tag in _tagged(here)), "<clause>")


def _part_at(kind: type[BaseModel], loc: tuple[str | int, ...]) -> type[BaseModel] | None:
    here = _bare(_descended(kind, loc))
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _descended(kind: Any, loc: tuple[str | int, ...]) -> Any:
    """The annotation at a location."""
    here: Any = kind
    for key in loc:
        if here is None:
            return None
        here = _below(here, key)
    return here


def _tagged(annotation: Any) -> dict[str, Any]:
    """The members of a union by their tags."""
    members = {}
    for member in get_args(_bare(annotation)):
        part = _bare(member)
        members[f"<{getattr(part, '__name__', '')}>"] = part
        for meta in getattr(member, "__metadata__", ()):
            if tag := getattr(meta, "tag", None):
                members[tag] = part
    return members


def _bare(annotation: Any) -> Any:
    """Without Annotated and None."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, types.UnionType):
            members = [a for a in get_args(annotation) if a is not type(None)]
            if len(members) != 1:
                return Union[tuple(members)]  # noqa: UP007 (made at run time)
            annotation = members[0]
        else:
            return annotation


def _below(annotation: Any, key: str | int) -> Any:
    here = _bare(annotation)
    if isinstance(key, str) and key.startswith("<"):
        return _tagged(here).get(key, here if get_origin(here) is None else None)
    parts = [part for part in _tagged(here).values() if isinstance(part, type) and issubclass(part, BaseModel)]
    if get_origin(here) is Union and len(parts) == 1:  # points: a number, or an object of stars
        here = parts[0]
    if isinstance(here, type) and issubclass(here, BaseModel) and get_origin(here) is None:
        for name, field in here.model_fields.items():
            if (field.alias or name) == key:
                # field.annotation has lost an outer Annotated, and with it the tags of a union directly in it
                return field.annotation
        return None
    origin = get_origin(here)
    if origin is tuple or (isinstance(origin, type) and issubclass(origin, Named)):
        return get_args(here)[-1] if origin is not tuple else get_args(here)[0]
    return None
