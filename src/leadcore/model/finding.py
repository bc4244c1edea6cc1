"""A finding: something about a model that its author may want to know."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

FindingKind = Literal["range", "unreachable", "always", "never_binds", "never_hits"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a model that its author may want to know; nothing is refused for it.

    Attributes:
        path: Where in the document, ``scores.fit.max``.
        kind: ``range`` (of a score), ``unreachable`` (a band, grade or threshold), ``always`` (a threshold or grade
            that every lead reaches), ``never_binds`` (a bound), ``never_hits`` (a criterion, label or transition).
        message: The same for people.
        lowest: Of a ``range``: no lead gets below; None where there is no such number.
        highest: Of a ``range``: no lead gets above; None where there is no such number.
    """

    path: str
    kind: FindingKind
    message: str
    lowest: Decimal | None = None
    highest: Decimal | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"
