"""The public names are what they say they are, and cost nothing until used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import leadcore as lc


def test_names_load():
    """Every public name loads, `dir` lists them all, and nothing else is public."""
    assert lc.__all__ == sorted(lc.__all__)
    assert set(dir(lc)) == {*lc.__all__, "__version__"}
    for name in lc.__all__:
        assert getattr(lc, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Scorers'"):
        lc.Scorers  # noqa: B018


def test_type_checkers_see_the_same_names():
    """The static imports name the same homes as the table they are loaded from."""
    tree = ast.parse(Path(lc.__file__).read_text())
    static = {
        alias.name: node.module
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert static == lc._HOME_OF
    assert {*static, "get_include"} == set(lc.__all__)


def test_imports_no_extra():
    """Importing leadcore and compiling a model imports nothing of an extra (design 6)."""
    code = (
        "import sys, leadcore as lc; lc.Scorer(lc.Model.from_yaml('{leadcore: 1, name: x, scores: {s: {criteria: []}}}'));"
        "print([m for m in ('polars', 'pandas', 'pyarrow', 'duckdb', 'pyspark', 'typer', 'rich', 'yaml') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "[]"
