"""``leadcore schema``: the JSON Schema of model documents."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def schema(
    out: Annotated[
        str | None, typer.Option("--out", metavar="FILE", help="Write it there instead of printing.")
    ] = None,
) -> None:
    """Print the JSON Schema of model documents, for completion and checks in an editor.

    With the YAML language server, put this line on top of a model:
    # yaml-language-server: $schema=leadcore.schema.json
    """
    from leadcore.model import Model

    text = json.dumps(Model.json_schema(), indent=2, ensure_ascii=False) + "\n"
    if out is None or out == "-":
        sys.stdout.write(text)
    else:
        Path(out).write_text(text, encoding="utf-8")
