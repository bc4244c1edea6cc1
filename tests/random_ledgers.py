"""Random cases of a ledger (a model, facts, instants and a lateness) from a seeded generator, and ways to deliver the facts.

Models and rows are those of random replays and random scorings, so that rows sit on timers, on the grid and on each other;
lateness is a distance between two of their instants, so that rows sit on the edge of too late.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from leadcore._reference.calendar import FIRST, LAST
from leadcore.errors import LeadcoreError
from leadcore.model import Model
from tests.random_cases import Case, case
from tests.random_lifecycles import ReplayCase, replay_case
from tests.random_parts import DAY, SECOND

Row = dict[str, Any]
LONGEST = 36_525 * DAY


@dataclass(frozen=True)
class LedgerCase:
    """What a ledger is given.

    Attributes:
        document: A valid model document, with a lifecycle or without.
        leads, events: Rows; instants in microseconds.
        late: Microseconds, whole seconds of them, or None: never too late.
        instants: Where things happen, ascending.
        aliases: Pairs of leads that may be merged, or else of any.
    """

    document: dict[str, Any]
    leads: list[Row]
    events: list[Row]
    late: int | None
    instants: list[int]
    aliases: list[tuple[Any, Any]] = field(default_factory=list)

    @property
    def lateness(self) -> Any:
        """``late`` as a ledger takes it."""
        return "all" if self.late is None else timedelta(microseconds=self.late)

    @property
    def ids(self) -> list[Any]:
        """Ids of leads, in some order that is always the same."""
        return list(dict.fromkeys(row["lead_id"] for row in (*self.leads, *self.events)))


def ledger_case(seed: int) -> LedgerCase:
    """The random case of this number; the same on every machine."""
    rng = Random(f"ledger {seed}")
    found: ReplayCase | Case = case(seed) if rng.random() < 0.2 else replay_case(seed)
    leads = [{name: value for name, value in row.items() if name != "account_id"} for row in found.leads or ()]
    document = deepcopy({name: value for name, value in found.document.items() if name != "accounts"})
    events = [dict(row) for row in found.events]
    if rng.random() < 0.5:  # long histories of few
        busy = {row["lead_id"]: None for row in events}
        few = list(busy)[: rng.choice((1, 1, 2))]
        events = [row | {"lead_id": few[list(busy).index(row["lead_id"]) % len(few)]} for row in events]
    instants = {row["at"] for row in events}
    instants |= {row[key] for row in leads for key in ("valid_from", "created_at") if row.get(key) is not None}
    if isinstance(found, ReplayCase):
        instants.add(found.until)
    else:
        instants.update(found.instants)
    ordered = sorted(instants)
    pairs = [(row["lead_id"], row["same_as"]) for row in found.aliases or ()]
    return LedgerCase(document, leads, events, lateness(rng, ordered), ordered, pairs)


def lateness(rng: Random, instants: Sequence[int]) -> int | None:
    """A distance of two instants in whole seconds, mostly a part of them all; or None."""
    if rng.random() < 0.25 or len(instants) < 2:
        return None
    span = instants[-1] - instants[0]
    one, other = rng.choice(instants), rng.choice(instants)
    found = rng.choice((abs(one - other), abs(one - other), span // 4, span // 10, span // 30, span, 7 * DAY))
    found = found // SECOND * SECOND
    return min(max(found, SECOND), LONGEST)


def variant(document: Row, seed: int, first: Row, at: bool = False) -> Row:
    """Another version of a model: other points, bounds, rules and services; the same fields, scores and stages.

    Sometimes a type of event or the lifecycle is gone, or is there again as in the ``first`` version. For a change at an
    instant no rule is dropped: a ledger has no name for it from then on.
    """
    rng = Random(f"variant {seed}")
    found = deepcopy(document)
    if document["events"] and rng.random() < 0.2:
        found = without_type(rng, document, at)
    if rng.random() < 0.2:
        found["events"] |= {name: one for name, one in first["events"].items() if name not in found["events"]}
    if "lifecycle" not in found and "lifecycle" in first and rng.random() < 0.5:
        found = valid(found | {"lifecycle": deepcopy(first["lifecycle"])}) or found
    elif "lifecycle" in found and rng.random() < 0.1:
        found = valid({name: one for name, one in found.items() if name != "lifecycle"}) or found
    for score in found["scores"].values():
        for holder in [score, *score.get("groups", {}).values()]:
            for criterion in holder.get("criteria", ()):
                if type(criterion.get("points")) is int and rng.random() < 0.5:
                    criterion["points"] = rng.choice((criterion["points"] // 2 + 1, -criterion["points"], 7))
    for threshold in found.get("thresholds", {}).values():
        if rng.random() < 0.3 and type(threshold["at"]) is int and abs(threshold["at"]) < 10**6:
            threshold["at"] += 1
    lifecycle = found.get("lifecycle")
    if lifecycle is not None:
        rules = lifecycle.get("transitions", [])
        if rules and not at and rng.random() < 0.5:
            rules.pop(rng.randrange(len(rules)))
        if rng.random() < 0.3:
            rng.shuffle(rules)
        for stage in lifecycle["stages"]:
            if rng.random() < 0.3 and not at:  # alerts told by an sla that `at` ends stay told (docs, 10.2)
                stage.pop("sla", None)
        if "evaluate" in lifecycle and rng.random() < 0.2:
            del lifecycle["evaluate"]
    return found


def without_type(rng: Random, document: Row, at: bool) -> Row:
    """The model without a type of event, and without the criteria and rules that name it; or the model as it was."""
    name = rng.choice(list(document["events"]))
    if at and names(document.get("lifecycle"), name):
        return deepcopy(document)
    found = {key: without_naming(one, name) for key, one in document.items() if key != "events"}
    events = {type_: deepcopy(one) for type_, one in document["events"].items() if type_ != name}
    return valid({**found, "events": events}) or deepcopy(document)


def without_naming(part: Any, name: str) -> Any:
    """A part of a model without the elements of lists that name something."""
    if isinstance(part, dict):
        return {key: without_naming(one, name) for key, one in part.items()}
    if isinstance(part, list):
        return [without_naming(one, name) for one in part if not (isinstance(one, dict) and names(one, name))]
    return part


def names(part: Any, name: str) -> bool:
    """Whether a part of a model says a name anywhere."""
    if isinstance(part, dict):
        return any(names(one, name) for one in part.values())
    return any(names(one, name) for one in part) if isinstance(part, list) else part == name


def valid(document: Row) -> Row | None:
    """The model, if it is one."""
    try:
        Model.model_validate(document)
    except LeadcoreError:
        return None
    return document


# -- ways to deliver -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """Facts delivered together."""

    leads: list[Row]
    events: list[Row]


def pieces(rng: Random, found: LedgerCase) -> list[Piece]:
    """All facts, cut at random, in an order that is never late by more than ``late``: each is held up by at most that."""
    held_up: list[tuple[int, int, str, Row]] = []
    spread = found.late if found.late is not None else LAST - FIRST
    if rng.random() < 0.5:
        spread = rng.choice((0, 0, spread // 2, min(spread, DAY)))
    for table, rows in (("leads", found.leads), ("events", found.events)):
        for row in rows:
            known = [row[name] for name in ("at", "valid_from", "created_at") if row.get(name) is not None]
            since_ever = table == "leads" and row.get("valid_from") is None
            due = FIRST - spread if since_ever or not known else min(known)
            held_up.append((due + rng.choice((0, spread, rng.randint(0, spread))), rng.random(), table, row))
    held_up.sort(key=lambda one: one[:2])
    rows_left = [(table, row) for *_, table, row in held_up]
    cut = []
    sizes = (1,) if rng.random() < 0.4 else (1, 1, 1, 2, 3, 5, len(rows_left))
    while rows_left:
        count = rng.choice(sizes)
        taken, rows_left = rows_left[:count], rows_left[count:]
        cut.append(
            Piece([row for table, row in taken if table == "leads"], [row for table, row in taken if table == "events"])
        )
    return cut
