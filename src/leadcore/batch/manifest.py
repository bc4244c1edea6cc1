"""What a job is and how far it is, in its work folder: written beside, synced and renamed at every step."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from leadcore._durable import write_whole
from leadcore.errors import LeadcoreError

NAME = "manifest.json"
_FORM = 1


@dataclass
class Cut:
    """What was learnt when tables were cut.

    Attributes:
        rows: By table the rows of each partition.
        typed: What untyped ids are told to be, by table and column.
        kinds: What ids are.
        bytes: Size of all partitions.
        starts: Of each table in files, how many rows lie before each file.
    """

    rows: dict[str, list[int]]
    typed: dict[str, dict[str, str]]
    kinds: dict[str, str]
    bytes: int
    starts: dict[str, list[int]]


@dataclass
class Done:
    """What came of a partition.

    Attributes:
        counts: Where its rows went.
        rows: Rows of each result.
        standing: For a replay, how many leads stand in each stage.
        story: What happened to the one lead asked for, where it is among these.
    """

    counts: dict[str, Any]
    rows: dict[str, int]
    standing: dict[str, int]
    story: str | None


@dataclass
class Manifest:
    """How far a job is.

    Attributes:
        job: What it is: model, instant, options, inputs. A job goes on only if all of it is the same.
        partitions: How many there are.
        cut: What was learnt when tables were cut; None while they are being cut.
        done: What came of each partition done, from the first.
        merged: Rows of each result that stands where it belongs.
    """

    job: dict[str, Any]
    partitions: int
    cut: Cut | None = None
    done: list[Done] = field(default_factory=list)
    merged: dict[str, int] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Put it in place of the one before, whole or not at all.

        Raises:
            OSError: It cannot be written; the one before is there still.
        """
        told = json.dumps([_FORM, asdict(self)], indent=1, sort_keys=True) + "\n"
        write_whole(folder / NAME, told.encode())

    @classmethod
    def load(cls, folder: Path) -> Manifest | None:
        """The manifest in a folder, or None where there is none.

        Raises:
            LeadcoreError: There is one that this version cannot read.
        """
        try:
            said = (folder / NAME).read_bytes()
        except FileNotFoundError:
            return None
        try:
            form, manifest = TypeAdapter(tuple[int, Manifest]).validate_json(said)
        except ValidationError as error:
            raise LeadcoreError(f"{folder / NAME} is damaged: remove {folder} and start again") from error
        if form != _FORM:
            raise LeadcoreError(f"{folder / NAME} is of another version of leadcore: remove {folder} and start again")
        return manifest

    def check(self, job: dict[str, Any], folder: Path) -> None:
        """Refuse to go on with another job.

        Raises:
            LeadcoreError: Something is not as it was; the error says what.
        """
        known, given = _flat(self.job), _flat(json.loads(json.dumps(job)))
        for name in sorted({*known, *given}):
            if known.get(name) != given.get(name):
                what = f"{name} was {known.get(name)!r} and is {given.get(name)!r}"
                raise LeadcoreError(f"the job in {folder} cannot go on, it is another one: {what}")


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {
            key: one for name in value for key, one in _flat(value[name], f"{path}.{name}" if path else name).items()
        }
    return {path: value}
