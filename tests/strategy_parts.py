"""Hypothesis strategies for parts of model documents: scalars, conditions, decay, criteria (spec 3 to 5)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.random_parts import DAY, DURATIONS, HOUR, NUMBERS, PATTERNS, SECOND, TEXT_OPS, TEXTS, duration_text

Fields = dict[str, str]
"""Types of fields by name."""

POINTS = (0, 1, -1, 5, 10, -10, 0.5, 2.5, 0.000001, -0.000001, 0.333333, 33.333333, 100_000, -100_000, 99_999.999999)
FACTORS = (1, 0, 2, -1, 0.5, 0.25, 0.1, 0.333333, 1.5, 0.000001, 1_000_000, -1_000_000)
FRACTIONS = (1, 0, 0.5, 0.25, 0.1, 0.333333, 0.999999, 0.000001)
ANY_OPS = ("eq", "ne", "in", "not_in")
ORDER_OPS = ("lt", "le", "gt", "ge", "between")


class Zero:
    """A stand-in for a random generator: always the shortest spelling of a duration."""

    def random(self) -> float:
        return 1.0


def optional(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping of any of these keys."""
    return st.fixed_dictionaries({}, optional=strategies)


def durations(low: int = SECOND, high: int = 36_525 * DAY) -> st.SearchStrategy[str]:
    """Durations as documents write them (spec 1.2); rows sit on their edges."""
    return st.sampled_from([duration_text(d, Zero()) for d in DURATIONS if low <= d <= high])  # type: ignore[arg-type]


def ascending_durations(most: int = 3) -> st.SearchStrategy[list[str]]:
    """Different durations, shortest first."""
    return st.lists(st.sampled_from(DURATIONS), min_size=1, max_size=most, unique=True).map(
        lambda chosen: [duration_text(d, Zero()) for d in sorted(chosen)]  # type: ignore[arg-type]
    )


def stars() -> st.SearchStrategy[dict[str, Any]]:
    """``{"stars": n}`` (spec 4)."""
    return st.fixed_dictionaries({"stars": st.sampled_from((1, 2, -1, 0.5))})


def micropoint_decimals() -> st.SearchStrategy[float]:
    """Any points of at most six places; their shortest text is exact."""
    return st.integers(-100_000_000_000, 100_000_000_000).map(lambda micro: micro / 1_000_000)


def points() -> st.SearchStrategy[Any]:
    """Points: a number of at most six places, or stars (spec 4)."""
    return st.sampled_from(POINTS) | stars() | micropoint_decimals()


@st.composite
def bounds(draw: st.DrawFn) -> dict[str, Any]:
    """``min``, ``max``, both or none, the right way round (spec 4.2, 6.1)."""
    low, high = sorted(draw(st.tuples(*[st.sampled_from((-100_000, -3, 0, 1, 12.345678, 30, 100_000))] * 2)))
    keys = draw(st.sets(st.sampled_from(("min", "max"))))
    if len(keys) == 1 and draw(st.booleans()):
        return dict.fromkeys(keys, draw(stars()))
    return {key: value for key, value in (("min", low), ("max", high)) if key in keys}


def worth() -> st.SearchStrategy[dict[str, Any]]:
    """``points``, or its short form ``stars``."""
    return st.fixed_dictionaries({"points": points()}) | stars()


# -- conditions ------------------------------------------------------------------------------------------------------


def literals(type_: str) -> st.SearchStrategy[Any]:
    """A literal for a field of this type."""
    return {
        "text": st.sampled_from(TEXTS),
        "number": st.sampled_from(NUMBERS),
        "score": st.sampled_from(POINTS),
        "boolean": st.booleans(),
        "instant": st.sampled_from(
            ("1970-01-01", "2024-03-31T01:00Z", "2024-03-31T02:00:00.000001+01:00", "0001-01-01")
        ),
    }[type_]


@st.composite
def clauses(draw: st.DrawFn, fields: Fields) -> dict[str, Any]:
    """A clause whose op fits its field and whose value fits the op (spec 3.2)."""
    name = draw(st.sampled_from(sorted(fields)))
    type_ = fields[name]
    ops = [*ANY_OPS, "exists", *(TEXT_OPS if type_ == "text" else ORDER_OPS if type_ != "boolean" else ())]
    op = draw(st.sampled_from(ops))
    clause: dict[str, Any] = {"field": name, "op": op}
    if op == "exists":
        return {**clause, "value": draw(st.booleans())}
    if op in ("in", "not_in"):
        clause["value"] = draw(st.lists(literals(type_), min_size=1, max_size=3, unique=True))
    elif op == "between":
        pairs = st.tuples(literals(type_), literals(type_)).map(sorted)
        clause["value"] = ["0001-01-01", draw(literals(type_))] if type_ == "instant" else list(draw(pairs))
    elif op in TEXT_OPS:
        one = st.sampled_from(PATTERNS if op == "matches" else TEXTS)
        clause["value"] = draw(one | st.lists(one, min_size=1, max_size=3, unique=True))
    else:
        clause["value"] = draw(literals(type_))
    if type_ == "text":
        clause.update(draw(optional(case_sensitive=st.booleans())))
    return clause


@st.composite
def conditions(draw: st.DrawFn, fields: Fields, prefix: str, depth: int = 0) -> dict[str, Any]:
    """Clauses joined by ``all``, ``any`` and ``not`` (spec 3.1), on names with and without their prefix."""
    form = draw(st.sampled_from(("clause", "clause", "all", "any", "not"))) if depth < 3 else "clause"
    if form == "clause":
        return draw(clauses({**fields, **{prefix + name: type_ for name, type_ in fields.items()}}))
    if form == "not":
        return {"not": draw(conditions(fields, prefix, depth + 1))}
    return {form: [draw(conditions(fields, prefix, depth + 1)) for _ in range(draw(st.sampled_from((2, 1, 0))))]}


# -- criteria --------------------------------------------------------------------------------------------------------


@st.composite
def matchers(draw: st.DrawFn, types: dict[str, Fields]) -> dict[str, Any]:
    """``on`` and maybe ``where``, over properties that one of the types declares (spec 3.5)."""
    on = draw(st.lists(st.sampled_from(sorted(types)), min_size=1, max_size=3, unique=True))
    fields = {name: type_ for one in on for name, type_ in types[one].items()}
    found: dict[str, Any] = {"on": on}
    if fields and draw(st.booleans()):
        found["where"] = draw(conditions(fields, "event."))
    return found


def properties(types: dict[str, Fields], on: list[str], *wanted: str) -> list[str]:
    """Names of the properties of these types of event that are of the wanted types (all, if none is given)."""
    fields = {name: type_ for one in on for name, type_ in types[one].items()}
    return sorted(name for name, type_ in fields.items() if not wanted or type_ in wanted)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """Tables whose keys differ after folding (spec 11): the alphabet's ASCII has both cases, so one of each."""
    keys = draw(
        st.lists(
            st.sampled_from(("a", "b", "vp", "STRASSE", "Straße", "ς", "é", "\u212a", "ſ")), min_size=1, unique=True
        )
    )
    return {key: draw(points()) for key in keys}


@st.composite
def decays(draw: st.DrawFn) -> dict[str, Any]:
    """Every kind of decay with and without delay and keep (spec 5)."""
    kind = draw(st.sampled_from(("half_life", "linear", "expire", "steps", "periodic")))
    found: dict[str, Any]
    if kind == "steps":
        starts = draw(ascending_durations(4))
        found = {"steps": [{"after": start, "factor": draw(st.sampled_from(FRACTIONS))} for start in starts]}
    elif kind == "periodic":
        lose = draw(st.sampled_from((0.5, 0.01, 0.1, 0.333333, 0.999999, 1)))
        found = {
            "periodic": {"every": draw(durations(low=DAY)), "lose": lose, **draw(optional(compound=st.booleans()))}
        }
    else:
        found = {kind: draw(durations(low=HOUR if kind == "half_life" else SECOND))}
    keep = st.sampled_from((0.5, 0.1, 0.333333, 0.999999, 0.000001))
    return {**found, **draw(optional(delay=durations() | st.just("0s"), keep=keep))}


@st.composite
def attribute_criteria(draw: st.DrawFn, attributes: Fields) -> dict[str, Any]:
    """``when`` + ``points``, ``field`` + ``table`` or ``field`` + ``bands`` (spec 4.3)."""
    texts = [name for name, type_ in attributes.items() if type_ == "text"]
    numbers = [name for name, type_ in attributes.items() if type_ == "number"]
    forms = ["when", *(["table"] if texts else []), *(["bands"] if numbers else [])]
    form = draw(st.sampled_from(forms))
    gate = conditions(attributes, "lead.")
    if form == "when":
        return {"kind": "attribute", "when": draw(gate), **draw(worth())}
    rest = draw(optional(when=gate, otherwise=points(), missing=points()))
    if form == "table":
        return {"kind": "attribute", "field": draw(st.sampled_from(texts)), "table": draw(tables()), **rest}
    starts = sorted(draw(st.sets(st.sampled_from((-5, 0, 0.1, 0.3, 1, 3, 1e6)), min_size=1, max_size=3)))
    bands = [{"at_least": start, **draw(worth())} for start in starts]
    return {"kind": "attribute", "field": draw(st.sampled_from(numbers)), "bands": bands, **rest}


@st.composite
def event_criteria(draw: st.DrawFn, types: dict[str, Fields]) -> dict[str, Any]:
    """Points by number, ``per`` or ``by``; decay; the three filters; reset (spec 4.4, 4.6, 4.8)."""
    found = {"kind": "event", **draw(matchers(types))}
    numbers, texts = (properties(types, found["on"], type_) for type_ in ("number", "text"))
    form = draw(st.sampled_from(["points", *(["per"] if numbers else []), *(["by"] if texts else [])]))
    if form == "per":
        rate = st.sampled_from((1, 0.5, -2, 0.1, 0.000001, 1000))
        found["points"] = {"per": draw(st.sampled_from(numbers)), "rate": draw(rate), **draw(bounds())}
    elif form == "by":
        rest = draw(optional(otherwise=points(), missing=points()))
        found["points"] = {"by": draw(st.sampled_from(texts)), "table": draw(tables()), **rest}
    else:
        found.update(draw(worth()))
    names = properties(types, found["on"])
    if names:
        found.update(draw(optional(unique_by=st.sampled_from(names))))
    limit = st.fixed_dictionaries({"count": st.integers(1, 3), "per": st.sampled_from(("hour", "day", "week", "ever"))})
    return {**found, **draw(optional(decay=decays(), cooldown=durations(), limit=limit, reset=matchers(types)))}


@st.composite
def frequency_criteria(draw: st.DrawFn, types: dict[str, Fields]) -> dict[str, Any]:
    """``at_least`` + ``points``, or ``bands``; window, distinct values, reset (spec 4.5)."""
    found = {"kind": "frequency", **draw(matchers(types))}
    names = properties(types, found["on"])
    if names:
        found.update(draw(optional(distinct=st.sampled_from(names))))
    if draw(st.booleans()):
        found.update({"at_least": draw(st.integers(1, 3)), **draw(worth())})
    else:
        starts = sorted(draw(st.sets(st.sampled_from((1, 2, 3, 5, 1000)), min_size=1, max_size=3)))
        found["bands"] = [{"at_least": start, **draw(worth())} for start in starts]
    return {**found, **draw(optional(within=durations(), reset=matchers(types)))}


@st.composite
def recency_criteria(draw: st.DrawFn, types: dict[str, Fields]) -> dict[str, Any]:
    """Bands by age, ``otherwise``, ``never``, reset (spec 4.7)."""
    found = {"kind": "recency", **draw(matchers(types))}
    found["bands"] = [{"within": span, **draw(worth())} for span in draw(ascending_durations())]
    return {**found, **draw(optional(otherwise=points(), never=points(), reset=matchers(types)))}


@st.composite
def criteria(draw: st.DrawFn, attributes: Fields, types: dict[str, Fields]) -> dict[str, Any]:
    """Any criterion, without its name."""
    kinds = [event_criteria(types), frequency_criteria(types), recency_criteria(types)]
    found = draw(st.one_of(*kinds, *([attribute_criteria(attributes)] if attributes else [])))
    if attributes and "when" not in found:
        found.update(draw(optional(when=conditions(attributes, "lead."))))
    return {**found, **draw(bounds()), **draw(optional(case_sensitive=st.booleans()))}
