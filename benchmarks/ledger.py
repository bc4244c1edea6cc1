"""What a ledger costs: one event and one score (W3), batches of all sizes, and a year of nights beside one batch.

``python -m benchmarks.ledger [--only latency,batches,nightly] [--events 10_000_000] [--leads 10_000] [--calls 20_000]``
prints tables and one line of JSON.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from benchmarks import ledger_batches, ledger_latency, ledger_nightly
from benchmarks.contest import installed
from benchmarks.measure import surroundings

PARTS = ("latency", "batches", "nightly")


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--events", type=int, default=10_000_000, help="of the year of nights")
    parser.add_argument("--leads", type=int, default=10_000, help="with history, for single calls")
    parser.add_argument("--calls", type=int, default=20_000, help="that are timed one by one")
    parser.add_argument("--share", type=float, default=1.0, help="of the sizes of batches and of their number")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        ledger_nightly.child(*options.child)
        return {}
    wanted = options.only.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    found: dict[str, Any] = {"benchmark": "ledger"}
    if "latency" in wanted:
        found["latency"] = ledger_latency.measure(options.leads, options.calls, options.seed)
        print(ledger_latency.show(found["latency"]), flush=True)
    if "batches" in wanted:
        found["batches"] = ledger_batches.measure(options.share, options.seed)
        print(ledger_batches.show(found["batches"]), flush=True)
    if "nightly" in wanted:
        found["nightly"] = ledger_nightly.measure(options.events, options.seed)
        print(ledger_nightly.show(found["nightly"]), flush=True)
    found["surroundings"] = surroundings() | {name: installed(name) for name in ("transitions", "zen-engine")}
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    main()
