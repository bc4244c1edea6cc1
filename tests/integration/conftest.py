"""A directory of small files, and the command line run in it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import pytest

from leadcore.cli import run
from tests.integration.cli_files import write_files


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory, with small files in it."""
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LEADCORE_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def leadcore(folder, capfd):
    """Run a command line as a shell would read it."""

    def command(line: str) -> Ended:
        capfd.readouterr()
        code = run(shlex.split(line))
        told = capfd.readouterr()
        return Ended(code, told.out, told.err)

    return command
