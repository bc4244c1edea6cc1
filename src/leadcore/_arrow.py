"""The only door to the Arrow edge: everything of `leadcore_arrow` that leadcore uses, and nothing else."""

from typing import Protocol, runtime_checkable

from leadcore_arrow import (
    Classifier,
    EdgeError,
    Encoder,
    PartReader,
    Program,
    Table,
    TableReader,
    from_python,
    lines_of_rows,
    match_text,
    merge_parts,
    parts_of,
    split_table,
    write_table,
)

__all__ = [
    "ArrowStream",
    "Classifier",
    "EdgeError",
    "Encoder",
    "PartReader",
    "Program",
    "Table",
    "TableReader",
    "from_python",
    "lines_of_rows",
    "match_text",
    "merge_parts",
    "parts_of",
    "split_table",
    "write_table",
]


@runtime_checkable
class ArrowStream(Protocol):
    """Anything that hands out an Arrow C stream through the PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The stream's capsule."""
        ...
