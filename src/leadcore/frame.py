"""Tables given out: Arrow underneath, and the caller's own frame on request."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from leadcore._arrow import Table
from leadcore.errors import LeadcoreError

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

SHOWN = 10


class Frame:
    """An immutable table: ``__arrow_c_stream__`` for anything that reads Arrow, re-readable, and converters.

    Raises:
        LeadcoreError: A converter's library is not installed; the error names the extra that brings it.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    @property
    def table(self) -> Table:
        """The table itself."""
        return self._table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table as an Arrow C stream; may be asked again."""
        return self.table.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        """The table's Arrow schema."""
        return self.table.__arrow_c_schema__()

    def __len__(self) -> int:
        return len(self.table)

    @property
    def column_names(self) -> list[str]:
        """Names of the columns, in order."""
        return self.table.column_names

    def to_arrow(self) -> pyarrow.Table:
        """A pyarrow Table, without a copy (needs pyarrow)."""
        return imported("pyarrow", "pandas").table(self.table)

    def to_polars(self) -> polars.DataFrame:
        """A Polars DataFrame (needs the extra ``polars``)."""
        frame: polars.DataFrame = imported("polars", "polars").DataFrame(self.table)
        return frame

    def to_pandas(self) -> pandas.DataFrame:
        """A pandas DataFrame (needs the extra ``pandas``)."""
        imported("pandas", "pandas")
        frame: pandas.DataFrame = self.to_arrow().to_pandas()
        return frame

    def to_dicts(self) -> list[dict[str, Any]]:
        """A list of dicts; instants are aware datetimes in UTC."""
        return self.table.to_dicts()

    def __repr__(self) -> str:
        import numpy as np

        names = self.column_names
        rows = self.table.take(np.arange(min(SHOWN, len(self)))).to_dicts()
        cells = [names, *([_cell(row[name]) for name in names] for row in rows)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
        more = f"\n... {len(self)} rows" if len(self) > SHOWN else ""
        return "\n".join(lines) + more

    def _repr_html_(self) -> str:
        import numpy as np

        rows = self.table.take(np.arange(min(SHOWN, len(self)))).to_dicts()
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.column_names)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(row[name]))}</td>" for name in self.column_names) + "</tr>"
            for row in rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def imported(module: str, extra: str) -> Any:
    """The module, or an error that says how to get it."""
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        raise LeadcoreError(f'this needs {module}: pip install "leadcore[{extra}]"') from None
