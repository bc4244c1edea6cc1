"""What a type checker says of typed models: mypy over small files, errors on the marked lines and on no others."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

FILES = sorted(Path(__file__).parent.glob("case_*.py"))
MARK = re.compile(r"# error: (\S+)$")


def marked(path: Path) -> list[tuple[str, int, str]]:
    """File, line and code of each expected error."""
    lines = path.read_text().splitlines()
    return [(path.name, n, match[1]) for n, line in enumerate(lines, 1) if (match := MARK.search(line))]


def test_mypy_finds_the_marked_errors_and_no_others(tmp_path: Path) -> None:
    """Among them: `.contains` of a number, text compared with a number, a misspelled key."""
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--hide-error-context",
        "--cache-dir",
        str(tmp_path),
        "--config-file",
        str(Path(__file__).with_name("mypy.ini")),
        *map(str, FILES),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    found = re.findall(r"^(?:.*/)?(case_\w+\.py):(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)

    assert sorted((name, int(line), code) for name, line, code in found) == sorted(
        e for f in FILES for e in marked(f)
    ), done.stdout
