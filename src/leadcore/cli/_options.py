"""Options that several commands have, and what they turn into."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from leadcore._files import FileTable
from leadcore._inputs import Names, column_names
from leadcore._sources import ENDINGS, STANDARD_STREAM, Format, find_files, format_of
from leadcore._time import to_micros
from leadcore.cli._errors import DATA, Stop
from leadcore.errors import DataError, LeadcoreError
from leadcore.model import Model

if TYPE_CHECKING:
    from leadcore.batch.sql import QueryTable
    from leadcore.replay import Replay
    from leadcore.scores import Scores

_FILES = "a file, a folder or a quoted glob of .parquet, .csv, .jsonl (also .gz), or -"
ModelFile = Annotated[str, typer.Argument(metavar="MODEL", help="The model document: YAML, or JSON ending in .json.")]
Leads = Annotated[
    str | None,
    typer.Option("--leads", metavar="FILES", help=f"The leads table: {_FILES}."),
]
Events = Annotated[
    str | None,
    typer.Option("--events", metavar="FILES", help=f"The events table: {_FILES}."),
]
AsOf = Annotated[
    str,
    typer.Option("--as-of", metavar="T", help="The instant to score at, ISO 8601: 2026-06-01 or 2026-06-01T12:00Z."),
]
AsOfMaybe = Annotated[
    str | None, typer.Option("--as-of", metavar="T", help="Tell what lies after this instant, ISO 8601.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--columns", metavar="[TABLE.]NAME=COLUMN",
        help="The model's name of a column and yours: events.lead_id=contact_id. Give it as often as needed.",
    ),
]  # fmt: skip
StreamFormat = Annotated[
    Literal["parquet", "csv", "jsonl"] | None,
    typer.Option("--format", help="The format of a table that is - (the standard stream)."),
]
TablesFormat = Annotated[
    Literal["parquet", "csv", "jsonl"] | None,
    typer.Option("--format", help="The format of the tables in DIR (parquet by default), and of a table that is -."),
]
Aliases = Annotated[
    str | None,
    typer.Option("--aliases", metavar="FILES", help="A table lead_id, same_as of records that are one person."),
]
Threads = Annotated[int | None, typer.Option("--threads", metavar="N", min=1, help="Threads to use; by default all.")]
Memory = Annotated[
    str | None,
    typer.Option(
        "--memory", metavar="SIZE",
        help="What the job may take in all, such as 2GB; by default 70 % of the machine. More input is cut into partitions.",
    ),
]  # fmt: skip
Partitions = Annotated[
    int | None,
    typer.Option("--partitions", metavar="N", min=1, max=1024, help="Partitions; by default as --memory asks for."),
]
Work = Annotated[
    str | None,
    typer.Option(
        "--work", metavar="DIR", help="The folder for partitions; by default beside --out. It goes at the end."
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the job that was stopped; if there is none, begin one.")
]
Partitioned = Annotated[
    bool, typer.Option("--partitioned", help="Leave results in folders of Parquet partitions instead of files.")
]
LogFormat = Annotated[
    Literal["text", "json"],
    typer.Option("--log-format", help="How stderr tells what happens: text, or JSON lines for schedulers."),
]
UnknownLeads = Annotated[
    Literal["score", "error", "ignore"],
    typer.Option("--unknown-leads", help="What to do with leads known only from events."),
]


def load(path: str) -> Model:
    """The model in a file.

    Raises:
        Stop: There is no such file, or it cannot be read.
        ModelError: The document is refused.
    """
    try:
        return Model.load(path)
    except OSError as error:
        raise Stop(f"cannot read the model {path}: {_reason(error)}") from error


def memory_size(given: str | None) -> int | None:
    """Bytes of a size on the command line.

    Raises:
        Stop: It is none, or too little.
    """
    from leadcore.batch.memory import memory_of

    try:
        return None if given is None else memory_of(given)
    except LeadcoreError as error:
        raise Stop(f"--memory: {error}") from error


def instant(text: str, option: str = "--as-of") -> int:
    """Microseconds of an instant on the command line.

    Raises:
        Stop: It is none.
    """
    try:
        return to_micros(text)
    except ValueError as error:
        raise Stop(f"{option}: {error}") from error


def lead_of(result: Replay | Scores, text: str) -> int | str:
    """The id as the tables have it: text, or the integer it spells.

    Raises:
        Stop: There is no such lead.
    """
    if text in result:
        return text
    if text.lstrip("-").isdecimal() and text == str(int(text)) and int(text) in result:
        return int(text)
    raise Stop(f"no lead {text!r} among the {len(result):,} leads of these tables")


def column_map(model: Model, given: Sequence[str] | None) -> dict[str, dict[str, str]]:
    """``["events.lead_id=contact_id"]`` as the scorer takes it.

    Raises:
        Stop: One of them is not of that form, or names what the model has not.
    """
    maps: dict[str, dict[str, str]] = {"leads": {}, "events": {}}
    for text in given or ():
        left, equals, column = text.partition("=")
        table, dot, name = left.rpartition(".")
        if not equals or not column or not name or (dot and table not in maps):
            raise Stop(f"--columns: write leads.NAME=COLUMN or events.NAME=COLUMN, not {text!r}")
        tables = [table] if dot else [table for table in maps if _has(model, table, name)]
        if not tables or (dot and not _has(model, table, name)):
            raise Stop(f"--columns: the model asks for no column {left!r}, only for {_asked(model, table)}")
        for table in tables:
            maps[table][name] = column
    return maps


def _has(model: Model, table: str, name: str) -> bool:
    try:
        column_names(model, {table: {name: name}})
    except DataError:
        return False
    return True


def _asked(model: Model, table: str) -> str:
    from leadcore._files import _kinds

    tables = [table] if table else ["leads", "events"]
    return ", ".join(f"{table}.{name}" for table in tables for name in _kinds(model, table))


def open_input(
    source: str | None, model: Model, table: str, maps: Mapping[str, Mapping[str, str]], format: Format | None = None
) -> FileTable | QueryTable | None:
    """A table named on the command line, or None where none was.

    Raises:
        Stop: A file is not there, or its format is unknown.
    """
    if source is None:
        return None
    from leadcore.batch.inputs import open_any

    kind = stream_format(source, f"--{table}", format) if source == STANDARD_STREAM else None
    names: Names = column_names(model, {key: dict(value) for key, value in maps.items()})
    try:
        return open_any(source, model, table, names, kind)
    except OSError as error:
        raise Stop(f"--{table}: cannot read {error.filename or source}: {_reason(error)}") from error
    except DataError as error:
        problem = error.problems[0]
        if problem.column is None:
            raise Stop(f"--{table}: {problem.reason}", DATA) from error
        raise Stop(f"--columns: column {problem.column} {problem.reason}") from error
    except LeadcoreError as error:
        raise Stop(f"--{table}: {error}") from error
    except ValueError as error:
        raise Stop(str(error), DATA) from error


def stream_format(path: str, option: str, format: Format | None) -> Format:
    """The format of a table's file.

    Raises:
        Stop: Nothing says it.
    """
    if path == STANDARD_STREAM:
        if format is None:
            raise Stop(f"{option} -: say the format of the standard stream with --format csv, jsonl or parquet")
        return format
    known = format_of(path)
    if known is None:
        raise Stop(f"{option}: the name {path} does not end in one of {', '.join(ENDINGS)}")
    return known


def output_format(path: str, option: str, format: Format | None) -> Format:
    """The format of a file to be written.

    Raises:
        Stop: Nothing says it, or it would be packed.
    """
    if path.lower().endswith(".gz"):
        raise Stop(f"{option}: {path} would have to be packed, which leadcore does not do: write to {path[:-3]}")
    if path != STANDARD_STREAM and format_of(path) is None:
        endings = (ending for ending in ENDINGS if not ending.endswith(".gz"))
        raise Stop(f"{option}: the name {path} does not end in one of {', '.join(endings)}")
    return stream_format(path, option, format)


def check_files(inputs: Mapping[str, str | None], outputs: Mapping[str, str | None]) -> None:
    """Refuse what cannot go well before anything is read: by option, names of files or None; inputs may be of many.

    Raises:
        Stop: One stream for two tables, an output over or among an input's files, or what is not there.
    """
    for side in (inputs, outputs):
        streams = [option for option, path in side.items() if path == STANDARD_STREAM]
        if len(streams) > 1:
            raise Stop(f"only one of {' and '.join(streams)} can be - (the standard stream)")
    seen = {file: option for option, source in inputs.items() for file in files_of(source, option)}
    for option, path in outputs.items():
        if path is None or path == STANDARD_STREAM:
            continue
        real = os.path.realpath(path)
        if real in seen:
            raise Stop(f"{option} would write over {seen[real]} {path}")
        if not Path(real).parent.is_dir():
            raise Stop(f"{option}: there is no directory {Path(path).parent}")
        if Path(real).is_dir():
            raise Stop(f"{option}: {path} is a directory")
        for table, source in inputs.items():
            if source is not None and files_of(source, table) and Path(real).is_relative_to(os.path.realpath(source)):
                raise Stop(f"{option}: {path} would lie among the files of {table} {source}")
        seen[real] = option


def files_of(source: str | None, option: str) -> list[str]:
    """The real names of the files of a table or a model; none of the standard stream.

    Raises:
        Stop: There are none, or they are of several formats.
    """
    from leadcore.batch.sql import is_query

    if source is None or source == STANDARD_STREAM or is_query(source):
        return []
    paths = [source] if Path(source).is_file() else find(source, option)[0]
    return [os.path.realpath(path) for path in paths]


def find(source: str, option: str) -> tuple[list[str], Format]:
    """The files of a table, and their format.

    Raises:
        Stop: There are none, or they are of several formats.
    """
    try:
        return find_files(source)
    except FileNotFoundError as error:
        raise Stop(f"{option}: there is no file {source}") from error
    except LeadcoreError as error:
        raise Stop(f"{option}: {error}") from error


def _reason(error: OSError) -> str:
    said: Any = error.strerror or str(error)
    return str(said)[:1].lower() + str(said)[1:]
