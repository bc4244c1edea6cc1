"""Hypothesis strategies for valid models, rows and questions: everything of spec sections 1 to 6."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from hypothesis import strategies as st

from leadcore._reference.calendar import FIRST, LAST
from leadcore.model.scalar import Duration
from tests.random_cases import YEARS, Case, held, zone_changes
from tests.random_parts import ATTRIBUTES, DAY, EVENT_TYPES, HOUR, NUMBERS, PROPERTIES, TEXTS, ZONES
from tests.strategy_parts import (
    FACTORS,
    FRACTIONS,
    POINTS,
    Fields,
    ascending_durations,
    bounds,
    clauses,
    conditions,
    criteria,
    matchers,
    optional,
    stars,
)

__all__ = ["aliases", "cases", "conditions", "criteria", "documents", "events", "instants", "leads", "scores"]


# -- documents -------------------------------------------------------------------------------------------------------


def declarations(fields: Fields) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these fields, declared by type or in full (spec 2.3)."""
    full = {name: st.just(t) | st.just({"type": t, "optional": True}) for name, t in fields.items()}
    return st.fixed_dictionaries({}, optional=full)


def types_of(declared: dict[str, Any]) -> Fields:
    """Types by name of declared fields."""
    return {name: one["type"] if isinstance(one, dict) else one for name, one in declared.items()}


@st.composite
def fades(draw: st.DrawFn, types: dict[str, Fields]) -> dict[str, Any]:
    """A factor by the age of the newest event (spec 6.1)."""
    bands = [{"within": span, "factor": draw(st.sampled_from(FRACTIONS))} for span in draw(ascending_durations())]
    rest = optional(otherwise=st.sampled_from(FRACTIONS), never=st.sampled_from(FRACTIONS))
    return {**draw(matchers(types)), "bands": bands, **draw(rest)}


@st.composite
def groups(draw: st.DrawFn, attributes: Fields, types: dict[str, Fields]) -> dict[str, Any]:
    """Criteria with bounds, fade, weight and reset (spec 6.1)."""
    found = {"criteria": draw(st.lists(criteria(attributes, types), min_size=1, max_size=3)), **draw(bounds())}
    rest = optional(weight=st.sampled_from(FACTORS), fade=fades(types), reset=matchers(types))
    return {**found, **draw(rest)}


@st.composite
def grades(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Names by strictly descending bounds, and a last one (spec 6.3)."""
    bounds_of = st.sets(st.sampled_from((-10, 0, 0.000001, 5, 10)), min_size=1, max_size=3)
    starts: list[Any] = sorted(draw(bounds_of), reverse=True)
    if len(starts) == 1 and draw(st.booleans()):
        starts = [draw(stars())]
    names = draw(st.permutations(("A", "B", "hot", "Straße")))
    return [
        *({"name": name, "at_least": start} for name, start in zip(names, starts, strict=False)),
        {"name": names[len(starts)]},
    ]


@st.composite
def scores(draw: st.DrawFn, attributes: Fields, types: dict[str, Fields]) -> dict[str, Any]:
    """Scores of groups or criteria, and of other scores, in any order (spec 6.1, 6.2)."""
    found: dict[str, Any] = {}
    for name in ("fit", "engagement")[: draw(st.integers(1, 2))]:
        if draw(st.booleans()):
            inner = draw(st.dictionaries(st.sampled_from(("g", "h")), groups(attributes, types), min_size=1))
            found[name] = {"groups": inner}
        else:
            found[name] = {"criteria": draw(st.lists(criteria(attributes, types), min_size=1, max_size=3))}
    if draw(st.booleans()):
        parts = st.dictionaries(st.sampled_from(sorted(found)), st.sampled_from(FACTORS), min_size=1)
        total = {"combine": draw(parts)}
        found = {"total": total, **found} if draw(st.booleans()) else {**found, "total": total}
    numbers = count(1)
    for score in found.values():
        score.update({**draw(bounds()), **draw(optional(grades=grades()))})
        name_criteria(score, numbers)
    return found


def name_criteria(score: dict[str, Any], numbers: Iterator[int]) -> None:
    """Give each criterion a name of its own (spec 4)."""
    for part in (score, *score.get("groups", {}).values()):
        for place, criterion in enumerate(part.get("criteria", [])):
            part["criteria"][place] = {"name": f"c{next(numbers)}", **criterion}


@st.composite
def conclusions(draw: st.DrawFn, scored: dict[str, Any], attributes: Fields) -> dict[str, Any]:
    """Rating, labels, thresholds and accounts (spec 6.4 to 6.6)."""
    names = list(scored)
    graded = [name for name in names if "grades" in scored[name]]
    found: dict[str, Any] = {}
    if graded and draw(st.booleans()):
        found["rating"] = draw(st.lists(st.sampled_from(graded), min_size=1, unique=True))
    if draw(st.booleans()):
        fields = {**attributes, **{f"score.{name}": "score" for name in names}}
        fields.update({f"grade.{name}": "text" for name in graded})
        fields.update({"rating": "text"} if "rating" in found else {})
        found["labels"] = [{"name": "first", "when": draw(clauses(fields))}, {"name": "last"}]
    if draw(st.booleans()):
        at = draw(st.sampled_from(POINTS[:8]))
        rest = draw(optional(release=st.just(at - 1) | st.just(at), latch=st.booleans()))
        found["thresholds"] = {"mql": {"score": draw(st.sampled_from(names)), "at": at, **rest}}
    if draw(st.booleans()):
        of = st.sampled_from(names)
        ways: dict[str, st.SearchStrategy[Any]] = {
            f"by_{by}": st.fixed_dictionaries({"of": of, "by": st.just(by)}) for by in ("sum", "max", "mean")
        }
        ways["by_top"] = st.fixed_dictionaries({"of": of, "by": st.just("top"), "n": st.integers(1, 3)})
        share = st.sampled_from(FRACTIONS)
        ways["by_champion"] = st.fixed_dictionaries({"of": of, "by": st.just("champion"), "share": share})
        by = draw(st.fixed_dictionaries({"by_sum": ways.pop("by_sum")}, optional=ways))
        found["accounts"] = {**draw(optional(key=st.just("account_id"))), "scores": by}
    return found


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Valid model documents covering every field of spec sections 1 to 6."""
    attributes = draw(declarations(ATTRIBUTES))
    declared = draw(st.dictionaries(st.sampled_from(EVENT_TYPES), declarations(PROPERTIES), min_size=1, max_size=3))
    types = {name: types_of(one) for name, one in declared.items()}
    found: dict[str, Any] = {"leadcore": 1, "name": "model"}
    rest = optional(timezone=st.sampled_from(ZONES), points_per_star=st.sampled_from((10, 1, 2.5, -4)))
    found.update(draw(rest), attributes=attributes, events=declared)
    found["scores"] = draw(scores(types_of(attributes), types))
    return {**found, **draw(conclusions(found["scores"], types_of(attributes)))}


# -- rows ------------------------------------------------------------------------------------------------------------


DURATION_KEYS = {"within", "half_life", "linear", "expire", "after", "every", "delay", "cooldown"}


def durations_of(node: Any) -> Iterator[int]:
    """Every duration in a document, in microseconds."""
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str) and key in DURATION_KEYS:
                yield int(Duration(value))
            yield from durations_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from durations_of(value)


@st.composite
def anchors(draw: st.DrawFn, document: dict[str, Any]) -> int:
    """An instant to build a case around: a change of the zone's clocks, the ends of time, or any."""
    changes = zone_changes(document.get("timezone", "UTC"), draw(st.sampled_from(YEARS)))
    ordinary = st.sampled_from((19_875 * DAY, 0, -40_000 * DAY)) | st.integers(-(10**15), 4 * 10**15)
    ends = st.sampled_from((FIRST, FIRST + 5 * DAY, LAST - 5 * DAY, LAST))
    return draw(st.one_of(ordinary, *([st.sampled_from(changes)] if changes else []), ends))


def instants(document: dict[str, Any], anchor: int) -> st.SearchStrategy[int]:
    """Instants on the edges the document sets, around an anchor: ties, whole spans, a microsecond beside them."""
    spans = sorted({HOUR, DAY, *durations_of(document)})
    beside = st.sampled_from((0, 0, 1, -1))
    edges = st.tuples(st.sampled_from(spans), st.sampled_from((-1, -1, -2, -3, 0, 1)), beside)
    anywhere = st.integers(-40 * DAY, DAY)
    return (
        edges.map(lambda e: held(anchor + e[0] * e[1] + e[2])) | anywhere.map(lambda d: held(anchor + d))
    ) | st.just(anchor)


def values(type_: str, at: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    """Values of a field, null often."""
    some: dict[str, st.SearchStrategy[Any]] = {
        "text": st.sampled_from(("", *TEXTS)) | st.text(alphabet="aAbB ſ\u212aé_-\n", max_size=4),
        "number": st.sampled_from((*NUMBERS, float("nan"), -0.0)) | st.floats(allow_infinity=False),
        "boolean": st.booleans(),
        "instant": at,
    }
    return st.none() | some[type_]


def ids(text: bool) -> st.SearchStrategy[Any]:
    """Lead ids of one kind."""
    return st.sampled_from(("a", "B", "10", "9", "")) if text else st.sampled_from((1, 2, 10, -1, 2**63 - 1))


@st.composite
def leads(
    draw: st.DrawFn, document: dict[str, Any], lead_ids: st.SearchStrategy[Any], at: st.SearchStrategy[int]
) -> Any:
    """Rows of leads, with and without valid_from, created_at and account_id; or no table (spec 2.1)."""
    if draw(st.sampled_from((False, False, False, True))):
        return None
    fields = {name: values(type_, at) for name, type_ in types_of(document["attributes"]).items()}
    fields["lead_id"] = lead_ids
    key: Callable[[dict[str, Any]], Any] = lambda row: (row["lead_id"], row.get("valid_from"))  # noqa: E731
    if draw(st.booleans()):
        fields["valid_from"] = st.none() | at
    if draw(st.booleans()):
        fields["created_at"] = st.none() | at
    if "accounts" in document or draw(st.booleans()):
        fields["account_id"] = st.none() | st.sampled_from(("acme", "ACME", "b"))
    return draw(st.lists(st.fixed_dictionaries(fields), max_size=6, unique_by=key))


@st.composite
def events(
    draw: st.DrawFn, document: dict[str, Any], lead_ids: st.SearchStrategy[Any], at: st.SearchStrategy[int]
) -> Any:
    """Rows of events: ties, repeats of an event_id, undeclared types, nulls, events after T (spec 2.2 to 2.6)."""
    kinds = {name: type_ for one in document["events"].values() for name, type_ in types_of(one).items()}
    fields = {name: values(type_, at) for name, type_ in kinds.items()}
    fields.update(lead_id=lead_ids, at=at, type=st.sampled_from((*document["events"], "ghost")))
    rows = draw(st.lists(st.fixed_dictionaries(fields), max_size=12))
    if draw(st.booleans()):
        numbers = draw(st.permutations(range(len(rows))))
        keep = draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
        text = draw(st.booleans())
        rows = [
            {**row, "event_id": (str(n) if text else n) if kept else None}
            for row, n, kept in zip(rows, numbers, keep, strict=True)
        ]
        rows += draw(st.lists(st.sampled_from(rows), max_size=3)) if rows else []
    return rows


@st.composite
def aliases(draw: st.DrawFn, text: bool) -> Any:
    """Chains without cycles, or none (spec 2.8)."""
    order = draw(st.lists(ids(text), max_size=4, unique=True))
    pairs = [(lead, other) for place, lead in enumerate(order) for other in order[place + 1 : place + 2]]
    return [{"lead_id": lead, "same_as": other} for lead, other in pairs] or None


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A model with rows and a question, as `tests.random_cases.case` makes them."""
    document = draw(documents())
    at = instants(document, draw(anchors(document)))
    text = draw(st.booleans())
    lead_ids = ids(text)
    rows = draw(leads(document, lead_ids, at))
    happened = draw(events(document, lead_ids, at))
    same = draw(aliases(text))
    asks: list[st.SearchStrategy[Any]] = [at, at, st.lists(st.tuples(lead_ids, at), min_size=1, max_size=4)]
    if rows and not same:
        asks.append(st.fixed_dictionaries({row["lead_id"]: at for row in rows}))
    as_of = draw(st.one_of(*asks))
    asked = (
        [as_of] if isinstance(as_of, int) else [*as_of.values()] if isinstance(as_of, dict) else [t for _, t in as_of]
    )
    return Case(document, rows, happened, as_of, same, draw(st.sampled_from(("score", "ignore"))), asked)
