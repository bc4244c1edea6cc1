"""Which files a table is in: names, folders and globs turned into a list of files of one format."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from leadcore.errors import LeadcoreError

STANDARD_STREAM = "-"

Format = Literal["parquet", "csv", "jsonl"]
FORMATS: tuple[Format, ...] = ("parquet", "csv", "jsonl")
ENDINGS: dict[str, Format] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl",
    ".ndjson.gz": "jsonl",
}

Name = str | os.PathLike[str]
Source = Name | Sequence[Name]
"""A file, a folder, a glob, a list of these, or ``-``."""


def format_of(path: str) -> Format | None:
    """The format a file name's ending stands for, or None.

    Example:
        >>> format_of("exports/events.CSV.gz")
        'csv'
    """
    name = Path(path).name.lower()
    return next((kind for ending, kind in ENDINGS.items() if name.endswith(ending)), None)


def names_of(source: Source) -> list[str]:
    """The names a source was given by, as text."""
    given = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    return [os.fspath(name) for name in given]


def find_files(source: Source, format: Format | None = None) -> tuple[list[str], Format]:
    """The files of a source, sorted, each once, and their format.

    Of a folder these are all files below it whose ending is known. A glob may have ``*``, ``?``, ``[...]`` and ``**``;
    folders that it matches are looked into. What begins with ``.`` or ``_`` (``_SUCCESS``, ``_temporary``) is passed
    over unless it was named so.

    Args:
        source: What was given.
        format: The format of files, and of the standard stream, whose names do not say it.

    Raises:
        LeadcoreError: Nothing says the format, two files differ in it, or no file was found.
        FileNotFoundError: A file or folder is not there.

    Example:
        >>> find_files("-", "csv")
        (['-'], 'csv')
    """
    names = names_of(source)
    if not names:
        raise LeadcoreError("a table is one file or more: the list is empty")
    if STANDARD_STREAM in names:
        if len(names) > 1:
            raise LeadcoreError("-: the standard stream is a table of its own, not one file of several")
        if format is None:
            raise LeadcoreError("-: the format of the standard stream has to be said: csv, jsonl or parquet")
        return names, format
    found: dict[str, str] = {}
    for name in names:
        for path in _files(name):
            found.setdefault(os.path.realpath(path), path)
    paths = sorted(found.values())
    formats = [(path, format_of(path) or format) for path in paths]
    first, kind = formats[0]
    for path, other in formats:
        if other is None:
            raise LeadcoreError(f"{path}: the ending of a table's name is one of {', '.join(ENDINGS)}")
        if other != kind:
            raise LeadcoreError(f"the files of a table are of one format: {first} is {kind}, {path} is {other}")
    if len(paths) > 1:
        for path in paths:
            if not Path(path).is_file():
                raise LeadcoreError(f"{path} is no regular file, which one of several has to be")
    assert kind is not None  # the loop above has seen it
    return paths, kind


def _files(name: str) -> Iterator[str]:
    """The files of one name."""
    if Path(name).is_dir():
        below = sorted(_below(name))
        if not below:
            raise LeadcoreError(f"the folder {name} has no table: no name ends in one of {', '.join(ENDINGS)}")
        yield from below
        return
    if Path(name).exists() or not glob.has_magic(name):
        Path(name).stat()
        yield name
        return
    found = glob.iglob(name, recursive=True)  # noqa: PTH207 - names come back as they were given, ./ and all
    matched = [path for path in found if not _passed_over(path, name)]
    files = [path for path in matched if not Path(path).is_dir()]
    known = [path for path in files if format_of(path)]
    in_folders = [path for folder in matched if Path(folder).is_dir() for path in _below(folder)]
    if not files and not in_folders:
        raise LeadcoreError(f"the glob {name} finds no table")
    if not known and not in_folders:
        raise LeadcoreError(f"{files[0]}: the ending of a table's name is one of {', '.join(ENDINGS)}")
    yield from known
    yield from in_folders


def _below(folder: str) -> Iterator[str]:
    """Files below a folder whose ending is known."""
    for path, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if name[0] not in "._"]
        yield from (str(Path(path, name)) for name in files if name[0] not in "._" and format_of(name))


def _passed_over(path: str, pattern: str) -> bool:
    """Whether a part that a glob matched begins with ``.`` or ``_``, and no part of the glob does so."""
    parts = Path(pattern).parts
    plain = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    named = {part[0] for part in parts[plain:]}
    return any(part[0] in "._" and part[0] not in named for part in Path(path).parts[plain:])
