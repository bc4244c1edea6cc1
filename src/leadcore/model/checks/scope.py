"""What a document declares, as the checks look it up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from leadcore.model.criterion import CriterionPart
from leadcore.model.document import Model
from leadcore.model.path import Flaw, Nearest, Path, meant
from leadcore.model.repair import Ghosts

Flaws = Iterator[Flaw]

Kind = Literal["text", "number", "boolean", "instant", ""]
"""The type of a field; empty where the declaration itself is faulty and nothing more is to be said."""


@dataclass
class Patterns:
    """Regular expressions seen so far: refusing one takes milliseconds, so not all of many are looked at."""

    seen: int = 0
    refused: int = 0
    unchecked: int = 0
    first_unchecked: Path = ()
    first_too_many: Path = ()


class Scope:
    """A model, and the names it declares; names whose declaration is faulty are ghosts, no check speaks of them."""

    def __init__(self, model: Model, ghosts: Ghosts | None = None) -> None:
        self.model = model
        self.ghosts = ghosts or Ghosts()
        self.patterns = Patterns()

    @cached_property
    def attributes(self) -> dict[str, Kind]:
        """Attributes and their types."""
        return {name: field.type for name, field in self.model.attributes.items()}

    @cached_property
    def properties(self) -> dict[str, dict[str, Kind]]:
        """Event types, their properties and types."""
        return {
            name: {key: field.type for key, field in properties.items()}
            for name, properties in self.model.events.items()
        }

    @cached_property
    def graded(self) -> dict[str, tuple[str, ...]]:
        """Scores that have grades, and these."""
        return {
            name: tuple(grade.name for grade in score.grades)
            for name, score in self.model.scores.items()
            if score.grades is not None
        }

    @cached_property
    def stages(self) -> dict[str, None]:
        """Names of stages."""
        return dict.fromkeys(stage.name for stage in self.model.lifecycle.stages) if self.model.lifecycle else {}

    def attribute(self, name: str) -> Kind | None:
        """The type of an attribute; None where it is not declared."""
        return self.attributes.get(name, _unless_ghost(name, self.ghosts.attributes))

    def property(self, name: str, on: Iterable[str] | None) -> Kind | None:
        """The type of a property of at least one of these event types; None where none declares it."""
        on = list(on or ())
        for event_type in on:
            kind = self.properties.get(event_type, {}).get(name)
            if kind is not None:
                return kind
        if not on or any(event_type not in self.properties for event_type in on):
            return ""  # the event type itself is the fault
        return _unless_ghost(name, self.ghosts.properties)

    def property_names(self, on: Iterable[str] | None) -> list[str]:
        """Properties that these event types declare."""
        return list(dict.fromkeys(name for event_type in on or () for name in self.properties.get(event_type, {})))

    def criteria(self) -> Iterator[tuple[Path, CriterionPart]]:
        """Every criterion and where it stands."""
        for score_name, score in self.model.scores.items():
            for n, criterion in enumerate(score.criteria or ()):
                yield ("scores", score_name, "criteria", n), criterion
            for group_name, group in (score.groups or {}).items():
                for n, criterion in enumerate(group.criteria):
                    yield ("scores", score_name, "groups", group_name, "criteria", n), criterion


def _unless_ghost(name: str, ghosts: set[str | None]) -> Kind | None:
    return "" if name in ghosts or None in ghosts else None


def unknown_name(name: str, names: Collection[str], ghosts: set[str | None], path: Path, what: str, many: str) -> Flaws:
    """A name that should be declared and is not."""
    if name not in names and name not in ghosts and None not in ghosts:
        yield Flaw(path, f"there is no {what} `{name[:40]}`", Nearest(name, names, many))


def no_event_types(scope: Scope, on: tuple[str, ...], path: Path) -> Flaws:
    """`on` that names none, or one that is not declared."""
    if not on:
        yield Flaw(path, "at least one event type is wanted here")
    for n, event_type in enumerate(on):
        yield from unknown_name(
            event_type, scope.properties, scope.ghosts.events, (*path, n), "event type", "event type"
        )


def unknown_timezone(name: str, path: Path) -> Flaws:
    """A timezone that the pinned tzdata package does not have (spec 1.3)."""
    if name not in _timezones():
        hint = meant(name, _timezones()) or meant(name.replace(" ", "_").split("/")[-1], _timezones())
        yield Flaw(path, f"there is no timezone `{name[:40]}`", hint or "an IANA name such as Europe/Oslo or UTC")


_zones: frozenset[str] = frozenset()


def _timezones() -> frozenset[str]:
    """Names of timezones, read once from the package; the system's are never asked."""
    global _zones
    if not _zones:
        from importlib.resources import files  # slow to import, and not needed before

        _zones = frozenset(files("tzdata").joinpath("zones").read_text().split())
    return _zones
