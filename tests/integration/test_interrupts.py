"""Ctrl-C in the middle of a long replay: answered at once, and the scorer still works (spec 11: nothing hangs)."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

# It is a matter of milliseconds; the bound is for machines that are busy with something else.
SECONDS = 1.0

CHILD = """
import importlib, sys, time
import numpy as np
import leadcore as lc

EVENTS = 1_000_000
others, threads, leads = sys.argv[1], *map(int, sys.argv[2:])
if others:
    importlib.import_module(others)
criteria = [
    f"{{name: c{n}, kind: event, on: visit, points: {n + 1}, decay: {{half_life: {n + 1}d}}, limit: {{count: 2, per: day}}}}"
    for n in range(300)
]
scorer = lc.Scorer(lc.Model.from_yaml(f'''
leadcore: 1
name: long
events: {{visit: {{}}}}
scores: {{total: {{criteria: [{", ".join(criteria)}]}}}}
''' '''
thresholds: {warm: {score: total, at: 15, release: 5}}
lifecycle:
  initial: cold
  evaluate: {every: 1h}
  stages: [{name: cold}, {name: warm}]
  transitions:
    - {name: up, from: cold, to: warm, when: {field: threshold.warm, op: eq, value: true}}
    - {name: down, from: warm, to: cold, when: {field: threshold.warm, op: eq, value: false}}
'''))
first, last = (np.datetime64(text, "us").astype(np.int64) for text in ("1900-01-01", "2026-01-01"))
at = np.linspace(first, last, EVENTS).astype(np.int64).astype("datetime64[us]")
rows = {"lead_id": np.arange(EVENTS) % leads, "at": at, "type": ["visit"] * EVENTS}
replayed = scorer.replay({name: column[:2] for name, column in rows.items()}, until="2000-01-01")
print("begun", flush=True)
try:
    scorer.replay(rows, until="2026-01-01", threads=threads)
    print("ended too soon", flush=True)
except KeyboardInterrupt:
    print(time.monotonic(), flush=True)
again = scorer.replay({name: column[:2] for name, column in rows.items()}, until="2000-01-01")
print(again.states.to_dicts() == replayed.states.to_dicts(), flush=True)
"""


@pytest.mark.parametrize(("threads", "leads"), [(2, 1_000), (1, 1_000), (1, 1)])
@pytest.mark.parametrize("others", ["", "polars"])
def test_ctrl_c(others, threads, leads):
    """A million events of many leads, or of one; also where polars has put its own handler of signals."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, others, *map(str, (threads, leads))], stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout.readline() == "begun\n"
        time.sleep(0.6)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        answered, *rest = child.stdout.read().split()

    assert float(answered) - sent < SECONDS
    assert rest == ["True"]
    assert child.returncode == 0
