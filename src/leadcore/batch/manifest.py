"""What a job is and how far it is, in its work folder: written beside, synced and renamed at every step."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from leadcore.errors import LeadcoreError

NAME = "manifest.json"
_FORM = 1


@dataclass
class Manifest:
    """How far a job is.

    Attributes:
        job: What it is: model, instant, options, inputs. A job goes on only if all of it is the same.
        partitions: How many there are.
        split: What was learnt when tables were cut: by table the rows of each partition, and what untyped ids are;
            None while they are being cut.
        done: By partition done, from the first: where its rows went.
        merged: Results that stand where they belong.
    """

    job: dict[str, Any]
    partitions: int
    split: dict[str, Any] | None = None
    done: list[dict[str, Any]] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        """Put it in place of the one before, whole or not at all.

        Raises:
            OSError: It cannot be written; the one before is there still.
        """
        told = json.dumps({"form": _FORM, **asdict(self)}, indent=1, sort_keys=True) + "\n"
        write_whole(folder / NAME, told.encode())

    @classmethod
    def load(cls, folder: Path) -> Manifest | None:
        """The manifest in a folder, or None where there is none.

        Raises:
            LeadcoreError: There is one that this version cannot read.
        """
        try:
            said = json.loads((folder / NAME).read_text())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise LeadcoreError(f"{folder / NAME} is damaged: remove {folder} and start again") from error
        if not isinstance(said, dict) or said.pop("form", None) != _FORM:
            raise LeadcoreError(f"{folder / NAME} is of another version of leadcore: remove {folder} and start again")
        return cls(**said)

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


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its name, sync it and rename it."""
    beside = path.with_name(f".{path.name}.part")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have new names in a folder on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
