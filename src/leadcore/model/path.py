"""Where something stands in a document, and what is wrong there."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from leadcore.errors import Fault

Path = tuple[str | int, ...]
"""Keys and positions from the top of the document."""

_WORD = re.compile(r"[A-Za-z_][\w-]*")


class Flaw(NamedTuple):
    """One thing wrong, before it is put into words for people: at a key itself where ``on_key``."""

    path: Path
    reason: str
    hint: str | None = None
    on_key: bool = False
    position: tuple[int, int] | None = None

    def fault(self) -> Fault:
        """The same as people read it."""
        line, column = self.position or (None, None)
        return Fault(written(self.path), self.reason, self.hint, line, column, self.path, self.on_key)


def written(path: Path) -> str:
    """A path as people write it: ``scores.fit.criteria[2].when.op``."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif _WORD.fullmatch(key):
            text += f".{key}" if text else key
        else:
            text += f"[{shown(key)}]"
    return text


def shown(value: Any) -> str:
    """A value of a document as it is shown in a message: at most 40 characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, (Decimal, int, float)):
        text = str(value)
        return text if len(text) <= 40 else text[:37] + "..."
    if isinstance(value, str):
        return json.dumps(value if len(value) <= 40 else value[:37] + "...", ensure_ascii=False)
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    return type(value).__name__


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names as a sentence goes on: ``a, b or c``."""
    names = list(names)
    if len(names) > most:
        return ", ".join(names[:most]) + f" or {len(names) - most} more"
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def meant(name: str, names: Iterable[str]) -> str | None:
    """The declared name somebody may have meant; None where nothing is near."""
    if len(name) > 80:
        return None  # comparing is quadratic in the length
    near = [n for n in names if n.lower() == name.lower()]
    candidates = [n for n in names if abs(len(n) - len(name)) <= 4][:2_000]
    near = near or difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else None


def did_you_mean(name: str, names: Iterable[str], what: str) -> str:
    """What would be right instead of an unknown name: the nearest one, or all there are."""
    names = list(names)
    if not names:
        return f"no {what} is declared"
    return meant(name, names) or f"there is {listed(names)}"
