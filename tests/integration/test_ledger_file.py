"""A ledger in a file: the same ledger again, or a clear refusal; the old file stays whole whatever happens."""

from __future__ import annotations

import errno
import json
import os
import stat
import struct
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

import pytest

import leadcore as lc
from leadcore.ledger import file as ledger_file
from tests.integration.test_ledger import HISTORY, LEADS, MODEL, PLAIN, SCORER, event


@pytest.fixture
def ledger():
    """Three leads and a merged record."""
    made = lc.Ledger(SCORER, late="3d")
    made.apply(HISTORY, LEADS)
    made.add("d", "2026-03-04", "visit", {"page": "/"})
    made.merge("d", into="a")
    made.advance("2026-03-06")
    return made


@pytest.fixture
def saved(ledger, tmp_path):
    """Its file."""
    path = tmp_path / "leads.state"
    ledger.save(path)
    return path


def resealed(data):
    """The bytes with a checksum that fits again."""
    return data[:-32] + blake2b(data[:-32], digest_size=32).digest()


def refusal(path, data=None, scorer=SCORER):
    """What is said of a file."""
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(lc.StateError) as caught:
        lc.Ledger.load(path, scorer)
    return str(caught.value).removeprefix(f"{path}: ")


def same(one, other):
    """Whether two ledgers say the same of everything."""
    assert (one.clock, one.late, [*one], len(one)) == (other.clock, other.late, [*other], len(other))
    assert one.score("2026-05-01").to_dicts() == other.score("2026-05-01").to_dicts()
    assert [one.lead(lead).timeline for lead in one] == [other.lead(lead).timeline for lead in other]
    return True


def test_what_is_saved_is_loaded(ledger, saved):
    """On the class with a scorer or with the model in the file, and on a ledger; it goes on as if nothing had been."""
    for again in (lc.Ledger.load(saved), lc.Ledger.load(str(saved), SCORER), lc.Ledger(SCORER).load(saved)):
        assert same(again, ledger)
        assert again.model.semantics == MODEL.semantics
        assert again.lead("d").lead_id == "a"
        late = [event("a", "2026-03-03", "demo"), event("d", "2026-03-07", "demo")]
        copy = lc.Ledger.load(saved)
        said, expected = again.apply(late), copy.apply(late)
        assert said.transitions.to_dicts() == expected.transitions.to_dicts()
        assert same(again, copy)


def test_a_file_is_the_same_bytes_for_the_same_ledger(ledger, saved, tmp_path):
    """Saved, loaded and saved again: not one bit differs."""
    lc.Ledger.load(saved).save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == saved.read_bytes()
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_loading_replaces_the_content(saved):
    """What the ledger held before is gone; it says the same ledger."""
    ledger = lc.Ledger(SCORER, late="all")
    ledger.add("z", "2026-03-01", "visit", {"page": "/"})
    assert ledger.load(saved) is ledger
    assert "z" not in ledger
    assert str(ledger.late) == "3d"


def test_ids_of_every_kind(tmp_path):
    """Integers, and texts of any language."""
    for ids in ([1, -5, 2**62], ["", "Zoë", "名前", "1"]):
        ledger = lc.Ledger(PLAIN)
        for lead_id in ids:
            ledger.add(lead_id, "2026-03-01", "visit")
        ledger.save(tmp_path / "s")
        assert [*lc.Ledger.load(tmp_path / "s")] == ids


def test_an_empty_ledger(tmp_path):
    """Nothing is something too."""
    lc.Ledger(PLAIN, late="all").save(tmp_path / "s")
    again = lc.Ledger.load(tmp_path / "s")
    assert (len(again), again.late, again.clock) == (0, "all", None)


def test_many_leads_take_many_blocks(tmp_path, monkeypatch):
    """The file is made of blocks; their size is not seen."""
    monkeypatch.setattr(ledger_file, "_PER_BLOCK", 3)
    ledger = lc.Ledger(PLAIN)
    ledger.apply({"lead_id": range(20), "at": ["2026-03-01"] * 20, "type": ["visit"] * 20})
    for lead_id in range(5):
        ledger.merge(lead_id, into=10)
    ledger.save(tmp_path / "s")
    again = lc.Ledger.load(tmp_path / "s")
    assert ([*again], 3 in again) == ([*range(5, 20)], True)
    assert again.score("2026-03-02").to_dicts() == ledger.score("2026-03-02").to_dicts()


def test_every_flip_is_refused(saved):
    """Of every single byte, in every way it can be flipped by one bit and in one other."""
    data = bytearray(saved.read_bytes())
    for i in range(len(data)):
        for mask in (1 << (i % 8), 0xFF):
            data[i] ^= mask
            told = refusal(saved, bytes(data))
            assert "damaged" in told or "does not begin like one" in told
            data[i] ^= mask
    saved.write_bytes(data)
    lc.Ledger.load(saved)


def test_every_cut_and_addition_is_refused(saved):
    """However little is missing, or follows."""
    data = saved.read_bytes()
    told = {refusal(saved, data[:length]).split(":")[0] for length in range(len(data))}
    assert told == {"is not a saved ledger", "is cut off", "is damaged or cut off"}
    for more in (b"\0", b"\n", data):
        assert "damaged" in refusal(saved, data + more)


def test_what_a_file_is_not(saved, tmp_path):
    """Other files, other formats, other models, other layouts: each is told apart."""
    data = saved.read_bytes()
    assert refusal(saved, b"") == "is not a saved ledger: it is empty"
    assert refusal(saved, b"PAR1 and so on") == "is not a saved ledger: it does not begin like one"
    newer = resealed(data[:16] + struct.pack("<I", 2) + data[20:])
    assert refusal(saved, newer) == (
        f"is a saved ledger of format 2, and leadcore {lc.__version__} reads formats up to 1: load it with the newer "
        "leadcore that wrote it"
    )
    assert refusal(saved, data, PLAIN) == (
        f"is a ledger of model 'stages' with semantics {MODEL.semantics[:12]}, not of 'visits' with "
        f"{PLAIN.model.semantics[:12]}: load it with its own model, Ledger.load(path), and move it with scorer.migrate(ledger)"
    )
    with pytest.raises(lc.StateError, match="not of 'visits'"):
        lc.Ledger(PLAIN).load(saved)
    assert "cannot be loaded: No such file or directory" in refusal(tmp_path / "nothing")
    assert "cannot be loaded: Is a directory" in refusal(tmp_path)


def test_a_model_of_the_same_semantics_loads_it(saved):
    """A title says nothing of scores."""
    titled = lc.Model.from_json(json.dumps({**json.loads(MODEL.to_json()), "title": "Stages"}))
    assert titled.fingerprint != MODEL.fingerprint
    assert lc.Ledger.load(saved, lc.Scorer(titled)).model is titled


def header_with(data, **values):
    """The file with another header."""
    length = struct.unpack("<I", data[20:24])[0]
    header = json.loads(data[24 : 24 + length])
    header |= values
    text = json.dumps({key: value for key, value in header.items() if value != "gone"}).encode()
    return resealed(data[:20] + struct.pack("<I", len(text)) + text + data[24 + length :])


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"model": "gone"}, "its header"),
        ({"late": "1d"}, "its header"),
        ({"late": -1}, "its header"),
        ({"clock": 2**63}, "its header"),
        ({"clock": True}, "its header"),
        ({"model": "{}"}, "the model in it"),
        ({"model": PLAIN.model.to_json()}, "the fingerprint of the model in it"),
        ({"fingerprint": "0" * 64}, "the fingerprint of the model in it"),
    ],
)
def test_headers_that_lie(saved, values, what):
    """A checksum that fits does not make a header right."""
    told = refusal(saved, header_with(saved.read_bytes(), **values), None)
    assert told == f"is damaged, though its checksum fits: {what} is not as it should be"


def test_states_of_another_layout(saved):
    """They are of another release: it says so, and what to do."""
    told = refusal(saved, header_with(saved.read_bytes(), layout=999, leadcore="9.9"))
    assert told.startswith("was saved by leadcore 9.9 with states of layout 999; leadcore ")
    assert told.endswith("take in the events anew")


def test_bodies_that_lie(saved):
    """Every flip with a checksum that fits is refused as damage or lived with; nothing else ever comes out."""
    data = bytearray(saved.read_bytes())
    begin = 24 + struct.unpack("<I", data[20:24])[0]
    refused = 0
    for i in range(begin, len(data) - 32):
        for mask in (1, 0x80, 0xFF):
            data[i] ^= mask
            saved.write_bytes(resealed(bytes(data)))
            try:
                lc.Ledger.load(saved, SCORER).score("2026-05-01")
            except lc.LeadcoreError as fault:
                refused += "damaged" in str(fault)
            data[i] ^= mask
    assert refused > 50
    for cut in range(begin, len(data) - 32):
        assert "damaged" in refusal(saved, resealed(bytes(data[:cut]) + bytes(32)))


def test_a_failed_save_leaves_the_old_file(ledger, saved, monkeypatch):
    """Whichever step fails: the old file is whole, nothing is left beside it, and the cause is told."""
    before = saved.read_bytes()
    ledger.add("new", "2026-03-07", "demo")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for target, name in ((os, "fsync"), (Path, "replace"), (Path, "open")):
        with monkeypatch.context() as patch:
            patch.setattr(target, name, full)
            with pytest.raises(lc.StateError) as caught:
                ledger.save(saved)
        assert str(caught.value) == (
            f"{saved}: the ledger cannot be saved: No space left on device; the file that stood there is whole"
        )
        assert isinstance(caught.value.__cause__, OSError)
        assert saved.read_bytes() == before
        assert [*saved.parent.iterdir()] == [saved]
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            ledger.save(saved)
    assert [*saved.parent.iterdir()] == [saved]
    ledger.save(saved)
    assert "new" in lc.Ledger.load(saved)


def _interrupted(*_):
    raise KeyboardInterrupt


def test_a_folder_that_cannot_be_synced(ledger, saved, monkeypatch):
    """The file is there; that it may not outlive a crash is said, unless folders cannot be synced at all."""
    real = os.fsync

    def sync(code):
        def fsync(number):
            if stat.S_ISDIR(os.fstat(number).st_mode):
                raise OSError(code, os.strerror(code))
            real(number)

        return fsync

    monkeypatch.setattr(os, "fsync", sync(errno.EIO))
    with pytest.raises(lc.StateError, match="is saved, but may be lost if the machine fails now: Input/output error"):
        ledger.save(saved)
    monkeypatch.setattr(os, "fsync", sync(errno.EINVAL))
    ledger.save(saved)


LIMITED = """
import resource, signal, sys, pathlib
import leadcore as lc
scorer = lc.Scorer(lc.Model.from_json(pathlib.Path(sys.argv[1]).read_text()))
ledger = lc.Ledger.load(sys.argv[2], scorer)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
try:
    ledger.save(sys.argv[2])
except lc.StateError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are of Unix")
def test_a_file_that_may_not_grow(saved, tmp_path):
    """A short write by the system itself: refused by name, the old file whole."""
    before = saved.read_bytes()
    model = tmp_path / "model.json"
    model.write_text(MODEL.to_json())
    said = subprocess.run(
        [sys.executable, "-c", LIMITED, str(model), str(saved)], capture_output=True, text=True, check=True
    )
    assert "cannot be saved: File too large; the file that stood there is whole" in said.stdout
    assert saved.read_bytes() == before
    assert {*tmp_path.iterdir()} == {model, saved}


def test_where_a_file_cannot_be(ledger, tmp_path):
    """Folders, folders that are not there, and names that are too long."""
    for path, why in (
        (tmp_path, "Is a directory"),
        (tmp_path / "no" / "s", "No such file or directory"),
        (tmp_path / ("x" * 300), "File name too long"),
    ):
        with pytest.raises(lc.StateError, match=f"cannot be saved: {why}"):
            ledger.save(path)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the administrator may write everywhere")
def test_read_only(ledger, saved):
    """A file or folder that says so is left alone."""
    saved.chmod(0o444)
    with pytest.raises(lc.StateError, match="cannot be saved: Permission denied; the file that stood there is whole"):
        ledger.save(saved)
    saved.chmod(0o644)
    saved.parent.chmod(0o555)
    try:
        with pytest.raises(lc.StateError, match="cannot be saved: Permission denied"):
            ledger.save(saved)
    finally:
        saved.parent.chmod(0o755)


def test_rights_and_links_stay(ledger, saved, tmp_path):
    """Who may read the file may read the new one; a link goes on to point at it."""
    saved.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(saved)
    ledger.add("new", "2026-03-07", "demo")
    ledger.save(link)

    assert link.is_symlink()
    assert saved.stat().st_mode & 0o777 == 0o640
    assert "new" in lc.Ledger.load(saved)
    assert "new" in lc.Ledger.load(link)


def test_nothing_changes_when_loading_fails(ledger, saved):
    """A ledger that could not load stands as before."""
    data = bytearray(saved.read_bytes())
    data[-40] ^= 1
    saved.write_bytes(data)
    with pytest.raises(lc.StateError):
        ledger.load(saved)
    assert len(ledger) == 3
