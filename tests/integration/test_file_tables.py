"""Tables of globs, folders and lists of files; rejected rows with their place; the commands that read them."""

import gzip
import os
import time
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from leadcore_arrow import Table

import leadcore as lc
from leadcore._files import FileTable, Place, located, open_table
from leadcore._inputs import Names
from leadcore._sources import find_files

HEADER = "lead_id,at,type,url,form\n"
AT = "--as-of 2026-06-01 --out s.csv"


def touch(*names, text="a,b\n1,2\n"):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


def test_files_of_a_source(tmp_path, monkeypatch):
    """Folders, globs and lists: sorted, each file once, hidden and unknown ones passed over."""
    monkeypatch.chdir(tmp_path)
    touch(
        "e/2026-02/b.csv", "e/2026-01/a.csv", "e/2026-01/.hidden.csv", "e/_temporary/x.csv", "e/README.txt", "f[1].csv"
    )
    touch("e/_SUCCESS", "e/2026-01/_metadata.csv", text="")
    (tmp_path / "e/2026-03").mkdir()
    (tmp_path / "e/2026-03/c.csv.gz").write_bytes(gzip.compress(b"a,b\n"))
    everything = ["e/2026-01/a.csv", "e/2026-02/b.csv", "e/2026-03/c.csv.gz"]

    for source in ("e", Path("e"), "e/", "e/**", "e/*", "e/**/*", ["e/2026-0[23]", "e/2026-01/a.csv", "e/2026-01"]):
        assert find_files(source) == (everything, "csv"), source
    assert find_files("e/2026-*/[ab].csv")[0] == everything[:2]
    assert find_files("e/**/_*.csv")[0] == ["e/2026-01/_metadata.csv"]
    assert find_files("e/_*/*.csv")[0] == ["e/_temporary/x.csv"]
    assert find_files(f"{Path.cwd()}/e/_temporary/*")[0] == [str(tmp_path / "e/_temporary/x.csv")]
    assert find_files("./e/*/a.csv")[0] == ["./e/2026-01/a.csv"]
    assert find_files(str(tmp_path / "e/*/a.csv"))[0] == [str(tmp_path / "e/2026-01/a.csv")]
    assert find_files("f[1].csv")[0] == ["f[1].csv"]
    assert find_files("-", "csv") == (["-"], "csv")
    (tmp_path / "link.csv").symlink_to("e/2026-01/a.csv")
    assert find_files(["link.csv", "e/2026-01/a.csv"])[0] == ["link.csv"]
    assert find_files("e/README.txt", "csv") == (["e/README.txt"], "csv")


def test_sources_that_are_none(tmp_path, monkeypatch):
    """Every refusal says what was looked for."""
    monkeypatch.chdir(tmp_path)
    touch("a.csv", "b.jsonl", "c.txt")
    os.mkfifo("pipe.csv")
    (tmp_path / "empty").mkdir()

    for source, told in [
        ("*", "a table are of one format: a.csv is csv, b.jsonl is jsonl"),
        (["a.csv", "b.jsonl"], "a table are of one format: a.csv is csv, b.jsonl is jsonl"),
        ("no-*.csv", "the glob no-[*].csv finds no table"),
        ("c*", "c.txt: the ending of a table's name is one of .parquet"),
        ("c.txt", "c.txt: the ending of a table's name is one of .parquet"),
        ("empty", "the folder empty has no table"),
        ([], "the list is empty"),
        (["a.csv", "-"], "not one file of several"),
        (["a.csv", "pipe.csv"], "pipe.csv is no regular file"),
        ("-", "format of the standard stream"),
    ]:  # fmt: skip
        with pytest.raises(lc.LeadcoreError, match=told):
            find_files(source)
    with pytest.raises(FileNotFoundError):
        find_files(["a.csv", "no.csv"])


def test_places(tmp_path):
    """A row of the table is a row of a file, on a line; empty files have none; many rows cost one reading."""
    paths = [str(tmp_path / f"{i}.csv") for i in range(4)]
    touch(paths[0], text='a,b\n1,2\n3,"x\ny"\n\n5,6\n')
    touch(paths[1], paths[3], text="a,b\n")
    touch(paths[2], text="\n\na,b\n7,8\n")
    table = FileTable(paths, "csv", {"a": "id"})
    for _ in range(2):
        assert len(Table.collect(table)) == 4

    assert table.places([3, 0, 2, 0]) == [
        Place(paths[2], 0, 4), Place(paths[0], 0, 2), Place(paths[0], 2, 6), Place(paths[0], 0, 2),
    ]  # fmt: skip
    assert table.place(1) == Place(paths[0], 1, 3)
    assert table.places([]) == []
    assert table.rereadable
    assert table.bytes_total == sum(Path(path).stat().st_size for path in paths)
    Path(paths[0]).unlink()
    assert table.place(1) == Place(paths[0], 1, None)
    assert not table.rereadable
    with pytest.raises(IndexError):
        table.place(-1)


def test_places_in_parquet_have_no_lines(tmp_path):
    """File and row are all there is to tell."""
    for name in "ab":
        pl.DataFrame({"a": [1, 2]}).write_parquet(tmp_path / f"{name}.parquet")
    table = FileTable([str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")], "parquet", {"a": "id"})
    Table.collect(table)

    assert table.place(2) == Place(str(tmp_path / "b.parquet"), 0, None)


def test_located_rejects(tmp_path):
    """Every table's own files; what came from none keeps its row."""
    touch(tmp_path / "1.csv", tmp_path / "2.csv", text="a,b\n\n1,2\n3,4\n")
    events = FileTable([str(tmp_path / "1.csv"), str(tmp_path / "2.csv")], "csv", {"a": "id"})
    Table.collect(events)
    rejects = Table.build(
        [
            ("table", ("text", ["events", "leads", "events", "events"])),
            ("row", ("nullable", np.array([3, 7, 0, 0]), np.array([True, True, True, False]))),
            ("column", ("text", ["a", None, "b", "a"])),
            ("value", ("text", [None, "x", "y", None])),
            ("reason", ("text", ["is null", "is bad", "is worse", "is missing"])),
        ]
    )
    rows = located(rejects, {"events": events, "leads": pa.table({}), "aliases": None}).to_dicts()

    assert [list(row.values()) for row in rows] == [
        ["events", str(tmp_path / "2.csv"), 1, 4, "a", None, "is null"],
        ["leads", None, 7, None, None, "x", "is bad"],
        ["events", str(tmp_path / "1.csv"), 0, 3, "b", "y", "is worse"],
        ["events", None, None, None, "a", None, "is missing"],
    ]
    assert list(rows[0]) == ["table", "file", "row", "line", "column", "value", "reason"]
    assert located(Table.build([(n, ("text", [])) for n in rows[0]]).select(["table", "row", "column", "value", "reason"]), {}).to_dicts() == []  # fmt: skip


def test_a_million_rejects_are_located(tmp_path):
    """One reading per file, in seconds."""
    count = 250_000
    paths = [str(tmp_path / f"{i}.csv") for i in range(4)]
    touch(*paths, text="a,b\n" + '1,"\n"\n' * count)
    events = FileTable(paths, "csv", {"a": "id"})
    Table.collect(events)
    total = 4 * count
    rejects = Table.build(
        [
            ("table", ("text", ["events"] * total)),
            ("row", np.random.default_rng(3).permutation(total)),
            *((name, ("text", ["x"] * total)) for name in ("column", "value", "reason")),
        ]
    )
    begun = time.perf_counter()
    found = pl.DataFrame(pa.table(located(rejects, {"events": events})))

    assert time.perf_counter() - begun < 15
    assert found.select((pl.col("line") == 2 + 2 * pl.col("row")).all()).item()
    assert found["file"].n_unique() == 4


@pytest.fixture
def exports(folder):
    """`events.csv` and two faulty rows in three files of two months, in other columns' order."""
    lines = (folder / "events.csv").read_text().splitlines()[1:]
    touch("x/month=1/a.csv", text=HEADER + "\n".join(lines[:3]) + "\n")
    swapped = [",".join((at, lead, *rest)) for lead, at, *rest in (line.split(",") for line in lines[3:])]
    touch("x/month=1/b.csv", text="at,lead_id,type,url,form\n" + "\n".join(swapped) + "\n")
    touch(
        "x/month=2/c.csv", text=HEADER + '\n1,2026-05-01,page_view,"a\nb",\n1,never,page_view,/,\n1,2026,page_view,/\n'
    )
    return folder


@pytest.mark.parametrize("source", ["x", "'x/**/*.csv'", "'x/month=*'"])
def test_score_of_many_files(leadcore, exports, source):
    """The scores are those of one file; rejected rows have their file, row and line."""
    ended = leadcore(f"score model.yaml --leads leads.csv --events {source} {AT} --rejects r.csv")
    assert ended.code == 0, ended.err
    assert "12 rows in = 8 used + 2 ignored + 2 rejected" in ended.err
    scores = pl.read_csv("s.csv").drop("rejected_rows")

    assert leadcore(f"score model.yaml --leads leads.csv --events events.csv {AT}").code == 0
    assert scores.equals(pl.read_csv("s.csv"))
    assert Path("r.csv").read_text() == (
        "table,file,row,line,column,value,reason\n"
        "events,x/month=2/c.csv,1,5,at,never,is not an instant in ISO 8601\n"
        'events,x/month=2/c.csv,2,6,,"1,2026,page_view,/\\n","the row has 4 fields, the header 5"\n'
    )


def test_problems_name_their_file(leadcore, exports):
    """Without --rejects too."""
    ended = leadcore(f"score model.yaml --events x {AT}")

    assert ended.code == 3
    assert "x/month=2/c.csv, row 1 (line 5), column at: 'never' is not an instant in ISO 8601" in ended.err


def test_a_column_in_folder_names(leadcore, folder):
    """An event's type and a property may stand in the names of folders."""
    for kind, url in (("page_view", "%2Fpricing"), ("form_submit", "__HIVE_DEFAULT_PARTITION__")):
        touch(f"h/type={kind}/url={url}/e.csv", text="lead_id,at,form\n3,2026-05-31T12:00Z,\n")
    touch("plain.csv", text=HEADER + "3,2026-05-31T12:00Z,page_view,/pricing,\n3,2026-05-31T12:00Z,form_submit,,\n")

    assert leadcore(f"score model.yaml --events h {AT}").code == 0
    scores = Path("s.csv").read_text()
    assert leadcore(f"score model.yaml --events plain.csv {AT}").code == 0
    assert scores == Path("s.csv").read_text()


def test_a_reason_that_names_another_row(leadcore, folder):
    """The other row's file and its row in it (spec 2.1)."""
    touch("l/1.csv", text="lead_id,job_title,employees,company\n1,,,\n2,,,\n")
    touch("l/2.csv", text="lead_id,job_title,employees,company\n3,,,\n2,,,\n")

    ended = leadcore(f"score model.yaml --leads l {AT}")
    assert "l/2.csv, row 1 (line 3), column lead_id: '2' stands in row 1 of l/1.csv too\n" in ended.err
    assert leadcore(f"score model.yaml --leads l {AT} --rejects r.csv").code == 0
    assert [row.rsplit(",", 1)[1] for row in Path("r.csv").read_text().splitlines()[1:]] == [
        "stands in row 1 of l/2.csv too", "stands in row 1 of l/1.csv too",
    ]  # fmt: skip


def test_every_command_reads_many_files(leadcore, exports):
    """replay, explain, validate and init."""
    Path("x/month=2/c.csv").unlink()
    files = "--leads leads.csv --events x"

    assert leadcore(f"replay stages.yaml {files} --until 2026-06-01 --out d").code == 0
    assert leadcore("replay stages.yaml --leads leads.csv --events events.csv --until 2026-06-01 --out e").code == 0
    assert pl.read_parquet("d/transitions.parquet").equals(pl.read_parquet("e/transitions.parquet"))
    explained = leadcore(f"explain model.yaml 3 {files} --as-of 2026-06-01 --shares")
    assert "row 1" in explained.out
    checked = leadcore(f"validate model.yaml {files}")
    assert checked.code == 0
    assert "\nx: 6 rows" in checked.out
    begun = leadcore(f"init {files} --out new.yaml")
    assert begun.code == 0, begun.err
    assert leadcore(begun.err.splitlines()[-1].strip().removeprefix("leadcore ")).code == 0


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("score model.yaml --events 'no-*' {AT}", "--events: the glob no-* finds no table"),
        ("score model.yaml --events x --as-of 2026-06-01 --out x/s.csv", "--out: x/s.csv would lie among the files of --events x"),
        ("score model.yaml --events 'x/*/*' --as-of 2026-06-01 --out x/month=1/a.csv", "--out would write over --events x/month=1/a.csv"),
        ("replay stages.yaml --events x --until 2026-06-01 --out x/d", "--out: x/d would lie among the files of --events x"),
        ("init --events 'no-*'", "--events: the glob no-* finds no table"),
    ],
)  # fmt: skip
def test_what_cannot_go_well(leadcore, exports, line, told):
    """Said before anything is read."""
    ended = leadcore(line.replace("{AT}", AT))

    assert (ended.code, ended.err) == (2, f"leadcore: {told}\n")


def test_a_column_that_some_files_lack(leadcore, folder):
    """An error that names both files, unless the model says that the column is optional: then it is null there."""
    touch("o/1.csv", text=HEADER + "3,2026-05-31T12:00Z,page_view,/pricing,\n")
    touch("o/2.csv", text="lead_id,at,type,url\n3,2026-05-31T12:00Z,form_submit,\n")

    ended = leadcore(f"score model.yaml --events o {AT}")
    assert (ended.code, ended.err) == (3, "leadcore: o/2.csv: has no column 'form', which o/1.csv has\n")
    Path("m.yaml").write_text(
        Path("model.yaml").read_text().replace("form: text", "form: {type: text, optional: true}")
    )
    assert leadcore(f"score m.yaml --events o {AT}").code == 0


def test_open_table_takes_lists_and_paths(tmp_path):
    """As `score` and `replay` of the Python API take it."""
    model = lc.Model.from_yaml(
        "{leadcore: 1, name: m, events: {v: {}}, scores: {s: {criteria: [{name: c, kind: event, on: v, points: 1}]}}}"
    )
    for i in range(3):
        touch(tmp_path / f"{i}.csv", text=f"lead_id,at,type\n{i},2026-05-01,v\n")
    events = open_table([tmp_path / "0.csv", str(tmp_path / "[12].csv")], model, "events", Names({}, {}))
    scorer = lc.Scorer(model)

    for _ in range(2):
        assert scorer.score(events, as_of="2026-06-01").table.column("s").tolist() == [1.0, 1.0, 1.0]
    assert events.source == f"{tmp_path}/0.csv, {tmp_path}/[12].csv"
