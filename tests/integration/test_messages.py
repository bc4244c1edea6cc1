"""What people are told when something is wrong: every message as it stands in `messages.txt`.

``LEADCORE_UPDATE=1 pytest tests/integration/test_messages.py`` writes the file anew, to be read before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

MESSAGES = Path(__file__).with_name("messages.txt")
PROMPT = "$ leadcore "


def blocks() -> list[tuple[str, str]]:
    """Command lines and what follows each."""
    told = MESSAGES.read_text(encoding="utf-8").split(PROMPT)[1:]
    return [(line, rest.strip("\n")) for line, _, rest in (block.partition("\n") for block in told)]


CASES = blocks()


@pytest.mark.parametrize(("line", "expected"), CASES, ids=[line for line, _ in CASES])
def test_message(leadcore, folder, line, expected):
    """The exit code and every word of it; nothing is written, and nothing stands in stdout."""
    before = sorted(folder.iterdir())

    ended = leadcore(line)

    told = f"[{ended.code}]\n{ended.err}".rstrip("\n")
    if os.environ.get("LEADCORE_UPDATE"):
        text = MESSAGES.read_text(encoding="utf-8")
        MESSAGES.write_text(text.replace(f"{PROMPT}{line}\n{expected}", f"{PROMPT}{line}\n{told}"), encoding="utf-8")
    else:
        assert told == expected
    assert ended.code in (2, 3)
    assert ended.out == "" or line.startswith("validate")
    assert sorted(folder.iterdir()) == before


def test_there_are_many():
    """At least fifteen kinds of mistakes."""
    assert len(CASES) >= 15
