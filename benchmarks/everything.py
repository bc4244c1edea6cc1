"""Every run against peers, one after another: ``make bench-peers``, or ``python -m benchmarks.everything --events 1_000_000``.

Each prints its table; its line of JSON is appended to ``--out``, from which ``docs/benchmark_chart.py`` draws.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import replay, score

RESULTS = Path(__file__).with_name("results.jsonl")
FAST = (
    "leadcore",
    "leadcore-1",
    "numba",
    "numba-factorize",
    "numba-2",
    "pandas",
    "polars",
    "polars-rows",
    "duckdb",
    "duckdb-plain",
)
"""Whom the harsher variants are for: the fastest tools of the plain one, with urls tested by value and by row."""
SLOW_EVENTS, SLOW_ROUNDS = 1_000_000, 3  # for libraries of state machines
MANY = 5  # times as many events, to see how an event's cost grows


def commands(events: int, repeat: int) -> Iterator[list[str]]:
    """What to run: modules with their options."""
    usual = ["--events", str(events), "--repeat", str(repeat)]
    for options in ([], ["--ids", "uuid"], ["--source", "parquet"]):
        yield ["benchmarks.score", *usual, *options]
    fast = ",".join(name for name in FAST if not score.absent(name))
    for variant in ("urls", "visits", "criteria"):
        yield ["benchmarks.score", *usual, "--variant", variant, "--peers", fast]
    yield [
        "benchmarks.score",
        "--events",
        str(MANY * events),
        "--repeat",
        str(repeat),
        "--peers",
        "leadcore,leadcore-1",
    ]
    yield ["benchmarks.kernel", "--events", str(events), "--repeat", str(repeat)]
    slow = [name for name in replay.available() if name in replay.MACHINES]
    quick = [name for name in replay.available() if name not in slow]
    yield ["benchmarks.replay", *usual, "--peers", ",".join(quick)]
    rounds = ["--events", str(min(events, SLOW_EVENTS)), "--repeat", str(min(repeat, SLOW_ROUNDS))]
    yield ["benchmarks.replay", *rounds, "--peers", ",".join([*replay.OURS, "numba", *slow])]
    yield ["benchmarks.replay", "--one-lead", str(min(events, SLOW_EVENTS)), "--repeat", str(min(repeat, SLOW_ROUNDS))]
    yield ["benchmarks.ledger", "--only", "latency"]


def run(command: list[str]) -> str:
    """Run a module, show what it prints, give its last line."""
    line = ""
    with subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.startswith("{"):
                print(line, end="", flush=True)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return line


def main(arguments: list[str] | None = None) -> None:
    """Run all, and keep what came of each as soon as it is there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.everything", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    options.out.write_text("")
    for command in commands(options.events, options.repeat):
        line = run(command)
        with options.out.open("a") as out:
            out.write(line)
        print(flush=True)
    print(options.out)


if __name__ == "__main__":
    main()
