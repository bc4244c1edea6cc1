"""The service in a process of its own, asked over loopback by a real HTTP client."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVICE = Path(__file__).parents[1]
sys.path.insert(0, str(SERVICE))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service") / "leads.db"


@pytest.fixture(scope="module")
def served(store: Path) -> Iterator[object]:
    """One service for a module; its time passes only when a test says so."""
    from serving import serving

    with serving(store) as service:
        yield service
