"""W1 as SQL: the expressions in which databases differ little, and two queries, with urls tested by row or by value."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log
from typing import NamedTuple

from benchmarks.peers.w1 import W1, Attribute, Criterion, Slot, Test

WORD = 62  # criteria that have a bit in one integer

Hit = Callable[[Criterion], str]
"""Whether an event's type and url fit a criterion, as an expression."""


class Dialect(NamedTuple):
    """How one database says it, with the names of expressions in braces.

    Attributes:
        tests: Text tests by op, of ``{text}`` and ``{value}``.
        micros: Microseconds since 1970 of the column ts.
        added: The sum of ``{worth}`` over rows ``{where}``.
        both: Bits of ``{a}`` and ``{b}``.
        either: Bits of ``{a}`` or ``{b}``.
        materialized: What stands before a subquery that is to be computed before it is joined.
    """

    tests: dict[str, str]
    micros: str
    added: str = "sum(CASE WHEN {where} THEN {worth} ELSE 0.0 END)"
    both: str = "({a} & {b})"
    either: str = "({a} | {b})"
    materialized: str = ""


class Tables(NamedTuple):
    """What stands behind FROM."""

    events: str
    leads: str


TABLES = Tables("events", "leads")


def text(value: str) -> str:
    """A literal."""
    return "'" + value.replace("'", "''") + "'"


def texts(values: tuple[str, ...]) -> str:
    """A list of literals."""
    return f"({', '.join(map(text, values))})"


def tested(dialect: Dialect, test: Test, column: str) -> str:
    """A test of a column in small letters."""
    if test.op == "in":
        return f"{column} IN {texts(test.values)}"
    some = [dialect.tests[test.op].format(text=column, value=text(value)) for value in test.values]
    return f"({' OR '.join(some)})"


def attribute(dialect: Dialect, one: Attribute) -> str:
    """Points of an attribute criterion."""
    if one.test:
        return f"CASE WHEN {tested(dialect, one.test, f'lower({one.field})')} THEN {one.points} ELSE 0.0 END"
    bands = " ".join(f"WHEN {one.field} >= {at} THEN {points}" for at, points in reversed(one.bands))
    return f"CASE {bands} ELSE 0.0 END"


def fit(dialect: Dialect, w1: W1) -> str:
    """The score `fit`."""
    return f"CAST(least({w1.fit_high}, {' + '.join(attribute(dialect, one) for one in w1.fit)}) AS DOUBLE)"


def counts(one: Criterion, hit: str) -> str:
    """Whether an event of whatever age counts for a criterion whose type and url it fits if ``hit``."""
    if not one.number:
        return hit
    low, high = one.number
    return f"{hit} AND " + (f"value >= {low!r}" if high == inf else f"value BETWEEN {low!r} AND {high!r}")


def condition(one: Criterion, hit: str) -> str:
    """Whether it counts and is worth something."""
    found = counts(one, hit)
    return f"{found} AND age < {one.length}.0" if one.decay in ("linear", "expire") else found


def worth(one: Criterion) -> str:
    """What it adds if it does."""
    if one.decay == "half_life":
        return f"{one.points} * exp(age * {-log(2) / one.length!r})"
    if one.decay == "linear":
        return f"{one.points} * (1.0 - age / {one.length}.0)"
    return str(one.points)


def added(dialect: Dialect, slot: Slot, hit: Hit) -> str:
    """The sum of a slot over events."""
    if len(slot.criteria) == 1:
        [one] = slot.criteria
        return dialect.added.format(worth=worth(one), where=condition(one, hit(one)))
    parts = (f"CASE WHEN {condition(one, hit(one))} THEN {worth(one)} ELSE 0.0 END" for one in slot.criteria)
    return f"sum({' + '.join(parts)})"


def engagement(w1: W1) -> str:
    """The score `engagement` from the columns s0, s1, ..."""
    groups, place = [], 0
    for group in w1.groups:
        slots = []
        for i, slot in enumerate(group.slots, place):
            value = f"least({slot.high}, s{i})" if slot.high < inf else f"s{i}"
            slots.append(f"greatest({slot.low}, {value})" if slot.low > -inf else value)
        groups.append(f"least({group.high}, {' + '.join(slots)})")
        place += len(group.slots)
    return " + ".join(groups)


def finished(dialect: Dialect, w1: W1, tables: Tables, before: str, hits: str, hit: Hit) -> str:
    """From the events that count for something (lead_id, value, age and what ``hit`` asks) to scores."""
    sums = ", ".join(f"{added(dialect, slot, hit)} AS s{i}" for i, slot in enumerate(w1.slots))
    return f"""
        WITH {before} hits AS ({hits}),
        sums AS (SELECT lead_id, {sums} FROM hits GROUP BY lead_id),
        engaged AS (SELECT lead_id, {engagement(w1)} AS engagement FROM sums),
        fits AS (SELECT lead_id, {fit(dialect, w1)} AS fit FROM {tables.leads}),
        scores AS (
            SELECT fits.lead_id AS lead_id, fit, coalesce(engagement, 0.0) AS engagement
            FROM fits LEFT JOIN engaged ON fits.lead_id = engaged.lead_id
        )
        SELECT lead_id, fit, engagement, fit + engagement AS total, fit + engagement >= {w1.reach} AS mql FROM scores
    """


def age(dialect: Dialect, w1: W1) -> str:
    """Microseconds, as a number with a fraction."""
    return f"CAST({w1.until} - {dialect.micros} AS DOUBLE) AS age"


def by_row(dialect: Dialect, w1: W1, tables: Tables = TABLES) -> str:
    """W1 in one sweep: each criterion tests the url of each of its rows."""

    def hit(one: Criterion) -> str:
        found = f"event_type IN {texts(one.on)}"
        return f"{found} AND {tested(dialect, one.text, 'small')}" if one.text else found

    hits = f"""
        SELECT lead_id, event_type, lower(url) AS small, value, {age(dialect, w1)} FROM {tables.events} AS events
        WHERE {dialect.micros} <= {w1.until} AND event_type IN {texts(w1.types)}
    """
    return finished(dialect, w1, tables, "", hits, hit)


class Masked(NamedTuple):
    """Events joined with tables of event types and of distinct urls: a bit for each criterion that they fit.

    Attributes:
        before: Those tables, as the first subqueries.
        columns: The columns that hold the bits.
        source: The events with them, up to the instant of scoring, as what follows FROM.
        hit: How the bits are asked.
    """

    before: str
    columns: str
    source: str
    hit: Hit


def masked(dialect: Dialect, w1: W1, tables: Tables = TABLES) -> Masked:
    """The parts of a query that tests each distinct url once."""
    words = [w1.criteria[i : i + WORD] for i in range(0, len(w1.criteria), WORD)]
    every = range(len(words))
    bits = {one.name: (w, 1 << i) for w, word in enumerate(words) for i, one in enumerate(word)}

    def mask(w: int, name: str, *, with_url: bool) -> int:
        return sum(bits[one.name][1] for one in words[w] if name in one.on and (one.text is not None) == with_url)

    def of_type(name: str) -> str:
        masks = (
            f"{mask(w, name, with_url=False)} AS plain{w}, {mask(w, name, with_url=True)} AS with_url{w}" for w in every
        )
        return f"SELECT {text(name)} AS event_type, {', '.join(masks)}"

    def of_url(w: int) -> str:
        masks = "0"
        for test in w1.tests:
            if found := sum(bits[one.name][1] for one in words[w] if one.text == test):
                bit = f"CASE WHEN {tested(dialect, test, 'small')} THEN {found} ELSE 0 END"
                masks = dialect.either.format(a=masks, b=bit)
        return f"{masks} AS fits{w}"

    def both(w: int) -> str:
        fits = dialect.both.format(a=f"with_url{w}", b=f"coalesce(fits{w}, 0)")
        return f"{dialect.either.format(a=f'plain{w}', b=fits)} AS m{w}"

    before = f"""
        types AS ({" UNION ALL ".join(map(of_type, w1.types))}),
        seen AS (SELECT url, lower(url) AS small FROM (
            SELECT DISTINCT url FROM {tables.events} AS events WHERE url IS NOT NULL
        ) AS of_urls),
        urls AS {dialect.materialized} (SELECT url, {", ".join(map(of_url, every))} FROM seen),
    """
    source = f"""
        {tables.events} AS events JOIN types ON events.event_type = types.event_type
        LEFT JOIN urls ON events.url = urls.url WHERE {dialect.micros} <= {w1.until}
    """

    def hit(one: Criterion) -> str:
        w, bit = bits[one.name]
        return f"{dialect.both.format(a=f'm{w}', b=bit)} <> 0"

    return Masked(before, ", ".join(map(both, every)), source, hit)


def by_value(dialect: Dialect, w1: W1, tables: Tables = TABLES) -> str:
    """W1 with each distinct url tested once."""
    parts = masked(dialect, w1, tables)
    hits = f"SELECT lead_id, value, {age(dialect, w1)}, {parts.columns} FROM {parts.source}"
    return finished(dialect, w1, tables, parts.before, hits, parts.hit)
