"""What can go wrong on the way to a PostgreSQL server."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

import leadcore as lc
from leadcore.errors import LeadcoreError, StateError
from leadcore.ledger.stores.schema import VERSION
from tests.stores.test_store import SCORER, SOME, opened, seen


def test_without_psycopg():
    """A server's URL without the extra says how to get it; nothing else ever imports it."""
    code = """
import sys
sys.modules["psycopg"] = None
import leadcore as lc
scorer = lc.Scorer(lc.Model.from_yaml(sys.argv[1]))
with lc.Ledger.open("sqlite:///:memory:", scorer) as ledger:
    ledger.add(1, "2026-03-01", "visit")
try:
    lc.Ledger.open("postgresql://localhost/leads", scorer)
except lc.LeadcoreError as error:
    print(error)
"""
    model = "{leadcore: 1, name: m, events: {visit: {}}, scores: {s: {criteria: [{name: v, kind: event, on: visit, points: 5}]}}}"
    done = subprocess.run([sys.executable, "-c", code, model], capture_output=True, text=True, check=True)
    assert done.stdout == 'a PostgreSQL store needs psycopg: pip install "leadcore[postgres]"\n'


@pytest.mark.postgres
def test_not_reached(server):
    """Who cannot be reached is told by name, without the password."""
    with pytest.raises(StateError, match=r"cannot open postgresql://127.0.0.1/leads: it is not reached") as told:
        opened("postgresql://me:secret@127.0.0.1:1/leads")
    assert "secret" not in str(told.value)
    with pytest.raises(StateError, match=r"lets nobody in .*does not exist"):
        opened(server.url.replace("/postgres?", "/nowhere?"))


def deliver_until_told(ledger: lc.Ledger) -> None:
    """Until the signal has come."""
    for _ in range(1000):
        ledger.apply(SOME)


@pytest.mark.postgres
@pytest.mark.parametrize("how", ["terminate", "kill", "restart"])
def test_server_goes_away(server, how):
    """A connection or a server that is killed is told; the ledger then goes on as it stood."""
    with opened(server.database()) as ledger:
        ledger.apply(SOME)
        before = seen(ledger)
        if how == "restart":
            server.restart()
        else:
            assert getattr(server, how)(random.Random(1))
        with pytest.raises(StateError):
            deliver_until_told(ledger)
        server.wait()
        assert seen(ledger) == before
        ledger.add("c", "2026-03-05", "visit", {"points": 1}, "e9")
        assert len(ledger) == 3


@pytest.mark.postgres
def test_newer_tables_and_a_user_who_may_only_read(server):
    """Tables of a newer leadcore are refused; who may not write is told so, and may ask."""
    import psycopg

    url = server.database()
    with opened(url) as ledger:
        ledger.apply(SOME)
        before = seen(ledger)
    with opened(url + "&options=-cdefault_transaction_read_only%3Don") as reader:
        assert seen(reader) == before
        with pytest.raises(StateError, match="may only be read"):
            reader.add("c", "2026-03-05", "visit", {"points": 1}, "e9")
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute("UPDATE leadcore_schema SET version = %s", (VERSION + 1,))
    with pytest.raises(StateError, match="newer leadcore"):
        opened(url)


@pytest.mark.postgres
def test_commits_are_on_disk(server):
    """Where a server answers before what it was told is on disk, the store asks it not to."""
    with opened(server.database() + "&options=-csynchronous_commit%3Doff") as ledger:
        keeping = ledger._keeping
        with keeping._read() as reading:  # type: ignore[attr-defined]
            assert reading._connection.select("SELECT current_setting('synchronous_commit')") == [("on",)]


def test_no_url():
    with pytest.raises(LeadcoreError):
        lc.Ledger.open("postgres", SCORER)
