"""Files as streams: CSV, JSON lines and Parquet, whole and damaged."""

import datetime as dt
import gc
import gzip
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from leadcore_arrow import Table, TableReader

PROBLEM = "leadcore.problem"


@pytest.fixture
def file(tmp_path):
    """Write bytes or text to a file; its name."""

    def write(data, name="table"):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return str(path)

    return write


def read(path, format, fields):
    return pa.RecordBatchReader.from_stream(TableReader([path], format, fields)).read_all()


def rows(path, format, fields):
    """Rows as tuples; a problem row is its problem."""
    table = read(path, format, fields)
    table.validate(full=True)
    return [r[PROBLEM] if r.get(PROBLEM) else tuple(r[f] for f in fields if f in r) for r in table.to_pylist()]


AB = {"a": "text", "b": "text"}
OPEN = "a quote opens here that is not closed properly"

CSV = [
    ("a,b\n1,2\n", [("1", "2")]),
    ("a,b\n1,2", [("1", "2")]),
    ("a,b\r\n1,2\r\n3,4\r\n", [("1", "2"), ("3", "4")]),
    ("\ufeffa,b\n1,2\n", [("1", "2")]),
    ("a,b\n,\n", [(None, None)]),
    ('a,b\n"",\n', [("", None)]),
    ('a,b\n,""', [(None, "")]),
    ('a,b\r\n,""\r\n"",\r\n', [(None, ""), ("", None)]),
    ('a,b\n"x,y","p\nq"\n', [("x,y", "p\nq")]),
    ('a,b\n"x\r\ny",2\r\n', [("x\r\ny", "2")]),
    ('a,b\n"say ""hi""",""""\n', [('say "hi"', '"')]),
    ('a,b\n"""",""""""\n', [('"', '""')]),
    ('a,b\n5" pipe,6" pipe\n7,8\n', [('5" pipe', '6" pipe'), ("7", "8")]),
    ("a,b\n\n1,2\n\r\n\n3,4\n\n", [("1", "2"), ("3", "4")]),
    ('"a","b"\n1,2\n', [("1", "2")]),
    ("b,x,a\n1,9,2\n", [("2", "1")]),
    ("a,b\n ü , 😀 \n", [(" ü ", " 😀 ")]),
    ("a,b\n1\r2,3\n", [("1\r2", "3")]),
    ("a,b\n", []),
    ("a,b", []),
    ("\n\na,b\n1,2\n", [("1", "2")]),
    ("b\n1\n", [("1",)]),
    ("b\n1\n\n2\n", [("1",), (None,), ("2",)]),
    ("c\n1\n", [()]),
    ("a,b\n1\n2,3\n", ["\t1\\n\tthe row has 1 fields, the header 2", ("2", "3")]),
    ("a,b\n1,2,3\n2,3\n", ["\t1,2,3\\n\tthe row has 3 fields, the header 2", ("2", "3")]),
    ('a,b\n"x"y,2\n3,4\n', ['a\tx"y,2\\n\ttext stands behind the closing quote', ("3", "4")]),
    ('a,b\n1,2\n"x,3\n4,5\n', [("1", "2"), '\t"x,3\\n\ta quote opens here that is never closed', ("4", "5")]),
    ('a,b\n1,2\n3,"', [("1", "2"), '\t3,"\ta quote opens here that is never closed']),
    ('a,b\n1,"x\n3,4\n5,"y"\n', [f'\t1,"x\\n\t{OPEN}', ("3", "4"), ("5", "y")]),
    (
        'a,b\n1,"x\n3,"y\n5,6\n',
        [f'\t1,"x\\n\t{OPEN}', '\t3,"y\\n\ta quote opens here that is never closed', ("5", "6")],
    ),
    ('a,c,b\n1,"x,2\n3,y,4\n5,"y",6\n', [f'\t1,"x,2\\n\t{OPEN}', ("3", "4"), ("5", "6")]),
    ('a,b\n"x,1\n"",\n2,"y\nz"\n', [f'\t"x,1\\n\t{OPEN}', ("", None), ("2", "y\nz")]),
    ('a,b\n"x\ny",1,2\n3,4\n', [f'\t"x\\n\t{OPEN}', '\ty",1,2\\n\tthe row has 3 fields, the header 2', ("3", "4")]),
    (b"a,b\n1,\xff\n3,4\n", ["b\t�\tnot UTF-8", ("3", "4")]),
    (b"a,b\n\xc3,\xa4\n3,4\n", ["a\t�\tnot UTF-8", ("3", "4")]),
    (b"a,b,c\n1,2,\xff\n", [("1", "2")]),
    (b"a,b\n\xff\n,\n\xff,1\n", ["\t�\\n\tthe row has 1 fields, the header 2", (None, None), "a\t�\tnot UTF-8"]),
    ("a,b\nx\0y,2\n", [("x\0y", "2")]),
]


@pytest.mark.parametrize(("data", "expected"), CSV, ids=[str(i) for i in range(len(CSV))])
@pytest.mark.parametrize("packed", [False, True])
def test_csv(file, data, expected, packed):
    """Fields as RFC 4180 writes them, null and empty text told apart, faulty rows in their place."""
    data = data if isinstance(data, bytes) else data.encode()

    assert rows(file(gzip.compress(data) if packed else data), "csv", AB) == expected


def test_csv_says_it_is_text(file):
    """The schema tells the consumer to read numbers from text; other columns of the file are known but not read."""
    path = file("x,b,a\n1,2,3\n")
    reader = TableReader([path], "csv", {"a": "number", "b": "id", "nothing": "text"})
    stream = pa.RecordBatchReader.from_stream(reader)

    assert reader.column_names == ["x", "b", "a"]
    assert reader.rows_total is None
    assert stream.schema.names == ["a", "b", PROBLEM]
    assert set(stream.schema.types) == {pa.string()}
    assert stream.schema.metadata == {b"leadcore.lexical": b"csv"}
    assert reader.progress == (0, 12)
    assert stream.read_all().num_rows == 1
    assert reader.progress == (12, 12)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "empty"),
        ("\ufeff", "empty"),
        ("\n\n", "empty"),
        ("a,b,a\n", 'two columns of the header are called "a"'),
        (b"a,\xff\n", "header is not UTF-8"),
        ('a,"b\n1,2\n', "quote in the header"),
    ],
)
def test_csv_without_a_header_is_refused(file, data, reason):
    """The file's name and a plain reason."""
    path = file(data)

    with pytest.raises(ValueError) as caught:
        TableReader([path], "csv", AB)
    assert reason in str(caught.value)
    assert path in str(caught.value)


def test_csv_of_many_batches(file):
    """Rows keep their order over blocks and batches, wherever a block ends."""
    count = 200_000
    lines = (f'{i},"x{i % 7}\n""{i}"""\r\n' for i in range(count))
    path = file("a,b\n" + "".join(lines))

    stream = pa.RecordBatchReader.from_stream(TableReader([path], "csv", AB))
    batches = list(stream)

    assert [b.num_rows for b in batches] == [65536, 65536, 65536, count - 3 * 65536]
    table = pa.Table.from_batches(batches)
    assert table["a"].to_pylist() == [str(i) for i in range(count)]
    assert table["b"][123_456].as_py() == f'x{123_456 % 7}\n"123456"'


def test_bad_text_spoils_only_its_rows(file):
    """One bad byte among good rows: the others keep their values and nulls."""
    lines = [b"%d,\xc3\xa9" % i if i % 10 else b"%d," % i for i in range(1000)]
    lines[501] = b"501,\xe9"
    found = rows(file(b"a,b\n" + b"\n".join(lines)), "csv", AB)

    assert found[500] == ("500", None)
    assert found[501] == "b\t�\tnot UTF-8"
    assert found[502] == ("502", "é")
    assert sum(isinstance(r, str) for r in found) == 1


def test_a_quote_nobody_closes_in_a_large_file(file):
    """More than 64 MiB behind an open quote: one row is lost, memory stays bounded."""
    tail = "".join(f"{i},{'y' * 50}\n" for i in range(1_300_000))
    path = file('a,b\n1,2\n"oops,3\n' + tail)

    table = read(path, "csv", AB)

    assert table.num_rows == 1_300_002
    problem = table[PROBLEM].drop_null().to_pylist()
    assert problem == ['\t"oops,3\\n\tthe row is longer than 64 MiB: is a quote never closed?']
    assert table["a"][2].as_py() == "0"


@pytest.mark.parametrize("line", ['a","', '"b","c', '"', ',"', '"a""', '","'])
def test_quotes_that_go_on_and_on(file, line):
    """However quotes of many lines might pair, a row is a line at most, and time grows with the file only."""
    count = 400_000
    path = file("a,b,c\n" + f"{line}\n" * count + "1,2,3\n")
    begun = time.perf_counter()

    table = read(path, "csv", AB)

    assert time.perf_counter() - begun < 10
    assert table[PROBLEM].null_count == 1
    assert table["a"].to_pylist()[-1] == "1"


JSON_FIELDS = {"id": "id", "t": "text", "n": "number", "f": "boolean", "at": "instant"}
JSON = [
    ('{"id": 1, "t": "x", "n": 1.5, "f": true, "at": "2024-01-01"}', [(1, "x", 1.5, True, "2024-01-01")]),
    (
        '{"id": "a"}\n\n  \r\n{"t": "\\u00e9\\ud83d\\ude00\\n"}',
        [("a", None, None, None, None), (None, "é😀\n", None, None, None)],
    ),
    ('{"n": null, "x": {"deep": [1, {"y": 2}]}, "t": ""}', [(None, "", None, None, None)]),
    ('{"n": 9007199254740993}', ["n\t9007199254740993\tno float64 holds this integer exactly"]),
    ('{"n": -9007199254740994}', [(None, None, -9007199254740994.0, None, None)]),
    ('{"n": 100000000000000000000}', [(None, None, 1e20, None, None)]),
    ('{"n": 0.1e-5}', [(None, None, 1e-6, None, None)]),
    ('{"n": 1e400}', ["n\t1e400\tthe number is larger than any float64"]),
    ('{"n": NaN}', ['\t{"n": NaN}\texpected value at byte 7']),
    ('{"n": "1"}', ['n\t"1"\ta number is wanted']),
    ('{"t": 1}', ["t\t1\ttext is wanted"]),
    ('{"f": 1}', ["f\t1\ttrue or false is wanted"]),
    ('{"at": 1}', ["at\t1\ttext is wanted"]),
    ('{"t": "\\ud800"}', ['t\t"\\ud800"\tthe text holds half of a surrogate pair, which is no character']),
    (
        '{"id": 1}\n{"id": "a"}\n{"id": 2}',
        [
            (1, None, None, None, None),
            'id\t"a"\tan id is text here, but ids before are integers',
            (2, None, None, None, None),
        ],
    ),
    (
        '{"id": null}\n{"id": "a"}\n{"id": 2}',
        [(None,) * 5, ("a", None, None, None, None), "id\t2\tan id is an integer here, but ids before are text"],
    ),
    ('{"id": 1.0}', ["id\t1.0\ta number that is an id must be an integer of 64 bits"]),
    ('{"id": true}', ["id\ttrue\tan id is an integer or text"]),
    ('{"id": 1, "id": 1}', ['\t{"id": 1, "id": 1}\tthe key "id" stands twice at byte 18']),
    ('{"t": "a"', ['\t{"t": "a"\tEOF while parsing an object at byte 9']),
    ('{"t": "a"} x', ['\t{"t": "a"} x\ttrailing characters at byte 12']),
    ("[1]", ["\t[1]\tinvalid type: sequence, expected an object at byte 0"]),
    ("null", ["\tnull\tinvalid type: null, expected an object at byte 4"]),
    (b'{"t": "\xff"}', ['\t{"t": "�"}\tnot UTF-8']),
    ('\ufeff{"t": "a"}', [(None, "a", None, None, None)]),
    ('{"\\u0074": "a"}', [(None, "a", None, None, None)]),
    ("", []),
]


@pytest.mark.parametrize(("data", "expected"), JSON, ids=[str(i) for i in range(len(JSON))])
def test_json_lines(file, data, expected):
    """Values of the wanted kind, or a problem row that says why not."""
    found = rows(file(data), "jsonl", JSON_FIELDS)

    if expected and isinstance(expected[0], str) and "byte 0" in expected[0]:
        found = [f.rsplit(" at ", 1)[0] for f in found]
        expected = [e.rsplit(" at ", 1)[0] for e in expected]
    assert found == expected


def test_json_lines_types_and_names(file):
    """Types follow the wanted kinds; names are the keys of the first rows."""
    path = file('{"z": 1, "id": null}\n{"id": 7, "n": 1}\n')
    reader = TableReader([path], "jsonl", JSON_FIELDS)
    schema = pa.RecordBatchReader.from_stream(reader).schema

    assert reader.column_names == ["z", "id", "n"]
    assert [str(t) for t in schema.types] == ["int64", "string", "double", "bool", "string", "string"]
    assert schema.metadata is None


def test_json_lines_of_many_batches(file):
    """Blocks end anywhere; gzip is unpacked."""
    count = 150_000
    data = "".join(json.dumps({"id": i, "t": f"x{i}" * (i % 5), "n": i / 8}) + "\n" for i in range(count))
    table = read(file(gzip.compress(data.encode(), 1)), "jsonl", JSON_FIELDS)

    assert table["id"].to_pylist() == list(range(count))
    assert table["n"].to_pylist() == [i / 8 for i in range(count)]
    assert table[PROBLEM].null_count == count


def test_a_line_without_end(file):
    """A line of more than 64 MiB is a problem row; the next ones are read."""
    found = rows(file(b'{"t": "' + b"x" * (140 << 20) + b'"}\n{"t": "y"}\n'), "jsonl", {"t": "text"})

    assert found[0].endswith("the line is longer than 64 MiB")
    assert found[1:] == [("y",)]


def test_deep_json_is_no_danger(file):
    """Nesting a million deep in a value that is not read costs no stack."""
    data = '{"x": ' + "[" * 1_000_000 + "]" * 1_000_000 + ', "t": "y"}\n'

    assert rows(file(data), "jsonl", {"t": "text"}) == [("y",)]


def events(count=200_000):
    at = np.arange(count).view("datetime64[us]")
    return pa.table(
        {
            "lead_id": pa.array(np.arange(count) % 1000),
            "url": pa.array([f"/{i % 50}" for i in range(count)]),
            "value": pa.array(np.arange(count) / 4),
            "at": pa.array(at),
            "unique": pa.array([f"{i}-{i * 7919 % 1_000_003}" for i in range(count)]),
        }
    )


def test_parquet_keeps_dictionaries(tmp_path):
    """Text that the file holds as a dictionary stays one, row group by row group."""
    path = str(tmp_path / "e.parquet")
    table = events()
    pq.write_table(table, path, row_group_size=100_000, use_dictionary=["url"])
    reader = TableReader([path], "parquet", {"url": "text", "unique": "text", "lead_id": "id"})
    stream = pa.RecordBatchReader.from_stream(reader)

    assert reader.column_names == table.column_names
    assert reader.rows_total == 200_000
    assert reader.progress == (0, 200_000)
    assert dict(zip(stream.schema.names, map(str, stream.schema.types), strict=True)) == {
        "lead_id": "int64",
        "url": "dictionary<values=string, indices=int32, ordered=0>",
        "unique": "string",
    }
    batches = list(stream)
    assert reader.progress == (200_000, 200_000)
    assert [b.num_rows for b in batches] == [65536, 34464] * 2
    assert len(batches[0]["url"].dictionary) == 50
    read = pa.Table.from_batches(batches)
    assert read["url"].cast(pa.string()).equals(table["url"])
    assert read["unique"].equals(table["unique"])


@pytest.mark.parametrize("write", ["polars", "pyarrow", "large", "no dictionary", "mixed", "categories"])
def test_parquet_of_other_writers(tmp_path, write):
    """Whoever wrote it, the values are the same."""
    path = str(tmp_path / "e.parquet")
    table = events(5000).append_column("none", pa.nulls(5000, pa.string()))
    if write == "polars":
        pl.DataFrame(table).write_parquet(path)
    elif write == "large":
        pq.write_table(
            table.cast(
                pa.schema([f.with_type(pa.large_string()) if f.type == pa.string() else f for f in table.schema])
            ),
            path,
        )
    elif write == "no dictionary":
        pq.write_table(table, path, use_dictionary=False)
    elif write == "mixed":
        with pq.ParquetWriter(path, table.schema, dictionary_pagesize_limit=64) as writer:
            writer.write_table(table.slice(0, 10))
            writer.write_table(table.slice(10))
    elif write == "categories":
        pq.write_table(table.set_column(1, "url", table["url"].dictionary_encode()), path)
    else:
        pq.write_table(table, path)

    found = read(path, "parquet", dict.fromkeys(table.column_names, "text"))

    assert found.cast(table.schema).equals(table)


def test_parquet_of_old_writers(tmp_path):
    """96-bit timestamps reach the year 9999; text that is called bytes is text."""
    path = str(tmp_path / "e.parquet")
    at = [dt.datetime(9999, 12, 31, 23, 59, 59), dt.datetime(1, 1, 1), None]
    pq.write_table(
        pa.table({"at": pa.array(at, pa.timestamp("us")), "t": pa.array([b"x", b"y", None])}),
        path,
        use_deprecated_int96_timestamps=True,
    )

    found = read(path, "parquet", {"at": "instant", "t": "text"})

    assert found["t"].to_pylist() == ["x", "y", None]
    assert found["at"].to_pylist()[0] == at[0]
    assert found["at"].to_pylist()[2] is None


def test_empty_parquet_and_no_wanted_columns(tmp_path):
    """No rows, or no columns that are wanted, is a table all the same."""
    path = str(tmp_path / "e.parquet")
    pq.write_table(events(0), path)
    assert read(path, "parquet", {"url": "text"}).num_rows == 0
    pq.write_table(events(10), path)
    assert Table.collect(TableReader([path], "parquet", {"nothing": "text"})).column_names == []


def test_damaged_parquet_is_an_exception(tmp_path):
    """Bytes flipped or cut anywhere: rows or an ordinary exception with the file's name, never more."""
    path = str(tmp_path / "e.parquet")
    pq.write_table(events(2000), path)
    whole = (tmp_path / "e.parquet").read_bytes()
    rng = np.random.default_rng(5)
    outcomes = set()
    for i in range(300):
        data = bytearray(whole)
        if i % 3 == 0:
            data = data[: rng.integers(len(data))]
        else:
            at = rng.integers(len(data)) if i % 3 == 1 else len(data) - 1 - rng.integers(3000)
            data[at] ^= 1 << rng.integers(8)
        (tmp_path / "e.parquet").write_bytes(data)
        try:
            Table.collect(TableReader([path], "parquet", {"url": "text", "at": "instant", "unique": "text"}))
            outcomes.add("rows")
        except (ValueError, OSError) as error:
            outcomes.add("refused" if path in str(error) else f"nameless: {error}")
    assert outcomes == {"rows", "refused"}


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_files_that_cannot_be_opened(tmp_path, format):
    """OSError with its number and the file's name."""
    with pytest.raises(FileNotFoundError) as caught:
        TableReader([str(tmp_path / "no")], format, AB)
    assert caught.value.filename == str(tmp_path / "no")
    with pytest.raises(IsADirectoryError):
        TableReader([str(tmp_path)], format, AB)
    if os.geteuid():
        (tmp_path / "locked").touch(mode=0)
        with pytest.raises(PermissionError):
            TableReader([str(tmp_path / "locked")], format, AB)


def test_files_of_another_format(file):
    """A plain reason with the file's name."""
    path = file("a,b\n1,2\n")
    with pytest.raises(ValueError, match="not a Parquet file") as caught:
        TableReader([path], "parquet", AB)
    assert path in str(caught.value)
    with pytest.raises(ValueError, match="no such format: xml"):
        TableReader([path], "xml", AB)
    with pytest.raises(ValueError, match="no such kind: money"):
        TableReader([path], "csv", {"a": "money"})


def test_gzip_that_is_cut(file):
    """The rows before it come, then the stream fails with the file's name."""
    text = "a,b\n" + "".join(f"{i},{i * 7919 % 10007}\n" for i in range(500_000))
    path = file(gzip.compress(text.encode())[:-1000])

    with pytest.raises(Exception, match=path):
        read(path, "csv", AB)


def test_a_reader_is_read_once(file):
    """The second time says so."""
    reader = TableReader([file("a,b\n1,2\n")], "csv", AB)
    assert len(Table.collect(reader)) == 1
    with pytest.raises(ValueError, match="read already"):
        Table.collect(reader)


def held():
    """Open files and running threads of this process."""
    return [len(list(Path("/proc/self", kind).iterdir())) for kind in ("fd", "task")]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_a_consumer_may_stop_early(file):
    """Half-read, unread and unopened streams end their thread and close their file."""
    path = file("a,b\n" + "".join(f"{i},{i}\n" for i in range(500_000)))
    gc.collect()
    before = held()
    for i in range(30):
        reader = TableReader([path], "csv", AB)
        if i % 3 > 0:
            stream = pa.RecordBatchReader.from_stream(reader)
            if i % 3 > 1:
                stream.read_next_batch()
            del stream
        del reader
    gc.collect()
    for _ in range(100):
        if held() == before:
            break
        time.sleep(0.05)
    assert held() == before


def run(code, data):
    return subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, timeout=60, check=True).stdout


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_standard_input(tmp_path, format):
    """`-` reads standard input, in every format."""
    if format == "parquet":
        pq.write_table(pa.table({"a": ["x"], "b": ["y"]}), tmp_path / "p")
        data = (tmp_path / "p").read_bytes()
    else:
        data = b"a,b\nx,y\n" if format == "csv" else b'{"a": "x", "b": "y"}\n'
    code = f"""
from leadcore_arrow import Table, TableReader
print(Table.collect(TableReader(["-"], "{format}", {{"a": "text", "b": "text"}})).select(["a", "b"]).to_dicts())
"""

    assert eval(run(code, data)) == [{"a": "x", "b": "y"}]


def test_a_process_ends_while_standard_input_stays_open():
    """A thread that waits for input does not hold up the end of the process."""
    code = """
import pyarrow as pa
from leadcore_arrow import TableReader
stream = pa.RecordBatchReader.from_stream(TableReader(["-"], "csv", {"a": "text"}))
del stream
print("done", flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(b"a\n" + b"123456789012345\n" * 65_536)  # a block, and so the next read waits
        process.stdin.flush()
        assert process.stdout.readline() == b"done\n"
        assert process.wait(30) == 0
        process.stdin.close()


def test_other_threads_run_while_a_file_is_decoded(file):
    """Reading waits without the interpreter lock."""
    path = file("a,b\n" + "".join(f"{i},{i}\n" for i in range(1_000_000)))
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.wait(0.001):
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    Table.collect(TableReader([path], "csv", AB))
    stop.set()
    thread.join()
    assert len(ticks) > 5
