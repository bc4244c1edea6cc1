"""A scoring service: events come in over HTTP; scores, stages, reasons and a feed of changes go out.

The state is a leadcore ledger in SQLite. leadcore reads no clock: the service does, here, and says which instant it used.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

import leadcore as lc

log = logging.getLogger("uvicorn.error")
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Event(BaseModel):
    """One act of a lead. ``event_id`` is what makes sending it again harmless."""

    model_config = ConfigDict(extra="forbid")
    lead_id: Name
    event_id: Name
    at: str
    type: Name
    properties: dict[str, Any] = {}


class Attributes(BaseModel):
    """What a lead is from an instant on: all its attributes, those not given are null."""

    model_config = ConfigDict(extra="forbid")
    lead_id: Name
    valid_from: str
    attributes: dict[str, Any] = {}


class Facts(BaseModel):
    """One request: applied as a whole, or refused as a whole."""

    model_config = ConfigDict(extra="forbid")
    events: list[Event] = Field([], max_length=1000)
    leads: list[Attributes] = Field([], max_length=1000)


def now() -> datetime:
    """The service's clock."""
    return datetime.now(UTC)


async def opened(request: Request) -> lc.Ledger:
    """The ledger that the application opened when it started."""
    return request.app.state.ledger


Ledger = Annotated[lc.Ledger, Depends(opened)]
api = APIRouter()

# The endpoints are plain functions: FastAPI runs them in threads, so that the loop never waits for a ledger.


@api.post("/events")
def post_events(facts: Facts, ledger: Ledger) -> dict[str, Any]:
    """Take events and attributes; answer with what they changed. Sent again, they change nothing."""
    events = [{**e.properties, **e.model_dump(exclude={"properties"})} for e in facts.events]
    leads = [{**a.attributes, **a.model_dump(exclude={"attributes"})} for a in facts.leads]
    # What is dated later than now, by a clock that is fast, is kept and waits for its time.
    return told(ledger.apply(events, leads, until=now()))


@api.get("/leads/{lead_id:path}")
def get_lead(lead_id: str, ledger: Ledger, as_of: AwareDatetime | None = None) -> dict[str, Any]:
    """What a lead is worth, where it stands, and why; as of now, or of the instant asked for."""
    try:
        lead = ledger.lead(lead_id, as_of=as_of or now())
    except KeyError:
        raise unknown(lead_id) from None
    return {
        "lead_id": lead.lead_id,
        "as_of": lead.as_of,
        "model": lead.version,
        "scores": lead.scores,
        "thresholds": lead.thresholds,
        "stage": lead.stage,
        "entered_at": lead.entered_at,
        "why": [
            {"score": line.score, "criterion": line.criterion, "part": line.part, "points": line.micropoints / 10**6}
            for line in lead.explain().lines
        ],
        "timeline": lead.timeline.transitions,
        "alerts": lead.timeline.alerts,
    }


@api.delete("/leads/{lead_id:path}", status_code=204)
def delete_lead(lead_id: str, ledger: Ledger) -> None:
    """Erase a lead: its events, its attributes, its state."""
    if not ledger.forget(lead_id):
        raise unknown(lead_id)


@api.get("/changes")
def get_changes(
    ledger: Ledger,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> dict[str, Any]:
    """What has been told since a place in the feed; ask next from ``next``."""
    changes = [{k: v for k, v in row.items() if v is not None} for row in ledger.changes(after, limit).to_dicts()]
    for row in changes:
        if "scores" in row:
            row["scores"] = json.loads(row["scores"])
    return {"changes": changes, "next": changes[-1]["seq"] if changes else after}


@api.post("/advance")
def post_advance(ledger: Ledger) -> dict[str, Any]:
    """Let time pass until now: what falls due, cools off or waits is told."""
    until = now()
    return {"until": until, **told(ledger.advance(until))}


def told(changes: lc.Changes) -> dict[str, Any]:
    """What a call changed, as JSON has it."""
    return {
        "model": changes.version,
        "scores": changes.scores.to_dicts(),
        "thresholds": changes.thresholds.to_dicts(),
        "transitions": changes.transitions.to_dicts(),
        "alerts": changes.alerts.to_dicts(),
        "counts": asdict(changes.counts),
    }


def unknown(lead_id: str) -> HTTPException:
    """Nobody of this id."""
    return HTTPException(404, f"no lead {lead_id!r}")


async def let_time_pass(ledger: lc.Ledger, every: float, stop: asyncio.Event) -> None:
    """Advance the ledger to the wall clock every so many seconds, until told to stop."""
    while True:
        try:
            await asyncio.wait_for(stop.wait(), every or None)
            return
        except TimeoutError:
            pass
        try:
            await asyncio.to_thread(ledger.advance, now())
        except lc.LeadcoreError:
            log.exception("time does not pass; trying again in %s seconds", every)


async def not_json_of_ours(request: Request, error: RequestValidationError) -> Response:
    """A request of another form: where and why, without what was sent."""
    return refusal(422, [{"at": list(fault["loc"]), "reason": fault["msg"]} for fault in error.errors()])


async def not_as_the_model_says(request: Request, error: lc.DataError) -> Response:
    """A row that the model does not allow: table, row, column, value and reason."""
    return refusal(422, [asdict(problem) for problem in error.problems])


async def not_to_be_answered(request: Request, error: lc.LeadcoreError) -> Response:
    """A question that the ledger cannot answer: an instant too long ago, a lead of which nothing was told yet."""
    return refusal(422, str(error))


async def unavailable(request: Request, error: lc.StateError) -> Response:
    """A store that is locked, full or damaged; nothing of the request was taken."""
    return refusal(503, str(error))


def refusal(status: int, detail: object) -> Response:
    """A document in plain ASCII: what is refused may be no text that UTF-8 has."""
    return Response(json.dumps({"detail": detail}), status, media_type="application/json")


def create_app(
    store: str = os.environ.get("LEADCORE_STORE", "sqlite:///leads.db"),
    model: str = os.environ.get("LEADCORE_MODEL", str(Path(__file__).with_name("model.yaml"))),
    tick: float = float(os.environ.get("LEADCORE_TICK", "60")),
) -> FastAPI:
    """The application; every ``tick`` seconds it lets time pass, with 0 only when it is asked to."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        scorer = lc.Scorer(lc.Model.load(model))
        app.state.ledger = ledger = await asyncio.to_thread(lc.Ledger.open, store, scorer)
        stop = asyncio.Event()
        clock = asyncio.create_task(let_time_pass(ledger, tick, stop))
        yield  # requests are answered; those under way when the service is told to stop, too
        stop.set()
        await clock
        await asyncio.to_thread(ledger.close)

    app = FastAPI(title="leadcore service", lifespan=lifespan)
    app.include_router(api)
    app.add_exception_handler(RequestValidationError, not_json_of_ours)
    app.add_exception_handler(lc.DataError, not_as_the_model_says)
    app.add_exception_handler(lc.StateError, unavailable)
    app.add_exception_handler(lc.LeadcoreError, not_to_be_answered)
    return app
