"""Whoever writes to a store may be killed at any instant: nothing is lost, nothing doubled, nothing torn (the long form is tools/crash_store.py)."""

from __future__ import annotations

import pytest

from leadcore.ledger.stores import keeper
from tools.crash_store import HarmServer, Kept, Tally, crash_round, sqlite_rounds

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # forks beside threads of others


@pytest.fixture(autouse=True)
def parts(monkeypatch):
    """Advances go in several parts."""
    monkeypatch.setattr(keeper, "AT_ONCE", 7)


@pytest.mark.parametrize("workers", [1, 2])
def test_kills_on_sqlite(workers):
    """Ten kills of one worker, or of two that do the same work, end where an undisturbed run ends."""
    tally = Tally()
    sqlite_rounds(7 * workers, tally, lambda: tally.rounds > 0, workers=workers, steps=40, most=10)
    assert sum(tally.blows.values()) >= 5, tally
    assert not tally.bad, tally


@pytest.mark.postgres
def test_kills_on_postgres(server):
    """Kills of clients and of the server's own processes, and restarts as after a crash, likewise."""
    tally, url = Tally(), server.database()
    crash_round(
        lambda place: Kept(url, place), "killed", "calm", 3, tally,
        disturber=HarmServer(server), steps=30, most=10, pause=(0.01, 0.3),
    )  # fmt: skip
    assert sum(tally.blows.values()) >= 5, tally
    assert not tally.bad, tally
