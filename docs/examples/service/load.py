"""Sends events to the service at a steady rate, and checks in the end that it equals one batch run over all of them.

``python docs/examples/service/load.py [--rate 1000] [--seconds 60]`` starts the service on a free port of this machine
with an empty store, prints a table and one line of JSON, and ends with 1 if anything differs. Requests go out when
they are due, whether or not earlier ones were answered; latency is counted from then. Some events come late, some
requests come twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from serving import HERE, serving

import leadcore as lc

MOST_EVENTS = 1_000_000
CONNECTIONS = 32
URLS = ["/", "/docs", "/blog/why", "/pricing", "/pricing?plan=team", "/about"]
TITLES = ["VP Sales", "Head of Growth", "Engineer", "Founder", "Student", None]

EVENT, LEAD = ("lead_id", "event_id", "at", "type"), ("lead_id", "valid_from")

Row = dict[str, Any]


@dataclass
class Sent:
    """What was sent, and how that went."""

    events: list[Row] = field(default_factory=list)
    leads: list[Row] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    service_times: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    repeated: int = 0


class Traffic:
    """Requests of 1 to 20 events of made-up leads; the same seed gives the same, but for the clock."""

    def __init__(self, leads: int, seed: int) -> None:
        self._random = random.Random(seed)
        self._ids = [f"lead-{i}" for i in range(leads)]
        self._known: set[str] = set()
        self._count = 0

    def size(self) -> int:
        """How many events the next request has."""
        return self._random.randint(1, 20)

    def request(self, size: int, now: datetime) -> Row:
        """One request; its events happened just now, some an hour and a few up to five days ago."""
        draw = self._random
        events, leads = [], []
        for _ in range(size):
            lead = draw.choice(self._ids)
            late = draw.choices([2.0, 3_600.0, 5 * 86_400.0], [80, 15, 5])[0]
            at = (now - timedelta(seconds=draw.random() * late)).isoformat()
            if lead not in self._known:
                self._known.add(lead)
                attributes = {"job_title": draw.choice(TITLES), "employees": draw.choice([None, 5, 80, 900])}
                leads.append({"lead_id": lead, "valid_from": at, "attributes": attributes})
            self._count += 1
            kind = draw.choices(["page_view", "form_submit", "status_changed"], [90, 8, 2])[0]
            properties = {
                "page_view": {"url": draw.choice(URLS)},
                "form_submit": {"form": draw.choice(["demo", "newsletter"])},
                "status_changed": {"status": draw.choice(["customer", "engaged", "nobody"])},
            }[kind]
            events.append(
                {"lead_id": lead, "event_id": f"e{self._count}", "at": at, "type": kind, "properties": properties}
            )
        return {"events": events, "leads": leads}


async def send(url: str, rate: float, seconds: float, traffic: Traffic) -> Sent:
    """Requests at the times they are due, over a few connections."""
    sent, waiting = Sent(), asyncio.Queue[tuple[float, int] | None]()
    start, due = time.perf_counter() + 0.1, 0.0
    while due < seconds:
        size = traffic.size()
        waiting.put_nowait((start + due, size))
        due += size / rate
    for _ in range(CONNECTIONS):
        waiting.put_nowait(None)

    async def work(client: httpx.AsyncClient) -> None:
        while (task := await waiting.get()) is not None:
            due, size = task
            await asyncio.sleep(due - time.perf_counter())
            request = traffic.request(size, datetime.now(UTC))
            begun = time.perf_counter()
            answer = await post(client, request)
            ended = time.perf_counter()
            if answer is None:
                continue
            sent.latencies.append(ended - due)
            sent.service_times.append(ended - begun)
            sent.events += request["events"]
            sent.leads += request["leads"]
            if len(sent.latencies) % 50 == 0:  # as a caller does who did not hear the answer
                again = await post(client, request)
                sent.repeated += 1
                if again is not None and again["counts"]["duplicates"] != len(request["events"]):
                    sent.errors["counted twice"] += 1

    async def post(client: httpx.AsyncClient, request: Row) -> Row | None:
        try:
            response = await client.post("/events", json=request)
        except httpx.HTTPError as error:
            sent.errors[type(error).__name__] += 1
            return None
        if response.status_code != 200:
            sent.errors[f"{response.status_code} {response.text[:200]}"] += 1
            return None
        return response.json()

    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30) as client:
        await asyncio.gather(*(work(client) for _ in range(CONNECTIONS)))
    return sent


def differences(url: str, sent: Sent) -> dict[str, int]:
    """How many rows of the service's answers are not those of one batch run over all that was sent."""
    scorer = lc.Scorer(lc.Model.load(str(HERE / "model.yaml")))
    events = [row["properties"] | {name: row[name] for name in EVENT} for row in sent.events]
    leads = [row["attributes"] | {name: row[name] for name in LEAD} for row in sent.leads]
    with httpx.Client(base_url=url, timeout=60) as client:
        until = client.post("/advance").raise_for_status().json()["until"]
        batch = scorer.replay(events, leads=leads, until=until)
        feed = list(changes(client))
        found = {
            "transitions": unlike(batch.transitions, net(row for row in feed if row["kind"] == "transition")),
            "alerts": unlike(batch.alerts, net(row for row in feed if row["kind"] == "alert")),
            "leads": 0,
        }
        for state in json.loads(as_json(batch.states.to_dicts())):
            answer = client.get(f"/leads/{state['lead_id']}", params={"as_of": until}).raise_for_status().json()
            told = answer | answer["scores"] | answer["thresholds"]
            found["leads"] += {name: told[name] for name in state} != state
    return found


def changes(client: httpx.Client) -> Iterator[Row]:
    """The whole feed, page by page."""
    after = 0
    while page := (answer := client.get("/changes", params={"after": after}).raise_for_status().json())["changes"]:
        yield from page
        after = answer["next"]


def net(rows: Iterable[Row]) -> list[Row]:
    """What holds after all changes: new ones that were not withdrawn."""
    held: dict[str, Row] = {}
    for row in rows:
        if row["change"] == "new":
            held[row["key"]] = row
        else:
            del held[row["key"]]
    return list(held.values())


def unlike(table: lc.Frame, told: list[Row]) -> int:
    """Rows that only one of the two has."""
    names = table.column_names
    wanted = Counter(as_json(row) for row in table.to_dicts())
    flat = (row | row.get("scores", {}) for row in told)
    wanted.subtract(as_json({name: row.get(name) for name in names}) for row in flat)
    return sum(map(abs, wanted.values()))


def as_json(rows: Any) -> str:
    """Rows as the service writes them."""
    return json.dumps(rows, default=lambda instant: instant.isoformat().replace("+00:00", "Z"))


def measure(rate: float, seconds: float, leads: int, seed: int) -> dict[str, Any]:
    """Serve, send, compare."""
    with tempfile.TemporaryDirectory(prefix="leadcore-load-") as folder:
        with serving(Path(folder) / "leads.db") as served:
            begun, own = time.perf_counter(), time.process_time()
            sent = asyncio.run(send(served.url, rate, seconds, Traffic(leads, seed)))
            took, own = time.perf_counter() - begun, time.process_time() - own
            unequal = differences(served.url, sent)
        of_service = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "rate": rate,
        "seconds": round(took, 2),
        "events": len(sent.events),
        "events_a_second": round(len(sent.events) / took, 1),
        "requests": len(sent.latencies),
        "repeated_requests": sent.repeated,
        "leads": len({row["lead_id"] for row in sent.events}),
        "latency_ms": percentiles(sent.latencies),
        "service_ms": percentiles(sent.service_times),
        "client_cpu": round(own / took, 3),
        "service_cpu_seconds_in_all": round(of_service.ru_utime + of_service.ru_stime, 2),
        "errors": dict(sent.errors),
        "different_from_batch": unequal,
    }


def percentiles(seconds: list[float]) -> dict[str, float]:
    """The middle and the end of the tail, in milliseconds."""
    ordered = sorted(seconds) or [float("nan")]
    return {
        name: round(1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)], 2)
        for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }


def show(found: dict[str, Any]) -> str:
    """The figures, for people."""
    due, begun = found["latency_ms"], found["service_ms"]
    return "\n".join(
        [
            f"{found['events']:,} events of {found['leads']:,} leads in {found['requests']:,} requests, {found['repeated_requests']} sent twice",
            f"asked for        {found['rate']:>10,.0f} events a second",
            f"achieved         {found['events_a_second']:>10,.0f} events a second, over {found['seconds']:.0f} s",
            f"latency, ms      {due['p50']:>10} p50 {due['p99']:>10} p99 {due['max']:>10} max, from when it was due",
            f"                 {begun['p50']:>10} p50 {begun['p99']:>10} p99 {begun['max']:>10} max, from sending",
            f"the client's CPU {found['client_cpu']:>10.0%} of a core",
            f"errors           {sum(found['errors'].values()):>10} {found['errors'] or ''}".rstrip(),
            f"unlike one batch {sum(found['different_from_batch'].values()):>10} of its transitions, alerts and leads",
        ]
    )


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="load.py", description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=1000, help="events a second")
    parser.add_argument("--seconds", type=float, default=60, help="for so long, 600 at most")
    parser.add_argument("--leads", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if not (0 < options.seconds <= 600 and 0 < options.rate * options.seconds <= MOST_EVENTS and options.leads > 0):
        parser.error(f"at most 600 seconds and {MOST_EVENTS:,} events, of at least one lead")
    found = measure(options.rate, options.seconds, options.leads, options.seed)
    print(show(found))
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    ended = main()
    sys.exit(bool(ended["errors"] or any(ended["different_from_batch"].values())))
