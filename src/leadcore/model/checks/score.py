"""Scores: their form, groups, combinations, grades, rating, labels, thresholds (spec 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import prod
from typing import Any

from leadcore.model.checks.condition import WHEN_OF_LABEL, faults_of_condition, where
from leadcore.model.checks.criterion import ages, reset
from leadcore.model.checks.number import MOST_BOUND, MOST_FACTOR, bounds, factor_out_of_range, points_out_of_range
from leadcore.model.checks.scope import Flaws, Scope, no_event_types, unknown_name
from leadcore.model.path import Flaw, Path, listed
from leadcore.model.scalar import Points, plain
from leadcore.model.score import Fade, Grade, Group, Score

MOST_RATINGS = 65_536


def check(scope: Scope) -> Flaws:
    """Every fault of scores and of what is built on them, but for criteria."""
    for name, score in scope.model.scores.items():
        path: Path = ("scores", name)
        yield from _mixed_forms(score, path)
        yield from bounds(scope, score, path)
        for group_name, group in (score.groups or {}).items():
            yield from _group(scope, group, (*path, "groups", group_name))
        yield from _combine(scope, score, path)
        if score.grades is not None:
            yield from _grades(scope, score.grades, (*path, "grades"))
    yield from _combined_in_a_circle(scope)
    yield from _rating(scope)
    yield from _labels(scope)
    yield from _thresholds(scope)


def _mixed_forms(score: Score, path: Path) -> Flaws:
    given = [key for key in ("groups", "criteria", "combine") if getattr(score, key) is not None]
    if len(given) != 1:
        found = f"this one has {listed(given).replace(' or ', ' and ')}" if given else "this one has none"
        yield Flaw(path, f"a score has exactly one of groups, criteria or combine: {found}")


def _group(scope: Scope, group: Group, path: Path) -> Flaws:
    if not path[-1]:
        yield Flaw(path, "the name is empty", None, True)
    yield from bounds(scope, group, path)
    yield from factor_out_of_range(group.weight, (*path, "weight"), -MOST_FACTOR, MOST_FACTOR)
    yield from reset(scope, group.reset, (*path, "reset"))
    if group.fade is not None:
        yield from _fade(scope, group.fade, (*path, "fade"))


def _fade(scope: Scope, fade: Fade, path: Path) -> Flaws:
    yield from no_event_types(scope, fade.on, (*path, "on"))
    yield from faults_of_condition(scope, fade.where, (*path, "where"), where(fade.on, fade.case_sensitive))
    yield from ages(fade.bands, (*path, "bands"))
    for n, band in enumerate(fade.bands):
        yield from factor_out_of_range(band.factor, (*path, "bands", n, "factor"), Decimal(0), Decimal(1))
    yield from factor_out_of_range(fade.otherwise, (*path, "otherwise"), Decimal(0), Decimal(1))
    yield from factor_out_of_range(fade.never, (*path, "never"), Decimal(0), Decimal(1))


def _combine(scope: Scope, score: Score, path: Path) -> Flaws:
    if score.combine is None:
        return
    if not score.combine:
        yield Flaw((*path, "combine"), "nothing is combined", "at least one score and its factor")
    for name, factor in score.combine.items():
        at = (*path, "combine", name)
        for flaw in unknown_name(name, scope.model.scores, scope.ghosts.scores, at, "score", "score"):
            yield flaw._replace(on_key=True)
        yield from factor_out_of_range(factor, at, -MOST_FACTOR, MOST_FACTOR)


def _combined_in_a_circle(scope: Scope) -> Flaws:
    """Scores that are combined of each other; each circle is told once."""
    scores = scope.model.scores
    done: set[str] = set()
    for first in scores:
        way: list[str] = []  # to where we stand
        trail: dict[str, tuple[int, Iterator[str]]] = {}  # where each stands on it, and its parts still to be seen
        below: str | None = first
        while below is not None or way:
            if below is None:
                left = way.pop()
                del trail[left]
                done.add(left)
            elif below in trail:
                at: Path = ("scores", way[-1], "combine", below)
                yield Flaw(at, f"scores are combined in a circle: {_arrows(way, trail[below][0])}")
            elif below not in done and below in scores:
                trail[below] = len(way), iter(scores[below].combine or {})
                way.append(below)
            below = next(trail[way[-1]][1], None) if way else None


def _arrows(way: list[str], begin: int) -> str:
    """The circle from a place on the way; it may be long, and there may be as many as scores."""
    short = way[begin:] if len(way) - begin <= 8 else [*way[begin : begin + 7], "..."]
    return " -> ".join(name[:40] for name in [*short, way[begin]])


def _grades(scope: Scope, grades: tuple[Grade, ...], path: Path) -> Flaws:
    if not grades:
        yield Flaw(path, "there are no grades", "at least one")
    yield from _last_is_for_the_rest(grades, "at_least", path)
    yield from _empty_or_double_names(grades, path, unique=True)
    before: Decimal | None = None
    for n, grade in enumerate(grades):
        if grade.at_least is None:
            continue
        yield from points_out_of_range(scope, grade.at_least, (*path, n, "at_least"), MOST_BOUND)
        exact = scope.model.points(grade.at_least)
        if before is not None and exact >= before:
            reason = f"grades descend: {plain(exact)} is not below {plain(before)}"
            yield Flaw((*path, n, "at_least"), reason, "the best grade comes first")
        before = exact


def _last_is_for_the_rest(parts: tuple[Any, ...], key: str, path: Path) -> Flaws:
    """All but the last have the key, the last does not: it is for whoever is left."""
    for n, part in enumerate(parts):
        last = n == len(parts) - 1
        if last and getattr(part, key) is not None:
            yield Flaw((*path, n, key), f"the last has no `{key}`: it is for all who are left")
        elif not last and getattr(part, key) is None:
            yield Flaw((*path, n), f"`{key}` is missing: only the last goes without")


def _empty_or_double_names(parts: tuple[Any, ...], path: Path, unique: bool) -> Flaws:
    seen: set[str] = set()
    for n, part in enumerate(parts):
        if not part.name:
            yield Flaw((*path, n, "name"), "the name is empty")
        elif unique and part.name in seen:
            yield Flaw((*path, n, "name"), f"the name `{part.name[:40]}` stands twice")
        seen.add(part.name)


def _rating(scope: Scope) -> Flaws:
    rating = scope.model.rating
    if rating is None:
        return
    if not rating:
        yield Flaw(("rating",), "at least one score is wanted here")
    seen: set[str] = set()
    for n, name in enumerate(rating):
        at: Path = ("rating", n)
        yield from unknown_name(name, scope.model.scores, scope.ghosts.scores, at, "score", "score")
        ghost = name in scope.ghosts.graded or None in scope.ghosts.graded
        if name in scope.model.scores and name not in scope.graded and not ghost:
            yield Flaw(at, f"the score `{name[:40]}` has no grades", "a rating joins grades")
        if name in seen:
            yield Flaw(at, f"the score `{name[:40]}` stands twice")
        seen.add(name)
    count = prod(len(scope.graded.get(name, ())) or 1 for name in rating[:64])
    if count > MOST_RATINGS:
        yield Flaw(("rating",), f"at most {MOST_RATINGS} ratings are possible, these would be {count}")


def _labels(scope: Scope) -> Flaws:
    labels = scope.model.labels
    if labels is None:
        return
    if not labels:
        yield Flaw(("labels",), "there are no labels", "at least one")
    yield from _last_is_for_the_rest(labels, "when", ("labels",))
    yield from _empty_or_double_names(labels, ("labels",), unique=False)
    for n, label in enumerate(labels):
        yield from faults_of_condition(scope, label.when, ("labels", n, "when"), WHEN_OF_LABEL)


def _thresholds(scope: Scope) -> Flaws:
    for name, threshold in scope.model.thresholds.items():
        path: Path = ("thresholds", name)
        at = (*path, "score")
        yield from unknown_name(threshold.score, scope.model.scores, scope.ghosts.scores, at, "score", "score")
        yield from points_out_of_range(scope, threshold.at, (*path, "at"), MOST_BOUND)
        yield from _released_above(scope, threshold.at, threshold.release, (*path, "release"))


def _released_above(scope: Scope, at: Points, release: Points | None, path: Path) -> Flaws:
    if release is None:
        return
    yield from points_out_of_range(scope, release, path, MOST_BOUND)
    high, low = scope.model.points(at), scope.model.points(release)
    if low > high:
        yield Flaw(
            path, f"release {plain(low)} is larger than at {plain(high)}", "it is left below what it is reached at"
        )


def combined_first(scores: Mapping[str, Score]) -> list[str]:
    """Names of scores, each after those it is combined of; the document must be free of circles."""
    order: dict[str, None] = {}
    stack = [(name, False) for name in reversed(list(scores))]
    while stack:
        name, ready = stack.pop()
        if ready:
            order[name] = None
        elif name not in order:
            stack.append((name, True))
            stack.extend((part, False) for part in scores[name].combine or {} if part not in order)
    return list(order)
