"""All faults of a document at once: those of shape and those of meaning (spec 11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError, ValidationInfo

from leadcore.errors import ModelError
from leadcore.model import shape
from leadcore.model.checks import meaning
from leadcore.model.limits import MOST_FAULTS, crowded, oversized
from leadcore.model.path import Flaw, Path, faults
from leadcore.model.repair import Repaired, repaired

if TYPE_CHECKING:
    from leadcore.model.document import Model

M = TypeVar("M", bound="Model")


@dataclass(frozen=True)
class Reading:
    """What the reader of text already knows: its own flaws, and whether aliases share parts of the tree."""

    flaws: tuple[Flaw, ...]
    shared: bool


class _Inner:
    """The context of a validation of repaired trees: shape only."""


def checked(kind: type[M], value: Any, inner: Callable[[Any], M], info: ValidationInfo) -> M:
    """Validate a document; `inner` is pydantic's part of it.

    Raises:
        ModelError: With every fault found, in document order.
    """
    if isinstance(value, kind):
        return value
    context = info.context
    if isinstance(context, _Inner):
        return inner(value)
    reading = context if isinstance(context, Reading) else None
    flaws = list(reading.flaws) if reading else []
    if (reading is None or reading.shared) and (limits := oversized(value)):
        raise _refused(flaws + limits, value)
    if limits := crowded(value):
        raise _refused(flaws + limits, value)
    try:
        model = inner(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise _refused(flaws + _both(details, value, kind, flaws), value) from None
    flaws += meaning(model)
    if flaws:
        raise _refused(flaws, value)
    return model


def _both(details: list[Any], tree: Any, kind: type[M], known: list[Flaw]) -> list[Flaw]:
    """Flaws of shape, and of the meaning of what is left without them."""
    found = [
        flaw
        for flaw in shape.flaws(details[:MOST_FAULTS], tree, kind)
        if flaw.on_key or not any(told.path[: len(flaw.path)] == flaw.path for told in known)
    ]
    if len(details) > 1_000 or not isinstance(tree, Mapping):
        return found

    def validate(repaired_tree: Any) -> M:
        return kind.__pydantic_validator__.validate_python(  # type: ignore[no-any-return]  # pydantic says Any
            repaired_tree, context=_Inner(), by_alias=True, by_name=False
        )

    left: Repaired[M] | None = repaired(tree, details, validate, lambda later, whole: shape.flaws(later, whole, kind))
    if left is None:
        return found
    return found + left.further + left.faithful(meaning(left.model, left.ghosts))


def _refused(flaws: list[Flaw], tree: Any) -> ModelError:
    """The error for these flaws, each once, at the document's own places and in its order."""
    placed = dict.fromkeys(flaw._replace(path=shape.path_of(flaw.path, tree)) for flaw in flaws)
    order = _Order(tree)
    return ModelError(faults(sorted(placed, key=lambda flaw: order.of(flaw.path))[:MOST_FAULTS]))


class _Order:
    """Where paths stand in a document: sorts faults as one reads."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        self.positions: dict[int, dict[Any, int]] = {}

    def of(self, path: Path) -> tuple[int, ...]:
        """Positions of the keys of a path, each in what is around it; missing keys come last."""
        node, order = self.tree, []
        for key in path:
            if isinstance(node, Mapping):
                if id(node) not in self.positions:
                    self.positions[id(node)] = {k: n for n, k in enumerate(node)}
                order.append(self.positions[id(node)].get(key, len(node)))
                node = node.get(key)
            elif isinstance(node, (list, tuple)) and isinstance(key, int) and key < len(node):
                order.append(key)
                node = node[key]
            elif isinstance(node, BaseModel):
                order.append(next((n for n, name in enumerate(type(node).model_fields) if name == key), 0))
                node = getattr(node, str(key), None)
            else:
                break
        return tuple(order)
