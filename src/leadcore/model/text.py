"""The model's only door to `leadcore_arrow`: parsing, folding and patterns (spec 3.2, 3.4, 11)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any


def document_events(data: bytes, form: str) -> list[tuple[Any, ...]]:
    """Parse a ``yaml`` or ``json`` document into events; ``ValueError`` (reason, line, column) where it is neither."""
    from leadcore_arrow import document_events

    return document_events(data, form)


def fold(text: str) -> str:
    """Fold text for comparison without case (spec 3.4)."""
    if text.isascii():
        return text.lower()  # simple case folding within ASCII
    from leadcore_arrow import fold_text

    return fold_text(text)


@lru_cache(maxsize=4_096)
def pattern_fault(pattern: str, case_sensitive: bool) -> str | None:
    """Why this regular expression is refused, or None."""
    from leadcore_arrow import check_pattern

    return check_pattern(pattern, case_sensitive)


def match(op: str, values: Sequence[str], case_sensitive: bool, texts: Sequence[str]) -> list[bool]:
    """Test texts with one text op of spec 3.2."""
    from leadcore_arrow import match_text

    return match_text(op, values, case_sensitive, texts)
