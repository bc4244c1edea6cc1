"""Tables in many files: one schema, one stream, and the line of every row."""

import csv
import datetime as dt
import gzip
import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leadcore_arrow import Table, TableReader, lines_of_rows

PROBLEM = "leadcore.problem"
AB = {"a": "id", "b": "text"}
UTC = pa.timestamp("us", "UTC")


@pytest.fixture
def files(tmp_path):
    """Write several files, tables as Parquet; their names in order."""

    def write(*contents, names=None):
        paths = []
        for i, content in enumerate(contents):
            path = tmp_path / (names[i] if names else f"{i}")
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, pa.Table):
                pq.write_table(content, path)
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
            paths.append(str(path))
        return paths

    return write


def read(paths, format, fields, optional=frozenset()):
    reader = TableReader(paths, format, fields, optional)
    table = pa.RecordBatchReader.from_stream(reader).read_all()
    table.validate(full=True)
    return table, reader


def test_csv_files_by_column_name(files):
    """Headers may differ in order and in what is not wanted; packed and plain files go together; one may be empty."""
    paths = files("a,b\n1,x\n2,\n", gzip.compress(b"z,b,a\n0,y,3\n"), "b,a\n", 'a,b\n\n4,"p\nq"\n')
    table, reader = read(paths, "csv", AB)

    assert table.to_pydict() == {
        "a": ["1", "2", "3", "4"],
        "b": ["x", None, "y", "p\nq"],
        PROBLEM: [None] * 4,
    }
    assert table.schema.metadata == {b"leadcore.lexical": b"csv"}
    assert reader.starts == [0, 2, 3, 3]
    assert reader.column_names == ["a", "b", "z"]
    size = sum(Path(path).stat().st_size for path in paths)
    assert reader.progress == (size, size)
    assert reader.rows_total is None


def test_json_lines_of_many_files(files):
    """What ids are, the first file with rows says; keys may differ from file to file."""
    paths = files("", '{"a": 1}\n', '\n{"b": "x", "a": 2}\n{"a": "3"}\n')
    table, reader = read(paths, "jsonl", AB)

    assert table["a"].type == pa.int64()
    assert table["a"].to_pylist() == [1, 2, None]
    assert table["b"].to_pylist() == [None, "x", None]
    assert table[PROBLEM].to_pylist()[2] == 'a\t"3"\tan id is text here, but ids before are integers'
    assert reader.starts == [0, 0, 1]


def test_parquet_of_many_files(files):
    """Rows and progress are those of all files; every batch is of one file."""
    parts = [pa.table({"a": np.arange(n), "b": [f"x{i % 3}" for i in range(n)]}) for n in (70_000, 0, 5)]
    reader = TableReader(files(*parts), "parquet", AB)
    stream = pa.RecordBatchReader.from_stream(reader)

    assert reader.rows_total == 70_005
    assert reader.starts == [0]
    assert pa.types.is_dictionary(stream.schema.field("b").type)
    assert [batch.num_rows for batch in stream] == [65_536, 70_000 - 65_536, 5]
    assert reader.starts == [0, 70_000, 70_000]
    assert reader.progress == (70_005, 70_005)


def test_text_is_plain_where_one_file_has_no_dictionary(files, tmp_path):
    """The footers of all files are read before the first row."""
    one = pa.table({"a": [1], "b": ["x"]})
    paths = files(one, one)
    pq.write_table(one, paths[1], use_dictionary=False)
    table, _ = read(paths, "parquet", AB)

    assert table["b"].type == pa.string()
    assert table["b"].to_pylist() == ["x", "x"]


DAY = dt.datetime(2026, 5, 1, 12, 30, 0, 123_000)
TYPES = [
    (pa.array([1, None], pa.int32()), pa.array([2**40]), pa.int64(), [1, None, 2**40]),
    (pa.array([2**40]), pa.array([1, None], pa.uint8()), pa.int64(), [2**40, 1, None]),
    (pa.array([0.5], pa.float32()), pa.array([2.25]), pa.float64(), [0.5, 2.25]),
    (pa.array([3]), pa.array([0.5]), pa.float64(), [3.0, 0.5]),
    (pa.array([None]), pa.array(["x"]), pa.string(), [None, "x"]),
    (pa.array(["x"]), pa.array([None]), pa.string(), ["x", None]),
    (pa.array(["x"], pa.large_string()), pa.array(["y"]).dictionary_encode(), pa.string(), ["x", "y"]),
    (pa.array([DAY], pa.timestamp("ms")), pa.array([DAY], UTC), pa.timestamp("us"), [DAY, DAY]),
    (pa.array([DAY], UTC), pa.array([DAY], pa.timestamp("ms")), UTC, [DAY.replace(tzinfo=dt.UTC)] * 2),
    (pa.array([-1], pa.timestamp("ns")), pa.array([5], pa.timestamp("ms")), pa.timestamp("us"), [-1, 5_000]),
    (pa.array([dt.date(2026, 5, 1)]), pa.array([DAY], pa.timestamp("us")), pa.timestamp("us"), [dt.datetime(2026, 5, 1), DAY]),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "kind", "values"), TYPES, ids=[f"{a.type}-{b.type}" for a, b, _, _ in TYPES])
def test_types_that_differ(files, one, other, kind, values):
    """Values come in a type that holds both; nanoseconds floor, and a naive instant is UTC (spec 1.1)."""
    table, _ = read(files(pa.table({"b": one}), pa.table({"b": other})), "parquet", {"b": "text"})

    found = table["b"]
    if pa.types.is_dictionary(found.type):
        found = found.cast(pa.string())
    assert found.type == kind
    if isinstance(values[0], int) and pa.types.is_timestamp(kind):
        found = found.cast(pa.int64())
    assert found.to_pylist() == values


def test_a_value_no_common_type_holds(files):
    """The stream ends with the file and the column; nothing is rounded."""
    paths = files(pa.table({"a": [0.5]}), pa.table({"a": [2**53 + 1]}))

    with pytest.raises(Exception, match=rf"{paths[1]}: column 'a': Float64 cannot hold all of its values exactly"):
        read(paths, "parquet", {"a": "number"})
    paths = files(pa.table({"a": [1]}), pa.table({"a": pa.array([2**63], pa.uint64())}))
    with pytest.raises(Exception, match=f"{paths[1]}: column 'a'"):
        read(paths, "parquet", {"a": "id"})


def test_columns_of_different_kinds(files):
    """Refused before the first row."""
    paths = files(pa.table({"a": [1]}), pa.table({"a": ["x"]}))

    with pytest.raises(ValueError, match=f"{paths[1]}: column 'a' is text, where {paths[0]} has numbers"):
        TableReader(paths, "parquet", AB)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_column_that_one_file_lacks(files, format):
    """An error that names the file and the column, unless the column may be lacking: then it is null there."""
    full, less = (
        ("a,b\n1,x\n", "a\n2\n") if format == "csv" else (pa.table({"a": [1], "b": ["x"]}), pa.table({"a": [2]}))
    )
    paths = files(full, less)

    for order in (paths, paths[::-1]):
        with pytest.raises(ValueError) as caught:
            TableReader(order, format, AB)
        assert str(caught.value) == f"{paths[1]}: has no column 'b', which {paths[0]} has"
        table, _ = read(order, format, AB, {"b"})
        assert sorted(table["b"].to_pylist(), key=str) == [None, "x"]
    assert read(paths, format, {"a": "id"})[0].num_rows == 2


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_files_that_cannot_be_read(files, format, tmp_path):
    """Whichever file it is, and whatever ails it, the error names it, before the first row where that can be."""
    good = {"csv": "a,b\n1,x\n", "jsonl": '{"a": 1}\n', "parquet": pa.table({"a": [1], "b": ["x"]})}[format]
    paths = files(good, good, good)

    with pytest.raises(FileNotFoundError) as caught:
        TableReader([paths[0], str(tmp_path / "no"), paths[1]], format, AB)
    assert caught.value.filename == str(tmp_path / "no")
    with pytest.raises(IsADirectoryError):
        TableReader([paths[0], str(tmp_path)], format, AB)
    cut = gzip.compress(b"a,b\n" * 100_000 if format == "csv" else b'{"a": 1}\n' * 100_000)[:-20]
    (tmp_path / "1").write_bytes(b"" if format == "parquet" else cut)
    with pytest.raises(Exception, match=paths[1]):
        read(paths, format, AB)


def test_a_file_that_changes_meanwhile(files, tmp_path):
    """A column that is gone when its file's turn comes is not read as null."""
    paths = files("a,b\n1,x\n", "a,b\n2,y\n")
    reader = TableReader(paths, "csv", AB)
    (tmp_path / "1").write_text("a,c\n2,y\n")

    with pytest.raises(Exception, match=f"{paths[1]}: has no column 'b' any more"):
        Table.collect(reader)


def test_what_no_reader_takes(files):
    """No file, standard input among files, text instead of a list."""
    (path,) = files("a\n")

    with pytest.raises(ValueError, match="one file or more"):
        TableReader([], "csv", AB)
    with pytest.raises(ValueError, match="not one file of several"):
        TableReader([path, "-"], "csv", AB)
    with pytest.raises(TypeError):
        TableReader(path, "csv", AB)


HIVE = {"country": "text", "day": "instant", "n": "number", "f": "boolean", "k": "id"}


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_columns_in_folder_names(files, format):
    """A wanted column that no file has and all paths name: constant in a file, null and %XX as Hive writes them."""
    content = {"csv": "a\n1\n2\n", "jsonl": '{"a": 1}\n{"a": 2}\n', "parquet": pa.table({"a": [1, 2]})}[format]
    names = ["country=D%C3%A9%2F%zz/day=2026-05-01/n=1.5/f=true/k=7/other=1/1", "country=US/day=__HIVE_DEFAULT_PARTITION__/n=2/f=false/k=-8/other=2/2"]  # fmt: skip
    table, reader = read(files(content, content, names=names), format, {"a": "id", **HIVE})

    assert table["country"].to_pylist() == ["Dé/%zz"] * 2 + ["US"] * 2
    assert reader.column_names == ["a", *HIVE]
    if format == "csv":
        assert {str(t) for t in table.schema.types} == {"string"}
        assert table["day"].to_pylist() == ["2026-05-01"] * 2 + [None] * 2
        assert table["k"].to_pylist() == ["7", "7", "-8", "-8"]
        return
    assert table["day"].to_pylist() == [dt.datetime(2026, 5, 1, tzinfo=dt.UTC)] * 2 + [None] * 2
    assert table["n"].to_pylist() == [1.5, 1.5, 2.0, 2.0]
    assert table["f"].to_pylist() == [True, True, False, False]
    assert table["k"].to_pylist() == [7, 7, -8, -8]


def test_folder_names_that_are_not_taken(files):
    """The file's own column goes first; a name that not all paths have is no column; ids are text if one of them is."""
    one = pa.table({"a": [1]})
    own, _ = read(files(one, one, names=["a=5/1", "a=6/2"]), "parquet", AB)
    assert own["a"].to_pylist() == [1, 1]
    some, _ = read(files(one, one, names=["b=5/1", "2"]), "parquet", AB)
    assert some.column_names == ["a"]
    text, _ = read(files(one, one, names=["k=5/1", "k=05/2"]), "parquet", {"k": "id"})
    assert text["k"].to_pylist() == ["5", "05"]


def test_folder_names_that_are_no_values(files):
    """Refused before the first row, with file, column and value."""
    one = pa.table({"a": [1]})
    paths = files(one, one, names=["n=5/1", "n=x/2"])

    with pytest.raises(ValueError) as caught:
        TableReader(paths, "parquet", {"n": "number"})
    assert str(caught.value) == f'{paths[1]}: its path says n=x, which is not a number: column "n" is number'


LINES = [
    ("csv", "a,b\n1,2\n3,4\n", [2, 3]),
    ("csv", "\ufeff\n\na,b\r\n1,2\r\n\r\n3,4", [4, 6]),
    ("csv", '"a\nz",b\n1,"x\ny"\n3,4\n5\n6,"\n\n"\n', [3, 5, 6, 7]),
    ("csv", 'a,b\n1,2\n"open,3\n4,5\n', [2, 3, 4]),
    ("csv", "a\n1\n\n2\n", [2, 3, 4]),
    ("jsonl", '\n{"a": 1}\n\n \t\r\n{"a": 2}\nno\n{"a": 3}', [2, 5, 6, 7]),
]


@pytest.mark.parametrize(("format", "data", "lines"), LINES, ids=range(len(LINES)))
@pytest.mark.parametrize("packed", [False, True])
def test_lines_of_rows(files, format, data, lines, packed):
    """Whatever stands between them, rows are told their lines; each row of the reader has one."""
    (path,) = files(gzip.compress(data.encode()) if packed else data)
    count = read([path], format, {"a": "text", "b": "text"})[0].num_rows

    assert count == len(lines)
    assert lines_of_rows(path, format, range(count)) == lines
    assert lines_of_rows(path, format, [count - 1, count - 1]) == [lines[-1]] * 2
    assert lines_of_rows(path, format, []) == []
    with pytest.raises(ValueError, match=f"{path}: there is no row {count}: the file has {count}"):
        lines_of_rows(path, format, [count])


def test_lines_that_cannot_be_told(files, tmp_path):
    """Rows that do not ascend, another format, no file."""
    (path,) = files("a\n1\n2\n")

    with pytest.raises(ValueError, match="ascend"):
        lines_of_rows(path, "csv", [1, 0])
    with pytest.raises(ValueError, match="no format of lines: parquet"):
        lines_of_rows(path, "parquet", [0])
    with pytest.raises(FileNotFoundError):
        lines_of_rows(str(tmp_path / "no"), "csv", [0])
    with pytest.raises(OverflowError):
        lines_of_rows(path, "csv", [-1])


def test_lines_behind_a_line_without_end(files):
    """A record of more than 64 MiB, and a line of JSON as long, are one row each."""
    (path,) = files('a,b\n1,2\n"oops,3\n' + "4,5\n" * (17 << 20))
    assert lines_of_rows(path, "csv", [1, 2, 1000]) == [3, 4, 1002]
    (path,) = files(b'{"t": "' + b"x" * (140 << 20) + b'"}\n{"t": "y"}\n')
    assert lines_of_rows(path, "jsonl", [0, 1]) == [1, 2]


CELLS = st.text(st.sampled_from('ab"\n\r, é'), max_size=6)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.lists(st.one_of(st.none(), CELLS), min_size=2, max_size=2), max_size=30), blank=st.booleans())
def test_lines_are_where_rows_begin(tmp_path_factory, rows, blank):
    """Reading from the line of a row on gives that row first, for any CSV that Python writes."""
    path, rest = (tmp_path_factory.mktemp("lines") / name for name in ("all", "rest"))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NOTNULL if hasattr(csv, "QUOTE_NOTNULL") else 1)
    writer.writerow(["a", "b"])
    for row in rows:
        writer.writerow(row)
        text.write("\n" * blank)
    path.write_text(text.getvalue(), newline="", encoding="utf-8")
    table, _ = read([str(path)], "csv", {"a": "text", "b": "text"})
    lines = lines_of_rows(str(path), "csv", range(len(rows)))

    assert table.num_rows == len(rows)
    pieces = text.getvalue().split("\n")
    for row, line in zip(table.to_pylist(), lines, strict=True):
        rest.write_text("a,b\n" + "\n".join(pieces[line - 1 :]), newline="", encoding="utf-8")
        assert read([str(rest)], "csv", {"a": "text", "b": "text"})[0].to_pylist()[0] == row


def test_many_rows_of_many_files(files):
    """Half a million rows in 50 files are the rows of one."""
    frame = pl.DataFrame({"a": np.arange(500_000), "b": [f"x{i % 91}" for i in range(500_000)]})
    whole = frame.write_csv()
    parts = files(*(frame.slice(i * 10_000, 10_000).select("b", "a").write_csv() for i in range(50)))
    table, reader = read(parts, "csv", AB)

    assert table.equals(read(files(whole, names=["whole"]), "csv", AB)[0])
    assert reader.starts == list(range(0, 500_000, 10_000))
    jsonl = files(*(frame.slice(i * 10_000, 10_000).write_ndjson() for i in range(50)))
    assert read(jsonl, "jsonl", AB)[0]["a"].to_pylist() == list(range(500_000))
    assert lines_of_rows(jsonl[3], "jsonl", [0, 9_999]) == [1, 10_000]
    assert json.loads(Path(jsonl[3]).read_text().splitlines()[0]) == {"a": 30_000, "b": "x61"}
