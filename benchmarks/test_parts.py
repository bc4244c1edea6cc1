"""Parts of the work, one at a time: ``make bench``, or ``pytest benchmarks --benchmark-only``.

Times are those of one call; ``ns_per_event`` beside them is the least time by the events of the call.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import leadcore as lc
from benchmarks.border import encoder_of
from benchmarks.parts import PARTS, scorer, tables
from benchmarks.workload import Workload
from leadcore._arrow import Program
from leadcore._plan import plan_model

ROWS = 500_000
ROUNDS = 5
EVENTS_OF_ONE = 50
CRITERIA, PATTERNS = 1000, 100

pytestmark = pytest.mark.benchmark(warmup=True)


@pytest.mark.parametrize("name", PARTS)
def test_part(benchmark: Any, name: str) -> None:
    """Each part, made ready anew before each round, outside the clock."""
    served = []

    def ready() -> tuple[tuple[Any, ...], dict[str, Any]]:
        work, events = PARTS[name].ready(ROWS)
        served.append(events)
        return (work,), {}

    benchmark.pedantic(lambda work: work(), setup=ready, rounds=ROUNDS, warmup_rounds=1)

    if benchmark.stats is not None:  # None under --benchmark-disable
        benchmark.extra_info["ns_per_event"] = round(benchmark.stats.stats.min * 1e9 / served[-1], 2)


def test_open_events(benchmark: Any) -> None:
    """What comes before the first row: leads read, events opened."""
    data = tables(ROWS)
    nothing = Workload(data.events.slice(0, 0), data.leads)

    benchmark(lambda: encoder_of(scorer(), nothing))


def test_score_lead(benchmark: Any) -> None:
    """One lead with 50 events, from Python values."""
    begin = datetime(2025, 12, 1, tzinfo=UTC)
    kinds = ("page_view", "email_open", "email_click", "trial_login", "webinar_attended")
    events = [
        {
            "type": kinds[i % len(kinds)],
            "at": begin + timedelta(hours=7 * i),
            "url": f"https://www.example.com/{'pricing' if i % 3 else 'docs'}/{i}",
            "value": float(i),
        }
        for i in range(EVENTS_OF_ONE)
    ]
    attributes = {"lead_id": 42, "title": "VP Sales", "country": "DE", "employees": 240}
    one = scorer()

    result = benchmark(lambda: one.score_lead(attributes, events, as_of="2025-12-31T00:00:00Z"))

    assert result["total"] > 0


def import_seconds(*modules: str) -> float:
    """Seconds that importing these modules takes in a new interpreter, its start left out."""
    code = f"import time; t = time.perf_counter(); import {', '.join(modules)}; print(time.perf_counter() - t)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


USED = ("numpy", "pydantic.main", "pydantic.types", "pydantic.type_adapter")  # `import pydantic` alone loads little


@pytest.mark.benchmark(warmup=False)
@pytest.mark.parametrize(
    "modules", [("leadcore",), ("numpy", "pydantic"), USED], ids=["leadcore", "numpy+pydantic", "numpy+pydantic used"]
)
def test_import(benchmark: Any, modules: tuple[str, ...]) -> None:
    """``import leadcore`` beside ``import numpy, pydantic``, and beside the parts of pydantic that any model needs."""
    benchmark.extra_info["import_seconds"] = min(import_seconds(*modules) for _ in range(5))

    benchmark.pedantic(lambda: import_seconds(*modules), rounds=5)


def large_document(criteria: int = CRITERIA, patterns: int = PATTERNS) -> dict[str, Any]:
    """A model of many criteria, some of which search for a pattern of their own."""
    made = [
        {
            "name": f"criterion_{i}",
            "kind": "event",
            "on": "page_view",
            "points": i % 20 + 1,
            "where": {"field": "url", "op": "matches", "value": rf"/topic-{i}/(guide|news)-[0-9]+\.html$"}
            if i < patterns
            else {"field": "url", "op": "contains", "value": f"/topic-{i}/"},
            "decay": {"half_life": f"{7 + i % 90}d"},
            "max": 50,
        }
        for i in range(criteria)
    ]
    groups = {f"group_{i}": {"criteria": made[i::20], "max": 100} for i in range(20)}
    return {
        "leadcore": 1,
        "name": "large",
        "events": {"page_view": {"url": "text"}},
        "scores": {"engagement": {"groups": groups}},
    }


@pytest.mark.parametrize("patterns", [0, PATTERNS])
def test_compile(benchmark: Any, patterns: int) -> None:
    """``Scorer(model)`` of 1,000 criteria: without patterns at most 50 ms; the difference is what 100 patterns cost."""
    model = lc.Model.from_json(json.dumps(large_document(patterns=patterns)))

    compiled = benchmark(lambda: lc.Scorer(model))

    assert len(compiled._plan.tables["criteria"]) == CRITERIA


@pytest.mark.parametrize("patterns", [0, PATTERNS])
def test_compile_conditions(benchmark: Any, patterns: int) -> None:
    """Of it, the edge's part: conditions and patterns."""
    source = plan_model(lc.Model.from_json(json.dumps(large_document(patterns=patterns)))).program

    benchmark(lambda: Program(source))


def test_read_document(benchmark: Any) -> None:
    """Before it: reading and checking the document, as JSON."""
    text = json.dumps(large_document())

    benchmark(lambda: lc.Model.from_json(text))
