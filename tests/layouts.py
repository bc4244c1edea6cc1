"""The same tables laid out otherwise."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pyarrow as pa

TEXTS = (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string()))


def laid_out(rng: Random) -> Callable[[pa.Table], pa.Table]:
    """Gives tables in other chunks, slices and encodings of text."""

    def layout(table: pa.Table) -> pa.Table:
        columns = {}
        for name, column in zip(table.column_names, table.columns, strict=True):
            if pa.types.is_string(column.type):
                to = rng.choice(TEXTS)
                column = column.dictionary_encode() if pa.types.is_dictionary(to) else column.cast(to)
            columns[name] = column
        table = pa.table(columns)
        cuts = sorted(rng.randrange(len(table) + 1) for _ in range(rng.randrange(4)))
        pieces = [table.slice(a, b - a) for a, b in zip([0, *cuts], [*cuts, len(table)], strict=True)]
        return pa.concat_tables(pieces)

    return layout
