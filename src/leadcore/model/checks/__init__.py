"""What a document of the right shape must also be (spec 1 to 8): small checks, one file per noun."""

from __future__ import annotations

from leadcore.model.checks import account, condition, criterion, lifecycle, name, score
from leadcore.model.checks.scope import Scope
from leadcore.model.document import Model
from leadcore.model.path import Flaw
from leadcore.model.repair import Ghosts

_NOUNS = (name, score, criterion, account, lifecycle)


def meaning(model: Model, ghosts: Ghosts | None = None) -> list[Flaw]:
    """Every fault of meaning; ``ghosts`` are names whose declaration is itself faulty."""
    scope = Scope(model, ghosts)
    flaws = [flaw for noun in _NOUNS for flaw in noun.check(scope)]
    return [*flaws, *condition.too_many_patterns(scope)]
