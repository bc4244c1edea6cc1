"""What benchmarks against peers share: a contender in a process of its own, and medians and ratios of what it took."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any


class Runner:
    """The other end of a process that answers each line with a line of JSON.

    Attributes:
        name: Of the contender.
        size: The first answer: what it was given.
        runs: What the caller notes.
    """

    def __init__(self, module: str, name: str, *arguments: object) -> None:
        self.name = name
        command = [sys.executable, "-m", module, "--contend", name, *map(str, arguments)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.size = self.hear()
        self.runs: list[dict[str, float]] = []

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, what: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return self.hear()

    def close(self) -> None:
        self.process.communicate()


def installed(package: str) -> str | None:
    """Its version."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def middle(runs: Iterable[dict[str, float]], what: str, scale: float = 1.0) -> float:
    """The median of one figure, scaled."""
    return round(scale * median(run[what] for run in runs), 4)


def rate(found: dict[str, Any], peers: Iterable[str], *figures: str) -> None:
    """Note each contender's figures beside the least of the peers: ``wall`` becomes ``wall_ratio`` too."""
    for what in figures:
        least = min(found[name][what] for name in peers)
        for one in found.values():
            one[f"{what}_ratio"] = round(one[what] / least, 3)


def command_of(module: str, options: Iterable[tuple[str, Any, Any]]) -> str:
    """What to type for the same run, given each option, its value and its usual value."""
    return f"python -m {module}" + "".join(f" --{name} {value}" for name, value, usual in options if value != usual)
