"""The only door to the Arrow edge: everything of `leadcore_arrow` that leadcore uses, and nothing else."""

from leadcore_arrow import (
    EdgeError,
    Encoder,
    Program,
    Table,
    TableReader,
    from_python,
    match_text,
    write_table,
)

__all__ = ["EdgeError", "Encoder", "Program", "Table", "TableReader", "from_python", "match_text", "write_table"]
