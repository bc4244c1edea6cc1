"""What the picture of a lifecycle says: boxes and arrows with their words, not yet where they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from leadcore._diagram.letters import harmless
from leadcore._diagram.traffic import Replayed, Traffic, days_text, traffic
from leadcore.errors import LeadcoreError
from leadcore.model.wording import Wording, listed, service_level

if TYPE_CHECKING:
    from leadcore.model import Model
    from leadcore.model.lifecycle import Lifecycle, Stage, Transition

Kind = Literal["success", "detour", "exit", "any", "hand"]
"""Of a stage its kind; ``any`` stands for many stages at once, ``hand`` for whoever moves leads by hand."""

MOST_SOURCES = 8
"""A transition that leaves more stages has one arrow for all of them."""

MOST_RULES = 6
"""So many transitions stand on an arrow; then how many more there are."""

BY_HAND = "by hand"


@dataclass(frozen=True)
class Box:
    """A stage, or what stands for several.

    Attributes:
        notes: Owner and service level, each a line.
        figures: What a replay counted.
        more: Goal and description, for those who point at it.
    """

    kind: Kind
    name: str
    initial: bool = False
    notes: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    more: str = ""


@dataclass(frozen=True)
class Rule:
    """A transition on an arrow: its name, when it fires, and how often it did."""

    name: str
    asks: str = ""
    count: int | None = None

    @property
    def title(self) -> str:
        """Name and count."""
        return self.name if self.count is None else f"{self.name} × {self.count:,}"


@dataclass
class Arrow:
    """From one box to another, by their numbers; ``rules`` share it. ``dashed``: only people move leads here."""

    source: int
    target: int
    rules: list[Rule] = field(default_factory=list)
    dashed: bool = False

    def shown(self) -> Iterator[Rule]:
        """The rules that are written beside it."""
        if len(self.rules) <= MOST_RULES + 1:
            yield from self.rules
            return
        rest = self.rules[MOST_RULES:]
        counts = [rule.count for rule in rest if rule.count is not None]
        yield from self.rules[:MOST_RULES]
        yield Rule(f"and {len(rest)} more", "", sum(counts) if counts else None)


@dataclass(frozen=True)
class Sketch:
    """The picture's words. Boxes: the stages in document order, then what stands for several."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    captions: tuple[str, ...]

    def path(self) -> list[int]:
        """The boxes of the success path, in order."""
        return [number for number, box in enumerate(self.boxes) if box.kind == "success"]

    def straight(self) -> set[tuple[int, int]]:
        """Which boxes follow each other on the success path."""
        path = self.path()
        return set(pairwise(path))


def sketch(model: Model, replay: Replayed | None = None) -> Sketch:
    """Say what is to be drawn.

    Raises:
        LeadcoreError: The model has no lifecycle, or the replay is of another one.
    """
    lifecycle = model.lifecycle
    if lifecycle is None:
        raise LeadcoreError(f"the model `{model.name[:40]}` has no lifecycle: there is nothing to draw")
    figures = None if replay is None else traffic(lifecycle, replay)
    boxes = [_box(stage, stage.name == lifecycle.initial, figures) for stage in lifecycle.stages]
    arrows = _Arrows(model, lifecycle, figures)
    boxes += arrows.helpers
    return Sketch(
        harmless(model.title or model.name), tuple(boxes), tuple(arrows.found.values()), _captions(lifecycle, figures)
    )


def _box(stage: Stage, initial: bool, figures: Traffic | None) -> Box:
    notes = [harmless(stage.owner)] if stage.owner else []
    if stage.sla is not None:
        notes += map(harmless, service_level(stage.sla))
    counted: list[str] = []
    if figures is not None:
        stay = figures.stays[stage.name]
        counted.append(f"{stay.now:,} {'lead' if stay.now == 1 else 'leads'} at the end")
        counted.append(f"{stay.entries:,} {'entry' if stay.entries == 1 else 'entries'}")
        if stay.median_days is not None:
            counted.append(f"median stay {days_text(stay.median_days)}")
    more = ". ".join(text.rstrip(".") for text in (stage.goal, stage.description) if text)
    name = harmless(stage.title or stage.name)
    return Box(stage.kind, name, initial, tuple(notes), tuple(counted), harmless(more))


class _Arrows:
    """Puts transitions on arrows; ``helpers`` are the boxes that stand for several stages."""

    def __init__(self, model: Model, lifecycle: Lifecycle, figures: Traffic | None) -> None:
        self.found: dict[tuple[int, int], Arrow] = {}
        self.helpers: list[Box] = []
        self._wording = Wording(model)
        self._stages = lifecycle.stages
        self._number = {stage.name: number for number, stage in enumerate(lifecycle.stages)}
        self._moves = None if figures is None else figures.moves
        self._fired: Counter[str | None] = Counter()
        for (_, _, by), count in (self._moves or {}).items():
            self._fired[by] += count
        many = [rule for rule in lifecycle.transitions if self._leaves_many(rule)]
        if many:
            self._helper("any", "any stage" if all(self._is_any(rule) for rule in many) else "several stages")
        for rule in lifecycle.transitions:
            self._rule(rule)
        self._by_hand(lifecycle)

    def _helper(self, kind: Kind, name: str) -> int:
        exits = any(stage.kind == "exit" for stage in self._stages)
        notes = ("but exits",) if exits and name == "any stage" else ("from other stages",) if kind == "hand" else ()
        self.helpers.append(Box(kind, name, notes=notes))
        return len(self._stages) + len(self.helpers) - 1

    def _is_any(self, rule: Transition) -> bool:
        """Whether every stage but `to` and the exits is left: `*`, or the same spelt out."""
        if rule.from_ == ("*",):
            return True
        every = {stage.name for stage in self._stages if stage.kind != "exit"} - {rule.to}
        return len(every) >= MOST_SOURCES and every == set(rule.from_)

    def _leaves_many(self, rule: Transition) -> bool:
        return len(set(rule.from_)) > MOST_SOURCES or self._is_any(rule)

    def _rule(self, rule: Transition) -> None:
        name, asks = harmless(rule.title or rule.name), harmless(self._wording.transition(rule))
        to = self._number[rule.to]
        if not self._leaves_many(rule):
            for source in dict.fromkeys(rule.from_):
                count = None if self._moves is None else self._moves[source, rule.to, rule.name]
                self._put(self._number[source], to, Rule(name, asks, count))
            return
        count = None if self._moves is None else self._fired[rule.name]
        if self.helpers[0].name != "any stage":
            of = "any stage" if self._is_any(rule) else listed(rule.from_, "or")
            asks = harmless(f"from {of}{', ' if asks else ''}{asks}")
        self._put(len(self._stages), to, Rule(name, asks, count))

    def _put(self, source: int, target: int, rule: Rule) -> Arrow:
        arrow = self.found.setdefault((source, target), Arrow(source, target))
        arrow.rules.append(rule)
        return arrow

    def _by_hand(self, lifecycle: Lifecycle) -> None:
        """What people do: the steps of the path that no rule takes, and with a replay whatever they did."""
        path = [number for number, stage in enumerate(self._stages) if stage.kind == "success"]
        steps = set(pairwise(path)) if lifecycle.manual is not None else set()
        done = {(self._number[a], self._number[b]): n for (a, b, rule), n in (self._moves or {}).items() if not rule}
        for pair in sorted(steps - set(self.found)):
            self._put(*pair, Rule(BY_HAND, "", None if self._moves is None else done.get(pair, 0))).dashed = True
            done.pop(pair, None)
        elsewhere: dict[int, int] = {}
        for (source, target), count in sorted(done.items()):
            if (source, target) in self.found:
                self._put(source, target, Rule(BY_HAND, "", count))
            else:
                elsewhere[target] = elsewhere.get(target, 0) + count
        if elsewhere:
            hand = self._helper("hand", "moved by hand")
            for target, count in elsewhere.items():
                self._put(hand, target, Rule(BY_HAND, "", count)).dashed = True


def _captions(lifecycle: Lifecycle, figures: Traffic | None) -> tuple[str, ...]:
    captions = []
    if lifecycle.evaluate is not None:
        captions.append(f"Between events leads are looked at every {lifecycle.evaluate.every}.")
    if lifecycle.manual is not None:
        captions.append(
            f"People move leads to any stage: event {lifecycle.manual.on}, property {lifecycle.manual.field}."
        )
    if figures is not None:
        captions.append("× moves of the replay; median of finished stays.")
    return tuple(map(harmless, captions))
