"""Stores to test: every test that asks for ``url`` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stores.server import Server, installed


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server."""
    if not installed():
        pytest.skip("needs PostgreSQL's programs and psycopg")
    server = Server()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: Any, tmp_path: Path) -> str:
    """The URL of a store, an empty one for SQLite; tenants of one test are not those of another."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/leads.db"
    database: str = request.getfixturevalue("server").database()
    return database
