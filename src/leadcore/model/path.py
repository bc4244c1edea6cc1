"""Where something stands in a document, and what is wrong there."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterable
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

from leadcore.errors import Fault

Path = tuple[str | int, ...]
"""Keys and positions from the top of the document."""

_WORD = re.compile(r"[A-Za-z_][\w-]*")


class Nearest:
    """A hint not yet looked for: comparing names is slow, and of a thousand faults people read the first."""

    __slots__ = ("name", "names", "otherwise", "what")

    def __init__(self, name: str, names: Collection[str], what: str = "", otherwise: str | None = None) -> None:
        self.name, self.names, self.what, self.otherwise = name, names, what, otherwise

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Nearest) and (self.name, self.what) == (other.name, other.what)

    def __hash__(self) -> int:
        return hash((self.name, self.what))

    @property
    def cost(self) -> int:
        """How many names are compared."""
        return min(len(self.names), _MOST_COMPARED)

    def found(self) -> str | None:
        """The hint: the nearest name, or what there is to say where none is near."""
        if self.what:
            return did_you_mean(self.name, self.names, self.what)
        return meant(self.name, self.names) or self.otherwise


class Flaw(NamedTuple):
    """One thing wrong, before it is put into words for people: at a key itself where ``on_key``."""

    path: Path
    reason: str
    hint: str | Nearest | None = None
    on_key: bool = False
    position: tuple[int, int] | None = None

    def fault(self, look: bool = True) -> Fault:
        """The same as people read it; without ``look`` no names are compared."""
        line, column = self.position or (None, None)
        hint = self.hint if not isinstance(self.hint, Nearest) else self.hint.found() if look else self.hint.otherwise
        return Fault(written(self.path), self.reason, hint, line, column, self.path, self.on_key)


_MOST_COMPARED = 500
_PATIENCE = 20_000
"""Comparisons of names for one error in all."""


def faults(flaws: Iterable[Flaw]) -> list[Fault]:
    """Flaws as people read them, with the hints that can be found in bounded time."""
    patience = _PATIENCE
    told = []
    for flaw in flaws:
        if isinstance(flaw.hint, Nearest):
            patience -= flaw.hint.cost
        told.append(flaw.fault(look=patience > 0))
    return told


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


def listed(names: Collection[str], most: int = 8) -> str:
    """Names as a sentence goes on: ``a, b or c``."""
    if len(names) > most:
        return ", ".join(name[:40] for name in islice(names, most)) + f" or {len(names) - most} more"
    names = [name[:80] for name in names]
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def meant(name: str, names: Collection[str]) -> str | None:
    """The declared name somebody may have meant; None where nothing is near."""
    if len(name) > 80:
        return None  # comparing is quadratic in the length
    candidates = list(islice((n for n in names if abs(len(n) - len(name)) <= 4), _MOST_COMPARED))
    near = [n for n in candidates if n.lower() == name.lower()]
    near = near or difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else None


def did_you_mean(name: str, names: Collection[str], what: str) -> str:
    """What would be right instead of an unknown name: the nearest one, or all there are."""
    if not names:
        return f"no {what} is declared"
    return meant(name, names) or f"there is {listed(names)}"
