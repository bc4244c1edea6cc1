"""Programs: what is refused, and every condition against a plain evaluator."""

import datetime as dt
import decimal
import json
import pickle
import random
import threading

import numpy as np
import pyarrow as pa
import pytest
from leadcore_arrow import EdgeError, Program

from tests.boundary.encoding import Run, field, holds, program, sets

UTC = dt.UTC
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
FIELDS = [
    field("url", "text"),
    field("page", "text"),
    field("value", "number"),
    field("ok", "boolean"),
    field("seen", "instant"),
]
TYPES = [
    {"name": "view", "fields": [0, 2]},
    {"name": "buy", "fields": [4, 0, 1, 2, 3]},
    {"name": "ping", "fields": []},
]
WORDS = ["/Pricing", "/pricing", "demo", "DEMO day", "a", "", "vp", "SVP", "straße", "STRASSE", "ſ", "K", "x" * 70]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"", "EOF"),
        (b"[]", "expected"),
        (b"{}", "fields"),
        (b'{"fields": {}, "colour": 1}', "colour"),
        (b'{"fields": {"lead": [{"name": "a", "type": "money"}]}}', "money"),
        (b'{"fields": {}, "types": [{"name": "a", "fields": [0]}]}', "no field 0"),
        (b'{"fields": {}, "types": [{"name": "a"}, {"name": "a"}]}', "twice"),
        (b'{"fields": {}, "codes": [0]}', "no event field 0"),
        (b'{"fields": {}, "numbers": [0]}', "no event field 0"),
        (b'{"fields": {}, "lead_rules": [{"rule": "test", "hit": 1, "when": {}}]}', "condition"),
        (b'{"fields": {}, "lead_rules": [{"rule": "test", "hit": -1, "when": {"all": []}}]}', "-1"),
        (
            b'{"fields": {}, "lead_rules": [{"rule": "test", "hit": 1, "when": {"field": 3, "op": "exists"}}]}',
            "no field 3",
        ),
        (
            b'{"fields": {}, "event_rules": [{"rule": "test", "types": [1], "hit": 1, "when": {"all": []}}]}',
            "no type 1",
        ),
        (b"\xff", "expected"),
        (b'{"fields": {}} x', "trailing"),
    ],
)
def test_sources_not_of_the_form(source, words):
    """A source that is not of the form is refused with a reason."""
    with pytest.raises(ValueError, match=words):
        Program(source)


@pytest.mark.parametrize(
    ("kind", "op", "values"),
    [
        ("text", "lt", ["a"]),
        ("text", "in", [1]),
        ("number", "contains", ["a"]),
        ("number", "lt", []),
        ("number", "between", [1]),
        ("number", "in", ["1"]),
        ("boolean", "lt", [True]),
        ("boolean", "in", [1]),
        ("instant", "in", [1.5]),
        ("instant", "ge", ["2026-01-01"]),
    ],
)
def test_tests_that_do_not_fit_their_field(kind, op, values):
    """An op or value that does not fit the type of its field is refused."""
    rule = {"rule": "test", "hit": 1, "when": {"field": 0, "op": op, "values": values}}

    with pytest.raises(ValueError, match="does not fit"):
        program(lead=[field("f", kind)], lead_rules=[rule])


def test_patterns_too_large_or_invalid():
    """A bad pattern is named, whether alone or among others."""
    for patterns in (["("], ["a", "b", r"\w{5000}"], ["a"] * 30 + ["a" * 10_001]):
        rule = {"rule": "test", "hit": 1, "when": {"field": 0, "op": "matches", "values": patterns, "fold": True}}
        with pytest.raises(ValueError, match="pattern"):
            program(lead=[field("f", "text")], lead_rules=[rule])


def nested(depth):
    condition = {"field": 0, "op": "exists"}
    for level in range(depth):
        condition = [{"all": [condition]}, {"any": [condition]}, {"not": {"not": condition}}][level % 3]
    return condition


def test_conditions_nest_64_deep_but_not_without_end():
    """Depth as spec 3.1 allows works; absurd depth is an error, not a crash."""
    compiled = program(lead=[field("f", "number")], lead_rules=[{"rule": "test", "hit": 1, "when": nested(64)}])

    assert compiled.encode_lead({"f": 1}, [])[0].tolist() == [1]
    with pytest.raises(ValueError, match="deeper"):
        program(lead=[field("f", "number")], lead_rules=[{"rule": "test", "hit": 1, "when": nested(300)}])
    with pytest.raises(ValueError, match="deeper"):
        Program(b'{"fields": ' + b"[" * 1_000_000)


def test_pickles_by_its_source():
    """A program comes back from a pickle with the same source and the same answers."""
    compiled = program(lead=[field("f", "text")], lead_rules=[{"rule": "test", "hit": 4, "when": nested(1)}])

    again = pickle.loads(pickle.dumps(compiled))

    assert again.source == compiled.source
    assert again.encode_lead({"f": "x"}, [])[0].tolist() == [4]


def leaf(rng, fields):
    number = rng.randrange(len(fields))
    kind = fields[number]["type"]
    if rng.random() < 0.15:
        return {"field": number, "op": "exists"}
    if kind == "text":
        op = rng.choice(["in", "contains", "has_word", "starts_with", "ends_with", "matches"])
        values = [rng.choice([word for word in WORDS if word]) for _ in range(rng.randint(1, 3))]
        if op == "matches":
            values = [rng.choice([r"^/p", r"\d", "a$", "d.m", r"\bVP\b"]) for _ in values]
        return {"field": number, "op": op, "values": values, "fold": rng.random() < 0.5}
    if kind == "boolean":
        return {"field": number, "op": "in", "values": rng.sample([True, False], rng.randint(1, 2))}
    constants = [-3, 0, 0.5, 1, 100, 2**53] if kind == "number" else [-1, 0, 1_000_000, 5 * 10**15]
    op = rng.choice(["in", "lt", "le", "gt", "ge", "between"])
    count = {"in": rng.randint(1, 4), "between": 2}.get(op, 1)
    return {"field": number, "op": op, "values": sorted(rng.choice(constants) for _ in range(count))}


def condition(rng, fields, depth, types=0):
    shape = rng.random()
    if depth == 0 or shape < 0.4:
        if types and rng.random() < 0.1:
            return {"op": "type", "types": rng.sample(range(types), rng.randint(1, types))}
        return leaf(rng, fields)
    if shape < 0.6:
        return {"not": condition(rng, fields, depth - 1, types)}
    parts = [condition(rng, fields, depth - 1, types) for _ in range(rng.randint(0, 3))]
    return {rng.choice(["all", "any"]): parts}


def values_of(rng, kind):
    if rng.random() < 0.2:
        return None
    return {
        "text": lambda: rng.choice(WORDS),
        "number": lambda: rng.choice([-3.0, -0.0, 0.5, 0.75, 1.0, 99.5, 100.0, 2.0**53, 1e300, float("nan")]),
        "boolean": lambda: rng.random() < 0.5,
        "instant": lambda: rng.choice([-2, -1, 0, 1, 1_000_000, 5 * 10**15]),
    }[kind]()


def hit_of(rule, fields, row, kind=None):
    """The hit a rule adds to a row, or None."""
    if kind is not None and kind not in rule["types"]:
        return None
    if "when" in rule and not holds(rule["when"], fields, row):
        return None
    if rule["rule"] == "test":
        return rule["hit"]
    value = row.get(fields[rule["field"]]["name"])
    if value is None or value != value:
        return rule["missing"]
    if rule["rule"] == "table":
        fold = (lambda text: text.casefold()) if rule["fold"] else (lambda text: text)
        return next((hit for text, hit in rule["rows"] if fold(text) == fold(value)), rule["otherwise"])
    reached = [hit for bound, hit in sorted(rule["rows"]) if bound <= value]
    return reached[-1] if reached else rule["otherwise"]


def random_rules(rng, fields, types):
    rules = []
    for number in range(rng.randint(1, 12)):
        shape = rng.random()
        if shape < 0.6:
            rule = {"rule": "test", "hit": number * 10, "when": condition(rng, fields, 3, types)}
        elif shape < 0.8:
            rows = [[text, number * 10 + i] for i, text in enumerate(["demo", "vp", "/pricing", ""])]
            rule = {"rule": "table", "field": 0, "fold": rng.random() < 0.5, "rows": rows}
        else:
            rows = [[bound, number * 10 + i] for i, bound in enumerate([0, 0.5, 100])]
            place = next(i for i, one in enumerate(fields) if one["type"] == "number")
            rule = {"rule": "bands", "field": place, "rows": rows}
        if rule["rule"] != "test":
            rule |= {"otherwise": rng.choice([None, number * 10 + 8]), "missing": rng.choice([None, number * 10 + 9])}
            if rng.random() < 0.3:
                rule["when"] = condition(rng, fields, 2, types)
        if types:
            rule["types"] = rng.sample(range(types), rng.randint(1, types))
        rules.append(rule)
    return rules


def instants(values):
    return pa.array(values, pa.timestamp("us", "UTC"))


@pytest.mark.parametrize("seed", range(60))
def test_random_conditions_equal_a_plain_evaluator(seed):
    """Tables and single leads get the hits that the spec's sentences give, for random rules and rows."""
    rng = random.Random(seed)
    rules, lead_rules = random_rules(rng, FIELDS, len(TYPES)), random_rules(rng, FIELDS, 0)
    compiled = program(lead=FIELDS, event=FIELDS, types=TYPES, event_rules=rules, lead_rules=lead_rules)
    names = [one["name"] for one in FIELDS]
    rows = [{one["name"]: values_of(rng, one["type"]) for one in FIELDS} for _ in range(300)]
    kinds = [rng.randrange(len(TYPES)) for _ in rows]
    columns = {name: [row[name] for row in rows] for name in names}
    columns["seen"] = instants(columns["seen"])
    if seed % 2:
        columns["url"] = pa.array(columns["url"]).dictionary_encode()
    events = {"lead_id": range(300), "at": instants(range(300)), "type": [TYPES[kind]["name"] for kind in kinds]}

    expected = []
    for row, kind in zip(rows, kinds, strict=True):
        declared = {names[place]: row[names[place]] for place in TYPES[kind]["fields"]} | {"type": kind}
        hits = {hit_of(rule, FIELDS, declared, kind) for rule in rules}
        expected.append(tuple(sorted(hits - {None})))
    run = Run(compiled, pa.table(events | columns), size=77)
    assert run.column("hits") == expected

    expected_leads = [tuple(sorted({hit_of(rule, FIELDS, row) for rule in lead_rules} - {None})) for row in rows]
    run = Run(compiled, leads=pa.table({"lead_id": range(300)} | columns))
    assert list(run.lead_hits().values()) == expected_leads
    nulls = tuple(sorted({hit_of(rule, FIELDS, {}) for rule in lead_rules} - {None}))
    assert sets(*run.encoder.lead_hit_sets())[0] == nulls

    def moment(row):
        return row | {"seen": None if row["seen"] is None else EPOCH + dt.timedelta(microseconds=row["seen"])}

    one = [{"type": TYPES[kind]["name"], "at": EPOCH} | moment(row) for row, kind in zip(rows, kinds, strict=True)]
    for row, hits in zip(rows[:20], expected_leads, strict=False):
        found = compiled.encode_lead(moment(row), one)
        assert tuple(found[0].tolist()) == hits
    known = sets(found[3], found[4])
    assert [known[number] for number in found[2]] == expected


def test_constants_are_nearest_floats_and_bounds_are_classes():
    """A value is told from its neighbours in float64, at each bound."""
    near = [0.1, np.nextafter(0.1, 0), np.nextafter(0.1, 1), 9007199254740993]
    rules = [{"rule": "test", "hit": i, "when": {"field": 0, "op": "ge", "values": [v]}} for i, v in enumerate(near)]
    compiled = program(lead=[field("f", "number")], lead_rules=rules)

    found = [compiled.encode_lead({"f": float(v)}, [])[0].tolist() for v in near[:3]]

    assert found == [[0, 1], [1], [0, 1, 2]]
    assert compiled.encode_lead({"f": 2**53}, [])[0].tolist() == [0, 1, 2, 3]


def one_field(kind):
    when = {"field": 0, "op": "exists"}
    return program(
        lead=[field("f", kind)],
        event=[field("f", kind)],
        types=[{"name": "t", "fields": [0]}],
        lead_rules=[{"rule": "test", "hit": 1, "when": when}],
        event_rules=[{"rule": "test", "types": [0], "hit": 1, "when": when}],
        codes=[0],
        numbers=[0] if kind == "number" else [],
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0), (-0.0, 0.0), (True, None), (2**53, 2.0**53), (2**53 + 1, None), (2**100, 2.0**100), (10**400, None),
        (float("inf"), None), (np.float32(0.5), 0.5), (np.int8(-3), -3.0), (np.bool_(True), None), ("1", None),
        (decimal.Decimal("0.1"), 0.1), (decimal.Decimal("Infinity"), None), (np.uint64(2**63), 2.0**63), ([], None),
    ],
)  # fmt: skip
def test_numbers_of_one_lead(value, expected):
    """Python and numpy numbers convert exactly, decimals to the nearest; the rest is refused (spec 2.7)."""
    compiled = one_field("number")
    events = [{"type": "t", "at": EPOCH, "f": value}]
    if expected is None:
        with pytest.raises(EdgeError) as error:
            compiled.encode_lead({}, events)
        assert error.value.problems[0][:3] == ("events", 0, "f")
    else:
        numbers = compiled.encode_lead({}, events)[8]
        assert numbers.tolist() == [[expected]]
        assert not np.signbit(numbers[0, 0]) or expected < 0


@pytest.mark.parametrize("value", [None, float("nan"), np.float64("nan"), decimal.Decimal("NaN")])
def test_nulls_of_one_lead(value):
    """NaN is null, as None and absence are."""
    assert one_field("number").encode_lead({"f": value}, [])[0].tolist() == []
    assert one_field("number").encode_lead({}, [])[0].tolist() == []


BERLIN = dt.timezone(dt.timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        (EPOCH, 0),
        (dt.datetime(1970, 1, 1, 2, 0, 0, 1, tzinfo=BERLIN), 1),
        (dt.datetime(1969, 12, 31, 23, 59, 59, 999999), -1),
        (dt.date(1970, 1, 2), 86_400_000_000),
        (dt.datetime(1, 1, 1), -62_135_596_800_000_000),
        (dt.datetime(9999, 12, 31, 23, 59, 59, 999999), 253_402_300_799_999_999),
        (np.datetime64("1970-01-01T00:00:00.000001999", "ns"), 1),
        (np.datetime64("1969-12-31T23:59:59.999999999", "ns"), -1),
        (np.datetime64("1971", "Y"), 31_536_000_000_000),
        ("1970-01-01", 0),
        ("1970-01-01T00:01", 60_000_000),
        ("1970-01-01 00:00:00.0000019Z", 1),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1970-01-01T02:00:00+0200", 0),
        ("1969-12-31T22:00:00.5-02", 500_000),
        ("2024-02-29", 1_709_164_800_000_000),
        ("0001-01-01", -62_135_596_800_000_000),
    ],
)
def test_instants_of_one_lead(value, micros):
    """Datetimes, dates and ISO 8601 text convert exactly; naive is UTC, beyond microseconds floors (spec 1.1)."""
    assert one_field("number").encode_lead({}, [{"type": "t", "at": value}])[1].tolist() == [micros]


@pytest.mark.parametrize(
    "value",
    [
        "", "2026", "2026-3-1", "2026-13-01", "2026-02-29", "2026-03-01T", "2026-03-01T12", "2026-03-01T24:00", "0000-01-01",
        "2026-03-01T12:00:60", "2026-03-01T12:00:00.", "2026-03-01T12:00Zx", "2026-03-01Z", "2026-03-01T12:00+2",
        "2026-03-01T12:00+02:", "20260301", " 2026-03-01", "2026-03-01t12:00", "２026-03-01", "0001-01-01T00:00+01:00",
        "9999-12-31T23:59-01:00", 5, 1.5, None, np.datetime64("NaT"), np.datetime64(10**17, "s"), np.datetime64("10000", "Y"),
        dt.datetime(1, 1, 1, tzinfo=BERLIN), dt.time(1),
    ],
)  # fmt: skip
def test_what_is_no_instant(value):
    """Anything else is refused, naming the row; also null, since an event must have an instant."""
    with pytest.raises(EdgeError) as error:
        one_field("number").encode_lead({}, [{"type": "t", "at": EPOCH}, {"type": "t", "at": value}])

    assert error.value.problems[0][:3] == ("events", 1, "at")


@pytest.mark.parametrize(
    ("kind", "value"), [("text", 1), ("text", b"x"), ("text", "\ud800"), ("boolean", 1), ("boolean", "true")]
)
def test_values_of_the_wrong_type(kind, value):
    """Nothing is converted on the way: a wrong type is an error that names lead or event, row, column and value."""
    with pytest.raises(EdgeError) as error:
        one_field(kind).encode_lead({"f": value}, [{"type": "t", "at": EPOCH, "f": value}])

    assert [problem[:3] for problem in error.value.problems] == [("leads", 0, "f"), ("events", 0, "f")]
    assert error.value.total == 2


def test_undeclared_types_of_one_lead_are_counted():
    """They are left out, but must still be dated."""
    compiled = one_field("text")
    events = [{"type": "x", "at": EPOCH}, {"type": "t", "at": EPOCH, "f": "a"}, {"type": "X", "at": EPOCH, "f": 1}]

    found = compiled.encode_lead({}, events)

    assert found[1].tolist() == [0]
    assert found[9] == 2
    with pytest.raises(EdgeError):
        compiled.encode_lead({}, [{"type": "x"}])
    with pytest.raises(EdgeError):
        compiled.encode_lead({}, [{"at": EPOCH}])


def test_codes_of_one_lead_count_from_one():
    """Equal values have equal codes; null is 0."""
    events = [{"type": "t", "at": EPOCH, "f": f} for f in ["b", None, "a", "B", "b"]]

    assert one_field("text").encode_lead({}, events)[7].tolist() == [[1, 0, 2, 3, 1]]


def test_order_and_content_of_one_lead():
    """Rows without id rank by type and properties, rows with one after them by id (spec 2.4)."""
    compiled = program(
        event=[field("f", "text"), field("n", "number")],
        types=[{"name": "z", "fields": [0, 1]}, {"name": "a", "fields": [1]}],
    )
    rows = [
        ("z", "b", 1, None), ("z", None, 1, None), ("z", "b", -1, None), ("a", None, 5, None), ("z", "b", 1, None),
        ("z", "é", 1, None), ("z", "z", 1, None), ("a", None, 1, 10), ("a", None, 1, 9), ("a", None, 1, 9),
    ]  # fmt: skip
    events = [{"type": t, "at": EPOCH, "f": f, "n": n, "event_id": i} for t, f, n, i in rows]

    found = compiled.encode_lead({}, events)

    ids = 1 << 31
    assert found[5].tolist() == [3, 1, 2, 0, 3, 5, 4, ids + 1, ids, ids]
    content = found[6].tolist()
    assert (content[0] == content[4], content[7] == content[8] == content[9], len(set(content))) == (True, True, 7)
    assert compiled.encode_lead({}, events[:2])[5:7] == (None, None)


def test_mixed_event_ids_are_refused():
    with pytest.raises(TypeError, match="integers and text"):
        one_field("text").encode_lead({}, [{"type": "t", "at": EPOCH, "event_id": i} for i in (1, "a")])


def test_mappings_of_any_kind_serve():
    """Attributes and events need only be mappings."""

    class Shouting:
        def __getitem__(self, name):
            return {"f": "x", "type": "t", "at": EPOCH}[name]

    assert one_field("text").encode_lead(Shouting(), [Shouting()])[0].tolist() == [1]


def test_threads_share_a_program():
    """Many threads ask one program at once and all get what one would."""
    rng = random.Random(7)
    compiled = program(event=FIELDS, types=TYPES, event_rules=random_rules(rng, FIELDS, len(TYPES)), lead=FIELDS)
    events = [{"type": "buy", "at": EPOCH, "url": f"/pricing/{i % 7}", "value": i % 5} for i in range(200)]

    def answer():
        found = compiled.encode_lead({"url": "x"}, events)
        known = sets(found[3], found[4])
        return [known[number] for number in found[2]]

    expected, results = answer(), []
    threads = [threading.Thread(target=lambda: results.extend(answer() for _ in range(50))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [expected] * 400


def test_source_is_kept_to_the_byte():
    source = json.dumps({"fields": {}}, indent=3).encode()

    assert Program(source).source == source
