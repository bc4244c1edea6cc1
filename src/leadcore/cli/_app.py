"""The commands put together, and how each run of one ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from leadcore.cli import _errors
from leadcore.cli.apply import apply
from leadcore.cli.demo import demo
from leadcore.cli.diagram import diagram
from leadcore.cli.explain import explain
from leadcore.cli.init import init
from leadcore.cli.replay import replay
from leadcore.cli.schema import schema
from leadcore.cli.score import score
from leadcore.cli.validate import validate

app = typer.Typer(
    name="leadcore", add_completion=False, no_args_is_help=True, rich_markup_mode=None,
    pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
    epilog="A first look: leadcore demo. A first model: leadcore init --out model.yaml.",
)  # fmt: skip


def _example(*lines: str) -> str:
    """An epilog of example commands, each on a line of its own."""
    return "\n".join(["\b", "Example:", *(f"  {line}" for line in lines)])


for command, short, *lines in (
    (init, "Write a first model with comments.", "leadcore init --leads leads.csv --events events.csv --out model.yaml"),
    (
        score, "Score every lead at an instant.",
        "leadcore score model.yaml --leads leads.csv --events events.parquet \\",
        "         --as-of 2026-06-01T00:00Z --out scores.csv",
    ),
    (
        replay, "Say what happened to every lead until an instant.",
        "leadcore replay model.yaml --leads leads.csv --events events.parquet \\",
        "         --until 2026-06-01 --out lifecycle --format csv",
        "leadcore replay model.yaml --events events.parquet --until 2026-06-01 --lead 4711",
    ),
    (
        apply, "Take today's facts into yesterday's ledgers.",
        "leadcore apply model.yaml --state monday --events 'tuesday/*.parquet' --until 2026-06-03 \\",
        "         --new-state tuesday --out changes",
    ),
    (
        explain, "Say why one lead has its scores.",
        "leadcore explain model.yaml 4711 --leads leads.csv --events events.csv \\",
        "         --as-of 2026-06-01",
    ),
    (
        validate, "Check a model, and whether data fit it.",
        "leadcore validate model.yaml --events events.csv --as-of 2026-06-01",
    ),
    (
        diagram, "Draw the lifecycle of a model.",
        "leadcore diagram model.yaml", "leadcore diagram model.yaml --out lifecycle.svg",
    ),
    (schema, "Print the JSON Schema of models.", "leadcore schema > leadcore.schema.json"),
    (
        demo, "Score 10 million made-up events, and look.",
        "leadcore demo", "leadcore demo --rows 100000 --text-ids --dir small",
    ),
):  # fmt: skip
    app.command(short_help=str(short), epilog=_example(*map(str, lines)))(command)


def _version(asked: bool) -> None:
    if asked:
        import leadcore

        print(f"leadcore {leadcore.__version__}")
        raise typer.Exit


@app.callback()
def _leadcore(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Score leads by what they are and what they do: exactly, and with reasons."""


def invoke(arguments: Sequence[str]) -> int:
    """Run one command line and say on stderr what went wrong, if anything did."""
    try:
        ended: Any = app(list(arguments), prog_name="leadcore", standalone_mode=False)
        sys.stdout.flush()
        if ended == _errors.INTERRUPTED:
            raise KeyboardInterrupt
        return ended if isinstance(ended, int) else _errors.DONE
    except KeyboardInterrupt:
        print("leadcore: stopped", file=sys.stderr)
        return _errors.INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _errors.OTHER
    except Exception as error:
        usage = _usage(error)
        if usage is not None:
            print(usage, file=sys.stderr)
            return _errors.USAGE
        _errors.tell(error)
        return _errors.exit_code(error)


def _usage(error: Exception) -> str | None:
    """What typer says of a wrong command line, as one or two plain lines; None if it is another error."""
    if isinstance(error, typer.Abort):
        return "leadcore: stopped"
    if not hasattr(error, "format_message"):
        return None
    if type(error).__name__ == "NoArgsIsHelpError":
        return None if not error.format_message() else str(error.format_message())
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "leadcore"
    said = str(error.format_message()).replace("Value error, ", "")
    return f"{path}: {said}\nTry '{path} --help'."
