"""Rules for the edge and what their hits mean to the kernel (design 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leadcore._plan.conditions import ALWAYS, Json

RESET, ADD, ADD_PER, HAPPENED, MANUAL = range(5)
"""What a hit of an event does to a fold, or tells the lifecycle: `ACT_*` of ext/kernel/leadcore_kernel/layout.pxd."""
VALUE, LEAF = range(2)
"""What a hit of a lead says: `SAY_*` of the same."""

Meaning = tuple[int, int, int]
"""(fold, act, micropoints) of an event hit, (condition, HAPPENED, 0), (0, MANUAL, stage or -1); (kind, index, micropoints) of a lead hit."""


@dataclass
class Rules:
    """Rules of one kind of row, with the meanings of each hit id they can add."""

    rules: list[Json] = field(default_factory=list)
    meanings: list[tuple[Meaning, ...]] = field(default_factory=list)

    def hit(self, *meanings: Meaning) -> int:
        """A new hit id with these meanings."""
        self.meanings.append(meanings)
        return len(self.meanings) - 1

    def test(self, when: Json, hit: int, types: Sequence[int] | None = None) -> None:
        """Add ``hit`` to rows where ``when`` holds."""
        self._add({"rule": "test", "hit": hit, "when": when}, types)

    def table(
        self, field_index: int, rows: Mapping[str, int], otherwise: int | None, missing: int | None, fold: bool,
        when: Json = ALWAYS, types: Sequence[int] | None = None,
    ) -> None:  # fmt: skip
        """Add the hit of the row's text."""
        listed = [[text, hit] for text, hit in rows.items()]
        rule: Json = {"rule": "table", "field": field_index, "fold": fold, "rows": listed}
        self._add(rule | {"otherwise": otherwise, "missing": missing, "when": when}, types)

    def bands(
        self, field_index: int, rows: Sequence[tuple[float, int]], otherwise: int | None, missing: int | None
    ) -> None:
        """Add the hit of the highest band reached."""
        listed = [[bound, hit] for bound, hit in rows]
        self._add(
            {"rule": "bands", "field": field_index, "rows": listed, "otherwise": otherwise, "missing": missing}, None
        )

    def _add(self, rule: dict[str, Any], types: Sequence[int] | None) -> None:
        self.rules.append(rule if types is None else rule | {"types": list(types)})
