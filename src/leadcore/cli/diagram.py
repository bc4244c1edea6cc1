"""``leadcore diagram``: the picture of a model's lifecycle."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from leadcore.cli import _options as options
from leadcore.cli._errors import Stop

_ENDINGS = {".svg": "svg", ".mmd": "mermaid", ".md": "mermaid"}


def diagram(
    model: options.ModelFile,
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="FILE", help="Write it there instead of printing: .svg, .mmd, .md (fenced)."),
    ] = None,
    format: Annotated[
        Literal["mermaid", "svg"] | None,
        typer.Option("--format", help="What to print: mermaid (text, the default) or svg."),
    ] = None,
) -> None:
    """Draw the lifecycle of a model: stages, and the transitions between them.

    As Mermaid text, which code hosts and wikis draw, or as SVG, which is drawn here, without a browser.
    """
    path = None if out == "-" else out
    ending = None if path is None else Path(path).suffix.lower()
    if ending is not None:
        if ending not in _ENDINGS:
            raise Stop(f"--out: the name {path} does not end in one of {', '.join(_ENDINGS)}")
        if format not in (None, _ENDINGS[ending]):
            raise Stop(f"--format {format} does not fit --out {path}: leave one of them out")
    options.check_files({}, {"--out": path})
    document = options.load(model)
    if document.lifecycle is None:
        raise Stop(f"the model {model} has no lifecycle: there is nothing to draw")
    options.check_files({"MODEL": model}, {"--out": path})  # not over the model
    drawn = document.diagram()
    if path is not None:
        drawn.save(path)
    else:
        sys.stdout.write(drawn.to_svg() if format == "svg" else drawn.mermaid)
