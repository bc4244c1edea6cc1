"""What leadcore raises: one family, with fields that say where and why (spec 11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


class LeadcoreError(Exception):
    """The base of every error leadcore raises."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a model document.

    Attributes:
        path: Where in the document, ``scores.fit.criteria[2].when.op``.
        reason: What is wrong.
        hint: What would be right, or None.
        line: Line in the document's text from 1, or None where there was no text.
        column: Column in that line from 1, or None.
        keys: The path as data: ``("scores", "fit", "criteria", 2, "when", "op")``.
        on_key: The fault is the key itself, not its value.
    """

    path: str
    reason: str
    hint: str | None = None
    line: int | None = None
    column: int | None = None
    keys: tuple[str | int, ...] = field(default=(), repr=False, compare=False)
    on_key: bool = field(default=False, repr=False, compare=False)

    def __str__(self) -> str:
        where = self.path or "document"
        if self.line is not None:
            where += f" (line {self.line}, column {self.column})"
        return f"{where}: {self.reason}" + (f" ({self.hint})" if self.hint else "")


class ModelError(LeadcoreError, ValueError):
    """A model document is refused.

    Attributes:
        faults: Every fault found, in document order; the text of the error shows the first 100.
        source: The file, or None.
    """

    def __init__(self, faults: Sequence[Fault], source: str | None = None) -> None:
        self.faults = tuple(faults)
        self.source = source
        count = len(self.faults)
        head = f"{source or 'model'}: {count} fault{'s' if count != 1 else ''}"
        more = [f"  ... and {count - 100} more"] if count > 100 else []
        super().__init__("\n".join([head, *(f"  {fault}" for fault in self.faults[:100]), *more]))

    def __reduce__(self) -> tuple[type[ModelError], tuple[list[Fault], str | None]]:
        return type(self), (list(self.faults), self.source)


@dataclass(frozen=True, slots=True)
class Problem:
    """One refused row or column.

    Attributes:
        table: ``leads``, ``events``, ``as_of`` or ``aliases``.
        row: 0-based position in the table, or None for a whole column.
        column: Name in the caller's table, or None.
        value: At most 32 characters of what was found, or None.
        reason: What is said of it: "is null", "is not an instant in ISO 8601"; a sentence where there is no column.
    """

    table: str
    row: int | None
    column: str | None
    value: str | None
    reason: str

    def __str__(self) -> str:
        where = self.table
        where += f", row {self.row}" if self.row is not None else ""
        where += f", column {self.column}" if self.column is not None else ""
        if self.value is not None:
            return f"{where}: {self.value!r} {self.reason}"
        return f"{where} {self.reason}" if self.column is not None else f"{where}: {self.reason}"


class DataError(LeadcoreError, ValueError):
    """A table is refused.

    Attributes:
        problems: The first 100 problems.
        total: How many there were in all.
    """

    def __init__(self, problems: list[Problem], total: int | None = None) -> None:
        self.problems = tuple(problems[:100])
        self.total = len(problems) if total is None else total
        lines = [str(problem) for problem in self.problems]
        if len(lines) == 1 and self.total == 1:
            text = lines[0]
        else:
            text = "\n".join([f"{self.total} problems", *(f"  {line}" for line in lines)])
            if self.total > len(lines):
                text += f"\n  ... and {self.total - len(lines)} more"
        super().__init__(text)

    def __reduce__(self) -> tuple[type[DataError], tuple[list[Problem], int]]:
        return type(self), (list(self.problems), self.total)


class StateError(LeadcoreError, ValueError):
    """Saved state is damaged, or of another model or format."""
