"""The command line: ``leadcore init, score, replay, apply, explain, diagram, validate, schema, demo``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

NEEDS_EXTRA = 'leadcore: the command line needs typer and rich: pip install "leadcore[cli]"'


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        0 done, 2 usage or model, 3 data, 1 anything else (spec 12).
    """
    try:
        import rich
        import typer
    except ImportError:
        print(NEEDS_EXTRA, file=sys.stderr)
        return 1
    del rich, typer
    from leadcore.cli._app import invoke

    return invoke(arguments)
