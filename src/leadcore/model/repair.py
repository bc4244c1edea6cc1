"""What is left of a document without its faults of shape, so that its meaning can be checked in the same go."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from leadcore.model.path import Flaw, Path, meant
from leadcore.model.shape import path_of

M = TypeVar("M")

_GONE = object()

_INSTEAD: dict[str, Any] = {
    "name": "", "on": [], "points": 0, "field": "", "op": "exists", "value": True, "from": [], "to": "", "bands": [],
    "criteria": [], "scores": {}, "stages": [], "initial": "", "factor": 0, "notify": ["somebody"],
    "due": "1d", "every": "1d", "half_life": "1d", "linear": "1d", "expire": "1d", "steps": [],
}  # fmt: skip
"""What stands for a missing or removed key, where a harmless value exists. No check speaks about these places."""


@dataclass
class Ghosts:
    """Names that the document gives, but whose meaning was lost with a fault. ``None`` in a set stands for any name."""

    attributes: set[str | None] = field(default_factory=set)
    events: set[str | None] = field(default_factory=set)
    properties: set[str | None] = field(default_factory=set)
    scores: set[str | None] = field(default_factory=set)
    graded: set[str | None] = field(default_factory=set)
    thresholds: set[str | None] = field(default_factory=set)
    stages: set[str | None] = field(default_factory=set)
    calendars: set[str | None] = field(default_factory=set)
    others: set[str | None] = field(default_factory=set)
    lost: set[Path] = field(default_factory=set)
    unknown: set[Path] = field(default_factory=set)
    """Mappings with unknown keys: one of these may be what is missing there."""


@dataclass
class Repaired(Generic[M]):
    """The rest of a document as a model, and how its places map to those of the document."""

    model: M
    ghosts: Ghosts
    kept: dict[Path, list[int]]
    further: list[Flaw] = field(default_factory=list)
    """Flaws of shape that were seen only once a misspelled kind was read as the one meant."""

    def faithful(self, flaws: list[Flaw]) -> list[Flaw]:
        """Flaws at the document's own places, without those that only follow from what was removed."""
        lost = self.ghosts.lost
        around: dict[Path, list[str | int]] = {}
        for path in lost:
            around.setdefault(path[:-1], []).append(path[-1])
        real = []
        for flaw in flaws:
            path = self._original(flaw.path)
            if path in self.ghosts.unknown or any(path[:n] in lost for n in range(len(path) + 1)):
                continue
            if any(_speaks_of(flaw, key) for key in around.get(path, ())):
                continue
            real.append(flaw._replace(path=path))
        return real

    def _original(self, path: Path) -> Path:
        """Undo the shift of positions behind removed items."""
        original: list[str | int] = []
        for depth, key in enumerate(path):
            positions = self.kept.get(path[:depth]) if isinstance(key, int) else None
            original.append(positions[key] if positions and isinstance(key, int) and key < len(positions) else key)
        return tuple(original)


def _speaks_of(flaw: Flaw, key: str | int) -> bool:
    """Whether a flaw of a mapping or list is about what it lost: an item, an entry, or a key that it names."""
    if isinstance(key, int) or (flaw.path and flaw.path[-1] in ("combine", "hours", "scores", "table")):
        return True
    return key in re.findall(r"\w+", f"{flaw.reason} {flaw.hint}")


def repaired(
    tree: Mapping[str, Any],
    details: list[Any],
    validate: Callable[[Any], M],
    tell: Callable[[list[Any], Any], list[Flaw]],
) -> Repaired[M] | None:
    """Take away or fill in what is faulty until the rest is a model; None where that does not succeed."""
    work = _copy(tree)
    lost: set[Path] = set()
    unknown: set[Path] = set()
    kept: dict[Path, list[int]] = {}
    further: list[Flaw] = []
    whole: Any = tree
    for _ in range(8):
        reread = {path[:-1] for path in lost if path[-1] == "kind"}
        for detail in details:
            path = path_of(detail["loc"], whole)
            if not path:
                return None
            at = _unshift(path, kept)
            if at not in lost and any(at[:n] in reread for n in range(len(at))):
                further.extend(flaw._replace(path=_unshift(flaw.path, kept)) for flaw in tell([detail], whole))
            if detail["type"] == "string_pattern_mismatch":
                unknown.add(at[:-1])
            _mend(work, at, detail, lost)
        kept = {}
        whole = _compact(work, (), kept)
        try:
            model = validate(whole)
        except ValidationError as error:
            details = error.errors(include_url=False)
        else:
            return Repaired(model, replace(_ghosts(tree, whole, lost), unknown=unknown), kept, further)
    return None


def _unshift(path: Path, kept: dict[Path, list[int]]) -> Path:
    return Repaired(None, Ghosts(), kept)._original(path)


def _copy(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _copy(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_copy(value) for value in node]
    return node


def _mend(work: Any, path: Path, detail: Mapping[str, Any], lost: set[Path]) -> None:
    """Repair one place of the working copy, and remember that it was."""
    *above, key = path
    parent = work
    for step in above:
        if not isinstance(parent, (dict, list)) or (isinstance(parent, dict) and step not in parent):
            return
        parent = parent[step]  # type: ignore[index]  # the path was found in this tree
    if parent is _GONE or not isinstance(parent, (dict, list)):
        return
    lost.add(path)
    if detail["type"] == "missing":
        if isinstance(key, str) and key in _INSTEAD and isinstance(parent, dict):
            parent[key] = _INSTEAD[key]
        elif above:
            _remove(work, tuple(above))
            lost.add(tuple(above))
        return
    if detail["type"].startswith("union_tag") and _kind_meant(parent, key):
        lost.add((*path, "kind"))
        lost.discard(path)
        return
    _remove(work, path)


def _kind_meant(parent: Any, key: Any) -> bool:
    """A criterion of a misspelled kind is read as the kind that was meant, to see its other faults too."""
    from leadcore.model.criterion import CRITERIA

    criterion = parent[key]
    if not isinstance(criterion, dict):
        return False
    kind = criterion.get("kind")
    near = meant(kind, CRITERIA) if isinstance(kind, str) else None
    if near is None or kind in CRITERIA:
        return False
    criterion["kind"] = near.split("`")[1]
    return True


def _remove(work: Any, path: Path) -> None:
    *above, key = path
    parent = work
    for step in above:
        parent = parent[step]
    if key in _INSTEAD and isinstance(parent, dict):
        parent[key] = _INSTEAD[key]
    elif isinstance(parent, list) and isinstance(key, int):
        parent[key] = _GONE
    else:
        parent.pop(key, None)


def _compact(node: Any, path: Path, kept: dict[Path, list[int]]) -> Any:
    """The working copy without what is gone; `kept` takes the original positions of what is left of a list."""
    if isinstance(node, dict):
        return {key: _compact(value, (*path, key), kept) for key, value in node.items()}
    if isinstance(node, list):
        left = [i for i, value in enumerate(node) if value is not _GONE]
        if len(left) < len(node):
            kept[path] = left
        return [_compact(node[i], (*path, n), kept) for n, i in enumerate(left)]
    return node


def _ghosts(tree: Mapping[str, Any], whole: Any, lost: set[Path]) -> Ghosts:
    """Which names the document gives that the repaired one does not."""
    ghosts = Ghosts(lost=lost)
    for section in ("attributes", "events", "scores", "thresholds", "calendars"):
        getattr(ghosts, section).update(_missing(tree.get(section), whole.get(section), (section,) in lost))
    events = tree.get("events")
    for name, properties in events.items() if isinstance(events, dict) else ():
        left = whole.get("events", {})
        ghosts.properties |= _missing(properties, left.get(name), ("events", name) in lost)
    if ("events",) in lost:
        ghosts.properties.add(None)
    scores = tree.get("scores")
    for name, score in scores.items() if isinstance(scores, dict) else ():
        if isinstance(score, dict) and any(path[:3] == ("scores", name, "grades") for path in lost):
            ghosts.graded.add(name)
    ghosts.graded |= ghosts.scores
    lifecycle, left = tree.get("lifecycle"), whole.get("lifecycle")
    if isinstance(lifecycle, dict):
        given, kept = lifecycle.get("stages"), left.get("stages") if isinstance(left, dict) else None
        ghosts.stages |= _missing(_by_name(given), _by_name(kept), not isinstance(given, list))
        if any(path[:2] == ("lifecycle", "stages") and path[-1] == "name" for path in lost):
            ghosts.stages.add(None)
    for key in ("rating", "labels"):
        if any(path[0] == key for path in lost):
            ghosts.others.add(key)
    return ghosts


def _missing(given: Any, left: Any, lost: bool) -> set[str | None]:
    if not isinstance(given, dict):
        return {None} if lost else set()
    return {name for name in given if not isinstance(left, dict) or name not in left}


def _by_name(stages: Any) -> Any:
    if not isinstance(stages, list):
        return stages
    return {s["name"]: s for s in stages if isinstance(s, dict) and isinstance(s.get("name"), str)}
