"""Tables into files: what is written reads back, and a file is whole or not there."""

import datetime as dt
import decimal
import errno
import json
import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadcore_arrow import Table, TableReader, write_table

UTC = dt.UTC


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def text_of(table, path, format):
    assert write_table(pa.table(table), str(path), format) == len(pa.table(table))
    return path.read_bytes().decode()


ROWS = {
    "id": pa.array([1, -(2**63), None]),
    "big": pa.array([2**64 - 1, 0, None], pa.uint64()),
    "score": pa.array([0.1, -0.0, None]),
    "small": pa.array([0.1, 1e10, None], pa.float32()),
    "large": pa.array([1e300, 5e-324, 1e16]),
    "hot": pa.array([True, False, None]),
    "text": pa.array(["a", "", None]),
    "hard": pa.array(['x,"y"', "p\nq", "ü😀\r\t\x01"]),
    "label": pa.array(["hot", None, "cold"]).dictionary_encode(),
    "at": pa.array([0, -1, 1_500_000], pa.timestamp("us", "UTC")),
    "ns": pa.array([-1, 0, None], pa.timestamp("ns")),
    "day": pa.array([dt.date(2024, 2, 29), dt.date(1, 1, 1), None]),
    "why": pa.array([["a", "b"], [], None]),
    "price": pa.array([decimal.Decimal("1.50"), decimal.Decimal("-0.01"), None]),
    "none": pa.nulls(3),
}


def test_csv(tmp_path):
    """Null is an empty field, empty text a quoted one; digits as many as needed."""
    text = text_of(ROWS, tmp_path / "t.csv", "csv")

    assert text == (
        "id,big,score,small,large,hot,text,hard,label,at,ns,day,why,price,none\n"
        '1,18446744073709551615,0.1,0.1,1e300,true,a,"x,""y""",hot,1970-01-01T00:00:00Z,'
        "1969-12-31T23:59:59.999999Z,2024-02-29,a;b,1.50,\n"
        '-9223372036854775808,0,-0.0,10000000000.0,5e-324,false,"","p\nq",,1969-12-31T23:59:59.999999Z,'
        '1970-01-01T00:00:00Z,0001-01-01,"",-0.01,\n'
        ',,,,1e16,,,"ü😀\r\t\x01",cold,1970-01-01T00:00:01.5Z,,,,,\n'
    )


def test_json_lines(tmp_path):
    """Each row is an object that any JSON reader reads."""
    lines = text_of(ROWS, tmp_path / "t.jsonl", "jsonl").splitlines()
    first, second, third = (json.loads(line, parse_float=str) for line in lines)

    assert first == {
        "id": 1,
        "big": 2**64 - 1,
        "score": "0.1",
        "small": "0.1",
        "large": "1e300",
        "hot": True,
        "text": "a",
        "hard": 'x,"y"',
        "label": "hot",
        "at": "1970-01-01T00:00:00Z",
        "ns": "1969-12-31T23:59:59.999999Z",
        "day": "2024-02-29",
        "why": ["a", "b"],
        "price": "1.50",
        "none": None,
    }
    assert (second["text"], second["label"], second["why"], second["hard"]) == ("", None, [], "p\nq")
    assert (third["hard"], third["why"], third["hot"]) == ("ü😀\r\t\x01", None, None)


def test_parquet(tmp_path):
    """Types and dictionaries come back as they were; the same rows give the same bytes."""
    table = pa.table(ROWS)
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    write_table(table, str(first), "parquet")
    write_table(table, str(second), "parquet")

    assert pq.read_table(first).equals(table)
    assert first.read_bytes() == second.read_bytes()
    metadata = pq.read_metadata(first)
    assert metadata.created_by == "leadcore"
    assert metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_what_is_written_reads_back(tmp_path, format):
    """Our writer and our reader agree on every value, nulls and empty text included."""
    count = 150_000
    texts = ["", None, "a", 'q"', "x,y", "l\nm", "ü😀", " ", "\r\n", '""']
    table = Table.build(
        [
            ("lead_id", np.arange(count)),
            ("t", ("text", [texts[i % 10] for i in range(count)])),
            ("d", ("dictionary", np.arange(count, dtype=np.int32) % 4 - 1, ["x", "", "z"])),
            ("n", np.linspace(-1, 1, count) ** 3),
        ]
    )
    path = str(tmp_path / "t")
    assert write_table(table, path, format) == count

    found = Table.collect(TableReader([path], format, {"lead_id": "id", "t": "text", "d": "text", "n": "number"}))

    assert found.column("t") == table.column("t")
    assert found.column("d") == table.column("d")
    assert [float(n) for n in found.column("n")] == table.column("n").tolist()
    assert [int(n) for n in found.column("lead_id")] == list(range(count))


def test_numbers_that_are_not_finite(tmp_path):
    """CSV has words for them; JSON has none: NaN is null (spec 2.7), infinity is refused."""
    table = pa.table({"x": [float("nan"), float("inf"), float("-inf")]})

    assert text_of(table, tmp_path / "t.csv", "csv") == "x\nNaN\ninf\n-inf\n"
    assert text_of(table.slice(0, 1), tmp_path / "t.jsonl", "jsonl") == '{"x":null}\n'
    with pytest.raises(ValueError, match="inf has no form in JSON"):
        write_table(table, str(tmp_path / "u.jsonl"), "jsonl")
    assert names(tmp_path) == ["t.csv", "t.jsonl"]


def test_names_are_quoted_where_needed(tmp_path):
    """Column names are text like other text."""
    table = pa.table({'a,"b"': [1], "ü": [2]})

    assert text_of(table, tmp_path / "t.csv", "csv") == '"a,""b""",ü\n1,2\n'
    assert json.loads(text_of(table, tmp_path / "t.jsonl", "jsonl")) == {'a,"b"': 1, "ü": 2}


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_empty_tables(tmp_path, format):
    """No rows: a header or nothing, and Parquet with its types."""
    path = tmp_path / "t"

    assert write_table(pa.table({"a": pa.array([], pa.int64())}), str(path), format) == 0
    if format == "parquet":
        assert pq.read_table(path).schema.names == ["a"]
    else:
        assert path.read_text() == ("a\n" if format == "csv" else "")


def failing():
    def batches():
        yield pa.record_batch({"x": [1]})
        raise RuntimeError("the source broke")

    return pa.RecordBatchReader.from_batches(pa.schema({"x": pa.int64()}), batches())


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_a_failed_write_leaves_what_was_there(tmp_path, format):
    """The old file stays, the new one's beginnings go."""
    path = tmp_path / "t"
    path.write_text("old")

    with pytest.raises(ValueError, match="the source broke"):
        write_table(failing(), str(path), format)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["t"]


def test_files_are_replaced_whole(tmp_path):
    """An existing file is replaced, also behind a link."""
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_text("old")
    link.symlink_to(target)

    write_table(pa.table({"a": [1]}), str(link), "csv")

    assert link.is_symlink()
    assert target.read_text() == "a\n1\n"
    assert names(tmp_path) == ["link.csv", "target.csv"]


def test_places_that_cannot_be_written(tmp_path):
    """OSError with its number and the file's name."""
    table = pa.table({"a": [1]})
    with pytest.raises(FileNotFoundError) as caught:
        write_table(table, str(tmp_path / "no" / "t.csv"), "csv")
    assert caught.value.filename == str(tmp_path / "no" / "t.csv")
    with pytest.raises(IsADirectoryError):
        write_table(table, str(tmp_path), "csv")
    with pytest.raises(ValueError, match="no such format: xml"):
        write_table(table, str(tmp_path / "t"), "xml")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_a_full_disk_is_an_os_error(format):
    """Also where the rest of a buffer is what does not fit."""
    with pytest.raises(OSError) as caught:
        write_table(pa.table({"a": [1]}), "/dev/full", format)
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_standard_output(tmp_path, format):
    """`-` writes to standard output."""
    code = f"""
import pyarrow as pa
from leadcore_arrow import write_table
write_table(pa.table({{"a": ["x"]}}), "-", "{format}")
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True).stdout
    if format == "parquet":
        assert pq.read_table(pa.BufferReader(out)).to_pylist() == [{"a": "x"}]
    else:
        assert out == (b"a\nx\n" if format == "csv" else b'{"a":"x"}\n')


@pytest.mark.skipif(os.name != "posix", reason="needs pipes that break")
@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_reader_that_goes_away(format):
    """A broken pipe is BrokenPipeError, not the end of the process."""
    code = f"""
import os, sys
import numpy as np, pyarrow as pa
from leadcore_arrow import write_table
sys.stdin.read()
try:
    write_table(pa.table({{"a": np.random.default_rng(1).random(1_000_000)}}), "-", "{format}")
except BrokenPipeError as error:
    print(error.errno, file=sys.stderr)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, stderr=-1) as process:
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read().decode().strip() == str(errno.EPIPE)
        process.wait(60)


TEXTS = st.one_of(
    st.none(), st.text(st.characters(codec="utf-8"), max_size=8), st.sampled_from(['"', ",", "\r\n", '""'])
)


@given(rows=st.lists(st.tuples(TEXTS, TEXTS, st.none() | st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_any_text_and_number_survives(format, rows):
    """Null, empty text, quotes, line ends and every finite float read back as they were written."""
    a, b, n = (list(column) for column in zip(*rows, strict=True))
    table = pa.table({"a": pa.array(a, pa.string()), "b": pa.array(b, pa.string()), "n": pa.array(n, pa.float64())})
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory, "t"))
        write_table(table, path, format)

        found = Table.collect(TableReader([path], format, {"a": "text", "b": "text", "n": "number"})).to_dicts()

    numbers = [None if row["n"] is None else float(row["n"]) for row in found]
    assert [(row["a"], row["b"]) for row in found] == list(zip(a, b, strict=True))
    assert repr(numbers) == repr(n)


def test_parquet_bytes_do_not_depend_on_batches_or_masks(tmp_path):
    """The same rows in one batch with a null mask, and in several of which some have none."""
    rows = 200_000
    numbers = pa.array([None if i == 7 else i % 5 for i in range(rows)], pa.int64())
    words = pa.array([None if i == rows - 1 else str(i % 3) for i in range(rows)]).dictionary_encode()
    whole = pa.table({"number": numbers, "word": words})
    cuts = [0, 30_000, 31_000, 140_000, rows]
    pieces = [whole.slice(a, b - a) for a, b in pairwise(cuts)]
    batches = [
        pa.record_batch([pa.concat_arrays([c.combine_chunks()]) for c in piece.columns], ["number", "word"])
        for piece in pieces
    ]
    seen = set()
    for name, table in (("a", whole), ("b", pa.Table.from_batches(batches))):
        write_table(table, str(tmp_path / name), "parquet")
        seen.add((tmp_path / name).read_bytes())
    assert len(seen) == 1
