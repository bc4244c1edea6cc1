"""Tables: built from parts, read any number of times, every Arrow type as Python values."""

import datetime as dt
import decimal

import numpy as np
import pyarrow as pa
import pytest
from leadcore_arrow import Table

UTC = dt.UTC


def built():
    return Table.build(
        [
            ("id", np.array([1, 2, 3])),
            ("byte", np.array([1, 2, 255], np.uint8)),
            ("code", np.array([7, 8, 9], np.uint32)),
            ("half", np.array([0.5, 1.5, np.nan], np.float32)),
            ("score", np.array([0.1, 0.2, -0.0])),
            ("hot", np.array([True, False, True])),
            ("at", ("instant", np.array([0, -1, 253402300799999999]), None)),
            ("until", ("instant", np.array([0, 5, 0]), np.array([True, False, True]))),
            ("maybe", ("nullable", np.array([1.0, 2.0, 3.0]), np.array([False, True, True]))),
            ("label", ("dictionary", np.array([1, -1, 0], np.int32), ["cold", "hot"])),
            ("name", ("text", ["a", None, "ü😀"])),
            ("why", ("lists", np.array([0, 2, 2, 3]), ["x", "y", "z"])),
        ]
    )


def test_every_kind_of_column_reads_back():
    """What `build` is given stands in the rows."""
    first, second, third = built().to_dicts()

    assert first == {
        "id": 1,
        "byte": 1,
        "code": 7,
        "half": 0.5,
        "score": 0.1,
        "hot": True,
        "at": dt.datetime(1970, 1, 1, tzinfo=UTC),
        "until": dt.datetime(1970, 1, 1, tzinfo=UTC),
        "maybe": None,
        "label": "hot",
        "name": "a",
        "why": ["x", "y"],
    }
    assert second["at"] == dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert (second["until"], second["label"], second["name"], second["why"]) == (None, None, None, [])
    assert third["at"] == dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert third["at"].tzinfo is UTC
    assert (third["name"], third["label"], third["why"]) == ("ü😀", "cold", ["z"])


def test_arrow_types_are_those_promised():
    """Another library sees the types that the stub names, and valid memory."""
    table = pa.table(built())
    table.validate(full=True)

    assert [str(f.type) for f in table.schema] == [
        "int64",
        "uint8",
        "uint32",
        "float",
        "double",
        "bool",
        "timestamp[us, tz=UTC]",
        "timestamp[us, tz=UTC]",
        "double",
        "dictionary<values=string, indices=int32, ordered=0>",
        "string",
        "list<item: string>",
    ]
    assert table["name"].to_pylist() == ["a", None, "ü😀"]


def test_streams_can_be_read_again():
    """Two readers of one table see the same rows, also after the table is gone."""
    table = built()
    first, second = pa.RecordBatchReader.from_stream(table), pa.RecordBatchReader.from_stream(table)
    del table

    assert str(first.read_all().to_pylist()) == str(second.read_all().to_pylist())
    assert len(pa.table(built())) == 3
    assert pa.schema(built()) == pa.table(built()).schema


def test_columns_without_nulls_are_numpy():
    """Numbers, booleans and instants leave as arrays; text, and what has nulls, as lists."""
    table = built()

    assert table.column("id").dtype == np.int64
    assert table.column("half").dtype == np.float32
    assert table.column("hot").tolist() == [True, False, True]
    assert table.column("at").dtype == np.dtype("datetime64[us]")
    assert table.column("at")[1] == np.datetime64("1969-12-31T23:59:59.999999")
    assert table.column("until") == [dt.datetime(1970, 1, 1, tzinfo=UTC), None, dt.datetime(1970, 1, 1, tzinfo=UTC)]
    assert table.column("maybe") == [None, 2.0, 3.0]
    assert table.column("label") == ["hot", None, "cold"]
    with pytest.raises(KeyError, match="nothing"):
        table.column("nothing")


def test_rows_by_position():
    """A row is a dict; positions count from either end."""
    table = built()

    assert table.row(0)["name"] == "a"
    assert str(table.row(-1)) == str(table.row(2)) == str(table.to_dicts()[2])
    for index in (3, -4, 2**40):
        with pytest.raises(IndexError):
            table.row(index)


def chunked():
    label = pa.chunked_array([pa.array(["a", "b"]).dictionary_encode(), pa.array(["c", None]).dictionary_encode()])
    return Table.collect(pa.table({"n": pa.chunked_array([[1, 2], [3, None]]), "label": label}))


@pytest.mark.parametrize("make", [built, chunked])
def test_take_is_indexing(make):
    """`take` gives the rows asked for, in that order, as often as asked."""
    table = make()
    rows = [2, 0, 2, 1]

    assert str(table.take(np.array(rows)).to_dicts()) == str([table.row(r) for r in rows])
    assert table.take(np.array([], np.int64)).column_names == table.column_names
    assert len(table.take(np.array([], np.int64))) == 0
    assert len(table.take(np.array([2, 1, 0, 0])[::2])) == 2
    for bad in (-1, 4, 2**62):
        with pytest.raises(IndexError, match=str(bad)):
            table.take(np.array([0, bad]))


def test_select_and_with_columns():
    """Columns are chosen by name and put beside those of a table cut into other chunks."""
    left = chunked()
    right = Table.collect(pa.table({"x": pa.chunked_array([[1], [2, 3, 4]])}))

    both = left.with_columns(right)

    assert both.column_names == ["n", "label", "x"]
    assert both.select(["x", "n"]).to_dicts() == [{"x": i + 1, "n": n} for i, n in enumerate([1, 2, 3, None])]
    assert both.column("label") == ["a", "b", "c", None]
    with pytest.raises(KeyError):
        left.select(["x"])
    with pytest.raises(ValueError, match="two columns"):
        both.with_columns(right)
    with pytest.raises(ValueError, match="differ in length"):
        left.with_columns(Table.build([("y", np.array([1]))]))


def test_a_column_of_a_table_is_used_as_it_is():
    """Results take their ids over from another table, chunks and all."""
    ids = Table.collect(pa.table({"lead_id": pa.chunked_array([["a"], ["b", "c"]])}))

    table = Table.build([("lead_id", ("column", ids)), ("score", np.array([1.0, 2.0, 3.0]))])

    assert table.column("lead_id") == ["a", "b", "c"]
    assert table.column("score").tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match="one column"):
        Table.build([("lead_id", ("column", chunked()))])


def test_empty_tables():
    """No rows and no columns are tables too."""
    none = Table.build([])
    empty = Table.build(
        [
            ("a", np.array([], np.int64)),
            ("b", ("text", [])),
            ("c", ("lists", np.array([0]), [])),
            ("d", ("dictionary", np.array([], np.int32), [])),
        ]
    )

    assert (len(none), none.column_names, none.to_dicts()) == (0, [], [])
    assert (len(empty), empty.to_dicts(), empty.column("b")) == (0, [], [])
    assert pa.table(empty).num_rows == 0
    assert Table.collect(pa.table({"x": pa.array([], pa.string())})).column("x") == []


@pytest.mark.parametrize(
    "column",
    [
        np.zeros((2, 2)),
        np.array(["a"]),
        np.array([1j]),
        ("dictionary", np.array([2], np.int32), ["a"]),
        ("dictionary", np.array([-2], np.int32), ["a"]),
        ("lists", np.array([0, 2]), ["a"]),
        ("lists", np.array([1, 1]), ["a"]),
        ("lists", np.array([0, 2, 1]), ["a"]),
        ("lists", np.array([], np.int64), []),
        ("instant", np.array([1]), np.array([True, False])),
        ("instant", np.array([1.0]), None),
        ("nonsense", 1),
        ("text", [1]),
        ("text",),
        3,
    ],
)
def test_wrong_parts_are_refused(column):
    """A part that makes no column is an ordinary exception that names the column."""
    with pytest.raises((ValueError, TypeError, IndexError), match="column x"):
        Table.build([("x", column)])


def test_columns_of_unequal_length_are_refused():
    """The lengths are told."""
    with pytest.raises(ValueError, match="a has 2 rows, b has 1 row"):
        Table.build([("a", np.array([1, 2])), ("b", np.array([1]))])


VALUES = [
    (pa.array([1, None], pa.int8()), [1, None]),
    (pa.array([2**64 - 1, None], pa.uint64()), [2**64 - 1, None]),
    (pa.array([1.5, None], pa.float16()), [1.5, None]),
    (pa.array([b"a", None]), [b"a", None]),
    (pa.array([b"a", None], pa.large_binary()), [b"a", None]),
    (pa.array([b"a", None], pa.binary_view()), [b"a", None]),
    (pa.array([b"ab", None], pa.binary(2)), [b"ab", None]),
    (pa.array(["a", None], pa.large_string()), ["a", None]),
    (pa.array(["a", None], pa.string_view()), ["a", None]),
    (pa.array([dt.date(2020, 2, 29), None]), [dt.date(2020, 2, 29), None]),
    (pa.array([dt.date(1960, 2, 29), None], pa.date64()), [dt.date(1960, 2, 29), None]),
    (pa.array([decimal.Decimal("1.50"), None]), [decimal.Decimal("1.50"), None]),
    (pa.array([-1, None], pa.timestamp("ns")), [dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), None]),
    (pa.array([5, None], pa.timestamp("s", "Europe/Berlin")), [dt.datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC), None]),
    (pa.array([[1, None], None, []]), [[1, None], None, []]),
    (pa.array([["a"], None], pa.large_list(pa.string())), [["a"], None]),
    (pa.array([["a"], None], pa.list_view(pa.string())), [["a"], None]),
    (pa.array([[1, 2], None], pa.list_(pa.int64(), 2)), [[1, 2], None]),
    (pa.array([{"a": 1, "b": "x"}, None]), [{"a": 1, "b": "x"}, None]),
    (pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())), [[("k", 1)], None]),
    (pa.array([None, None]), [None, None]),
    (pa.array([None, None], pa.string()).dictionary_encode(), [None, None]),
    (pa.RunEndEncodedArray.from_arrays([2, 3], ["a", None]), ["a", "a", None]),
    (pa.array([dt.time(1, 2, 3), None]), ["01:02:03", None]),
]


@pytest.mark.parametrize(("array", "values"), VALUES, ids=[str(a.type) for a, _ in VALUES])
def test_other_arrow_types_have_python_values(array, values):
    """Every type a caller's stream may bring reads as Python values, also in slices."""
    table = Table.collect(pa.table({"x": array}))

    assert table.column("x") == values
    assert [row["x"] for row in table.to_dicts()] == values
    assert [table.row(i)["x"] for i in range(len(values))] == values
    assert Table.collect(pa.table({"x": array}).slice(1)).column("x") == values[1:]


def test_instants_outside_python_are_an_exception():
    """A timestamp that no datetime can hold raises, and numpy still has it."""
    table = Table.collect(pa.table({"at": pa.array([2**62], pa.timestamp("us"))}))

    with pytest.raises(OverflowError, match="9999"):
        table.to_dicts()
    assert table.column("at").view("int64").tolist() == [2**62]


def test_memory_nobody_validated_is_refused():
    """Another library's broken offsets are an exception, not a read past the end (spec 11)."""
    offsets = pa.py_buffer(np.array([0, 1000, 3], np.int32))
    array = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"abc"))
    keys = pa.DictionaryArray.from_arrays(pa.array([5], pa.int32()), pa.array(["a"]), safe=False)
    latin = pa.StringArray.from_buffers(1, pa.py_buffer(np.array([0, 1], np.int32)), pa.py_buffer(b"\xff"))

    for broken in (array, keys, latin):
        with pytest.raises(ValueError):
            Table.collect(pa.table({"x": broken}))


def test_streams_that_fail_raise():
    """An error inside a stream reaches the caller."""

    def batches():
        yield pa.record_batch({"x": [1]})
        raise RuntimeError("the source broke")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"x": pa.int64()}), batches())

    with pytest.raises(Exception, match="the source broke"):
        Table.collect(reader)
    with pytest.raises((TypeError, ValueError), match="__arrow_c_stream__"):
        Table.collect(3)


def test_a_requested_schema_is_honoured():
    """A consumer that asks for another type gets it where it can be cast."""
    table = Table.build([("x", np.array([1, 2], np.uint8))])
    reader = pa.RecordBatchReader.from_stream(table, schema=pa.schema({"x": pa.int64()}))

    assert reader.read_all()["x"].type == pa.int64()


@pytest.mark.parametrize(("limit", "rows"), [(None, 5), (0, 0), (1, 1), (3, 3), (5, 5), (9, 5)])
def test_collect_stops_at_a_limit(limit, rows):
    """The first rows of a stream of several batches, and its whole schema even where there are none."""
    stream = pa.Table.from_batches([pa.record_batch({"a": [1, 2]}), pa.record_batch({"a": [3, 4, 5]})])

    table = Table.collect(stream, limit)

    assert table.column_names == ["a"]
    assert table.to_dicts() == [{"a": n + 1} for n in range(rows)]
