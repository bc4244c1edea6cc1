"""Stopwatch, memory and the words that go with every figure."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pyarrow as pa


@dataclass
class Took:
    """Wall and CPU seconds of one run."""

    wall: float = 0.0
    cpu: float = 0.0

    def __sub__(self, other: Took) -> Took:
        return Took(self.wall - other.wall, self.cpu - other.cpu)

    def __add__(self, other: Took) -> Took:
        return Took(self.wall + other.wall, self.cpu + other.cpu)

    def ns(self, events: int) -> dict[str, float]:
        """Nanoseconds per event."""
        return {"wall": round(self.wall * 1e9 / events, 2), "cpu": round(self.cpu * 1e9 / events, 2)}


@contextmanager
def stopwatch(*, family: bool = False) -> Iterator[Took]:
    """Time a block; CPU seconds are those of all threads, and of all processes below this one if asked."""
    took = Took()
    others = sum(map(_cpu_of, descendants())) if family else 0.0
    wall, cpu = time.perf_counter(), time.process_time()
    yield took
    took.wall, took.cpu = time.perf_counter() - wall, time.process_time() - cpu
    if family:
        took.cpu += sum(map(_cpu_of, descendants())) - others


def descendants() -> list[int]:
    """Processes that this one began, and those that they began; Linux only."""
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        for children in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            with suppress(OSError):
                begun = [int(process) for process in children.read_text().split()]
                found += begun
                waiting += begun
    return found


def _cpu_of(process: int) -> float:
    """CPU seconds of a process so far, by its own clock's ticks."""
    with suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def best(runs: list[Took]) -> Took:
    """The least of each: what the work costs when nothing else disturbs it."""
    return Took(min(run.wall for run in runs), min(run.cpu for run in runs))


def interleaved(parts: dict[str, Callable[[], Took]], repeat: int) -> dict[str, Took]:
    """Run all parts in turn, ``repeat`` times, so that a busy minute spoils none of them alone."""
    runs: dict[str, list[Took]] = {name: [] for name in parts}
    for _ in range(repeat):
        for name, part in parts.items():
            runs[name].append(part())
    return {name: best(taken) for name, taken in runs.items()}


def _status(process: int, field: str) -> float:
    found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0.0  # a process that has ended has none


def peak_of(work: Callable[[], Any]) -> tuple[float, float]:
    """Bytes resident at the peak of ``work``, and how many of them ``work`` added, children included; Linux only."""
    pa.default_memory_pool().release_unused()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)  # what making the input left behind is not the run's to reuse
    family = [os.getpid(), *descendants()]
    before = sum(_status(process, "VmRSS") for process in family)
    for process in family:
        Path(f"/proc/{process}/clear_refs").write_text("5")  # the high-water mark starts anew
    kept = work()
    peak = sum(_status(process, "VmHWM") for process in family)
    del kept
    return peak, peak - before


@dataclass
class Watched:
    """A command that has ended.

    Attributes:
        code: Its exit code.
        out: What it said on stdout.
        err: What it said on stderr.
        seconds: From its start to its end.
        peak: Bytes resident at its peak, as last seen; Linux only.
    """

    code: int
    out: str
    err: str
    seconds: float
    peak: float


def watched(command: list[str]) -> Watched:
    """Run a command to its end and look at its memory meanwhile."""
    begun, peak = time.perf_counter(), 0.0
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        # Not through pipes: nobody reads them while memory is looked at.
        with subprocess.Popen(command, stdout=out, stderr=err, text=True) as process:
            while process.poll() is None:
                with suppress(OSError):
                    peak = max(peak, _status(process.pid, "VmHWM"))
                time.sleep(0.01)
        seconds = time.perf_counter() - begun
        said = [(file.seek(0), file.read())[1] for file in (out, err)]
    return Watched(process.returncode, *said, seconds, peak)


def surroundings() -> dict[str, Any]:
    """What a reader must know to compare figures."""
    cpu = "unknown"
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE)
        cpu = found[1] if found else cpu
    packages = ("leadcore", "leadcore-arrow", "numpy", "pyarrow", "pydantic")
    return {
        "cpu": cpu,
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
