"""The encoder: every Arrow type and layout, faults and where they are, identities, ids, bounds."""

import datetime as dt
import decimal
import random

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from leadcore_arrow import EdgeError, Encoder

from tests.boundary.encoding import LEAST, Run, field, program, sets

UTC = dt.UTC
NEVER = 2**63 - 1
YEAR_1, YEAR_9999 = -62_135_596_800_000_000, 253_402_300_799_999_999


def anything(kind):
    """A program of one field ``f`` and one type ``t``, whose only rule asks whether the field is there."""
    when = {"field": 0, "op": "exists"}
    return program(
        lead=[field("f", kind)],
        event=[field("f", kind)],
        types=[{"name": "t", "fields": [0]}, {"name": "bare", "fields": []}],
        lead_rules=[{"rule": "test", "hit": 1, "when": when}],
        event_rules=[{"rule": "test", "types": [0, 1], "hit": 1, "when": when}],
        codes=[0],
        numbers=[0] if kind == "number" else [],
    )


BARE = program(types=[{"name": "t", "fields": []}, {"name": "bare", "fields": []}])


def events(count, **columns):
    """An events table of type ``t``; columns may replace the usual ones."""
    usual = {
        "lead_id": pa.array(range(count)),
        "at": pa.array(range(count), pa.timestamp("us")),
        "type": pa.array(["t"] * count),
    }
    return pa.table(usual | columns)


def fault_of(compiled, table, **options):
    """The problems of a faulty events table."""
    with pytest.raises(EdgeError) as error:
        Run(compiled, table, **options)
    return error.value


# --- layouts ---------------------------------------------------------------------------------------------------------

TEXTS = ["", "a", None, "bäöü", "x" * 13, "x" * 12, None, "a", "long text of more than twelve bytes", "b"]


def text_layouts():
    yield "utf8", pa.array(TEXTS, pa.string())
    yield "large_utf8", pa.array(TEXTS, pa.large_string())
    yield "utf8_view", pa.array(TEXTS, pa.string_view())
    for index in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()):
        yield f"dictionary<{index}>", pa.array(TEXTS).cast(pa.dictionary(index, pa.string()))
    yield "dictionary<large>", pa.array(TEXTS).cast(pa.dictionary(pa.int32(), pa.large_string()))
    yield (
        "dictionary with a null value",
        pa.DictionaryArray.from_arrays(
            pa.array([0, 1, 2, 3, 4, 5, None, 1, 6, 7]),
            pa.array(["", "a", None, "bäöü", "x" * 13, "x" * 12, TEXTS[8], "b"]),
        ),
    )
    yield (
        "dictionary with twins",
        pa.DictionaryArray.from_arrays(
            pa.array([0, 1, None, 3, 4, 5, None, 2, 6, 7]),
            pa.array(["", "a", "a", "bäöü", "x" * 13, "x" * 12, TEXTS[8], "b"]),
        ),
    )
    ends = pa.array(range(1, len(TEXTS) + 1), pa.int32())
    yield "run ends", pa.RunEndEncodedArray.from_arrays(ends, pa.array(TEXTS))


LAYOUTS = dict(text_layouts())


def shapes(array):
    """The same rows whole, sliced out of more, and chunked with empty chunks between."""
    yield pa.chunked_array([array])
    around = pa.concat_arrays([array.slice(3, 2), array, array.slice(0, 4)])
    yield pa.chunked_array([around.slice(2, len(array))])
    yield pa.chunked_array([array.slice(0, 0), array.slice(0, 3), array.slice(3, 0), array.slice(3, 1), array.slice(4)])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_text_layouts(layout):
    """Every text layout, sliced and chunked, gives the same hits and codes."""
    for chunked in shapes(LAYOUTS[layout]) if layout != "run ends" else [pa.chunked_array([LAYOUTS[layout]])]:
        run = Run(anything("text"), events(len(TEXTS), f=chunked), size=3, codes=1)
        assert run.column("hits") == [(1,) if text is not None else () for text in TEXTS]
        codes = [code for (code,) in run.column("codes")]
        assert [code == 0 for code in codes] == [text is None for text in TEXTS]
        pairs = {(text, code) for text, code in zip(TEXTS, codes, strict=True) if text is not None}
        assert len(pairs) == len({text for text, _ in pairs}) == len({code for _, code in pairs}) == 7


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "dictionary with a null value"])
def test_text_ids_in_every_layout(layout):
    """Lead ids and types may come in any text layout; a null id is a fault at its row."""
    array = LAYOUTS[layout]
    error = fault_of(BARE, events(len(TEXTS), lead_id=array))
    assert [problem[:4] for problem in error.problems] == [
        ("events", 2, "lead_id", None),
        ("events", 6, "lead_id", None),
    ]

    run = Run(BARE, events(len(TEXTS), lead_id=array), reject=True)
    assert run.column("lead") == [text for text in TEXTS if text is not None]
    assert run.ids() == ["", "a", "bäöü", "x" * 13, "x" * 12, TEXTS[8], "b"]

    run = Run(BARE, events(len(TEXTS), type=array), reject=True)
    assert run.encoder.counts()["rejected"] == {"events": 2}
    assert run.encoder.counts()["ignored"] == {"": 1, "a": 2, "bäöü": 1, "x" * 13: 1, "x" * 12: 1, TEXTS[8]: 1, "b": 1}


def test_dictionaries_that_change_from_batch_to_batch():
    """Each batch is read by its own dictionary, also where keys mean something else than before."""
    one = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), pa.array(["t", "bare"]))
    two = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1]), pa.array(["bare", "t"]))
    batches = [events(3, type=array, f=pa.array([1.0, 2, 3])).to_batches()[0] for array in (one, two)]

    run = Run(anything("number"), pa.RecordBatchReader.from_batches(batches[0].schema, batches), codes=1, numbers=1)

    assert run.column("hits") == [(1,), (), (1,), (), (1,), (1,)]
    assert [number == number for (number,) in run.column("numbers")] == [True, False, True, False, True, True]


NUMBERS = [
    *[(kind, [0, 1, 127, None], [0.0, 1.0, 127.0, None]) for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64())],
    *[
        (kind, [0, 1, 255, None], [0.0, 1.0, 255.0, None])
        for kind in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
    ],
    (pa.int64(), [-(2**53), 2**53, 2**62, -(2**63)], [-(2.0**53), 2.0**53, 2.0**62, -(2.0**63)]),
    (pa.uint64(), [2**53, 2**63, 2**64 - 2048], [2.0**53, 2.0**63, 2.0**64 - 2048]),
    (pa.float16(), [np.float16(0.5), np.float16(-2), None], [0.5, -2.0, None]),
    (pa.float32(), [0.5, -0.0, float("nan"), None], [0.5, 0.0, None, None]),
    (pa.float64(), [0.1, -0.0, float("nan"), None, 1e308, 5e-324], [0.1, 0.0, None, None, 1e308, 5e-324]),
    *[
        (kind, [decimal.Decimal("0.10"), decimal.Decimal("-1234.56"), None], [0.1, -1234.56, None])
        for kind in (pa.decimal32(8, 2), pa.decimal64(16, 2), pa.decimal128(30, 2), pa.decimal256(60, 2))
    ],
    (pa.decimal128(38, 0), [decimal.Decimal(2**53), decimal.Decimal(2**100)], [2.0**53, 2.0**100]),
    (pa.decimal128(38, 2), [decimal.Decimal(2**53) + decimal.Decimal("1.5")], [2.0**53 + 2]),
    (pa.decimal128(38, 38), [decimal.Decimal("0.1") + decimal.Decimal(10) ** -38], [0.1]),
    (pa.decimal128(3, -2), [decimal.Decimal(1200)], [1200.0]),
    (pa.null(), [None, None], [None, None]),
]


@pytest.mark.parametrize(("kind", "values", "expected"), NUMBERS, ids=lambda one: str(one)[:40])
def test_numbers_of_every_type(kind, values, expected):
    """Numbers of every Arrow type read as float64; NaN is null, minus zero is zero (spec 2.7)."""
    for chunked in shapes(pa.array(values * 3, kind)):
        run = Run(anything("number"), events(len(values) * 3, f=chunked), codes=1, numbers=1)
        found = [number for (number,) in run.column("numbers")]
        assert [None if number != number else number for number in found] == expected * 3
        assert run.column("hits") == [() if number is None else (1,) for number in expected * 3]
        assert not any(np.signbit(number) for number in found if number == 0)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (pa.int64(), 2**53 + 1, "exactly"),
        (pa.int64(), -(2**63) + 1, "exactly"),
        (pa.uint64(), 2**64 - 1, "exactly"),
        (pa.float64(), float("inf"), "infinite"),
        (pa.float32(), float("-inf"), "infinite"),
        (pa.float16(), np.float16("inf"), "infinite"),
    ],
)
def test_numbers_that_do_not_fit(kind, value, words):
    """Integers that float64 cannot hold and infinities are faults of their row, unless another type's row bears them."""
    good = pa.array([1, None, value, 2], kind)
    good = good.dictionary_encode() if pa.types.is_float64(kind) else good
    error = fault_of(anything("number"), events(4, f=good), codes=1, numbers=1)
    (problem,) = error.problems
    assert (problem[:3], error.total) == (("events", 2, "f"), 1)
    assert words in problem[4]

    kinds = pa.array(["t", "t", "bare", "unknown"])
    run = Run(anything("number"), events(4, f=good, type=kinds), codes=1, numbers=1)
    assert run.column("hits") == [(1,), (), ()]
    assert np.isnan(run.column("numbers")[2][0])


INSTANTS = [
    (pa.timestamp("s"), [0, -1, None], [0, -1_000_000, None]),
    (pa.timestamp("ms"), [0, -1, None], [0, -1000, None]),
    (pa.timestamp("us"), [0, -1, YEAR_1, YEAR_9999, None], [0, -1, YEAR_1, YEAR_9999, None]),
    (pa.timestamp("ns"), [0, -1, -1000, -1001, 1999, None], [0, -1, -1, -2, 1, None]),
    (pa.timestamp("us", "Europe/Berlin"), [5, None], [5, None]),
    (pa.timestamp("ms", "+05:30"), [5, None], [5000, None]),
    (pa.date32(), [0, 1, -1, None], [0, 86_400_000_000, -86_400_000_000, None]),
    (pa.date64(), [0, 86_400_000, None], [0, 86_400_000_000, None]),
    (pa.string(), ["1970-01-01", "1970-01-01T01:00+01:00", None], [0, 0, None]),
    (pa.string_view(), ["1970-01-01T00:00:00.0000019"], [1]),
    (pa.dictionary(pa.int32(), pa.string()), ["1970-01-02", None], [86_400_000_000, None]),
    (pa.null(), [None], [None]),
]


@pytest.mark.parametrize(("kind", "values", "expected"), INSTANTS, ids=lambda one: str(one)[:40])
def test_instants_of_every_type(kind, values, expected):
    """Timestamps of every unit and zone, dates and text convert exactly; nanoseconds floor (spec 1.1)."""
    array = pa.array(values, kind)
    run = Run(anything("instant"), events(len(values), f=array), codes=1)
    assert run.column("hits") == [() if instant is None else (1,) for instant in expected]

    dated = [instant for instant in expected if instant is not None]
    if dated:
        run = Run(BARE, events(len(dated), at=array.drop_null()))
        assert run.column("at") == dated
    if None in expected:
        error = fault_of(BARE, events(len(values), at=array))
        assert error.problems[0][:4] == ("events", expected.index(None), "at", None)

    leads = pa.table({"lead_id": range(len(values)), "f": array, "valid_from": array, "created_at": array})
    run = Run(anything("instant"), leads=leads)
    assert run.leads["valid_from"].tolist() == [LEAST if one is None else one for one in expected]
    assert run.leads["created_at"].tolist() == [NEVER if one is None else one for one in expected]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.timestamp("s"), 2**62),
        (pa.timestamp("ms"), -(2**62)),
        (pa.timestamp("us"), YEAR_9999 + 1),
        (pa.timestamp("us"), YEAR_1 - 1),
        (pa.date32(), 2**31 - 1),
        (pa.date64(), 86_400_000 * 2**35),
        (pa.string(), "yesterday"),
        (pa.string(), ""),
    ],
)
def test_instants_out_of_range_or_unreadable(kind, value):
    """They are faults, in required and other columns alike."""
    array = pa.array([value], kind)

    assert fault_of(BARE, events(1, at=array)).problems[0][:3] == ("events", 0, "at")
    assert fault_of(anything("instant"), events(1, f=array), codes=1).problems[0][:3] == ("events", 0, "f")


def test_booleans():
    """Booleans, also as dictionary, sliced anywhere in their bits."""
    values = [True, None, False, True, True, None, False, False, None, True, False]
    rule = {"rule": "test", "types": [0], "hit": 5, "when": {"field": 0, "op": "in", "values": [False]}}
    compiled = program(
        event=[field("f", "boolean")], types=[{"name": "t", "fields": [0]}], event_rules=[rule], codes=[0]
    )
    for chunked in shapes(pa.array(values)):
        run = Run(compiled, events(len(values), f=chunked), codes=1)
        assert run.column("hits") == [(5,) if value is False else () for value in values]
        assert [bool(code) for (code,) in run.column("codes")] == [value is not None for value in values]


def test_garbage_under_nulls_is_not_read():
    """Whatever stands in the memory of a null, it is null."""
    bits = pa.py_buffer(bytes([0b0101]))
    infinite = pa.py_buffer(np.array([1, np.inf, 2, np.nan]))
    huge = pa.py_buffer(np.array([1, 2**62 + 1, 2, -(2**63)]))
    broken = pa.Array.from_buffers(
        pa.string(), 4, [bits, pa.py_buffer(np.array([0, 1, 2, 3, 4], np.int32)), pa.py_buffer(b"a\xffb\xfe")]
    )
    ids = pa.Array.from_buffers(pa.int64(), 4, [None, huge])
    kinds = [("number", pa.float64(), infinite), ("number", pa.int64(), huge), ("instant", pa.timestamp("us"), huge)]
    for kind, arrow, memory in kinds:
        array = pa.Array.from_buffers(arrow, 4, [bits, memory])
        run = Run(anything(kind), events(4, f=array), codes=1, numbers=int(kind == "number"))
        assert run.column("hits") == [(1,), (), (1,), ()]
    assert Run(anything("text"), events(4, f=broken), codes=1).column("hits") == [(1,), (), (1,), ()]
    assert Run(BARE, events(4, lead_id=ids)).column("lead") == [1, 2**62 + 1, 2, -(2**63)]


def test_bytes_that_are_no_utf8_are_faults():
    """Text columns are not trusted to hold text."""
    broken = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(np.array([0, 1, 3], np.int32)), pa.py_buffer(b"a\xff\xfe")]
    )

    for column in ("lead_id", "type", "event_id"):
        error = fault_of(BARE, events(2, **{column: broken}))
        assert error.problems[0][:3] == ("events", 1, column)
        assert "UTF-8" in error.problems[0][4]
    assert fault_of(anything("text"), events(2, f=broken), codes=1).problems[0][:3] == ("events", 1, "f")


def test_offsets_and_keys_outside_their_buffers_do_no_harm():
    """Memory that is handed over broken gives faults or an error, never a crash."""
    offsets = pa.py_buffer(np.array([0, 5, 3, 10], np.int32))
    bad = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"0123456789")])
    with pytest.raises(EdgeError):
        Run(BARE, events(3, lead_id=bad))
    keys = pa.array([0, 100, -1], pa.int8())
    dictionary = pa.DictionaryArray.from_arrays(keys, pa.array(["t", "bare"]), safe=False)
    error = fault_of(BARE, events(3, type=dictionary))
    assert [problem[1] for problem in error.problems] == [1, 2]


@pytest.mark.parametrize("count", [0, 1, 2047, 2048, 2049, 65_535, 65_536, 65_537])
def test_blocks_of_any_length(count):
    """All rows come, in order, in blocks no longer than the caller's arrays."""
    table = events(count, f=pa.array(np.arange(count) % 3 * 1.0, mask=np.arange(count) % 7 == 0))
    for size in (65_536, 1000):
        run = Run(anything("number"), table, size=size, codes=1, numbers=1)
        assert run.column("row") == list(range(count))
        assert run.column("lead") == list(range(count))
        assert all(length <= size for length in run.blocks)
        assert run.column("hits") == [() if i % 7 == 0 else (1,) for i in range(count)]
        assert run.encoder.counts()["rows"] == {"events": count}


def test_all_null_columns():
    """A column without any value reads as null, whatever its type."""
    for kind, arrow in [
        ("text", pa.string()),
        ("number", pa.int64()),
        ("boolean", pa.bool_()),
        ("instant", pa.date32()),
        ("text", pa.null()),
    ]:
        run = Run(anything(kind), events(3, f=pa.nulls(3, arrow)), codes=1, numbers=int(kind == "number"))
        assert run.column("hits") == [()] * 3


def test_frames_of_polars():
    """A frame of another library is as good: views, dictionaries, its own chunks."""
    frame = pl.DataFrame(
        {
            "lead_id": ["a", "b", "a"],
            "at": [dt.datetime(2026, 1, 1)] * 3,
            "type": ["t", "bare", "t"],
            "f": ["x", None, "y"],
        }
    )
    frame = pl.concat([frame, frame], rechunk=False).with_columns(pl.col("type").cast(pl.Categorical))

    run = Run(anything("text"), frame, codes=1)

    assert run.column("hits") == [(1,), (), (1,)] * 2
    assert run.column("lead") == ["a", "b", "a"] * 2


# --- columns ---------------------------------------------------------------------------------------------------------


def test_names_map_and_others_are_ignored():
    """Columns are found by the caller's names, in tables and in faults (spec 2.3)."""
    table = events(2, f=pa.array(["a", None]), stray=pa.array([[1], [2]]), at=pa.array(["2026-01-01", "never"]))
    table = table.rename_columns({"lead_id": "contact", "f": "Feld", "at": "when"})
    columns = {"lead_id": "contact", "f": "Feld", "at": "when"}

    error = fault_of(anything("text"), table, columns=columns, codes=1)
    assert error.problems == [("events", 1, "when", "never", "is not an instant in ISO 8601")]
    assert Run(anything("text"), table.slice(0, 1), columns=columns, codes=1).column("lead") == [0]


@pytest.mark.parametrize("reject", [True, False])
def test_missing_columns_are_all_named(reject):
    """What is missing is named in one error, before any row is read, whether rows are rejected or not."""
    table = pa.table({"when": [1], "lead_id": [1]})

    error = fault_of(anything("text"), table, reject=reject, columns={"at": "zeit"})

    assert [problem[:4] for problem in error.problems] == [
        ("events", None, name, None) for name in ("zeit", "type", "f")
    ]
    with pytest.raises(EdgeError) as error:
        Run(anything("text"), leads=pa.table({"id": [1]}))
    assert [problem[:3] for problem in error.value.problems] == [("leads", None, "lead_id"), ("leads", None, "f")]


def test_optional_columns_may_be_missing():
    """A field declared optional is null where its column is missing."""
    when = {"field": 0, "op": "exists"}
    for kind in ("text", "number", "boolean", "instant"):
        compiled = program(
            lead=[field("f", kind, True)],
            event=[field("f", kind, True)],
            types=[{"name": "t", "fields": [0]}],
            lead_rules=[{"rule": "test", "hit": 1, "when": {"not": when}}],
            event_rules=[{"rule": "test", "types": [0], "hit": 1, "when": {"not": when}}],
            codes=[0],
            ordered=True,
        )
        assert Run(compiled, events(3000), codes=1).column("hits") == [(1,)] * 3000
        assert Run(compiled, leads=pa.table({"lead_id": [1]})).lead_hits() == {1: (1,)}


WRONG = [
    ("text", pa.array([1])), ("text", pa.array([True])), ("text", pa.array([b"x"])), ("text", pa.array([1.5])),
    ("number", pa.array(["1"])), ("number", pa.array([True])), ("number", pa.array([dt.date(2026, 1, 1)])),
    ("boolean", pa.array([1])), ("boolean", pa.array(["true"])), ("instant", pa.array([1])), ("instant", pa.array([1.5])),
    ("instant", pa.array([dt.time(1)])), ("instant", pa.array([dt.timedelta(1)])), ("text", pa.array([["a"]])),
    ("number", pa.array([{"a": 1}])), ("text", pa.array([1]).dictionary_encode()), ("number", pa.array(["1"]).dictionary_encode()),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "array"), WRONG, ids=str)
def test_columns_of_the_wrong_kind(kind, array):
    """A column of another kind than declared is refused as a whole, naming it and what was expected."""
    error = fault_of(anything(kind), events(1, f=array), codes=1)

    assert [problem[:4] for problem in error.problems] == [("events", None, "f", None)]
    assert "expected" in error.problems[0][4]


@pytest.mark.parametrize(
    ("column", "array"),
    [
        ("lead_id", pa.array([True])),
        ("lead_id", pa.array([dt.date(2026, 1, 1)])),
        ("type", pa.array([1])),
        ("at", pa.array([1])),
        ("event_id", pa.array([[1]])),
    ],
)
def test_required_columns_of_the_wrong_kind(column, array):
    assert fault_of(BARE, events(1, **{column: array})).problems[0][:3] == ("events", None, column)


def test_columns_that_are_there_twice():
    """Of two columns of one name neither is chosen."""
    table = pa.Table.from_arrays(
        [pa.array([1])] * 2 + [pa.array(["2026-01-01"]), pa.array(["t"])], ["lead_id", "lead_id", "at", "type"]
    )

    assert "2 times" in fault_of(BARE, table).problems[0][4]


# --- ids -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        pa.int8(),
        pa.int16(),
        pa.int32(),
        pa.int64(),
        pa.uint8(),
        pa.uint16(),
        pa.uint32(),
        pa.uint64(),
        pa.float16(),
        pa.float32(),
        pa.float64(),
        pa.decimal128(10, 2),
        pa.decimal32(5, 1),
        pa.dictionary(pa.int8(), pa.int64()),
    ],
)
def test_whole_numbers_are_ids(kind):
    """Ids of any numeric type join one space of integers."""
    values = [7, 3, 7, 0]
    if pa.types.is_decimal(kind):
        values = [decimal.Decimal(value) for value in values]
    elif kind == pa.float16():
        values = [np.float16(value) for value in values]
    ids = pa.array(values, kind)
    run = Run(BARE, events(4, lead_id=ids), leads=pa.table({"lead_id": pa.array([3], pa.int64())}))

    assert run.column("lead") == [7, 3, 7, 0]
    assert run.ids() == [3, 7, 0]
    assert run.encoder.id_ranks().tolist() == [1, 2, 0]
    assert (run.encoder.find(7), run.encoder.find(8), run.encoder.find("7")) == (1, None, None)


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([1.0, 1.5]), pa.array([1.0, float("inf")]), pa.array([1.0, 2.0**53 + 2]), pa.array([1, 2**63], pa.uint64()),
        pa.array([decimal.Decimal("1.0"), decimal.Decimal("1.1")]), pa.array([decimal.Decimal(1), decimal.Decimal(2**70)]),
    ],
)  # fmt: skip
def test_numbers_that_are_no_ids(ids):
    """An id that is not whole, or not of 64 bits, is a fault of its row."""
    error = fault_of(BARE, events(2, lead_id=ids))

    assert error.problems[0][:3] == ("events", 1, "lead_id")
    assert error.total == 1


def test_null_and_nan_ids_are_faults_also_in_undeclared_rows():
    """A row of an undeclared type must still name a lead."""
    for ids in (pa.array([1, None, None]), pa.array([1.0, float("nan"), None]), pa.array(["1", None, None])):
        error = fault_of(BARE, events(3, lead_id=ids, type=pa.array(["t", "x", "t"])))
        assert [problem[:4] for problem in error.problems][1] == ("events", 2, "lead_id", None)
        assert error.total == 2


def test_a_nan_id_is_null_and_shows_no_value():
    """NaN is null (spec 2.7), so there is no value that could be null."""
    error = fault_of(BARE, events(1, lead_id=pa.array([float("nan")])))

    assert error.problems[0] == ("events", 0, "lead_id", None, "is null")


@pytest.mark.parametrize("value", [decimal.Decimal(2**53 + 1), -decimal.Decimal(10**37)])
@pytest.mark.parametrize("kind", [pa.decimal128(38, 0), pa.decimal256(60, 3)])
def test_decimals_that_are_integers_must_fit_float64(value, kind):
    """An integer is exact or refused, however it is stored (spec 2.7)."""
    error = fault_of(anything("number"), events(1, f=pa.array([value], kind)), codes=1, numbers=1)

    assert error.problems[0][4] == "is an integer that float64 cannot hold exactly"


@pytest.mark.parametrize("unit", ["s", "ms"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_timestamps_beyond_any_calendar_show_their_number(unit, zone):
    """A message shows what is in the table, not why it has no date."""
    error = fault_of(BARE, events(1, at=pa.array([2**62], pa.int64()).cast(pa.timestamp(unit, zone))))

    assert error.problems[0] == ("events", 0, "at", str(2**62), "is outside the years 1 to 9999")


def test_integers_and_text_do_not_mix():
    """Ids are integers or text throughout a run."""
    for one, other in [(pa.array([1]), pa.array(["1"])), (pa.array(["1"]), pa.array([1]))]:
        error = fault_of(BARE, events(1, lead_id=other), leads=pa.table({"lead_id": one}))
        assert error.problems[0][:3] == ("events", None, "lead_id")


def lexical(table):
    return table.replace_schema_metadata({"leadcore.lexical": "1"})


def text_events(ids, **columns):
    count = len(ids)
    usual = {"lead_id": ids, "at": ["2026-03-01"] * count, "type": ["t"] * count}
    return lexical(pa.table({name: pa.array(column, pa.string()) for name, column in (usual | columns).items()}))


def test_untyped_ids_become_integers_if_all_are():
    """Ids of a text file are integers exactly if each is written as one would write it."""
    for ids, expected in [
        (["10", "9", "-3", "0"], [10, 9, -3, 0]),
        (["10", "9", "09"], ["10", "9", "09"]),
        (["10", "+9"], ["10", "+9"]),
        (["-0"], ["-0"]),
        (["9223372036854775807", "-9223372036854775808"], [2**63 - 1, -(2**63)]),
        (["9223372036854775808"], ["9223372036854775808"]),
        (["a", ""], ["a", ""]),
    ]:
        run = Run(BARE, text_events(ids))
        assert run.column("lead") == expected
        order = sorted(range(len(ids)), key=lambda i: expected[i])
        assert np.argsort(run.encoder.id_ranks()).tolist() == order


def test_untyped_ids_join_typed_ones():
    """Beside integers they are integers, beside text they are text, whichever came first."""
    integers, texts = pa.table({"lead_id": [5, 7]}), pa.table({"lead_id": ["5", "7"]})
    assert Run(BARE, text_events(["7", "8"]), leads=integers).ids() == [5, 7, 8]
    assert Run(BARE, text_events(["7", "08"]), leads=texts).ids() == ["5", "7", "08"]
    assert fault_of(BARE, text_events(["7", "x", "07"]), leads=integers).total == 2
    plain = lexical(texts)
    assert Run(BARE, events(2, lead_id=pa.array([7, 9])), leads=plain).ids() == [5, 7, 9]
    assert Run(BARE, events(2, lead_id=pa.array(["7", "9"])), leads=plain).ids() == ["5", "7", "9"]
    odd = lexical(pa.table({"lead_id": ["5", "x"]}))
    assert fault_of(BARE, events(1), leads=odd).problems[0][:3] == ("events", None, "lead_id")


def test_many_ids_keep_their_codes():
    """Tables that grow give each id one code for ever."""
    rng = np.random.default_rng(3)
    ids = rng.integers(-(2**63), 2**63 - 1, 50_000)
    chosen = ids[rng.integers(0, len(ids), 200_000)]
    for column, expected in [
        (pa.array(chosen), chosen.tolist()),
        (pa.array([f"id-{i}" for i in chosen]), [f"id-{i}" for i in chosen]),
    ]:
        run = Run(BARE, events(len(chosen), lead_id=column), size=65_536)
        assert run.column("lead") == expected
        seen = list(dict.fromkeys(expected))
        assert run.ids() == seen
        ranks = run.encoder.id_ranks()
        assert [seen[i] for i in np.argsort(ranks)] == sorted(seen)
        assert run.encoder.find(expected[77]) == seen.index(expected[77])


def test_ids_of_codes_in_any_order():
    run = Run(BARE, leads=pa.table({"lead_id": ["x", "y"]}))

    assert pa.table(run.encoder.ids(np.array([1, 0, 1], np.uint32)))["lead_id"].to_pylist() == ["y", "x", "y"]


# --- leads -----------------------------------------------------------------------------------------------------------


def test_leads_with_everything():
    """Columns that are there come back, in the order of the rows."""
    table = pa.table({
        "lead_id": [3, 1, 3], "valid_from": ["2026-01-01", None, None], "created_at": [None, "1970-01-01", None],
        "account_id": ["acme", None, "acme"], "f": ["x", None, None], "asked": ["1970-01-01"] * 3,
    })  # fmt: skip
    encoder = Encoder(anything("text"))

    leads = encoder.read_leads(table, {}, "asked")

    assert {name: array.tolist() for name, array in leads.items()} == {
        "code": [0, 1, 0], "hits": [1, 0, 0], "valid_from": [1_767_225_600_000_000, LEAST, LEAST],
        "created_at": [NEVER, 0, NEVER], "account": [1, 0, 1], "as_of": [0, 0, 0],
    }  # fmt: skip
    assert {name: array.dtype.name for name, array in leads.items()}["account"] == "uint32"
    assert sets(*encoder.lead_hit_sets()) == [(), (1,)]
    assert pa.table(encoder.accounts()).to_pydict() == {"account_id": ["acme"]}


def test_leads_that_stand_twice():
    """A lead stands once, or once at each valid_from; the error names both rows (spec 2.1)."""
    with pytest.raises(EdgeError) as error:
        Run(BARE, leads=pa.table({"lead_id": ["a", "b", "a", "a"]}))
    assert [problem[:4] for problem in error.value.problems] == [
        ("leads", 2, "lead_id", "a"),
        ("leads", 3, "lead_id", "a"),
    ]
    assert "row 0" in error.value.problems[0][4]
    with pytest.raises(EdgeError) as error:
        Run(
            BARE,
            leads=pa.table({"lead_id": [1, 1, 1, 1], "valid_from": pa.array([None, 5, None, 6], pa.timestamp("us"))}),
        )
    assert [problem[1] for problem in error.value.problems] == [2]
    assert "valid_from" in error.value.problems[0][4]


def test_rejected_twins_all_go():
    """Where faulty rows are rejected, which twin came first decides nothing (spec 10.1)."""
    run = Run(BARE, leads=pa.table({"lead_id": ["a", "b", "a", "c", "b", "a"]}), reject=True)

    assert run.leads["code"].tolist() == [2]
    assert [row[1] for row in run.rejects()] == [0, 1, 2, 4, 5]
    assert [array.tolist() for array in run.encoder.rejected_leads()] == [[0, 1], [3, 2]]
    assert run.encoder.counts()["rejected"] == {"leads": 5}


def test_faulty_leads():
    """Each faulty value is named; a row with several is one rejected row."""
    table = pa.table({
        "lead_id": [1, None, 3, 4], "f": pa.array([1.0, 2.0, float("inf"), None]),
        "created_at": ["1970-01-01", "x", "y", None], "account_id": [1, 2, 3, None],
    })  # fmt: skip
    with pytest.raises(EdgeError) as error:
        Run(anything("number"), leads=table)
    assert [problem[1:4] for problem in error.value.problems] == [
        (1, "lead_id", None),
        (1, "created_at", "x"),
        (2, "created_at", "y"),
        (2, "f", "inf"),
    ]

    run = Run(anything("number"), leads=table, reject=True)
    assert run.lead_hits() == {1: (1,), 4: ()}
    assert run.encoder.counts()["rejected"] == {"leads": 2}
    assert [array.tolist() for array in run.encoder.rejected_leads()] == [[1], [1]]


def test_null_as_of_is_a_fault():
    with pytest.raises(EdgeError) as error:
        Encoder(BARE).read_leads(pa.table({"lead_id": [1], "T": pa.array([None], pa.timestamp("us"))}), {}, "T")

    assert error.value.problems[0][:3] == ("leads", 0, "T")


def test_pairs():
    """Small tables of ids and instants share the space of ids."""
    encoder = Encoder(BARE)
    encoder.read_leads(pa.table({"lead_id": ["a", "b"]}), {})

    pairs = encoder.read_pairs(
        pa.table({"who": ["b", "c"], "as_of": ["1970-01-01", "1970-01-02"]}),
        "as_of",
        {"lead_id": "who"},
        ["lead_id"],
        ["as_of"],
    )
    aliases = encoder.read_pairs(
        pa.table({"lead_id": ["c"], "same_as": ["a"]}), "aliases", {}, ["lead_id", "same_as"], []
    )

    assert {name: array.tolist() for name, array in pairs.items()} == {"lead_id": [1, 2], "as_of": [0, 86_400_000_000]}
    assert {name: array.tolist() for name, array in aliases.items()} == {"lead_id": [2], "same_as": [0]}
    with pytest.raises(EdgeError) as error:
        encoder.read_pairs(
            pa.table({"lead_id": ["c", "d"], "same_as": ["a", None]}), "aliases", {}, ["lead_id", "same_as"], []
        )
    assert error.value.problems[0][:4] == ("aliases", 1, "same_as", None)


# --- faults ----------------------------------------------------------------------------------------------------------


def test_all_faults_are_counted_and_the_first_listed():
    """The error comes at the end of the table, counts all faults and lists a hundred."""
    table = events(5000, at=pa.array([None if i % 3 else "1970-01-01" for i in range(5000)]))

    error = fault_of(BARE, table, size=100)

    assert error.total == 3333
    assert len(error.problems) == 100
    assert error.problems[:2] == [("events", 1, "at", None, "is null"), ("events", 2, "at", None, "is null")]


def test_rejected_rows_are_listed_and_left_out():
    """With reject every fault is listed, its row left out, and its lead told if it could be read."""
    ids = pa.array([1, 2, None, 1, 5, 6, 6])
    at = pa.array(["1970-01-01", "bad\n\x00", "1970-01-01", None, "1970-01-01", "x" * 40, "1970-01-01"])
    kinds = pa.array(["t", "t", "t", None, "other", "other", "bare"])
    run = Run(
        anything("number"),
        events(7, lead_id=ids, at=at, type=kinds, f=pa.array([1.0, float("inf"), 1, 1, 1, 1, float("inf")])),
        reject=True,
        codes=1,
        numbers=1,
    )

    assert run.column("row") == [0, 6]
    assert [row[:4] for row in run.rejects()] == [
        ("events", 1, "at", "bad\\n\\u{0}"), ("events", 1, "f", "inf"), ("events", 2, "lead_id", None),
        ("events", 3, "at", None), ("events", 3, "type", None), ("events", 5, "at", "x" * 31 + "…"),
    ]  # fmt: skip
    assert run.encoder.counts() == {"rows": {"events": 7}, "ignored": {"other": 1}, "rejected": {"events": 4}}
    leads, rows = run.encoder.rejected_leads()
    ids = run.ids()
    assert {ids[lead]: count for lead, count in zip(leads, rows, strict=True)} == {1: 1, 2: 1, 6: 1}
    run.encoder.reject_row(6, "event_id", "x" * 50, "stands in row 0 too", 0)
    assert run.rejects()[-1] == ("events", 6, "event_id", "x" * 31 + "…", "stands in row 0 too")
    assert run.encoder.counts()["rejected"] == {"events": 5}


def test_text_files_are_read_as_what_the_model_declares():
    """In a lexical stream numbers, booleans and instants come as text (spec 12)."""
    compiled = program(
        event=[field("n", "number"), field("b", "boolean"), field("i", "instant")],
        types=[{"name": "t", "fields": [0, 1, 2]}],
        event_rules=[{"rule": "test", "types": [0], "hit": 1, "when": {"field": 1, "op": "in", "values": [True]}}],
        numbers=[0],
        codes=[2],
    )
    good = {
        "n": ["1", "-1.5e3", "NaN", None, "9007199254740992", ".5"],
        "b": ["true", "True", "TRUE", "false", None, "FALSE"],
        "i": ["1970-01-01", None, None, None, None, None],
    }
    run = Run(compiled, text_events(["1"] * 6, **good), numbers=1, codes=1)
    numbers = [number for (number,) in run.column("numbers")]
    assert [None if n != n else n for n in numbers] == [1.0, -1500.0, None, None, 2.0**53, 0.5]
    assert run.column("hits") == [(1,), (1,), (1,), (), (), ()]

    for name, texts in {
        "n": ["x", "", " 1", "0x10", "inf", "1e999", "9007199254740993", "1_000", "--1", "1 "],
        "b": ["yes", "1", "", "tRUE"],
        "i": ["x", ""],
    }.items():
        count = len(texts)
        columns = {other: [None] * count for other in "nbi"} | {name: texts}
        error = fault_of(compiled, text_events(["1"] * count, **columns), numbers=1, codes=1)
        assert [problem[1:4] for problem in error.problems] == [(i, name, text) for i, text in enumerate(texts)]


def test_rows_a_reader_could_not_read():
    """The reader's own words stand in the fault, and nothing else is said of the row."""
    table = text_events(
        ["1", None, "3"],
        at=["1970-01-01", None, "1970-01-01"],
        type=["t", None, "t"],
        **{"leadcore.problem": [None, "at\tx\ty\tis torn", "\t\ttoo many fields"]},
    )

    error = fault_of(BARE, table)

    assert error.problems == [("events", 1, "at", "x", "y\tis torn"), ("events", 2, None, None, "too many fields")]
    run = Run(BARE, table, reject=True)
    assert run.column("lead") == [1]
    assert run.encoder.counts()["rejected"] == {"events": 2}


def test_undeclared_types_are_counted_by_name():
    """They take no part, whatever they bear, and do not become leads."""
    kinds = ["t", "T", "x", "x", None] * 1000
    table = events(5000, type=pa.array(kinds), f=pa.array([1.0, float("inf"), float("inf"), 1, 1] * 1000))

    run = Run(anything("number"), table, reject=True, codes=1, numbers=1)

    assert run.encoder.counts()["ignored"] == {"T": 1000, "x": 2000}
    assert len(run.rows) == 1000
    assert run.encoder.lead_count == 2000


def test_streams_that_fail_say_so():
    """An error of the producer comes out as a fault of the table."""

    def batches():
        yield events(3).to_batches()[0]
        raise ValueError("disk gone")

    stream = pa.RecordBatchReader.from_batches(events(3).schema, batches())
    error = fault_of(BARE, stream)
    assert error.problems[0][:4] == ("events", None, None, None)
    assert "disk gone" in error.problems[0][4]


def test_wrong_arrays_are_refused():
    """Arrays of other lengths, types or layouts are refused before anything is written."""
    encoder = Encoder(anything("number"))
    good = [np.zeros(4, kind) for kind in (np.uint32, np.int64, np.uint32, np.int64, np.uint32, np.uint32)]
    shaped = [np.zeros((1, 4), np.uint32), np.zeros((1, 4))]
    with pytest.raises(ValueError, match="open_events"):
        encoder.next_block(*good, *shaped)
    encoder.open_events(events(9, f=pa.array(np.arange(9.0))), {})
    for place, bad in [
        (0, np.zeros(4, np.int32)),
        (1, np.zeros(3, np.int64)),
        (2, np.zeros(8, np.uint32)[::2]),
        (6, np.zeros((2, 4), np.uint32)),
        (7, np.zeros((4, 1))),
        (7, np.zeros(4)),
    ]:
        arrays = good + shaped
        arrays[place] = bad
        with pytest.raises((ValueError, TypeError)):
            encoder.next_block(*arrays)
    frozen = good[0].copy()
    frozen.flags.writeable = False
    with pytest.raises((ValueError, TypeError)):
        encoder.next_block(frozen, *good[1:], *shaped)
    assert encoder.next_block(*good, *shaped) == 4
    with pytest.raises(ValueError, match="one events table"):
        encoder.open_events(events(1), {})


# --- identities ------------------------------------------------------------------------------------------------------


def test_when_identities_and_contents_are_filled():
    """Identities for ordered programs or where there are event ids; contents for the latter (spec 2.4, 2.5)."""
    ordered = program(types=[{"name": "t", "fields": []}], ordered=True)
    for compiled, table, expected in [
        (BARE, events(2), (False, False)),
        (ordered, events(2), (True, False)),
        (BARE, events(2, event_id=pa.array([1, 2])), (True, True)),
    ]:
        run = Run(compiled, table)
        assert (run.identities, run.contents) == expected


def canonical_key(row, fields):
    """Spec 2.4 as a sort key."""

    def value(one):
        return (0, 0) if one is None or one != one else (1, one)

    if row["event_id"] is not None:
        return (1, row["event_id"])
    return (0, row["type"], tuple(value(row[name]) for name in fields[row["type"]]))


@pytest.mark.parametrize("seed", range(12))
def test_identity_ranks_are_canonical_order(seed):
    """Ranks order rows as spec 2.4 does, equal exactly where its keys are, and contents are equal where rows are."""
    rng = random.Random(seed)
    declared = [field("s", "text"), field("n", "number"), field("b", "boolean"), field("i", "instant")]
    types = {"zeta": [3, 2, 1, 0], "alpha": [0, 1], "bäta": []}
    names = {kind: [declared[place]["name"] for place in places] for kind, places in types.items()}
    compiled = program(
        event=declared, types=[{"name": name, "fields": places} for name, places in types.items()], ordered=True
    )
    ids = [[None], [None, 3, -5, 2**62], [None, "b", "B", "", "😀", "ﬀ", "ba"], [7, 8]][seed % 4]
    rows = [
        {
            "at": rng.choice([0, 1]), "type": rng.choice(list(types)), "s": rng.choice([None, "", "a", "é", "z", "😀", "ﬀ"]),
            "n": rng.choice([None, float("nan"), -1e300, -0.0, 0.0, 5e-324, 2.0]), "b": rng.choice([None, False, True]),
            "i": rng.choice([None, -5, 0, 7]), "event_id": rng.choice(ids),
        }
        for _ in range(700)
    ]  # fmt: skip
    columns = {name: [row[name] for row in rows] for name in rows[0] if name not in {"at", "i", "event_id"}}
    columns |= {name: pa.array([row[name] for row in rows], pa.timestamp("us")) for name in ("at", "i")}
    if ids != [None]:
        columns["event_id"] = pa.array([row["event_id"] for row in rows])

    run = Run(compiled, events(700, **columns), size=64)

    ranks, without = run.encoder.identity_ranks()
    found = [int(ranks[number]) for number in run.column("order")]
    keys = [canonical_key(row, names) for row in rows]
    places = {key: place for place, key in enumerate(sorted(set(keys)))}
    assert found == [places[key] for key in keys]
    assert without == sum(key[0] == 0 for key in places)
    if run.contents:
        same = {}
        for row, number in zip(rows, run.column("content"), strict=True):
            exact = (row["at"], *canonical_key(row | {"event_id": None}, names))
            assert same.setdefault(exact, number) == number
        assert len(set(same.values())) == len(same)


def test_untyped_event_ids_rank_as_integers_if_all_are():
    """Event ids of a text file sort by value where all are integers, else by code point."""
    for ids, order in [(["10", "9", None, "-1"], [2, 3, 1, 0]), (["10", "9", "09"], [2, 0, 1])]:
        table = text_events(["1"] * len(ids), event_id=ids)
        run = Run(BARE, table)
        ranks, _ = run.encoder.identity_ranks()
        assert np.argsort([ranks[number] for number in run.column("order")], kind="stable").tolist() == order


def test_null_event_ids_are_no_ids():
    """A row whose event_id is null is a row without one."""
    run = Run(BARE, events(3, event_id=pa.array([None, None, None], pa.int64())))

    ranks, without = run.encoder.identity_ranks()
    assert (set(ranks.tolist()), without) == ({0}, 1)


def event_ids(run, numbers):
    """The ids of identity numbers, and their Arrow type."""
    column = pa.table(run.encoder.event_ids(np.array(numbers, np.uint32)))["event_id"]
    return column.to_pylist(), str(column.type)


@pytest.mark.parametrize(
    "ids", [[7, -5, 7, 2**63 - 1], ["b", "", "b", "😀"], [None, 3, None, 4], ["x", None, "y", None]]
)
def test_event_ids_of_identity_numbers(ids):
    """An identity number is the event id of its row, null where the row had none; others are nobody's."""
    column = pa.array(ids)
    run = Run(BARE, events(4, event_id=column), size=3)
    order = run.column("order")

    assert event_ids(run, order) == (ids, str(column.type))
    assert event_ids(run, order[::-1] * 2) == (ids[::-1] * 2, str(column.type))
    assert event_ids(run, [2**32 - 1, order[1], 4, 2**31]) == ([None, ids[1], None, None], str(column.type))
    assert event_ids(run, []) == ([], str(column.type))


def test_event_ids_of_text_files():
    """Event ids of a text file are integers where all of them are."""
    for ids, kind, expected in [
        (["10", "9", None, "-1"], "int64", [10, 9, None, -1]),
        (["10", None, "09"], "string", ["10", None, "09"]),
        ([None, None], "string", [None, None]),
    ]:
        run = Run(BARE, text_events(["1"] * len(ids), event_id=ids))
        assert event_ids(run, run.column("order")) == (expected, kind)


def test_event_ids_where_there_are_none():
    """Without events, without identities and without ids there is text, all null; integers stay integers."""
    ordered = program(types=[{"name": "t", "fields": []}], ordered=True)
    for run in (Run(BARE), Run(BARE, events(1)), Run(ordered, events(1)), Run(ordered, events(0))):
        assert event_ids(run, [0, 1, 2**32 - 1]) == ([None] * 3, "string")
    nulls = Run(BARE, events(2, event_id=pa.array([None, None], pa.int64())))
    assert event_ids(nulls, nulls.column("order")) == ([None, None], "int64")
    with pytest.raises(TypeError):
        nulls.encoder.event_ids(np.zeros(2, np.int64))


# --- bounds ----------------------------------------------------------------------------------------------------------


def test_more_distinct_texts_than_are_kept():
    """Beyond what is remembered, texts are tested one by one, with the same answers."""
    count = 1_100_000
    rule = {"rule": "test", "types": [0], "hit": 1, "when": {"field": 0, "op": "ends_with", "values": ["7"]}}
    compiled = program(event=[field("f", "text")], types=[{"name": "t", "fields": [0]}], event_rules=[rule])
    texts = np.arange(count).astype(str)
    encoder = Encoder(compiled)
    encoder.open_events(events(count, lead_id=pa.array(np.zeros(count, np.int64)), f=pa.array(texts)), {})
    block = [np.zeros(count, kind) for kind in (np.uint32, np.int64, np.uint32, np.int64, np.uint32, np.uint32)]

    assert encoder.next_block(*block, np.zeros((0, count), np.uint32), np.zeros((0, count))) == count

    assert (block[2] == (np.arange(count) % 10 == 7)).all()


def test_many_classes_in_many_fields():
    """More combinations of classes than rows of the memory are wide still get their own hits."""
    bounds = list(range(0, 2000, 2))
    rules = [
        {
            "rule": "bands",
            "types": [0],
            "field": place,
            "rows": [[bound, 10_000 * place + i] for i, bound in enumerate(bounds)],
            "otherwise": None,
            "missing": 99_999,
        }
        for place in (0, 1)
    ]
    compiled = program(
        event=[field("f", "number"), field("g", "number")], types=[{"name": "t", "fields": [0, 1]}], event_rules=rules
    )
    rng = np.random.default_rng(5)
    f, g = rng.integers(-5, 2005, (2, 20_000))
    for _ in range(2):
        run = Run(compiled, events(20_000, f=pa.array(f), g=pa.array(g)), size=5000)
        expected = [
            tuple(10_000 * place + min(x // 2, 999) for place, x in enumerate(pair) if x >= 0)
            for pair in zip(f.tolist(), g.tolist(), strict=True)
        ]
        assert run.column("hits") == expected


def test_many_classes_of_one_text_field():
    """The memory widens as a text field shows more and more classes."""
    words = [f"w{i}." for i in range(300)]
    rules = [
        {"rule": "test", "types": [0], "hit": i, "when": {"field": 0, "op": "contains", "values": [word]}}
        for i, word in enumerate(words)
    ]
    rules.append({"rule": "test", "types": [0], "hit": 1000, "when": {"field": 1, "op": "exists"}})
    compiled = program(
        event=[field("f", "text"), field("g", "number")], types=[{"name": "t", "fields": [0, 1]}], event_rules=rules
    )
    rng = random.Random(1)
    texts = [sorted(rng.sample(range(300), rng.randint(0, 2))) for _ in range(6000)]
    g = [None if i % 2 else 1.0 for i in range(6000)]

    run = Run(compiled, events(6000, f=pa.array(["".join(words[i] for i in one) for one in texts]), g=pa.array(g)))

    assert run.column("hits") == [(*one, 1000) if number else tuple(one) for one, number in zip(texts, g, strict=True)]
