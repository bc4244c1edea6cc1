"""What can go wrong with a file: a typed error in clear words, the old state whole, and on it goes when the fault is gone."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

import leadcore as lc
from leadcore.errors import LeadcoreError, StateError
from leadcore.ledger.stores.schema import VERSION
from leadcore.ledger.stores.sqlite import SqliteConnection
from tests.stores.test_store import SCORER, SOME, opened, seen, visits

MANY = visits(*((f"lead-{i:04}", "2026-03-01", 12, f"m{i}") for i in range(2000)))


def url_of(path: Path, options: str = "") -> str:
    return f"sqlite:///{path}{options}"


def in_child(work: Callable[[], None]) -> None:
    """Do something in a process of its own, which may be limited as it likes; asserts hold there too."""
    if (child := os.fork()) == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Writes behind this size fail, and the one that crosses it is cut short."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("more", [0, 1, 511, 4096 + 100, 50_000])
def test_full_and_short_writes(tmp_path, more):
    """A write that is cut short or refused leaves the old state whole, and the ledger goes on when there is room again."""
    path = tmp_path / "leads.db"

    def work() -> None:
        with opened(url_of(path)) as ledger:
            ledger.apply(SOME)
            before = seen(ledger)
            size = max(file.stat().st_size for file in tmp_path.iterdir())
            with largest_file(size + more):
                with pytest.raises(StateError, match="nothing was changed") as told:
                    ledger.apply(MANY)
                assert isinstance(told.value.__cause__, sqlite3.Error)
                assert seen(ledger) == before
            ledger.apply(MANY)
            assert len(ledger) == 2002

    in_child(work)
    with opened(url_of(path)) as again:
        assert len(again) == 2002
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_room_to_make_it(tmp_path):
    """A store that cannot be made says so, leaves no half of one, and is made when there is room."""
    path = tmp_path / "leads.db"

    def work() -> None:
        with largest_file(5000), pytest.raises(StateError):
            opened(url_of(path))
        with opened(url_of(path)) as ledger:
            ledger.apply(SOME)
            assert len(ledger) == 2

    in_child(work)


def test_disk_full():
    """A disk that fills up says so; with room again the same call goes through."""
    folder = Path(tempfile.mkdtemp(prefix="lc-full-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("needs the right to mount a small file system")
    try:
        with opened(url_of(folder / "leads.db")) as ledger:
            ledger.apply(SOME)
            before = seen(ledger)
            with pytest.raises(StateError, match="the disk is full"):
                ledger.apply(MANY)
            assert seen(ledger) == before
            subprocess.run(["mount", "-o", "remount,size=32m", str(folder)], check=True)
            ledger.apply(MANY)
            assert len(ledger) == 2002
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


def as_nobody() -> None:
    """Let this process be one that may not write everywhere."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("which", ["file", "folder", "no such folder"])
def test_not_to_be_written(which):
    """A file or folder that may not be written is told; made writable, the ledger goes on."""
    folder = Path(tempfile.mkdtemp(prefix="lc-read-only-"))
    folder.chmod(0o777)
    path = folder / "leads.db"
    try:
        with opened(url_of(path)) as ledger:
            ledger.apply(SOME)
        path.chmod(0o666 if which == "folder" else 0o444)
        folder.chmod(0o555 if which == "folder" else 0o777)
        asked = path if which != "no such folder" else folder / "none" / "leads.db"

        def work() -> None:
            as_nobody()
            words = r"may not be written|cannot be opened or made"
            with pytest.raises(StateError, match=words), opened(url_of(asked)) as ledger:
                ledger.add("c", "2026-03-05", "visit", {"points": 1}, "e9")

        in_child(work)
        folder.chmod(0o777)
        path.chmod(0o666)
        with opened(url_of(path)) as ledger:
            ledger.add("c", "2026-03-05", "visit", {"points": 1}, "e9")
            assert len(ledger) == 3
    finally:
        shutil.rmtree(folder)


def test_locked_by_another(tmp_path):
    """While another process writes, one that gives up waiting says so; afterwards it goes on, and reading is free."""
    path = tmp_path / "leads.db"
    with opened(url_of(path, "?timeout=0.05")) as ledger:
        ledger.apply(SOME)
        before = seen(ledger)
        holder = subprocess.Popen(
            [sys.executable, "-c",
             f"import sqlite3; c = sqlite3.connect({str(path)!r}, isolation_level=None); c.execute('BEGIN IMMEDIATE');"
             "print('held', flush=True); input()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StateError, match="another process holds it"):
            ledger.add("c", "2026-03-05", "visit", {"points": 1}, "e9")
        assert seen(ledger) == before
        holder.communicate("\n")
        ledger.add("c", "2026-03-05", "visit", {"points": 1}, "e9")
        assert len(ledger) == 3


def test_of_something_else(tmp_path):
    """Files that are no store are refused, and not changed by a byte."""
    other, text, newer = (tmp_path / name for name in ("other.db", "text.db", "newer.db"))
    with closing(sqlite3.connect(other)) as raw:
        raw.execute("CREATE TABLE mine (x)")
        raw.commit()
    text.write_bytes(b"once upon a time " * 100)
    opened(url_of(newer)).close()
    with closing(sqlite3.connect(newer)) as raw:
        raw.execute(f"PRAGMA user_version = {VERSION + 1}")
    for path, words in ((other, "of something else"), (text, "no SQLite database"), (newer, "newer leadcore")):
        before = path.read_bytes()
        with pytest.raises(StateError, match=words):
            opened(url_of(path))
        assert path.read_bytes() == before


def answers(path: Path) -> Any:
    with opened(url_of(path, "?timeout=1")) as ledger:
        return seen(ledger)[:4]


def test_damaged_files(tmp_path):
    """A file with any bit turned is refused, or says what it said; so is one that was cut."""
    path, damaged = tmp_path / "leads.db", tmp_path / "damaged.db"
    with opened(url_of(path)) as ledger:
        ledger.apply(SOME, [{"lead_id": f"lead-{i}", "title": "CEO"} for i in range(30)])
        ledger.apply(MANY[:40])
        ledger.advance("2026-04-01")
    data, said, dice = path.read_bytes(), answers(path), random.Random(4)
    refused = 0
    for _ in range(60):
        turned = bytearray(data)
        turned[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        refused += not same_or_refused(damaged, bytes(turned), said)
    for size in (0, 1, 99, 100, 4095, 4096, len(data) // 2, len(data) - 4096, len(data) - 1):
        if size:  # an empty file is a new store
            refused += not same_or_refused(damaged, data[:size], said)
    assert refused > 15


def same_or_refused(path: Path, data: bytes, said: Any) -> bool:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    path.write_bytes(data)
    try:
        found = answers(path)
    except StateError:
        return False
    assert found == said
    return True


def test_damaged_state(tmp_path):
    """What is remembered of a lead is refused if it is another's, older, or not what was written."""
    path = tmp_path / "leads.db"
    with opened(url_of(path)) as ledger:
        ledger.apply(SOME)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE leadcore_lead SET image = (SELECT image FROM leadcore_lead WHERE key = ?)", (b"ta",))
        raw.commit()
    with opened(url_of(path)) as ledger:
        with pytest.raises(StateError, match="leadcore_lead is not what was written"):
            ledger.score("2026-04-01")
        with pytest.raises(StateError, match="leadcore_lead is not what was written"):
            ledger.add("b", "2026-03-05", "visit", {"points": 1}, "e9")


def test_written_by_another_meanwhile(tmp_path):
    """Where locks do not hold, as on some network drives, the version of the ledger still tells, and nothing is written."""
    from leadcore.ledger.stores.sql import Transaction

    path = tmp_path / "leads.db"
    with opened(url_of(path)) as ledger:
        ledger.apply(SOME)
        before = seen(ledger)
        with ledger._keeping._write() as writing:  # type: ignore[attr-defined]
            assert isinstance(writing, Transaction)
            writing._connection.run("UPDATE leadcore_ledger SET version = version + 1")
            writing.set_clock(0)
            with pytest.raises(StateError, match="another process wrote to this ledger"):
                writing.settle()
            writing._connection.run("UPDATE leadcore_ledger SET version = version - 1")
            writing._wrote = False
        assert seen(ledger) == before


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("leads.db", "names no store"),
        ("sqlite://leads.db", "names no store"),
        ("sqlite:///", "names no store"),
        ("mysql://localhost/leads", "names no store"),
        ("sqlite:///:memory:?synchronous=off", "is no option of a SQLite store"),
        ("sqlite:///:memory:?timeout=soon", "is no option of a SQLite store"),
        ("sqlite:///:memory:?cache=shared", "is no option of a SQLite store"),
    ],
)
def test_urls_refused(url, words):
    with pytest.raises(LeadcoreError, match=words):
        lc.Ledger.open(url, SCORER)


def test_urls(tmp_path, monkeypatch):
    """Three slashes name a file in the working folder, four one by its whole path; escapes are read."""
    monkeypatch.chdir(tmp_path)
    opened("sqlite:///leads.db?synchronous=normal&timeout=2.5").close()
    opened(f"sqlite:///{tmp_path}/of%20mine.db").close()
    assert {file.name for file in tmp_path.iterdir()} == {"leads.db", "of mine.db"}
    with opened("sqlite:///:memory:") as one, opened("sqlite:///:memory:") as other:
        one.apply(SOME)
        assert (len(one), len(other)) == (2, 0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_memory_does_not_go_into_a_child():
    """A store in memory alone says clearly that a forked process has none of it."""
    with opened("sqlite:///:memory:") as ledger:
        ledger.apply(SOME)

        def work() -> None:
            with pytest.raises(StateError, match="memory"):
                len(ledger)

        in_child(work)
        assert len(ledger) == 2


def test_no_call_reads_a_whole_table(tmp_path, monkeypatch):
    """However much a store holds, a call finds what it needs by an index."""
    said: dict[str, tuple[Any, ...]] = {}
    for name in ("select", "run"):
        plain = getattr(SqliteConnection, name)

        def asked(self: Any, sql: str, *arguments: Any, plain: Any = plain) -> Any:
            said[sql] = arguments
            return plain(self, sql, *arguments)

        monkeypatch.setattr(SqliteConnection, name, asked)
    with lc.Ledger.open(url_of(tmp_path / "leads.db"), SCORER, late="2d") as ledger:
        ledger.apply(SOME, [{"lead_id": "a", "title": "CEO"}])
        ledger.apply(SOME[:1])
        ledger.add("a", "2026-01-01", "visit", {"points": 1}, "old")
        ledger.advance("2026-03-05")
        ledger.retract([{"lead_id": "a", "event_id": "e1"}])
        ledger.score("2026-01-02"), ledger.lead("a"), ledger.changes(), "a" in ledger, len(ledger)
        ledger.merge("a", into="b")
        ledger.forget("b")
        ledger.add("c", "2026-03-06", "visit")
    with closing(sqlite3.connect(tmp_path / "leads.db")) as raw:
        for sql, arguments in said.items():
            if sql.startswith(("SELECT", "UPDATE", "DELETE")) and "sqlite_master" not in sql:
                plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}", arguments)]
                assert not [step for step in plan if step.startswith("SCAN leadcore_")], (sql, plan)
    assert len(said) > 30


def test_removed_or_replaced_while_open(tmp_path, monkeypatch):
    """Nothing is written to a file that is gone; who opens it anew has what stands there now."""
    path, backup = tmp_path / "leads.db", tmp_path / "backup.db"
    monkeypatch.chdir(tmp_path)
    with lc.Ledger.open("sqlite:///leads.db", SCORER) as ledger:
        ledger.apply(SOME[:1])
    shutil.copy(path, backup)
    with lc.Ledger.open("sqlite:///leads.db", SCORER) as first:
        first.apply(SOME)
        monkeypatch.chdir("/")
        assert len(first) == 2  # wherever one stands
        monkeypatch.chdir(tmp_path)
        path.unlink()
        for attempt in (lambda: first.add("z", "2026-03-01", "visit"), lambda: first.lead("a")):
            with pytest.raises(StateError, match="was removed, or another file put in its place, while it was open"):
                attempt()
        assert not path.exists()
        with lc.Ledger.open("sqlite:///leads.db", SCORER) as second:
            assert len(second) == 0
            second.add("z", "2026-03-01", "visit")
            for old in tmp_path.glob("leads.db*"):
                old.unlink()
            shutil.copy(backup, path)
            with pytest.raises(StateError, match="while it was open"):
                second.add("z", "2026-03-02", "visit")
            with lc.Ledger.open("sqlite:///leads.db", SCORER) as third:
                assert [*third] == ["a"]
                third.add("b", "2026-03-02", "visit")
    with lc.Ledger.open("sqlite:///leads.db", SCORER) as again:
        assert [*again] == ["a", "b"]
