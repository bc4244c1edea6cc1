"""Instructions of each part, which a busy machine does not change: ``python -m benchmarks.counters [--events 100_000]``.

Each part runs once in a process of its own under valgrind's callgrind, which counts only while the part is at work. What
switching it on and off costs is counted once, with nothing in between, and taken off. valgrind knows AVX2 and not AVX-512,
so the loops counted are those for x86-64-v3. Prints a table and one line of JSON; says so where there is no valgrind.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.contest import command_of
from benchmarks.measure import surroundings

NOTHING = "nothing"
ABSENT = "valgrind is not on this machine: no instructions were counted (Debian: apt-get install valgrind)"


def switch(state: str) -> None:
    """Have this process counted or not; it must be awake for valgrind to listen."""
    command = ["callgrind_control", f"--instr={state}", str(os.getpid())]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as control:
        while control.poll() is None:
            time.sleep(0.0005)
        if control.returncode:
            raise SystemExit(f"callgrind_control ended with {control.returncode}")


def child(name: str, events: int) -> None:
    """Under valgrind: make ready, then be counted; print how many events the work served."""
    from benchmarks.parts import PARTS

    work, served = (lambda: None, 1) if name == NOTHING else PARTS[name].ready(events)
    switch("on")
    work()
    switch("off")
    print(served)


def count(name: str, events: int) -> tuple[int, int]:
    """Instructions of a part, and the events it served."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            "valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out", "--quiet",
            sys.executable, "-m", "benchmarks.counters", "--child", name, "--events", str(events),
        ]  # fmt: skip
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        counted = [
            int(total)
            for path in Path(folder).iterdir()
            for total in re.findall(r"^totals: (\d+)", path.read_text(errors="replace"), re.MULTILINE)
        ]
    return max(counted), int(done.stdout)


def measure(events: int, names: list[str]) -> dict[str, Any]:
    """Instructions per event of every part, as a dict fit for JSON."""
    overhead, _ = count(NOTHING, events)
    parts = {}
    for name in names:
        counted, served = count(name, events)
        parts[name] = {"events": served, "instructions_per_event": round((counted - overhead) / served, 1)}
    return {
        "benchmark": "counters",
        "command": command_of("benchmarks.counters", (("events", events, None), ("parts", ",".join(names), None))),
        "events": events,
        "overhead": overhead,
        "parts": parts,
        "surroundings": surroundings(),
    }


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Count and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.counters", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--parts", help="names of parts; all without it")
    parser.add_argument("--child", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        child(options.child, options.events)
        return {}
    if not shutil.which("valgrind"):
        print(ABSENT)
        return {}
    from benchmarks.parts import PARTS

    names = options.parts.split(",") if options.parts else list(PARTS)
    if unknown := set(names) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    found = measure(options.events, names)
    print(f"{'instructions per event (x86-64-v3), ' + format(found['events'], ',') + ' events':<66}{'':>9}")
    for name, one in found["parts"].items():
        print(f"  {PARTS[name].title:<64}{one['instructions_per_event']:>10,.1f}")
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    main()
