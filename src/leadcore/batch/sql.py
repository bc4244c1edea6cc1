"""Tables from a query: DuckDB's, and through ADBC those of SQLite and PostgreSQL.

A query is given as ``duckdb:FILE#SQL``, ``duckdb:#SQL`` (without a file of its own, over files that DuckDB can read),
``sqlite:FILE#SQL`` or ``postgresql://...#SQL``; instead of ``SQL`` the name of a table will do. The address of a file
elsewhere (``s3://``, ``gs://``, ``az://``, ``https://`` ...) is read by DuckDB, whose extensions and secrets then count.
"""

from __future__ import annotations

import re
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from leadcore._arrow import ArrowStream, Table
from leadcore._files import wanted_fields
from leadcore._inputs import Names
from leadcore._sources import format_of
from leadcore.errors import DataError, LeadcoreError, Problem
from leadcore.model import Model

_SCHEMES = ("duckdb:", "sqlite:", "postgresql://", "postgres://")
_REMOTE = re.compile(r"(s3a?|gs|gcs|r2|az|abfss?|https?|hf|file)://", re.IGNORECASE)
_MEMORY = "300MB"
"""What DuckDB may take beside the job; it writes the rest into its own temporary folder."""
_THREADS = 1


def is_query(given: str) -> bool:
    """Whether this names a query or a file elsewhere, not a file here.

    Example:
        >>> is_query("duckdb:crm.db#select * from events"), is_query("exports/events.parquet")
        (True, False)
    """
    return given.startswith(_SCHEMES) or _REMOTE.match(given) is not None


class QueryTable:
    """The rows of a query as an Arrow stream; each reading runs it again.

    Attributes:
        query: As it was given.
        source: What messages call it: a query may hold a password.
        file: The database's file, or None.
        fields: The columns read, by their name there, and their kind.
    """

    def __init__(self, query: str, model: Model, table: str, names: Names) -> None:
        """Open a query.

        Raises:
            LeadcoreError: It is none, or an extra is not installed.
            DataError: The database refuses it.
        """
        self.query, self.source = query, f"the query of {table}"
        if _REMOTE.match(query):
            self._scheme, self.file, self._sql = "duckdb:", None, f"select * from {_reader(query)}"
        else:
            self._scheme = next(scheme for scheme in _SCHEMES if query.startswith(scheme))
            where, mark, sql = query.removeprefix(self._scheme).partition("#")
            if not mark or not sql.strip():
                raise LeadcoreError(f"{table}: write {self._scheme}...#select ..., or #NAME for a whole table")
            self.file = where if where and self._scheme in ("duckdb:", "sqlite:") else None
            if self.file is not None and not Path(self.file).is_file():
                raise LeadcoreError(f"there is no file {self.file}")
            self._where = where
            plain = re.fullmatch(r"\s*[\w.\"]+\s*", sql) is not None
            self._sql = f"select * from {sql}" if plain else sql.strip().rstrip(";")
        self._table = table
        wanted = wanted_fields(model, table, names)
        there = self._run(f"select * from ({self._sql}) as t limit 0", collect=True).column_names
        self.fields = {name: kind for name, kind in wanted.items() if name in there}
        self.column_names = there
        self._shown = ", ".join('"' + name.replace('"', '""') + '"' for name in self.fields) or "1"
        self._rows: int | None = None

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows, from the first."""
        return self._run(f"select {self._shown} from (" + self._sql + ") as t").__arrow_c_stream__(requested_schema)

    @property
    def rereadable(self) -> bool:
        """Always: the query is run again."""
        return True

    @property
    def rows_total(self) -> int | None:
        """Rows, counted by the database."""
        if self._rows is None:
            self._rows = int(self._run(f"select count(*) as n from ({self._sql}) as t", collect=True).row(0)["n"])
        return self._rows

    @property
    def progress(self) -> tuple[int, int | None]:
        """Nothing: rows are counted by those who read them."""
        return 0, None

    def _run(self, sql: str, collect: bool = False) -> Any:
        try:
            stream = self._stream(sql)
            return Table.collect(stream) if collect else stream
        except LeadcoreError:
            raise
        except Exception as fault:
            told = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
            raise DataError([Problem(self._table, None, None, None, f"the query failed: {told}")]) from fault

    def _stream(self, sql: str) -> ArrowStream:
        if self._scheme == "duckdb:":
            return _duckdb(self.file, sql)
        return _adbc(self._scheme, self.file or self._scheme + self._where, sql)


def _reader(address: str) -> str:
    """DuckDB's function for a file elsewhere."""
    quoted = "'" + address.replace("'", "''") + "'"
    match format_of(address):
        case "csv":
            return f"read_csv({quoted}, all_varchar = true)"
        case "jsonl":
            return f"read_json({quoted}, format = 'newline_delimited')"
        case _:
            return f"read_parquet({quoted})"


def _duckdb(file: str | None, sql: str) -> ArrowStream:
    try:
        import duckdb
    except ImportError as error:
        raise LeadcoreError("a duckdb: query needs DuckDB: pip install 'leadcore[duckdb]'") from error
    settings: dict[str, Any] = {"memory_limit": _MEMORY, "threads": _THREADS, "preserve_insertion_order": True}
    settings["temp_directory"] = str(Path(tempfile.gettempdir(), "leadcore-duckdb"))
    connection = duckdb.connect(file or ":memory:", read_only=file is not None, config=settings)
    stream: ArrowStream = _Held(connection.sql(sql), connection)
    return stream


class _Held:
    """A stream that keeps alive what it comes from."""

    def __init__(self, stream: Any, *owners: Any) -> None:
        self._stream, self._owners = stream, owners

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._stream.__arrow_c_stream__(requested_schema)


def _adbc(scheme: str, where: str, sql: str) -> ArrowStream:
    try:
        manager = import_module("adbc_driver_manager")
        driver = import_module("adbc_driver_sqlite" if scheme == "sqlite:" else "adbc_driver_postgresql")
    except ImportError as error:
        raise LeadcoreError(f"a {scheme} query needs an ADBC driver: pip install 'leadcore[adbc]'") from error
    database = driver.connect(where)
    connection = manager.AdbcConnection(database)
    statement = manager.AdbcStatement(connection)
    statement.set_sql_query(sql)
    rows, _ = statement.execute_query()
    return _Held(rows, statement, connection, database)
