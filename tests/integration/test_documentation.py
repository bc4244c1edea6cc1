"""The documentation speaks of what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import leadcore as lc

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_and_tests_named_in_a_page_exist(page):
    """A page that names ``tests/x.py::test_y``, or a path of the repository, does not outlive it."""
    text = page.read_text(encoding="utf-8")
    for path, test in re.findall(r"`((?:tests|src|ext|docs|benchmarks|tools)/[\w./-]*)(?:::(\w+))?`", text):
        assert (ROOT / path).exists(), path
        if test:
            assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{test}"


def test_every_public_name_is_in_the_reference():
    """Whatever is exported is described."""
    text = (ROOT / "docs/reference/api.md").read_text(encoding="utf-8")
    text += (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")

    assert [name for name in lc.__all__ if not re.search(rf"(::: leadcore\.|`){name}\b", text)] == []
