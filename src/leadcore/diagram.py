"""Pictures of a lifecycle: Mermaid text, and SVG drawn without a browser."""

from __future__ import annotations

from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from leadcore._diagram.layout import layout
from leadcore._diagram.mermaid import mermaid
from leadcore._diagram.sketch import sketch
from leadcore._diagram.svg import svg
from leadcore.errors import LeadcoreError

if TYPE_CHECKING:
    from leadcore._diagram.traffic import Replayed
    from leadcore.model import Model


class Diagram:
    """The picture of a model's lifecycle; notebooks show it.

    The success path is a straight line, detours stand beside it, exits apart. On the arrows stand the transitions and
    when they fire; several between the same two stages share an arrow, and a transition out of very many stages has
    one arrow from a box that stands for them. On the stages stand owner and service level. With a replay: leads in
    each stage at the end, entries, the median of finished stays in days (of an even number of stays the mean of the
    two in the middle, exact, shown with at most two decimals), and on the arrows how often each transition fired.

    Args:
        model: The model.
        replay: Whose figures are to stand in the picture.

    Raises:
        LeadcoreError: The model has no lifecycle, or the replay is of another model.

    Example:
        >>> from leadcore import Model
        >>> model = Model.model_validate({
        ...     "name": "tiny",
        ...     "scores": {"total": {"criteria": []}},
        ...     "lifecycle": {
        ...         "initial": "new",
        ...         "stages": [{"name": "new"}, {"name": "hot", "owner": "sales"}],
        ...         "transitions": [{
        ...             "name": "ready", "from": "new", "to": "hot",
        ...             "when": {"field": "score.total", "op": "ge", "value": 65},
        ...         }],
        ...     },
        ... })
        >>> print(model.diagram().mermaid.partition("classDef")[0].rstrip())
        flowchart TB
            s0("new"):::success
            s1("hot<br/>sales"):::success
            start((" ")):::start
            start --> s0
            s0 -->|"ready<br/>total >= 65"| s1
    """

    def __init__(self, model: Model, replay: Replayed | None = None) -> None:
        self._name = model.name
        self._sketch = sketch(model, replay)

    @cached_property
    def mermaid(self) -> str:
        """Mermaid text: code hosts, wikis and notebooks draw it. Names of the model are quoted, none can add to it."""
        return mermaid(self._sketch)

    @cached_property
    def _svg(self) -> str:
        return svg(self._sketch, layout(self._sketch))

    def to_svg(self) -> str:
        """The picture as the text of an SVG file: no scripts, no links, nothing to load."""
        return self._svg

    def save(self, path: str | PathLike[str]) -> None:
        """Write the picture to a file: ``.svg``, ``.mmd`` (Mermaid text) or ``.md`` (the same, fenced for Markdown).

        Raises:
            LeadcoreError: The name ends otherwise.
            OSError: The file cannot be written.
        """
        match Path(path).suffix.lower():
            case ".svg":
                text = self.to_svg()
            case ".mmd":
                text = self.mermaid
            case ".md":
                text = f"```mermaid\n{self.mermaid}```\n"
            case _:
                raise LeadcoreError(f"the name {Path(path).name} does not end in one of .svg, .mmd, .md")
        Path(path).write_text(text, encoding="utf-8")

    def __str__(self) -> str:
        return self.mermaid

    def __repr__(self) -> str:
        stages = sum(box.kind not in ("any", "hand") for box in self._sketch.boxes)
        return f"Diagram({self._name!r}, {stages} stages, {len(self._sketch.arrows)} arrows)"

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def _repr_html_(self) -> str:
        return f'<div style="overflow-x: auto">{self.to_svg()}</div>'
