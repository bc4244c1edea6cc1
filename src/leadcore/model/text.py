"""The model's only door to `leadcore_arrow`: parsing, folding and patterns (spec 3.2, 3.4, 11)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any


def document_events(data: bytes, form: str) -> list[tuple[Any, ...]]:
    """Parse a ``yaml`` or ``json`` document into events; ``ValueError`` (reason, line, column) where it is neither."""
    import leadcore_arrow

    return leadcore_arrow.document_events(data, form)


def fold_text(text: str) -> str:
    """Fold text for comparison without case (spec 3.4)."""
    if text.isascii():
        return text.lower()  # simple case folding within ASCII
    import leadcore_arrow

    return leadcore_arrow.fold_text(text)


@lru_cache(maxsize=4_096)
def pattern_fault(pattern: str, case_sensitive: bool) -> str | None:
    """Why this regular expression is refused, or None."""
    import leadcore_arrow

    return leadcore_arrow.check_pattern(pattern, case_sensitive)


def match_text(op: str, values: Sequence[str], case_sensitive: bool, texts: Sequence[str]) -> list[bool]:
    """Test texts with one text op of spec 3.2."""
    import leadcore_arrow

    return leadcore_arrow.match_text(op, values, case_sensitive, texts)
