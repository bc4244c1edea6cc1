"""What tables hold, seen through a model: rows by type, nulls, what no row fits, instants later than T."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from leadcore import _kernel
from leadcore._arrow import Encoder, Program
from leadcore._files import FileTable
from leadcore._inputs import Names, data_errors
from leadcore.cli._probes import Probe, Probes, Questions
from leadcore.model import Model

if TYPE_CHECKING:
    from leadcore.batch.sql import QueryTable

_NEVER = 2**63 - 1


@dataclass
class Profile:
    """The answers.

    Attributes:
        rows: Rows by table.
        found: How many rows each question was true of, by table.
        ignored: Rows of undeclared event types, by type.
        rejected: Faulty rows, by table.
        faults: The first faulty rows, as sentences' parts.
        first: The earliest event, in microseconds.
        last: The latest event.
        later: Events after T; None without T.
        later_rows: Leads created, or in force from, after T; None without T.
        only_events: Leads known only from events.
        without_events: Leads of the leads table without an event of a declared type.
        left_out: Texts not looked for.
    """

    rows: dict[str, int] = field(default_factory=dict)
    found: dict[str, list[tuple[Probe, int]]] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    first: int | None = None
    last: int | None = None
    later: int | None = None
    later_rows: int | None = None
    only_events: int | None = None
    without_events: int | None = None
    left_out: int = 0


def profile(
    model: Model,
    leads: FileTable | QueryTable | None,
    events: FileTable | QueryTable | None,
    names: Names,
    as_of: int | None,
    progress: Any = None,
) -> Profile:
    """Read both tables once and answer every question.

    Raises:
        DataError: A required column is missing, or is of a wrong type.
    """
    questions = Questions(model)
    encoder = Encoder(Program(questions.source), True)
    result = Profile(left_out=questions.left_out)
    if leads is not None:
        _read_leads(encoder, leads, names, as_of, questions.leads, result)
    if events is not None:
        _read_events(encoder, events, names, as_of, questions.events, result, leads is not None, progress)
    counted = encoder.counts()
    result.rows, result.ignored, result.rejected = counted["rows"], counted["ignored"], counted["rejected"]
    if any(result.rejected.values()):
        rejects = encoder.rejects()
        result.faults = rejects.take(np.arange(min(len(rejects), 10))).to_dicts()
    return result


def _read_leads(
    encoder: Encoder, leads: FileTable | QueryTable, names: Names, as_of: int | None, probes: Probes, result: Profile
) -> None:
    with data_errors("leads"):
        rows = encoder.read_leads(leads, names.leads)
    sets = np.bincount(rows["hits"])
    result.found["leads"] = _answers(probes, sets, *encoder.lead_hit_sets())
    if as_of is not None:
        later = np.zeros(len(rows["code"]), bool)
        for column in ("created_at", "valid_from"):
            if column in rows:
                later |= (rows[column] > as_of) & (rows[column] != _NEVER)
        result.later_rows = int(later.sum())


def _read_events(
    encoder: Encoder, events: FileTable | QueryTable, names: Names, as_of: int | None, probes: Probes, result: Profile,
    with_leads: bool, progress: Any,
) -> None:  # fmt: skip
    known, n = encoder.lead_count, _kernel.BLOCK
    with data_errors("events"):
        identities, contents = encoder.open_events(events, names.events)
    lead, at, hits, row = np.empty(n, np.uint32), np.empty(n, np.int64), np.empty(n, np.uint32), np.empty(n, np.int64)
    order, content = np.empty(n if identities else 0, np.uint32), np.empty(n if contents else 0, np.uint32)
    codes, numbers = np.empty((0, n), np.uint32), np.empty((0, n), np.float64)
    sets, active, done = np.zeros(1, np.int64), np.zeros(known, bool), 0
    first, last, later = _NEVER, -_NEVER, 0
    with data_errors("events"):
        while count := encoder.next_block(lead, at, hits, row, order, content, codes, numbers):
            sets = _sum(sets, np.bincount(hits[:count]))
            mine = lead[:count]
            active[mine[mine < known]] = True
            first, last = min(first, int(at[:count].min())), max(last, int(at[:count].max()))
            if as_of is not None:
                later += int(np.count_nonzero(at[:count] > as_of))
            done += count
            if progress is not None:
                progress(done)
    result.found["events"] = _answers(probes, sets, *encoder.hit_sets())
    if done:
        result.first, result.last = first, last
    result.later = None if as_of is None else later
    if with_leads:
        result.only_events = encoder.lead_count - known
        result.without_events = known - int(active.sum())


def _sum(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The sum of two arrays as if the shorter went on with zeros."""
    if len(a) < len(b):
        a, b = b, a
    a[: len(b)] += b
    return a


def _answers(
    probes: Probes, sets: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64], ids: npt.NDArray[np.uint32]
) -> list[tuple[Probe, int]]:
    """How many rows each question was true of, from how many rows there were of each hit set."""
    rows = np.zeros(len(offsets) - 1, np.int64)
    rows[: len(sets)] = sets
    found = np.zeros(len(probes.probes), np.int64)
    np.add.at(found, ids, np.repeat(rows, np.diff(offsets)))
    return list(zip(probes.probes, found.tolist(), strict=True))
