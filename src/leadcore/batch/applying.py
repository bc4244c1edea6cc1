"""Ledgers as a task of a job: yesterday's state, today's events, and what changed (spec 10.2)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from leadcore._arrow import ArrowStream, Table
from leadcore._durable import write_whole
from leadcore.batch.inputs import stamps
from leadcore.batch.results import LEDGERS, PASSED, ledger_file
from leadcore.batch.task import Options, Piece
from leadcore.errors import StateError
from leadcore.ledger.counts import LedgerCounts
from leadcore.ledger.ledger import Ledger
from leadcore.model import Model
from leadcore.scorer import Scorer

CHANGES = ("scores", "thresholds", "transitions", "alerts", "late")
_STATE = "part-all.json"
"""It is of the partitions: who clears them clears it, and it comes last."""
_FORM = 1
_LEAD, _EVENT = 700, 200
"""Bytes of a lead and of an event that comes in, guessed high: at rest a lead took 406 (benchmarks/ledger_nightly.py)."""


@dataclass(frozen=True)
class State:
    """A folder of ledgers, one a partition of leads.

    Attributes:
        folder: Where they are.
        partitions: How many there are, for ever.
        semantics: The model they are of.
        ids: What ids are, ``integer`` or ``text`` of ``lead_id`` and ``event_id``, as far as there were any.
    """

    folder: Path
    partitions: int
    semantics: str
    ids: Mapping[str, str]

    @classmethod
    def open(cls, folder: Path, model: Model) -> State:
        """The state in a folder.

        Raises:
            StateError: There is none, it is not whole, or it is of another model.
        """
        try:
            said = json.loads((folder / _STATE).read_text())
            state = cls(folder, said["partitions"], said["semantics"], said["ids"])
            whole = said["form"] == _FORM
        except OSError:
            raise StateError(
                f"{folder} is no state: there is no {_STATE}, which is written when all is whole"
            ) from None
        except (ValueError, KeyError, TypeError):
            whole = False
        if not whole:
            raise StateError(f"{folder / _STATE} is damaged, or of another version of leadcore")
        if state.semantics != model.semantics:
            raise StateError(f"{folder} is the state of another model ({state.semantics[:12]}): migrate its ledgers")
        for partition in range(state.partitions):
            if not ledger_file(folder, partition).is_file():
                raise StateError(f"{folder} lacks {ledger_file(folder, partition).name}")
        return state

    def save(self) -> None:
        """Say that all ledgers are there."""
        said = {"form": _FORM, "partitions": self.partitions, "semantics": self.semantics, "ids": dict(self.ids)}
        write_whole(self.folder / _STATE, (json.dumps(said, sort_keys=True) + "\n").encode())

    def told(self) -> list[list[Any]]:
        """What must be the same for a job to go on."""
        return stamps([str(ledger_file(self.folder, partition)) for partition in range(self.partitions)])


@dataclass(frozen=True)
class ApplyTask:
    """Take facts into ledgers, and let time pass.

    Attributes:
        options: What it has in common with others.
        state: The state there was; None to begin one.
        folder: Where the new state goes.
        late: How much older than the newest event of its lead a fact may be, of a state begun here.
        on_late: ``raise`` or ``set_aside``.
    """

    options: Options
    state: State | None
    folder: Path
    late: str
    on_late: Literal["raise", "set_aside"]
    name: str = "apply"
    counts: type[LedgerCounts] = LedgerCounts

    @property
    def results(self) -> tuple[str, ...]:
        """The tables of changes, and the ledgers."""
        return (*CHANGES, *(name + PASSED for name in CHANGES[:-1]), LEDGERS)

    def told(self) -> dict[str, Any]:
        """What must be the same for a job to go on."""
        state = None if self.state is None else self.state.told()
        return {**self.options.told(), "state": state, "late": self.late, "on_late": self.on_late}

    def bytes_needed(self, events: int, leads: int, event_ids: bool) -> int:
        """Memory for so many rows, about."""
        return events * _EVENT + leads * _LEAD

    def run(
        self, scorer: Scorer, tables: Mapping[str, ArrowStream | None], threads: int | None,
        progress: Callable[[int], None], partition: int | None,
    ) -> Piece:  # fmt: skip
        """Bring the ledger of a partition to the instant."""
        options = self.options
        if self.state is None:
            ledger = Ledger(scorer, self.late)
        else:
            ledger = Ledger.load(ledger_file(self.state.folder, partition or 0), scorer)
        came = ledger.apply(
            tables.get("events"), tables.get("leads"), until=options.instant, on_late=self.on_late, threads=threads,
            columns={"leads": options.names.leads, "events": options.names.events}, micropoints=options.micropoints,
        )  # fmt: skip
        passed = ledger.advance(options.instant, threads=threads, micropoints=options.micropoints)
        made = {name: _by_lead(getattr(came, name).table) for name in CHANGES}
        made |= {name + PASSED: _by_lead(getattr(passed, name).table) for name in CHANGES[:-1]}
        return Piece(made, came.counts, ledger=ledger)

    @property
    def ids(self) -> Mapping[str, str]:
        """What ids were on earlier days: those of CSV are the same from then on."""
        return {} if self.state is None else self.state.ids

    def finish(self, partitions: int, ids: Mapping[str, str]) -> None:
        """Say that the new state is whole."""
        State(self.folder, partitions, self.options.model.semantics, ids).save()


def _by_lead(table: Table) -> Table:
    """Rows sorted by lead, those of one lead as they were."""
    leads = table.column("lead_id")
    order = np.argsort(leads, kind="stable") if isinstance(leads, np.ndarray) else _sorted(leads)
    return table.take(np.asarray(order, np.int64))


def _sorted(leads: list[Any]) -> list[int]:
    return sorted(range(len(leads)), key=leads.__getitem__)
