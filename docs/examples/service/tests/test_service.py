"""The service over HTTP: what it answers, what it refuses, and what it still knows after it was ended."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import load
import pytest
from serving import Served, serving

IDS = itertools.count()


@pytest.fixture
def lead() -> str:
    """A lead of its own for each test."""
    return f"lead-{next(IDS)}"


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=30) as client:
        yield client


def view(lead: str, event_id: str, at: str, url: str = "/pricing") -> dict[str, Any]:
    return {"lead_id": lead, "event_id": event_id, "at": at, "type": "page_view", "properties": {"url": url}}


def post(client: httpx.Client, *events: dict[str, Any], leads: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    response = client.post("/events", json={"events": events, "leads": leads})
    assert response.status_code == 200, response.text
    return response.json()


def moves(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row.get("change", "new"), row["to_stage"]) for row in rows]


def test_events_are_answered_with_what_they_changed(client: httpx.Client, lead: str) -> None:
    answer = post(
        client,
        view(lead, "1", "2026-03-05T10:00Z"),
        {"lead_id": lead, "event_id": "2", "at": "2026-03-06T10:00Z", "type": "form_submit", "properties": {}},
        leads=({"lead_id": lead, "valid_from": "2026-03-01", "attributes": {"job_title": "VP", "employees": 60}},),
    )

    assert [(row["score"], row["before"], row["after"]) for row in answer["scores"]] == [
        ("fit", 0, 25), ("interest", 0, 44.275427), ("total", 0, 69.275427),
    ]  # fmt: skip
    assert {row["as_of"] for row in answer["scores"]} == {"2026-03-06T10:00:00Z"}
    assert [(row["threshold"], row["reached"]) for row in answer["thresholds"]] == [("ready", True)]
    assert moves(answer["transitions"]) == [("new", "new"), ("new", "engaged"), ("new", "mql")]
    assert [row["notify"] for row in answer["alerts"]] == [["rep"]]
    assert (answer["counts"]["events"], answer["counts"]["leads"]) == (2, 1)


def test_the_same_request_again_changes_nothing(client: httpx.Client, lead: str) -> None:
    request = (view(lead, "1", "2026-03-05T10:00Z"), view(lead, "2", "2026-03-05T10:00Z"))
    post(client, *request)
    before = client.get(f"/leads/{lead}", params={"as_of": "2026-03-07T00:00:00Z"}).json()

    answer = post(client, *request)

    assert [answer[name] for name in ("scores", "thresholds", "transitions", "alerts")] == [[]] * 4
    assert (answer["counts"]["events"], answer["counts"]["duplicates"]) == (0, 2)
    assert client.get(f"/leads/{lead}", params={"as_of": "2026-03-07T00:00:00Z"}).json() == before


def test_a_lead_says_where_it_stands_and_why(client: httpx.Client, lead: str) -> None:
    post(client, view(lead, "1", "2026-03-05T10:00Z"), view(lead, "2", "2026-03-19T10:00Z"))

    answer = client.get(f"/leads/{lead}", params={"as_of": "2026-04-02T10:00:00Z"}).json()

    assert (answer["as_of"], answer["stage"]) == ("2026-04-02T10:00:00Z", "engaged")
    assert answer["scores"] == {"fit": 0, "interest": 11.25, "total": 11.25}
    assert answer["why"] == [
        {"score": "interest", "criterion": "prices", "part": "raw", "points": 11.25},
        {"score": "total", "criterion": "interest", "part": "component", "points": 11.25},
    ]
    assert moves(answer["timeline"]) == [("new", "new"), ("new", "engaged")]


def test_asked_without_an_instant_it_is_now(client: httpx.Client, lead: str) -> None:
    post(client, view(lead, "1", "2026-03-05T10:00Z"))

    answer = client.get(f"/leads/{lead}").json()

    assert abs(datetime.fromisoformat(answer["as_of"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_late_event_takes_back_what_was_told(client: httpx.Client, lead: str) -> None:
    """What the feed told, new less withdrawn, is the timeline."""
    views = [view(lead, str(hour), f"2026-03-05T{hour}:00Z") for hour in (10, 11, 12, 13, 14)]
    post(client, *views[:2], *views[3:])
    answer = post(client, views[2])

    feed = [row for row in load.changes(client) if row["lead_id"] == lead and row["kind"] == "transition"]
    timeline = client.get(f"/leads/{lead}", params={"as_of": "2026-03-05T15:00:00Z"}).json()["timeline"]
    names = ("at", "from_stage", "to_stage", "rule", "cause", "event_id", "fit", "interest", "total")
    held = [row | row["scores"] for row in sorted(load.net(feed), key=lambda row: row["at"])]
    assert moves(answer["transitions"]) == [("withdrawn", "mql"), ("new", "mql")]
    assert [[row.get(name) for name in names] for row in held] == [[row[name] for name in names] for row in timeline]
    assert held[-1]["event_id"] == "13"


def test_nothing_comes_too_late_for_a_store(client: httpx.Client, lead: str) -> None:
    """It keeps every event, and so takes one that is older than what its states hold."""
    post(client, view(lead, "1", "2026-03-20T10:00Z"))

    answer = post(client, view(lead, "2", "2026-02-20T10:00Z"))

    assert moves(answer["transitions"]) == [
        ("withdrawn", "new"), ("withdrawn", "engaged"), ("new", "new"), ("new", "engaged"),
    ]  # fmt: skip
    assert [(row["score"], row["before"], row["after"]) for row in answer["scores"]] == [
        ("interest", 15, 18.75), ("total", 15, 18.75),
    ]  # fmt: skip


def test_an_event_of_a_clock_that_is_fast_waits(client: httpx.Client, lead: str) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    post(client, view(lead, "1", "2026-03-05T10:00Z"))
    answer = post(client, view(lead, "2", soon))

    assert (answer["counts"]["events"], answer["scores"], answer["transitions"]) == (1, [], [])
    assert client.get(f"/leads/{lead}", params={"as_of": "2026-03-05T10:00:00Z"}).json()["scores"]["interest"] == 15


def test_the_feed_comes_in_pages(client: httpx.Client, lead: str) -> None:
    post(client, view(lead, "1", "2026-03-05T10:00Z"), view(lead, "2", "2026-03-06T10:00Z"))
    whole = client.get("/changes", params={"limit": 10_000}).json()

    pages, after = [], 0
    while page := (answer := client.get("/changes", params={"after": after, "limit": 3}).json())["changes"]:
        assert len(page) <= 3
        pages += page
        after = answer["next"]

    assert pages == whole["changes"]
    assert after == whole["next"] == answer["next"]
    assert [row["seq"] for row in pages] == sorted({row["seq"] for row in pages})
    assert {"score", "transition"} <= {row["kind"] for row in pages if row["lead_id"] == lead}


def test_an_erased_lead_is_nowhere(client: httpx.Client, lead: str, store: Path) -> None:
    post(client, view(lead, "1", "2026-03-05T10:00Z", url="/pricing?who=somebody-very-secret"))

    assert client.delete(f"/leads/{lead}").status_code == 204

    assert client.get(f"/leads/{lead}").status_code == 404
    assert client.delete(f"/leads/{lead}").status_code == 404
    assert not [row for row in load.changes(client) if row["lead_id"] == lead]
    files = [path.read_bytes() for path in store.parent.iterdir()]
    assert not [1 for content in files if b"somebody-very-secret" in content]


@pytest.mark.parametrize("lead_id", ["a/b", "ä ö", "?&#%", "7"])
def test_ids_are_any_text(client: httpx.Client, lead_id: str) -> None:
    post(client, view(lead_id, "1", "2026-03-05T10:00Z"))

    path = httpx.URL(f"/leads/{''.join(f'%{byte:02x}' for byte in lead_id.encode())}")
    assert client.get(path).json()["lead_id"] == lead_id


GOOD = view("refused", "1", "2026-03-05T10:00Z")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            json.dumps({"events": [GOOD, GOOD | {"at": "yesterday"}]}),
            {"table": "events", "row": 1, "column": "at", "value": "yesterday", "reason": "is not an instant in ISO 8601"},
        ),
        (
            json.dumps({"events": [GOOD | {"properties": {"url": 5}}]}),
            {"table": "events", "row": None, "column": "url", "value": None, "reason": "is Int64, where text is expected"},
        ),
        (
            '{"leads": [{"lead_id": "refused", "valid_from": "2026-03-01", "attributes": {"employees": 1e999}}]}',
            {"table": "leads", "row": 0, "column": "employees", "value": "inf", "reason": "is infinite"},
        ),
        (
            json.dumps({"events": [{name: GOOD[name] for name in GOOD if name != "event_id"}]}),
            {"at": ["body", "events", 0, "event_id"], "reason": "Field required"},
        ),
        (
            '{"events": [{"lead_id": "\\ud800", "event_id": "1", "at": "2026-03-01", "type": "page_view"}]}',
            {"at": ["body", "events", 0, "lead_id"], "reason": ...},
        ),
        ("{", {"at": ["body", 1], "reason": "JSON decode error"}),
    ],
)  # fmt: skip
def test_refusals_say_where_and_change_nothing(client: httpx.Client, body: str, told: dict[str, Any]) -> None:
    response = client.post("/events", content=body, headers={"content-type": "application/json"})

    (problem,) = response.json()["detail"]
    assert response.status_code == 422
    assert {name: told[name] if told[name] is not ... else problem[name] for name in told} == problem
    assert client.get("/leads/refused").status_code == 404


def test_nothing_is_lost_or_doubled_when_the_service_ends(tmp_path: Path) -> None:
    """What was answered is there after a restart; what is sent again for want of an answer counts once."""
    with serving(tmp_path / "leads.db") as service, httpx.Client(base_url=service.url, timeout=30) as client:
        for lead, how in (("ada", signal.SIGTERM), ("bob", signal.SIGKILL)):
            events = [view(lead, str(i), f"2026-03-05T10:{i:02}Z") for i in range(40)]
            answered, code = cut_short(service, client, events, how)
            again = post(client, *events)

            assert code == -how if how is signal.SIGKILL else code in (0, -how)
            assert answered > 0
            assert again["counts"]["duplicates"] >= answered
            assert again["counts"]["duplicates"] + again["counts"]["events"] == 40
            found = client.get(f"/leads/{lead}", params={"as_of": "2026-03-05T10:39:00Z"}).json()
            told = [row for row in load.changes(client) if row["kind"] == "transition" and row["lead_id"] == lead]
            assert found["scores"]["interest"] == 100
            assert [row["to_stage"] for row in load.net(told)] == [row["to_stage"] for row in found["timeline"]]


def cut_short(
    service: Served, client: httpx.Client, events: list[dict[str, Any]], how: signal.Signals
) -> tuple[int, int]:
    """Send events, a request each, and end the service meanwhile; how many were answered, and its exit code."""

    def send(event: dict[str, Any]) -> bool:
        try:
            return client.post("/events", json={"events": [event]}).status_code == 200
        except httpx.HTTPError:
            return False

    with ThreadPoolExecutor(8) as threads:
        sending = [threads.submit(send, event) for event in events]
        while not any(one.done() for one in sending):
            time.sleep(0.001)
        code = service.end(how)
        service.start()
        return sum(one.result() for one in sending), code


@pytest.fixture(scope="module")
def ticking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Path]]:
    """A service that looks at the clock often, and does not wait long for its store."""
    store = tmp_path_factory.mktemp("ticking") / "leads.db"
    settings = {"LEADCORE_TICK": "0.2", "LEADCORE_STORE": f"sqlite:///{store}?timeout=0.2"}
    with serving(store, **settings) as service, httpx.Client(base_url=service.url, timeout=30) as client:
        yield client, store


def test_time_passes_by_itself(ticking: tuple[httpx.Client, Path]) -> None:
    """Without a request, what is due by the wall clock is told."""
    client, _ = ticking
    post(client, *(view("ada", str(i), f"2026-03-05T10:{i:02}Z") for i in range(5)))

    told, deadline = [], time.monotonic() + 10
    while ("gone_cold", "grid") not in told and time.monotonic() < deadline:
        time.sleep(0.05)
        told = [(row.get("rule"), row["cause"]) for row in load.changes(client) if row["kind"] == "transition"]

    assert told[-1] == ("gone_cold", "grid")
    assert client.get("/leads/ada").json()["stage"] == "recycled"
    assert client.post("/advance").json()["transitions"] == []


def test_a_store_that_cannot_be_written_is_said_to_be_so(ticking: tuple[httpx.Client, Path]) -> None:
    """503, and nothing of the request is taken; sent again, it is."""
    client, store = ticking
    post(client, view("eve", "1", "2026-03-05T10:00Z"))
    other = sqlite3.connect(store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    response = client.post("/events", json={"events": [view("eve", "2", "2026-03-05T11:00Z")]})
    other.close()

    assert response.status_code == 503, response.text
    assert post(client, view("eve", "2", "2026-03-05T11:00Z"))["counts"]["events"] == 1


def test_the_loop_is_free_while_a_ledger_is_busy(client: httpx.Client, lead: str) -> None:
    """A request that needs no ledger is answered while many that do are under way."""
    requests = [[view(f"{lead}-{i % 50}", f"{n}-{i}", "2026-03-05T10:00Z") for i in range(1000)] for n in range(4)]

    async def race() -> tuple[float, float]:
        async with httpx.AsyncClient(base_url=client.base_url, timeout=30) as several:
            begun = time.perf_counter()
            slow = [asyncio.create_task(several.post("/events", json={"events": events})) for events in requests]
            await asyncio.sleep(0)
            assert (await several.get("/openapi.json")).status_code == 200
            first = time.perf_counter() - begun
            assert {one.status_code for one in await asyncio.gather(*slow)} == {200}
            return first, time.perf_counter() - begun

    first, last = asyncio.run(race())
    assert first < last


def test_load_in_small(capsys: pytest.CaptureFixture[str]) -> None:
    """Two seconds of traffic with late events and repeated requests equal one batch run."""
    found = load.main(["--rate", "300", "--seconds", "2", "--leads", "100"])

    *table, line = capsys.readouterr().out.splitlines()
    assert json.loads(line) == found
    assert all(len(row) <= 100 for row in table)
    assert (found["errors"], set(found["different_from_batch"].values())) == ({}, {0})
    assert found["events"] > 400
    assert found["client_cpu"] > 0
