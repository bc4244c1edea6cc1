"""Runs the examples of the documentation: pytest checks them, ``python tools/doc_examples.py FILE...`` writes their outputs.

In a Markdown file, in order and in one namespace and one empty directory:

- a ``python`` block is run; what it prints stands in the ``text`` block right behind it, or it prints nothing;
- a ``console`` block runs each line after ``$ `` in a shell; the lines that follow are what it says;
- any block with ``title="NAME"`` is the file NAME that later blocks read;
- a ``yaml`` block that starts with ``leadcore: 1`` is a model, and must load.

``...`` in an output stands for anything. Blocks of other languages are not run.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sybil import Document, Example, Region

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)(?P<info>[^\n]*)\n(?P<body>.*?)^(?P=indent)```[ \t]*$", re.M | re.S
)
TITLE = re.compile(r'title="([^"]+)"')
CHECKER = doctest.OutputChecker()


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, text without indentation, and where it stands; ``shown`` is the output behind it."""

    language: str
    title: str | None
    body: str
    start: int
    end: int
    indent: str
    shown: Block | None = None


def blocks(text: str) -> Iterator[Block]:
    """Every block of a page that is run, with the output it is to have."""
    found = list(_fences(text))
    for i, block in enumerate(found):
        after = found[i + 1] if i + 1 < len(found) else None
        adjoins = after is not None and after.language == "text" and not text[block.end : after.start].strip()
        if block.title is not None or block.language == "console" or _is_model(block):
            yield block
        elif block.language == "python":
            yield Block("python", None, block.body, block.start, block.end, block.indent, after if adjoins else None)


def _fences(text: str) -> Iterator[Block]:
    for match in FENCE.finditer(text):
        indent, body = match["indent"], match["body"]
        title = TITLE.search(match["info"])
        plain = "".join(line.removeprefix(indent) for line in body.splitlines(keepends=True))
        yield Block(match["language"], title[1] if title else None, plain, match.start(), match.end(), indent)


def _is_model(block: Block) -> bool:
    return block.language == "yaml" and block.body.startswith("leadcore: 1")


def run(block: Block, namespace: dict[str, Any], path: str, line: int) -> str:
    """Run a block; what it printed, or for a console the whole block with what its commands said."""
    if _is_model(block):
        from leadcore import Model

        Model.from_yaml(block.body)
    if block.title is not None:
        Path(block.title).parent.mkdir(parents=True, exist_ok=True)
        Path(block.title).write_text(block.body, encoding="utf-8")
    elif block.language == "python":
        said = io.StringIO()
        code = compile("\n" * line + block.body, path, "exec", dont_inherit=True)
        with contextlib.redirect_stdout(said):
            exec(code, namespace)
        return said.getvalue()
    elif block.language == "console":
        return "".join(f"$ {command}\n{_shell(command)}" for command in _commands(block.body))
    return ""


def _commands(body: str) -> Iterator[str]:
    command: str | None = None
    for line in body.splitlines():
        if command is not None and command.endswith("\\"):
            command += "\n" + line
        elif line.startswith("$ "):
            if command is not None:
                yield command
            command = line[2:]
    if command is not None:
        yield command


def _shell(command: str) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(
        ["bash", "-c", command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def differs(wanted: str, said: str) -> str | None:
    """Why an output is not as it should be, or None; blanks at the ends of lines do not count."""
    wanted, said = ("".join(f"{line.rstrip()}\n" for line in text.rstrip().splitlines()) for text in (wanted, said))
    if CHECKER.check_output(wanted, said, doctest.ELLIPSIS):
        return None
    return f"expected:\n{wanted}\nsaid:\n{said}"


class MarkdownExamples:
    """A parser of Sybil for the blocks of a Markdown file."""

    def __call__(self, document: Document) -> Iterable[Region]:
        """One example for each block that is run."""
        for block in blocks(document.text):
            end = block.shown.end if block.shown is not None else block.end
            yield Region(block.start, end, block, self.evaluate)

    @staticmethod
    def evaluate(example: Example) -> str | None:
        """Run one block and compare."""
        block: Block = example.parsed
        said = run(block, example.namespace, example.path, example.line)
        if block.language == "console":
            return differs(block.body, said)
        return differs(block.shown.body if block.shown is not None else "", said)


def enter(namespace: dict[str, Any]) -> None:
    """Give a page an empty directory to work in."""
    folder = tempfile.TemporaryDirectory(prefix="leadcore-docs-")
    namespace["__folder__"] = folder
    namespace["__back__"] = Path.cwd()
    namespace["__name__"] = "__main__"
    os.chdir(folder.name)


def leave(namespace: dict[str, Any]) -> None:
    """Go back to where we were, and let go of what the page made."""
    os.chdir(namespace["__back__"])
    namespace["__folder__"].cleanup()
    namespace.clear()


def update(path: Path) -> None:
    """Run a page and write what its blocks print into it, where it is not what is there."""
    text = path.read_text(encoding="utf-8")
    namespace: dict[str, Any] = {}
    changes: list[tuple[int, int, str]] = []
    enter(namespace)
    try:
        for block in blocks(text):
            said = run(block, namespace, str(path), text.count("\n", 0, block.start) + 1)
            shown = block if block.language == "console" else block.shown
            wanted = "" if shown is None or block.title is not None or block.language == "yaml" else shown.body
            if differs(wanted, said) is None:
                continue
            fence = "console" if block.language == "console" else "text"
            fresh = "".join(
                block.indent + line for line in f"```{fence}\n{said.rstrip()}\n```".splitlines(keepends=True)
            )
            if shown is not None:
                changes.append((shown.start, shown.end, fresh))
            else:
                changes.append((block.end, block.end, f"\n\n{fresh}"))
    finally:
        leave(namespace)
    for start, end, fresh in reversed(changes):
        text = text[:start] + fresh + text[end:]
    path.write_text(text, encoding="utf-8")
    print(f"{path}: {len(changes)} outputs written")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        update(Path(name).resolve())
