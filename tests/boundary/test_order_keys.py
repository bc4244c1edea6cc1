"""Order keys and digests: their bytes, their order, and that no run, layout or file leaves a trace in them."""

import datetime as dt
import json
import random
import struct
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pytest
from leadcore_arrow import EdgeError, Encoder, Program

from tests.boundary.encoding import Run, field, program
from tests.boundary.order_keys import NO_DIGEST, content_digest, order_key, siphash, value_digest

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
KINDS = {"s": "text", "n": "number", "b": "boolean", "i": "instant"}
TYPES = {"zeta": ["i", "b", "n", "s"], "alpha": ["s", "n"], "bäta": [], "beta": ["b"]}
DECLARED = {kind: {name: KINDS[name] for name in names} for kind, names in TYPES.items()}
VALUES = {
    "s": [None, "", "a", "a\0", "a\0b", "a\0\0", "a\1", "\0", "é", "z", "😀", "ﬀ", "ab", "\xff", "x" * 300],
    "n": [None, float("nan"), -1e300, -2.0, -5e-324, -0.0, 0.0, 5e-324, 2.0, 1.7e308],
    "b": [None, False, True],
    "i": [None, -62_135_596_800_000_000, -5, 0, 7, 253_402_300_799_999_999],
}
IDS = [[None], [None, 3, -5, 2**63 - 1, -(2**63), 0], [None, "b", "B", "", "😀", "ﬀ", "ba", "b\0", "7"]]


def compiled(**more):
    places = {name: place for place, name in enumerate(KINDS)}
    types = [{"name": name, "fields": [places[one] for one in names]} for name, names in TYPES.items()]
    fields = [field(name, kind) for name, kind in KINDS.items()]
    return program(event=fields, types=types, codes=list(range(len(fields))), **more)


def random_rows(rng, count, ids):
    kinds = list(TYPES)
    return [
        {"at": rng.choice([0, 1, -1, 10**15]), "type": rng.choice(kinds), "event_id": rng.choice(ids)}
        | {name: rng.choice(values) for name, values in VALUES.items()}
        for _ in range(count)
    ]


def table_of(rows, ids=True):
    """An events table of these rows, in the types that pyarrow gives them."""
    micros = pa.timestamp("us", "UTC")
    columns = {name: [row[name] for row in rows] for name in ("type", "s", "n", "b")}
    columns |= {name: pa.array([row[name] for row in rows], micros) for name in ("at", "i")}
    if ids:
        columns["event_id"] = pa.array([row["event_id"] for row in rows])
    return pa.table({"lead_id": range(len(rows))} | columns)


def kept(table, size=1000, model=None, **options):
    return Run(model or compiled(), table, keep=True, size=size, codes=len(KINDS), **options)


def declared(row, name):
    """What a row says in a field: null where its type does not declare it."""
    return row[name] if name in TYPES[row["type"]] else None


def moment(micros):
    return None if micros is None else EPOCH + dt.timedelta(microseconds=micros)


def test_the_hash_is_siphash():
    """The oracle gives the vectors of the reference code."""
    key = bytes(range(16))

    assert siphash(b"", key).hex() == "a3817f04ba25a8e66df67214c7550293"
    assert siphash(bytes(range(15)), key).hex() == "5493e99933b0a8117e08ec0f97cfc3d9"


@pytest.mark.parametrize("ids", IDS, ids=["none", "integers", "texts"])
def test_bytes_are_those_described(ids):
    """Keys and digests are what the stub says, byte for byte, whatever the size of blocks."""
    rows = random_rows(random.Random(len(ids)), 600, ids)
    for size in (1000, 7):
        run = kept(table_of(rows), size)
        assert (run.identities, run.contents) == (True, False)
        assert run.event_keys() == [(order_key(DECLARED, row), content_digest(DECLARED, row)) for row in rows]
        for place, (name, kind) in enumerate(KINDS.items()):
            assert run.digests(place) == [value_digest(kind, declared(row, name)) for row in rows]


@pytest.mark.parametrize("ids", IDS, ids=["none", "integers", "texts"])
def test_bytes_sort_as_ranks_do(ids):
    """Comparing keys is the canonical order that identity ranks give (spec 2.4), ties and all."""
    rows = random_rows(random.Random(5), 900, ids)

    run = kept(table_of(rows))

    ranks, _ = run.encoder.identity_ranks()
    found = [int(ranks[number]) for number in run.column("order")]
    keys = [key for key, _ in run.event_keys()]
    places = {key: place for place, key in enumerate(sorted(set(keys)))}
    assert [places[key] for key in keys] == found


def test_digests_tell_contents_apart():
    """Equal digests, equal instant, type and properties: ``-0.0`` is ``0.0``, NaN is null, the id is no part of it."""
    rows = [row | {"event_id": place} for place, row in enumerate(random_rows(random.Random(9), 2000, [None]))]

    def content(row):
        values = (declared(row, name) for name in KINDS)
        return (row["at"], row["type"], *(None if value != value else value for value in values))

    digests = {}
    for row, (_, digest) in zip(rows, kept(table_of(rows)).event_keys(), strict=True):
        assert digests.setdefault(content(row), digest) == digest
    assert len(set(digests.values())) == len(digests) > 500
    assert NO_DIGEST not in digests.values()


def layouts(table):
    """The same rows in other Arrow types, cut otherwise, and from the end."""
    texts = {"s", "type"}
    for kind in (pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())):
        fields = [pa.field(one.name, kind if one.name in texts else one.type) for one in table.schema]
        yield table.cast(pa.schema(fields))
    yield table.cast(
        pa.schema([pa.field(one.name, pa.timestamp("us") if one.name == "at" else one.type) for one in table.schema])
    )
    dictionary = table.column("n").combine_chunks().dictionary_encode()
    yield table.set_column(table.column_names.index("n"), "n", dictionary)
    yield pa.concat_tables([table.slice(0, 1), table.slice(1, 100), table.slice(101)])


def test_no_trace_of_the_run():
    """Neither Arrow types nor chunks nor the order of rows show in keys and digests."""
    rows = random_rows(random.Random(3), 300, IDS[2])
    table = table_of(rows)
    run = kept(table)
    expected, digests = run.event_keys(), [run.digests(place) for place in range(len(KINDS))]
    for other in layouts(table):
        run = kept(other, 64)
        assert run.event_keys() == expected
        assert [run.digests(place) for place in range(len(KINDS))] == digests
    run = kept(table.take(list(range(299, -1, -1))))
    assert run.event_keys() == expected[::-1]
    assert [run.digests(place) for place in range(len(KINDS))] == [column[::-1] for column in digests]


def test_the_place_of_a_type_is_by_name():
    """Where the document lists a type leaves no trace."""
    rows = random_rows(random.Random(4), 50, [None])
    source = json.loads(compiled().source)
    source["types"].reverse()

    assert (
        kept(table_of(rows), model=Program(json.dumps(source).encode())).event_keys()
        == kept(table_of(rows)).event_keys()
    )


def test_what_a_kept_run_fills():
    """Identities always, also without ids and whatever the program; a run that keeps nothing has no keys."""
    rows = random_rows(random.Random(1), 20, IDS[1])
    for model in (compiled(), compiled(ordered=True)):
        run = kept(table_of(rows, ids=False), model=model)
        assert (run.identities, run.contents) == (True, False)
        assert {digest for _, digest in run.event_keys()} == {NO_DIGEST}
    plain = Run(compiled(ordered=True), table_of(rows), codes=len(KINDS))
    for encoder in (plain.encoder, Encoder(compiled(), keep=True)):
        with pytest.raises(ValueError, match="kept"):
            encoder.event_keys(np.zeros(1, np.uint32))
    assert plain.digests(0) == kept(table_of(rows)).digests(0)


def test_identities_that_are_none():
    run = kept(table_of(random_rows(random.Random(1), 3, [1, 2])))

    offsets, data, digests = run.encoder.event_keys(np.zeros(0, np.uint32))
    assert (offsets.tolist(), data.tolist(), digests.shape) == ([0], [], (0, 16))
    assert (offsets.dtype, data.dtype, digests.dtype) == (np.int64, np.uint8, np.uint8)
    for number in (3, 2**32 - 1):
        with pytest.raises(ValueError, match=f"no identity {number}"):
            run.encoder.event_keys(np.array([0, number], np.uint32))


def test_codes_that_are_none():
    """Before any event there is null alone, and both booleans; beyond the program's codes there is nothing."""
    encoder = Encoder(compiled())

    assert [encoder.code_digests(place).shape for place in range(4)] == [(1, 16), (1, 16), (3, 16), (1, 16)]
    with pytest.raises(IndexError, match="no code column 4"):
        encoder.code_digests(4)


def test_rejected_rows_and_undeclared_types_leave_no_gap():
    """Keys belong to the rows that came through."""
    good = random_rows(random.Random(8), 4, [1, 2, None])
    rows = [good[0], good[1] | {"type": "ghost"}, good[2] | {"at": None}, good[3]]

    run = kept(table_of(rows), reject=True)

    assert run.column("row") == [0, 3]
    assert [key for key, _ in run.event_keys()] == [order_key(DECLARED, row) for row in (good[0], good[3])]


@pytest.mark.parametrize(
    ("ids", "taken"),
    [(["10", "9", None, "-1"], [10, 9, None, -1]), (["10", "9", None, "09"], ["10", "9", None, "09"])],
)
def test_ids_of_text_files(ids, taken):
    """Ids of a text file are integers where all of them are."""
    rows = [row | {"event_id": one} for row, one in zip(random_rows(random.Random(2), 4, [None]), ids, strict=True)]
    columns = {
        name: ["0" if name in {"at", "lead_id"} else row.get(name) for row in rows]
        for name in ("lead_id", "type", "event_id")
    }
    columns |= {"at": ["1970-01-01"] * 4} | {name: [None] * 4 for name in KINDS}
    table = pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})
    nulls = dict.fromkeys(KINDS)
    expected = [{"type": row["type"], "at": 0, "event_id": one} | nulls for row, one in zip(rows, taken, strict=True)]

    run = kept(table.replace_schema_metadata({"leadcore.lexical": "1"}), size=2)

    assert run.event_keys() == [(order_key(DECLARED, row), content_digest(DECLARED, row)) for row in expected]


def test_types_are_as_many_as_a_document_holds():
    """The place of a type takes two bytes."""
    names = [{"name": f"t{number}"} for number in range(2**16)]
    last = program(types=names).encode_event("t9999", EPOCH, None, None)

    assert last[2] == b"\0\xff\xff"
    with pytest.raises(ValueError, match="65536 types"):
        program(types=[*names, {"name": "one more"}])


# --- one event -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ids", IDS, ids=["none", "integers", "texts"])
def test_one_event_is_as_a_row_of_a_table(ids):
    """An event by itself gives what it gives among others, bit for bit."""
    when = {"field": 1, "op": "ge", "values": [0]}
    rules = [{"rule": "test", "types": [0, 1, 2], "hit": 7, "when": {"not": when}}]
    rules += [{"rule": "test", "types": [0, 3], "hit": 2, "when": {"field": 2, "op": "in", "values": [True]}}]
    model = compiled(event_rules=rules, numbers=[1])
    rows = random_rows(random.Random(7), 500, ids)
    run = kept(table_of(rows), model=model, numbers=1)
    digests = [run.digests(place) for place in range(len(KINDS))]
    for place, (row, (key, content)) in enumerate(zip(rows, run.event_keys(), strict=True)):
        properties = {name: moment(row[name]) if name == "i" else row[name] for name in KINDS}
        at, hits, order, found, codes, numbers = model.encode_event(
            row["type"], moment(row["at"]), properties, row["event_id"]
        )
        assert (at, order, found) == (row["at"], key, content)
        assert struct.unpack(f"<{len(hits) // 4}I", hits) == run.rows[place]["hits"]
        assert codes == b"".join(column[place] for column in digests)
        assert np.frombuffer(numbers).tolist() == pytest.approx(run.rows[place]["numbers"], abs=0, rel=0, nan_ok=True)


def test_properties_of_one_event():
    """None is a row of nulls, what is not there is null, what the type does not declare is not looked at."""
    model = compiled()
    nulls = model.encode_event("alpha", EPOCH, None, None)

    assert nulls == model.encode_event("alpha", EPOCH, {}, None)
    assert nulls == model.encode_event("alpha", EPOCH, {"s": None, "i": "no instant", "type": 5, "at": 1}, None)
    assert nulls[2] == b"\0\0\0\0\0"
    assert nulls == model.encode_event("alpha", "1970-01-01", MappingProxyType({"n": float("nan")}), None)
    assert nulls == model.encode_event("alpha", np.datetime64(0, "s"), {"s": None}, None)
    assert model.encode_event("ghost", EPOCH, {"s": 5}, b"no id") is None


def test_events_of_many_properties():
    """Whatever the number of properties."""
    for count in (15, 16, 17, 40):
        names = [f"p{place}" for place in range(count)]
        types = [{"name": "t", "fields": list(range(count))}]
        rule = {"rule": "test", "types": [0], "hit": 9, "when": {"field": count - 1, "op": "in", "values": [count - 1]}}
        model = program(
            event=[field(name, "number") for name in names], types=types, event_rules=[rule], codes=[count - 1]
        )
        values = {name: place for place, name in enumerate(names)}
        found = model.encode_event("t", EPOCH, values, None)
        assert found[1] == b"\x09\0\0\0"
        assert found[2] == order_key({"t": dict.fromkeys(names, "number")}, values | {"type": "t"})
        assert found[4] == value_digest("number", count - 1)


def test_more_texts_than_calls_remember():
    """What calls remember starts afresh at a bound, which changes no answer."""
    rules = [{"rule": "test", "types": [1], "hit": 4, "when": {"field": 0, "op": "ends_with", "values": ["7"]}}]
    model = compiled(event_rules=rules)
    for number in range(70_000):
        found = model.encode_event("alpha", EPOCH, {"s": f"text {number}"}, None)
        assert found[1] == (b"\4\0\0\0" if number % 10 == 7 else b"")
    for length in (9 << 20, 9 << 20, 1):
        found = model.encode_event("alpha", EPOCH, {"s": "x" * length + "7"}, "id")
        assert (found[1], found[2]) == (b"\4\0\0\0", b"\2id")


@pytest.mark.parametrize(
    ("event", "places"),
    [
        (("alpha", None, {}, None), [("at", None)]),
        (("alpha", "never", {}, None), [("at", "never")]),
        (("ghost", 5, {"s": 1}, b"x"), [("at", "5")]),
        ((None, EPOCH, {}, None), [("type", None)]),
        ((5, 6, {}, None), [("at", "6"), ("type", "5")]),
        (("\ud800", EPOCH, {}, None), [("type", "\ufffd")]),
        (("alpha", EPOCH, {"s": 1, "n": "2"}, 1.5), [("event_id", "1.5"), ("s", "1"), ("n", "2")]),
        (("alpha", EPOCH, {"n": float("-inf")}, 2**63), [("event_id", str(2**63)), ("n", "-inf")]),
        (("beta", EPOCH, {"b": 1}, True), [("event_id", "True"), ("b", "1")]),
    ],
)
def test_faults_of_one_event(event, places):
    """All faults at once, each with its column and value, in row 0 of events."""
    with pytest.raises(EdgeError) as error:
        compiled().encode_event(*event)

    found = [(table, row, column) for table, row, column, *_ in error.value.problems]
    assert found == [("events", 0, column) for column, _ in places]
    assert error.value.total == len(places)
    if event[0] != "\ud800":
        assert [problem[3] for problem in error.value.problems] == [value for _, value in places]


def test_faults_of_mappings_are_their_own():
    """What a mapping raises comes through; a missing key is null."""

    class Moody:
        def __getitem__(self, name):
            raise {"s": KeyError, "n": RuntimeError}[name]("moody")

    with pytest.raises(RuntimeError, match="moody"):
        compiled().encode_event("alpha", EPOCH, Moody(), None)


def test_attributes_of_one_lead():
    """The same hits as with events, in bytes; faults name the leads table."""
    rules = [
        {"rule": "test", "hit": hit, "when": {"field": 0, "op": "in", "values": [text], "fold": True}}
        for hit, text in ((5, "a"), (3, "A"), (9, "b"))
    ]
    model = program(lead=[field("s", "text"), field("n", "number")], lead_rules=rules)

    for text in ("a", "A", "b", "", None):
        assert model.encode_attributes({"s": text}) == model.encode_lead({"s": text}, [])[0].tobytes()
    assert model.encode_attributes({"s": "a"}) == b"\3\0\0\0\5\0\0\0"
    assert model.encode_attributes({}) == b""
    with pytest.raises(EdgeError) as error:
        model.encode_attributes({"s": 5, "n": "x"})
    assert [problem[:3] for problem in error.value.problems] == [("leads", 0, "s"), ("leads", 0, "n")]
