"""Whether a condition can hold at all: three-valued logic over what the document says (spec 3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from leadcore.model.condition import All, Any_, Clause, Condition
from leadcore.model.reach import Range
from leadcore.model.scalar import instant
from leadcore.model.text import fold_text

FREE = Range(None, None)
"""A field of which nothing is known but its type."""
NULL = None
"""A field that is always null."""

Known = Callable[[str], tuple[str, Range | None]]
"""What is known of a field: its type, and its range, `FREE`, or `NULL`."""


def truth(condition: Condition | None, known: Known, case_sensitive: bool = False) -> bool | None:
    """True where it always holds, False where it never does, None where it depends."""
    if condition is None:
        return True
    if isinstance(condition, Clause):
        return _clause(condition, known)
    if isinstance(condition, (All, Any_)):
        parts = condition.all if isinstance(condition, All) else condition.any
        answers = [truth(part, known, case_sensitive) for part in parts]
        decisive = not isinstance(condition, All)
        if decisive in answers:
            return decisive
        if None in answers:
            if isinstance(condition, All) and _contradict(parts, known, case_sensitive):
                return False
            return None
        return not decisive
    inner = truth(condition.not_, known, case_sensitive)
    return None if inner is None else not inner


def _clause(clause: Clause, known: Known) -> bool | None:
    kind, values = known(clause.field)
    if clause.op in ("ne", "not_in"):
        opposite = _clause(clause.model_copy(update={"op": "eq" if clause.op == "ne" else "in"}), known)
        return None if opposite is None else not opposite
    if values is NULL:
        return clause.op == "exists" and clause.value is False
    if clause.op == "exists" or kind != "number" or values == FREE:
        return None
    wanted = _wanted(clause, kind)
    if wanted is None:
        return None
    low, high, open_low, open_high = wanted
    if _apart(low, open_low, values.high) or _apart(values.low, open_high, high):
        return False
    return None


def _apart(low: Any, strict: bool, high: Any) -> bool:
    """Nothing is at least (more than) `low` and at most `high`."""
    if low is None or high is None:
        return False
    return bool(low > high or (strict and low == high))


def _wanted(clause: Clause, kind: str) -> tuple[Any, Any, bool, bool] | None:
    """What a clause on a number or instant asks for: low, high, and whether these are themselves left out."""

    def read(value: Any) -> Any:
        return instant(value) if kind == "instant" else value

    value = clause.value
    if clause.op == "between":
        return read(value[0]), read(value[1]), False, False
    if clause.op == "eq":
        return read(value), read(value), False, False
    if clause.op == "in":
        values = [read(item) for item in value]
        return min(values), max(values), False, False
    if clause.op in ("gt", "ge"):
        return read(value), None, clause.op == "gt", False
    if clause.op in ("lt", "le"):
        return None, read(value), False, clause.op == "lt"
    return None


def _contradict(parts: tuple[Condition, ...], known: Known, case_sensitive: bool) -> bool:
    """Clauses on one field, side by side in an `all`, that no value satisfies."""
    fields: dict[str, list[Clause]] = defaultdict(list)
    for part in parts:
        if isinstance(part, Clause) and part.op not in ("ne", "not_in"):
            fields[part.field].append(part)
    return any(
        len(clauses) > 1 and _no_value(clauses, known(field)[0], case_sensitive) for field, clauses in fields.items()
    )


def _no_value(clauses: list[Clause], kind: str, case_sensitive: bool) -> bool:
    absent = [clause for clause in clauses if clause.op == "exists" and clause.value is False]
    if absent and len(absent) < len(clauses):
        return True
    rest = [clause for clause in clauses if clause.op != "exists"]
    if kind in ("number", "instant"):
        return _empty([_wanted(clause, kind) for clause in rest])
    allowed: set[Any] | None = None
    for clause in rest:
        if clause.op in ("eq", "in"):
            values = clause.value if isinstance(clause.value, tuple) else (clause.value,)
            exact = case_sensitive if clause.case_sensitive is None else clause.case_sensitive
            if kind == "text" and exact and len({c.case_sensitive for c in rest}) > 1:
                return False  # compared in two ways: too subtle to call
            folded = {fold_text(v) if kind == "text" and not exact else v for v in values}
            allowed = folded if allowed is None else allowed & folded
    return allowed is not None and not allowed


def _empty(wanted: list[tuple[Any, Any, bool, bool] | None]) -> bool:
    """Whether ranges have nothing in common, two by two."""
    ranges = [one for one in wanted if one is not None]
    for low, _, open_low, _ in ranges:
        for _, high, _, open_high in ranges:
            if _apart(low, open_low or open_high, high):
                return True
    return False


def number_range(condition: Condition | None, field: str) -> tuple[Decimal | None, Decimal | None]:
    """Between which numbers a field must lie where a condition holds, as far as its plain clauses say."""
    parts = condition.all if isinstance(condition, All) else (condition,)
    low: Decimal | None = None
    high: Decimal | None = None
    for part in parts:
        if isinstance(part, Clause) and part.field in (field, f"lead.{field}"):
            wanted = _wanted(part, "number")
            if wanted is not None:
                low = wanted[0] if low is None or (wanted[0] is not None and wanted[0] > low) else low
                high = wanted[1] if high is None or (wanted[1] is not None and wanted[1] < high) else high
    return low, high
