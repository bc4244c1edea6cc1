"""The dirty gigabyte in small: every spoiled row is rejected where it stands, no other, and scores stay what they are."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from benchmarks import dirty


@pytest.mark.parametrize("seed", [1, 2])
def test_dirty_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Some 5 MB, one row in a hundred faulty, every kind of fault among them."""
    monkeypatch.setattr(dirty, "SHARE", 1e-2)
    made = dirty.make_dirty(tmp_path / "dirty", 5_000_000, seed)

    found = dirty.check(made)

    assert dirty.right(found), found
    assert found["faulty"] > 500
    assert set(found["faults"]) == {kind for faults in dirty.FAULTS.values() for kind in faults}
    assert found["leads marked"] > 100


def test_what_is_wrong_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that nobody made, one on another line and one that is not known of are told apart."""
    monkeypatch.setattr(dirty, "SHARE", 1e-2)
    made = dirty.make_dirty(tmp_path / "dirty", 100_000)
    table, file, line, column, kind = made.faults[0]
    made.faults[0] = (table, file, line + 1, column, kind)
    del made.faults[1]
    table, file, line, _, kind = made.faults[1]
    made.faults[1] = (table, file, line, "another", kind)

    found = dirty.check(made)

    assert (found["missing"], found["extra"], found["wrongly told"]) == (1, 2, 1)
    assert not dirty.right(found)


def test_the_same_seed_makes_the_same_files(tmp_path: Path) -> None:
    """Byte for byte; the truth is written beside them."""
    one, other = (dirty.make_dirty(tmp_path / name, 200_000) for name in "ab")

    assert one.faults == other.faults
    for path in sorted((tmp_path / "a").glob("**/*.csv")):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
    assert pl.read_parquet(tmp_path / "a" / "truth.parquet").rows() == one.faults
