"""Reads the section ``Example:`` of docstrings as the reference's generator reads ``Examples:``: as code with its output."""

from __future__ import annotations

import re
from typing import Any

import griffe


class Examples(griffe.Extension):
    """Renames the section where it stands."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called with everything that may have a docstring."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"(?m)^([ \t]*)Example:$", r"\1Examples:", obj.docstring.value)
