"""Which criterion moved a score from one evaluation to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadcore._reference.scores import Line
from leadcore.model.document import Model


def mover(model: Model, score: str, before: Sequence[Line], after: Sequence[Line]) -> str | None:
    """The criterion whose value changed most in size, the first of the document on a tie, None where none changed.

    For a combined score that of the component whose share changed most, by the same rule.

    Args:
        model: The model.
        score: Whose criteria are compared.
        before: Lines of all scores at the evaluation before, none before birth: then everything was 0.
        after: Lines of all scores now.
    """
    old, new = values_of(score, before), values_of(score, after)
    sizes = {name: abs(value - old.get(name, 0)) for name, value in new.items()}
    largest = max(sizes, key=lambda name: sizes[name], default=None)  # the first of equals
    if largest is None or sizes[largest] == 0:
        return None
    return mover(model, largest, before, after) if model.scores[score].combine is not None else largest


def values_of(score: str, lines: Sequence[Line]) -> Mapping[str, int]:
    """Each criterion's value after its gate and bounds (spec 4.1, 4.2), or each component's share, in document order."""
    values: dict[str, int] = {}
    for of, _, name, _, value in lines:
        if of == score and name is not None:
            values[name] = values.get(name, 0) + value
    return values
