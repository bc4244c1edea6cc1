"""The Arrow edge of leadcore: ids to codes, conditions to hit sets, tables in and out."""

from leadcore_arrow._edge import (
    Classifier,
    EdgeError,
    Encoder,
    Program,
    Table,
    TableReader,
    __version__,
    check_pattern,
    document_events,
    fold_text,
    from_python,
    lines_of_rows,
    match_text,
    write_table,
)

__all__ = [
    "Classifier",
    "EdgeError",
    "Encoder",
    "Program",
    "Table",
    "TableReader",
    "__version__",
    "check_pattern",
    "document_events",
    "fold_text",
    "from_python",
    "lines_of_rows",
    "match_text",
    "write_table",
]
