"""Plain Python data as tables: types found, mixtures named."""

import collections
import datetime as dt
import decimal
import types
import zoneinfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from leadcore_arrow import EdgeError, from_python

UTC = dt.UTC


def one(values):
    """The Arrow column that these values become."""
    return pa.table(from_python({"x": values}))["x"].combine_chunks()


def problems(data):
    with pytest.raises(EdgeError) as caught:
        from_python(data)
    assert caught.value.total >= len(caught.value.problems) > 0
    return [p[1:] for p in caught.value.problems]


COLUMNS = [
    ([1, None, -(2**63), 2**63 - 1], pa.int64(), [1, None, -(2**63), 2**63 - 1]),
    ([1.5, None, 2], pa.float64(), [1.5, None, 2.0]),
    ([True, None, False], pa.bool_(), [True, None, False]),
    (["a", None, "", "ü😀"], pa.string(), ["a", None, "", "ü😀"]),
    (("a", "b"), pa.string(), ["a", "b"]),
    (range(3), pa.int64(), [0, 1, 2]),
    (collections.deque([1]), pa.int64(), [1]),
    ([None, None], pa.null(), [None, None]),
    ([], pa.null(), []),
    ([decimal.Decimal("0.1"), 2, 0.5], pa.float64(), [0.1, 2.0, 0.5]),
    ([np.int64(3), 4, np.uint8(5)], pa.int64(), [3, 4, 5]),
    ([np.float32(0.1), np.float64(2)], pa.float64(), [float(np.float32(0.1)), 2.0]),
    ([np.bool_(True), False], pa.bool_(), [True, False]),
    ([np.str_("a")], pa.string(), ["a"]),
    ([float("nan"), None, "a"], pa.string(), [None, None, "a"]),
    ([float("nan"), True], pa.bool_(), [None, True]),
    ([float("nan"), None], pa.null(), [None, None]),
    ([pd.NA, pd.NaT, 1], pa.int64(), [None, None, 1]),
    (np.array([1, 2], np.int8), pa.int8(), [1, 2]),
    (np.array([1, 2], np.uint64), pa.uint64(), [1, 2]),
    (np.array([1, 2], ">i4"), pa.int32(), [1, 2]),
    (np.array([1, 2], np.float16), pa.float32(), [1.0, 2.0]),
    (np.array([1, 2], np.float32), pa.float32(), [1.0, 2.0]),
    (np.arange(6)[::-2], pa.int64(), [5, 3, 1]),
    (np.array([True, False]), pa.bool_(), [True, False]),
    (np.array(["a", "bcd"]), pa.string(), ["a", "bcd"]),
    (np.array(["a", None], object), pa.string(), ["a", None]),
    (np.array([], object), pa.null(), []),
    (np.ma.array([1, 2], mask=[False, True]), pa.int64(), [1, None]),
    (pd.Series([1, 2]), pa.int64(), [1, 2]),
    (pd.Series([2**62 + 1, None], dtype="Int64"), pa.int64(), [2**62 + 1, None]),
    (pd.Series(["a", None], dtype=object), pa.string(), ["a", None]),
    (pl.Series([2**62 + 1, None]), pa.int64(), [2**62 + 1, None]),
    (pa.chunked_array([[1], [None]]), pa.int64(), [1, None]),
    (pa.array([1, None]), pa.int64(), [1, None]),
]


@pytest.mark.parametrize(("values", "kind", "expected"), COLUMNS, ids=[str(i) for i in range(len(COLUMNS))])
def test_columns_have_the_type_of_their_values(values, kind, expected):
    """Python, numpy, pandas, Polars and Arrow values of one type become that type, nothing lost."""
    column = one(values)
    column.validate(full=True)

    assert (column.type, column.to_pylist()) == (kind, expected)


BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
INSTANTS = [
    (dt.datetime(1970, 1, 1), 0),
    (dt.datetime(1970, 1, 1, tzinfo=UTC), 0),
    (dt.datetime(2024, 7, 1, 2, tzinfo=BERLIN), 1719792000000000),
    (dt.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=1), 1729992600000000),
    (dt.datetime(1, 1, 1), -62135596800000000),
    (dt.datetime(9999, 12, 31, 23, 59, 59, 999999), 253402300799999999),
    (dt.datetime(9999, 12, 31, 23, 59, tzinfo=dt.timezone(dt.timedelta(hours=23))), 253402217940000000),
    (dt.date(1969, 12, 31), -86400000000),
    (pd.Timestamp("1969-12-31T23:59:59.999999999"), -1),
    (pd.Timestamp("2024-07-01T02:00", tz="Europe/Berlin"), 1719792000000000),
    (np.datetime64("1970-01-02"), 86400000000),
    (np.datetime64(-1, "ns"), -1),
    (np.datetime64("2000", "Y"), 946684800000000),
    (np.datetime64("NaT"), None),
    (pd.NaT, None),
]


@pytest.mark.parametrize(("value", "micros"), INSTANTS, ids=[repr(v) for v, _ in INSTANTS])
def test_instants_are_microseconds_in_utc(value, micros):
    """Aware, naive (UTC), dates and nanoseconds (floor) read as spec 1.1 says."""
    column = one([value, dt.datetime(1970, 1, 1)])

    assert column.type == pa.timestamp("us", "UTC")
    assert column.cast(pa.int64()).to_pylist() == [micros, 0]


@pytest.mark.parametrize(
    "unit", ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "25us", "7ns", "10ms"]
)
def test_datetime64_of_every_unit(unit):
    """Coarser units multiply, finer ones floor, NaT is null."""
    values = np.array([-3, 0, 3, np.iinfo(np.int64).min], "int64").view(f"datetime64[{unit}]")
    expected = values.astype("datetime64[us]").astype(object)
    floored = {"ns": 1, "ps": 1, "fs": 1, "as": 1, "7ns": 1}

    column = one(values)

    assert column.type == pa.timestamp("us", "UTC")
    micros = column.cast(pa.int64()).to_pylist()
    assert micros[3] is None
    if unit in floored:
        assert micros[:3] == [-1, 0, 0]
    else:
        assert micros[:3] == [np.datetime64(e).astype("datetime64[us]").astype(int) for e in expected[:3]]


def test_datetime64_too_large_is_a_problem():
    """A count of days that no microseconds hold is named by row."""
    ((row, column, _, reason),) = problems({"x": np.array([0, 2**60], "datetime64[D]")})

    assert (row, column) == (1, "x")
    assert "9999" in reason


REFUSED = [
    ([1, "a"], 1, "is str, but row 0 of this column is int"),
    ([None, "a", "b", 1, True], 3, "is int, but row 1 of this column is str"),
    ([True, 1], 1, "is int, but row 0 of this column is bool"),
    ([1, True], 1, "is bool, but row 0 of this column is int"),
    ([dt.date(2020, 1, 1), 5], 1, "is int, but row 0 of this column is datetime"),
    ([decimal.Decimal(1), "1"], 1, "is str, but row 0 of this column is Decimal"),
    ([2**53 + 1, 0.5], 0, "float64"),
    ([2**63 - 1, 0.5], 0, "float64"),
    ([2**63 + 1], 0, "64 bits"),
    ([-(2**63) - 1], 0, "64 bits"),
    ([2**2000], 0, "64 bits"),
    ([2**63, 2**53 + 1], 1, "float64"),
    ([1, b"a"], 1, "bytes"),
    ([[1]], 0, "list"),
    ([{}], 0, "dict"),
    ([object()], 0, "object"),
    ([1j], 0, "complex"),
    ([dt.timedelta(1)], 0, "timedelta"),
    ([dt.time(1)], 0, "time"),
    ([np.timedelta64(1, "s")], 0, "timedelta"),
    (["\ud800"], 0, "surrogate"),
    (np.array([b"a"]), None, "S1"),
    (np.array([1j]), None, "complex"),
    (np.array([1], "timedelta64[s]"), None, "timedelta"),
    (np.zeros((1, 1)), None, "2 dimensions"),
    (np.array(5), None, "0 dimensions"),
    ("abc", None, "str is no column"),
    (b"abc", None, "bytes is no column"),
    (5, None, "int is no column"),
    (None, None, "NoneType is no column"),
    ({"a": 1}, None, "dict is no column"),
    ({1, 2}, None, "set is no column"),
]


@pytest.mark.parametrize(("values", "row", "reason"), REFUSED, ids=[r for _, _, r in REFUSED])
def test_what_has_no_column_type_is_a_problem(values, row, reason):
    """The row, the column and the reason are told."""
    ((found, column, _, text),) = problems({"x": values})

    assert (found, column) == (row, "x")
    assert reason in text


def test_all_problems_are_counted():
    """Every bad value of every column counts; the first hundred are listed."""
    with pytest.raises(EdgeError) as caught:
        from_python({"a": [2**70 + 1] * 150, "b": [1, "x"]})

    assert caught.value.total == 151
    assert len(caught.value.problems) == 100
    assert caught.value.problems[0][3] == str(2**70 + 1)


def test_lists_of_dicts():
    """Columns come in order of first sight; a missing key is null."""
    table = from_python([{"a": 1}, {"b": "x", "a": 2}, {}, {"c": True}])

    assert table.column_names == ["a", "b", "c"]
    assert table.to_dicts() == [
        {"a": 1, "b": None, "c": None},
        {"a": 2, "b": "x", "c": None},
        {"a": None, "b": None, "c": None},
        {"a": None, "b": None, "c": True},
    ]


def test_any_mapping_is_a_row_or_a_table():
    """Mappings need not be dicts, sequences need not be lists."""
    rows = (types.MappingProxyType({"a": 1}), collections.OrderedDict(a=2), collections.ChainMap({"a": 3}))

    assert from_python(rows).column("a").tolist() == [1, 2, 3]
    assert from_python(types.MappingProxyType({"a": [1]})).to_dicts() == [{"a": 1}]


def test_keys_equal_but_not_the_same_object():
    """Keys are compared by their text."""
    rows = [{"".join(["k", str(i % 3)]): i} for i in range(6)]

    assert from_python(rows).column("k0") == [0, None, None, 3, None, None]


def test_empty_data():
    """Nothing is a table of nothing."""
    for data in ({}, [], ()):
        assert (len(from_python(data)), from_python(data).column_names) == (0, [])
    assert from_python({"a": []}).column_names == ["a"]
    assert len(from_python([{}, {}])) == 0


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"a": [1], "b": [1, 2]}, "a has 1 row, b has 2 rows"),
        ([{"a": 1}, 5], "a row must be a dict, not int"),
        ([{1: 2}], "column name must be text, not int"),
        ({1: [2]}, "column name must be text, not int"),
        ([{"\ud800": 2}], "is text with a lone surrogate"),
        ({"\ud800": [2]}, "is text with a lone surrogate"),
        ("abc", "str is no table"),
        (5, "int is no table"),
        (None, "NoneType is no table"),
    ],
)
def test_what_is_no_table_is_refused(data, reason):
    """The reason is in plain words."""
    assert reason in problems(data)[0][3]


def test_mixed_rows_name_the_two():
    """In a list of dicts the column's first two unlike rows are named."""
    ((row, column, value, reason),) = problems([{"a": 1}, {}, {"a": "x\n"}])

    assert (row, column, value) == (2, "a", "x\\n")
    assert "is str, but row 0 of this column is int" in reason


def test_objects_that_lie_about_their_length():
    """A sequence whose length is a fiction does not take memory for it."""

    class Liar(collections.abc.Sequence):
        def __len__(self):
            return 2**60

        def __getitem__(self, i):
            if i > 2:
                raise IndexError
            return i

    assert from_python({"a": Liar()}).column("a").tolist() == [0, 1, 2]


def test_exceptions_inside_values_reach_the_caller():
    """A mapping that raises is not a table with holes."""

    class Broken(collections.abc.Mapping):
        def __getitem__(self, key):
            raise RuntimeError("no")

        def __iter__(self):
            return iter("a")

        def __len__(self):
            return 1

    with pytest.raises(RuntimeError, match="no"):
        from_python([Broken()])


def test_integers_beyond_64_bits_are_floats_where_exact():
    """One such integer makes the column float64, in which its other integers must be exact too (spec 2.7)."""
    column = one([2**63, None, 7, -(2**100)])

    assert (column.type, column.to_pylist()) == (pa.float64(), [2.0**63, None, 7.0, -(2.0**100)])
