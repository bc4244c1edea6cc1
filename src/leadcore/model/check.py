"""All faults of a document at once: those of shape and those of meaning (spec 11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError, ValidationInfo

from leadcore.errors import ModelError
from leadcore.model import shape
from leadcore.model.checks import meaning
from leadcore.model.limits import crowded, oversized
from leadcore.model.path import Flaw
from leadcore.model.repair import Repaired, repaired

M = TypeVar("M", bound=BaseModel)

MOST = 10_000
"""More faults than these help nobody; the rest is not listed."""


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
        raise _refused(flaws + limits)
    if limits := crowded(value):
        raise _refused(flaws + limits)
    try:
        model = inner(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise _refused(flaws + _both(details, value, kind, flaws)) from None
    flaws += meaning(model)
    if flaws:
        raise _refused(flaws)
    return model


def _both(details: list[Any], tree: Any, kind: type[M], known: list[Flaw]) -> list[Flaw]:
    """Flaws of shape, and of the meaning of what is left without them."""
    found = shape.flaws(details[:MOST], tree, kind)
    if len(details) > 1_000 or not isinstance(tree, Mapping):
        return found

    def validate(repaired_tree: Any) -> M:
        return kind.__pydantic_validator__.validate_python(  # type: ignore[no-any-return]
            repaired_tree, context=_Inner(), by_alias=True, by_name=False
        )

    left: Repaired[M] | None = repaired(tree, details, validate)
    if left is None:
        return found
    return found + left.faithful(meaning(left.model, left.ghosts))


def _refused(flaws: list[Flaw]) -> ModelError:
    unique = list(dict.fromkeys(flaws))
    return ModelError([flaw.fault() for flaw in unique[:MOST]])
