"""Bad models, events and questions of a tally, and what users are told: every message as it stands in `bad_tally.txt`."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import leadcore as lc

SNAPSHOT = Path(__file__).with_name("bad_tally.txt")
DOCUMENT: dict[str, Any] = {
    "leadcore": 1,
    "name": "m",
    "attributes": {"size": "number"},
    "events": {"visit": {"url": "text", "seconds": "number", "paid": "boolean", "due": "instant"}},
    "scores": {
        "fit": {"criteria": [{"name": "small", "kind": "attribute", "field": "size", "bands": [{"at_least": 5, "points": 1}]}]},
        "web": {"groups": {"g": {"criteria": [{"name": "visits", "kind": "event", "on": "visit", "points": 1}]}}},
        "total": {"combine": {"fit": 1, "web": 1}},
    },
}  # fmt: skip
SCORER: Any = lc.Scorer(lc.Model.model_validate(DOCUMENT))
NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)


def of(**changes: object) -> Callable[[Any], object]:
    """A tally of the model with another criterion of events."""
    document = copy.deepcopy(DOCUMENT)
    document["scores"]["web"]["groups"]["g"]["criteria"][0].update(changes)
    return lambda _: lc.Tally(lc.Scorer(lc.Model.model_validate(document)))


def group(**changes: object) -> Callable[[Any], object]:
    """A tally of the model with other things in its group."""
    document = copy.deepcopy(DOCUMENT)
    document["scores"]["web"]["groups"]["g"].update(changes)
    return lambda _: lc.Tally(lc.Scorer(lc.Model.model_validate(document)))


def tops(names: list[str], score: Any = None) -> Callable[[Any], object]:
    """A tally of a model with scores of these names."""
    document = {**DOCUMENT, "scores": {name: {"criteria": []} for name in names}}
    return lambda _: lc.Tally(lc.Scorer(lc.Model.model_validate(document)), score)


def add(*arguments: Any) -> Callable[[Any], object]:
    """Tell one event."""
    given: tuple[Any, ...] = (1, NOW, "visit", {})
    return lambda tally: tally.add(*arguments, *given[len(arguments) :])


def value(**properties: object) -> Callable[[Any], object]:
    """Tell one event with these properties."""
    return add(1, NOW, "visit", properties)


PER = {"per": "seconds", "rate": 1}
ATTEMPTS: dict[str, Callable[[Any], object]] = {
    "a model instead of a scorer": lambda _: lc.Tally(SCORER.model),
    "a score the model has not": lambda _: lc.Tally(SCORER, "sum"),
    "no score of two": tops(["a", "b"]),
    "no score of none": tops([]),
    "a model with a reset": of(reset={"on": "visit"}),
    "a model with a reset of a group": group(reset={"on": "visit"}),
    "a model with unique_by": of(unique_by="url"),
    "a model with a cooldown and points by property": of(points=PER, cooldown="1h"),
    "a model with a limit and points by property": of(points=PER, limit={"count": 1, "per": "day"}),
    "a model with distinct": of(kind="frequency", distinct="url", at_least=2),
    "two reasons": of(unique_by="url", reset={"on": "visit"}),
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "a lead id that is none": add(1.5),
    "a lead id that is null": add(None),
    "a lead id that is too large": add(2**63),
    "a lead id that is half a pair": add("\ud800"),
    "a lead id of another kind": add("1"),
    "an instant that is null": add(1, None),
    "an instant in words": add(1, "noon"),
    "an instant that is a fraction": add(1, 1.5),
    "an instant that is true": add(1, True),
    "an instant out of range": add(1, 2**60),
    "an instant out of any range": add(1, -(10**30)),
    "an instant too early": add(1, "2026-03-01T12:00:00.000001"),
    "an instant too early, of a type not declared": add(1, 0, "call"),
    "a type that is null": add(1, NOW, None),
    "a type that is none": add(1, NOW, 5),
    "properties that are none": add(1, NOW, "visit", 5),
    "properties in a list": add(1, NOW, "visit", ["/"]),
    "a text that is none": value(url=5),
    "a text that is half a pair": value(url="\ud800"),
    "a number that is none": value(seconds="5"),
    "a number that is true": value(seconds=True),
    "a number that is infinite": value(seconds=float("inf")),
    "a number that is too long": value(seconds=2**53 + 1),
    "a number that is far too long": value(seconds=10**400),
    "a boolean that is none": value(paid=1),
    "an instant of a property that is none": value(due=5),
    "two values that are none": value(url=5, paid=5),
    "too few arguments": lambda tally: tally.add(1, NOW),
    "attributes that are none": lambda tally: tally.put(1, 5),
    "an attribute that is none": lambda tally: tally.put(1, {"size": "large"}),
    "attributes of no lead": lambda tally: tally.put(None, {}),
    "attributes of a lead of another kind": lambda tally: tally.put("1", {}),
    "the score of a lead that is not there": lambda tally: tally.score(2, NOW),
    "the score of no lead": lambda tally: tally.score([], NOW),
    "the score at no instant": lambda tally: tally.score(1, None),
    "the score at a word": lambda tally: tally.score(1, "noon"),
    "the score too late": lambda tally: tally.score(1, 2**60),
    "the score too early": lambda tally: tally.score(1, "2026-03-01"),
    "to begin twice": lambda tally: tally.__init__(SCORER),
    "to begin not at all": lambda _: lc.Tally.__new__(lc.Tally).add(1, NOW, "visit"),
}


def tally() -> lc.Tally:
    """A tally with one lead."""
    found = lc.Tally(SCORER)
    found.put(1, {"size": 5})
    found.add(1, "2026-03-09T11:00Z", "visit")
    return found


def said(name: str) -> str:
    """The message, and that nothing has changed."""
    asked = tally()
    before = list(asked), asked.score(1, NOW)
    with pytest.raises((lc.LeadcoreError, KeyError, TypeError, ValueError)) as caught:
        ATTEMPTS[name](asked)
    assert (list(asked), asked.score(1, NOW)) == before
    return f"# {name}\n{type(caught.value).__name__}: {caught.value}\n"


def test_every_message() -> None:
    """Every message reads as it did when it was last looked at."""
    assert "\n".join(map(said, ATTEMPTS)) == SNAPSHOT.read_text()
