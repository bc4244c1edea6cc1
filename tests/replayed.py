"""Results of replays compared, cut short and put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.engines import Replayed

TABLES = ("transitions", "spans", "alerts", "states", "score_changes")
COUNTS = ("ignored", "loop_stops", "manual_current", "manual_unknown")

Row = dict[str, Any]


def assert_same(found: Replayed, expected: Replayed, what: str) -> None:
    """Both say the same, to the last bit, in the same order; else which table, row and column differ first."""
    said = difference(found, expected)
    assert said is None, f"{what}: {said}"


def difference(found: Replayed, expected: Replayed) -> str | None:
    """The first difference in words, or None."""
    for table in TABLES:
        said = rows_differ(getattr(found, table), getattr(expected, table))
        if said is not None:
            return f"{table}, {said}"
    for name in COUNTS:
        if getattr(found, name) != getattr(expected, name):
            return f"{name} is {getattr(found, name)}, not {getattr(expected, name)}"
    return None


def rows_differ(found: list[Row], expected: list[Row]) -> str | None:
    """The first row, and its first column, that differs."""
    for number, (one, other) in enumerate(zip(found, expected, strict=False)):
        if list(one) != list(other):
            return f"columns: {list(one)}, not {list(other)}"
        for column in one:
            if not same(one[column], other[column]):
                return f"row {number}, {column}: {one[column]!r}, not {other[column]!r}\n found {one}\n wanted {other}"
    if len(found) > len(expected):
        return f"{len(found)} rows, not {len(expected)}; the first too many:\n {found[len(expected)]}"
    if len(found) < len(expected):
        return f"{len(found)} rows, not {len(expected)}; the first missing:\n {expected[len(found)]}"
    return None


def same(one: Any, other: Any) -> bool:
    """Equal and of one type."""
    return type(one) is type(other) and bool(one == other)


def cut(result: Replayed, until: int) -> Replayed:
    """What a replay that ends earlier says, but for states and counts, which are left empty."""
    spans = []
    for row in result.spans:
        if row["entered_at"] <= until:
            left = row["left_at"] is not None and row["left_at"] <= until
            spans.append(row if left else row | {"left_at": None, "left_by": None, "sla_status": status(row, until)})
    transitions, alerts, score_changes = (
        [row for row in table if row["at"] <= until]
        for table in (result.transitions, result.alerts, result.score_changes)
    )
    return Replayed(transitions, spans, alerts, [], score_changes, {}, {}, 0, 0)


def status(row: Row, until: int) -> str | None:
    """How a stay that is not left stands at an end (spec 8.9)."""
    if row["sla_status"] is None:
        return None
    return "breached" if row["sla_due_at"] is not None and until > row["sla_due_at"] else "open"


def without_ends(result: Replayed) -> Replayed:
    """A result as `cut` leaves it."""
    return Replayed(result.transitions, result.spans, result.alerts, [], result.score_changes, {}, {}, 0, 0)


def together(parts: Iterable[Replayed]) -> tuple[dict[str, Counter[str]], Counter[str]]:
    """Rows of all tables in no order, and counts added up."""
    tables: dict[str, Counter[str]] = {name: Counter() for name in TABLES}
    counts: Counter[str] = Counter()
    for part in parts:
        for name in TABLES:
            tables[name].update(repr(row) for row in getattr(part, name))
        for name in ("ignored", "loop_stops"):
            counts.update({f"{name} {key}": count for key, count in getattr(part, name).items()})
        counts.update({name: getattr(part, name) for name in ("manual_current", "manual_unknown")})
    return tables, counts
