"""What the compiled edge offers to Python: nothing else crosses this border."""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Protocol, final

import numpy as np
import numpy.typing as npt

__all__ = [
    "Classifier",
    "EdgeError",
    "Encoder",
    "PartReader",
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
    "merge_parts",
    "parts_of",
    "split_table",
    "write_table",
]

__version__: str

class _ArrowStream(Protocol):
    """Anything that hands out an Arrow C stream through the PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

class EdgeError(Exception):
    """Rows or columns the edge refuses.

    Attributes:
        problems: At most the first 100, each ``(table, row, column, value, reason)``: ``table`` is
            ``"leads"``, ``"events"``, ``"as_of"`` or ``"aliases"``; ``row`` the 0-based position in that table, or
            None for a whole column; ``column`` the name in the caller's table, or None; ``value`` at most
            32 characters, escaped, or None.
        total: How many problems there were in all.
    """

    problems: list[tuple[str, int | None, str | None, str | None, str]]
    total: int

@final
class Program:
    """The compiled conditions of one model (spec 3): immutable, shared by threads, pickled by its source.

    Args:
        source: JSON, UTF-8::

            {"fields": {"lead":  [{"name": "job_title", "type": "text", "optional": false}, ...],
                        "event": [{"name": "url", "type": "text", "optional": false}, ...]},
             "types": [{"name": "page_view", "fields": [0, 2]}, ...],
             "lead_rules":  [RULE, ...],
             "event_rules": [RULE, ...],
             "codes":   [2, ...],
             "numbers": [3, ...],
             "ordered": true}

        ``type`` is ``text``, ``number``, ``boolean`` or ``instant``. ``types[i].fields`` are indices of event fields
        in that type's document order; a field that a row's type does not declare reads as null (spec 2.2).
        ``codes`` and ``numbers`` are event fields that go beside each row: dense codes by exact value (0 = null),
        and float64 (NaN = null). ``ordered`` asks for identities also where there is no ``event_id`` (spec 2.4).

        RULE is one of (``types``: list of event type indices, present on event rules only)::

            {"rule": "test",  "types": [...], "hit": H, "when": COND}
            {"rule": "table", "types": [...], "when": COND or absent, "field": F, "fold": true,
             "rows": [["text", H], ...], "otherwise": H or null, "missing": H or null}
            {"rule": "bands", "types": [...], "when": COND or absent, "field": F,
             "rows": [[1000.0, H], ...], "otherwise": H or null, "missing": H or null}

        H is a hit id (uint32), any number a plan likes; a rule adds at most one hit id to its row. Bands: the row
        with the highest bound that is <= the value; ``missing`` where the field is null; ``otherwise`` where no row
        fits. ``fold``: compare by Unicode simple case folding (spec 3.4); rows are distinct after it.

        COND is one of::

            {"all": [COND, ...]}   {"any": [COND, ...]}   {"not": COND}
            {"field": F, "op": "exists"}
            {"field": F, "op": "in", "values": [...], "fold": true}             text, number, boolean, instant
            {"field": F, "op": "lt" | "le" | "gt" | "ge", "values": [v]}        number, instant
            {"field": F, "op": "between", "values": [lo, hi]}                   number, instant; both ends included
            {"field": F, "op": "contains" | "has_word" | "starts_with" | "ends_with" | "matches",
             "values": ["text", ...], "fold": true}                             any of the values
            {"op": "type", "types": [0, 3]}                                     the event's type is one of these

        Instants are int64 microseconds since 1970 (JSON integers), numbers JSON numbers read as nearest float64.
        Two-valued logic: every op is false on null (spec 3.3).

    Raises:
        ValueError: The source is not of this form, or a pattern is invalid or too large.
    """

    def __new__(cls, source: bytes) -> Program: ...
    @property
    def source(self) -> bytes: ...
    def __reduce__(self) -> tuple[type[Program], tuple[bytes]]: ...
    def encode_lead(
        self,
        attributes: Mapping[str, Any],
        events: Sequence[Mapping[str, Any]],
    ) -> tuple[
        npt.NDArray[np.uint32],
        npt.NDArray[np.int64],
        npt.NDArray[np.uint32],
        npt.NDArray[np.int64],
        npt.NDArray[np.uint32],
        npt.NDArray[np.uint32] | None,
        npt.NDArray[np.uint32] | None,
        npt.NDArray[np.uint32],
        npt.NDArray[np.float64],
        int,
    ]:
        """Encode one lead with its events straight from Python values, no Arrow on the way.

        An event is a mapping with ``type``, ``at`` (datetime, date, ISO 8601 text, numpy datetime64), the properties
        and optionally ``event_id``. Undeclared types are left out and counted.

        Returns:
            ``(lead_hits, at, hits, offsets, hit_ids, order, content, codes, numbers, ignored)``: the hit ids of the
            attributes; per event its instant and hit set number; the hit sets of this call as offsets (one more than
            there are sets) into ``hit_ids``; ``order`` as in `Encoder.identity_ranks` already applied, with ids ranked
            from 2**31 upwards (None unless the program is ordered or an event has an ``event_id``); ``content`` (None
            unless an event has an ``event_id``); ``codes`` of shape (len(codes), n), ``numbers`` of shape
            (len(numbers), n); how many events were ignored.

        Raises:
            EdgeError: A value does not fit its declared type.
        """
    def encode_event(
        self, type: str, at: object, properties: Mapping[str, Any] | None, event_id: object
    ) -> tuple[int, bytes, bytes, bytes, bytes, bytes] | None:
        """Encode one event straight from Python values, in bytes that mean the same in every run of this program.

        Values are those of `encode_lead`; properties that the type does not declare are not looked at.

        Returns:
            None if the type is not declared, else ``(at, hits, order, content, codes, numbers)``: microseconds since
            1970; hit ids, uint32 little-endian, ascending; the order key and content digest of `Encoder.event_keys`;
            the digest of `Encoder.code_digests` for each of the program's codes; its numbers, float64 little-endian,
            NaN for null.

        Raises:
            EdgeError: A value does not fit its declared type; its row is 0.
        """
    def encode_attributes(self, attributes: Mapping[str, Any]) -> bytes:
        """The hit ids of one lead's attributes, uint32 little-endian, ascending.

        Raises:
            EdgeError: A value does not fit its declared type.
        """

@final
class Classifier:
    """Single events by the classes of their values: events of one type and of equal classes hit the same.

    A class of a text stands for what all rules say of it, and is numbered as answers are first seen; 0 is null. Of a
    boolean it is 1 or 2; of numbers and instants each bound of the rules is a class, and each gap between two:
    1 + 2 * (how many bounds are below) + (whether one is equal). Shared by threads; not pickled.

    Args:
        program: The compiled conditions.
    """

    def __new__(cls, program: Program) -> Classifier: ...
    def kinds(self) -> list[tuple[str, list[tuple[str, str, bool, int, list[float], list[int]]]]]:
        """Every event type with its fields, in document order.

        A field is ``(name, type, read, number, numbers, instants)``: whether a rule of the type reads it, its place
        among the program's numbers or -1, and the bounds of its classes.
        """
    def read(
        self, type: str, at: object, properties: Mapping[str, Any] | None
    ) -> tuple[int, bytes | None, bytes, bytes] | None:
        """Read one event straight from Python values, as `Program.encode_event` does.

        Returns:
            None if the type is not declared, else ``(at, classes, hits, numbers)``: microseconds since 1970; the classes
            of the fields that are read, uint32 little-endian, in document order, None where too many texts differ to
            have classes; hit ids, uint32 little-endian, ascending; the program's numbers, float64 little-endian, NaN
            for null.

        Raises:
            EdgeError: A value does not fit its declared type; its row is 0.
        """

@final
class Encoder:
    """One run: leads, aliases and events in, blocks of codes out. Not shared between threads.

    Lead ids become dense codes in order of first sight, one space for every table read by this encoder. Ids are
    integers (int64) or text throughout; a table read by `TableReader` from CSV has untyped ids that join either and
    become integers at the end if all of them are canonical integers.

    Args:
        program: The compiled conditions.
        reject: Keep going at faulty rows and list them (`rejects`) instead of raising at the end of their table.
        keep: Keep what `event_keys` needs of every event, whatever the program asks for.
        threads: How many threads look at rows of events side by side. What comes out does not depend on it.
    """

    def __new__(cls, program: Program, reject: bool = False, keep: bool = False, threads: int = 1) -> Encoder: ...
    def read_leads(
        self, table: _ArrowStream, columns: Mapping[str, str], as_of: str | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        """Read the whole leads table (spec 2.1).

        ``columns`` maps spec names to the caller's; names not in it stand for themselves. ``as_of`` names a column of
        instants of the caller's table.

        Returns:
            ``code`` uint32, ``hits`` uint32 (hit set numbers, see `lead_hit_sets`), and where the column is there:
            ``valid_from`` int64 (null: -2**63), ``created_at`` int64 (null: 2**63 - 1), ``account`` uint32 (0: null),
            ``as_of`` int64. One entry per row kept.

        Raises:
            EdgeError: A required column is missing, an id is null, a value does not fit, a lead occurs twice without
                ``valid_from`` or twice at one ``valid_from``.
        """
    def read_pairs(
        self, table: _ArrowStream, name: str, columns: Mapping[str, str], ids: Sequence[str], instants: Sequence[str]
    ) -> dict[str, npt.NDArray[Any]]:
        """Read a small table of lead ids (as codes, uint32) and instants (int64): ``as_of`` or ``aliases``."""
    def open_events(self, table: _ArrowStream, columns: Mapping[str, str]) -> tuple[bool, bool]:
        """Begin to read events (spec 2.2).

        Returns:
            ``(identities, contents)``: whether `next_block` fills ``order`` (the program is ordered, there is an
            ``event_id`` column, or the encoder keeps events), and ``content`` (there is an ``event_id`` column, and
            the encoder does not keep events, whose contents `event_keys` tells).
        """
    def next_block(
        self,
        lead: npt.NDArray[np.uint32],
        at: npt.NDArray[np.int64],
        hits: npt.NDArray[np.uint32],
        row: npt.NDArray[np.int64],
        order: npt.NDArray[np.uint32],
        content: npt.NDArray[np.uint32],
        codes: npt.NDArray[np.uint32],
        numbers: npt.NDArray[np.float64],
    ) -> int:
        """Fill the caller's arrays with the next at most ``len(lead)`` rows of declared types; 0 at the end.

        ``hits`` is a hit set number (0: the empty set), ``row`` the position in the events table, ``order`` an
        identity number (see `identity_ranks`), ``content`` the number of (at, type, that type's properties): equal
        numbers, equal rows. ``codes`` has shape (len(program codes), len(lead)), ``numbers`` likewise. ``order`` and
        ``content`` may be empty where `open_events` said they are not filled. Releases the GIL.

        Raises:
            EdgeError: At the end of the table, if rows were faulty and the encoder does not reject.
        """
    def hit_sets(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
        """Every event hit set seen so far, as offsets into hit ids; set 0 is empty, ids ascend within a set."""
    def lead_hit_sets(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
        """Every lead hit set seen so far, likewise; set 0 is that of a lead whose attributes are all null."""
    def identity_ranks(self) -> tuple[npt.NDArray[np.uint32], int]:
        """Rank of each identity number in canonical order (spec 2.4), and how many of the first ranks have no id.

        An identity is an ``event_id``, or for a row without one (type, that type's properties). Rows without ids rank
        first, by type name (code points), then the type's properties in document order (null first, false before true,
        numbers by value, text by code point); then ids, integers by value, text by code point.
        """
    def event_ids(self, identities: npt.NDArray[np.uint32]) -> Table:
        """The event id of each identity number, null for that of a row without one and for any that was never given.

        Returns:
            A table of one column ``event_id``: int64 or text like the column of the events table, text without one.
        """
    def event_keys(
        self, identities: npt.NDArray[np.uint32]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Order keys and content digests of these identities, once the whole table is read.

        They mean the same in every run of a program with the same types and properties. Comparing order keys as bytes,
        the shorter first where one begins the other, is the canonical order at one instant (spec 2.4). A key without
        ``event_id`` is 0, the place of the type among all by name (uint16), then each property of that type in
        document order: 0 for null, else 1 and the value (boolean: 0 or 1; number and instant: eight bytes that sort as
        it does; text: UTF-8, a zero in it followed by 255, and two zeros). A key with one is 1 and an integer as eight
        bytes that sort as it does, or 2 and UTF-8. All integers are big-endian.

        Returns:
            ``(offsets, data, digests)``: the keys as offsets (one more than there are keys) into bytes, and 16 bytes
            each: equal for equal (at, type, that type's properties) of rows with an ``event_id``, else zeros.

        Raises:
            ValueError: The encoder does not keep events, or there is no such identity.
        """
    def code_digests(self, place: int) -> npt.NDArray[np.uint8]:
        """Digests of the values of one of the program's codes (the first is 0), of shape (codes, 16).

        A row for each code of `next_block`; that of code 0 is zeros. Equal digests, equal values, in every run and
        whatever the column's Arrow type.

        Raises:
            IndexError: The program does not have so many codes.
        """
    def ids(self, codes: npt.NDArray[np.uint32]) -> Table:
        """The lead ids of these codes: a table of one column ``lead_id`` (int64 or text)."""
    def id_ranks(self) -> npt.NDArray[np.uint32]:
        """Rank of each lead code when ids are sorted (integers by value, text by code point)."""
    def find(self, lead_id: int | str) -> int | None:
        """The code of a lead id, or None."""
    def accounts(self) -> Table:
        """Account ids by account code, from code 1 on: a table of one column ``account_id``."""
    @property
    def lead_count(self) -> int:
        """How many lead codes there are."""
    def counts(self) -> dict[str, Any]:
        """``rows`` {table: rows read}, ``ignored`` {undeclared type: rows}, ``rejected`` {table: rows}."""
    def reject_row(self, row: int, column: str, value: str | None, reason: str, lead: int) -> None:
        """Add a row of events to the rejects: for faults found only after grouping by lead (spec 2.5)."""
    def rejects(self) -> Table:
        """Every rejected row and column: ``table``, ``row``, ``column``, ``value``, ``reason``."""
    def rejected_leads(self) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
        """Lead codes with rejected rows, and how many rows each."""

@final
class Table:
    """An immutable table of Arrow record batches that can be read any number of times."""

    @staticmethod
    def build(columns: Sequence[tuple[str, Any]]) -> Table:
        """Make a table from columns of equal length.

        A column is a numpy array (bool, integers, float32, float64), or a tuple: ``("instant", int64, valid)``
        (timestamp[us, UTC]; ``valid`` a bool array or None), ``("nullable", array, valid)``, ``("dictionary", int32
        codes, texts)`` (-1: null), ``("text", list of str or None)``, ``("column", Table)`` (the one column of that table),
        ``("lists", int64 offsets, list of str)`` (list of text).
        """
    @staticmethod
    def collect(stream: _ArrowStream, limit: int | None = None) -> Table:
        """Read a whole stream, or its first ``limit`` rows and hardly more."""
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __arrow_c_schema__(self) -> object: ...
    def __len__(self) -> int: ...
    @property
    def column_names(self) -> list[str]: ...
    def take(self, rows: npt.NDArray[np.int64]) -> Table: ...
    def select(self, names: Sequence[str]) -> Table: ...
    def with_columns(self, other: Table) -> Table:
        """This table with the columns of another of equal length put behind."""
    def column(self, name: str) -> npt.NDArray[Any] | list[Any]:
        """One column: numpy for booleans, integers, floats and instants (datetime64[us]) without nulls, else a list."""
    def row(self, index: int) -> dict[str, Any]: ...
    def to_dicts(self) -> list[dict[str, Any]]:
        """Rows as Python objects; instants are timezone-aware datetimes in UTC."""

@final
class TableReader:
    """A table in one or many files as an Arrow stream, read once, in batches, decoded in a thread of its own.

    The files are opened one after another and have one schema: columns are told by name, and where types differ the
    values are brought to one that holds both exactly (text with and without dictionary, integers of 32 and 64 bits,
    instants in ms and us; nanoseconds floor, spec 1.1). A column in the names of the folders (``country=DE/a.csv``) is
    one like any other where it is wanted and no file has it.

    Args:
        paths: File names in order; ``"-"``, standard input, alone.
        format: ``parquet``, ``csv`` or ``jsonl``, of all files.
        fields: Wanted columns by the name in the files and their kind: ``id``, ``text``, ``number``, ``boolean`` or
            ``instant``. Others are not read. Names that are in no file are left to the reader's consumer.
        optional: Wanted columns that some files may lack; they are null there.

    CSV columns are text; the stream's schema metadata ``leadcore.lexical`` says so, and the encoder then reads numbers,
    booleans (``true``, ``false``) and instants from text. An empty field is null, a quoted empty one empty text (spec 12).
    A row that cannot be read at all (wrong number of fields, bad UTF-8, bad JSON, a JSON value of the wrong type) stands in the stream as
    a row of nulls with its reason in the text column ``leadcore.problem``: ``column<TAB>value<TAB>reason``.

    Raises:
        OSError: A file cannot be opened; its ``filename`` says which.
        ValueError: A file is not of the format; a wanted column is in one file of CSV or Parquet and not in another, or
            is of two kinds. The text names the file and the column.
    """

    def __new__(
        cls, paths: Sequence[str], format: str, fields: Mapping[str, str], optional: Set[str] = ...
    ) -> TableReader: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    @property
    def column_names(self) -> list[str]:
        """Columns of the files and of their paths, read or not."""
    @property
    def rows_total(self) -> int | None:
        """Rows in all files where their format says so (Parquet)."""
    @property
    def progress(self) -> tuple[int, int | None]:
        """Bytes (CSV, JSON lines) or rows (Parquet) handed out so far, and in all files where known."""
    @property
    def starts(self) -> list[int]:
        """For each file opened so far, how many rows of the table lie before it."""

def lines_of_rows(path: str, format: str, rows: Sequence[int]) -> list[int]:
    """The lines, from 1, on which rows of a ``csv`` or ``jsonl`` file begin; ``rows`` count from 0 and ascend.

    The file is read again as `TableReader` reads it, up to the last of the rows: quoted line breaks, blank lines, gzip
    and a byte order mark are what they are there.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is of another format, or has no such row; or rows do not ascend.
    """

@final
class PartReader:
    """A part that `split_table` wrote, as an Arrow stream that may be read any number of times.

    Args:
        path: File name.
        fields: Wanted columns and their kind, as for `TableReader`.
        typed: What untyped ids of a column are in the whole table: ``integer`` or ``text``.
    """

    def __new__(cls, path: str, fields: Mapping[str, str], typed: Mapping[str, str]) -> PartReader: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    @property
    def rereadable(self) -> bool:
        """Always."""

def split_table(
    table: _ArrowStream,
    paths: Sequence[str],
    lead_id: str,
    ids: Sequence[str],
    memory: int,
    types: Mapping[str, Any] | None = None,
    moved: tuple[_ArrowStream, npt.NDArray[np.uint32]] | None = None,
    progress: Callable[[int], object] | None = None,
) -> tuple[list[int], bool, dict[str, str]]:
    """Cut a table into Parquet files, one a part, by the hash of the lead id (`parts_of`).

    Rows without an id that can be read are in the first part. Each part has a column ``leadcore.row`` more, int64: the
    position in the whole table. Files are on disk when this returns; on an error they are left as they are.

    Args:
        table: The table.
        paths: A file name for each part.
        lead_id: The column of lead ids.
        ids: Columns of ids; those of CSV are untyped, and looked at for one that is no canonical integer.
        memory: Bytes of rows not yet written that are held at most, and a batch.
        types: Of events: ``kind`` and ``at``, the columns of type and instant, and ``declared``, by type its columns with
            their kinds. Untyped ids of other rows do not count, nor those of faulty rows, but for lead ids of rows that
            are faulty for their type or instant.
        moved: Leads whose rows go elsewhere: a table with one column of ids, and the part of each.
        progress: Called with the number of rows done; what it raises ends the split.

    Returns:
        ``(rows, untyped, kinds)``: rows of each part; whether the table's ids are untyped (CSV); and what the ids of each
        column are, ``integer`` or ``text``, if there are any.

    Raises:
        OSError: A file cannot be written, or the stream's file cannot be read.
        ValueError: The stream failed.
    """

def parts_of(ids: _ArrowStream, parts: int) -> npt.NDArray[np.uint32]:
    """The part of each lead of a table with one column of ids: the same in every run and on every machine.

    An integer and the text that spells it are one id here. Integers are mixed by the finalizer of SplitMix64, other text by
    SipHash-1-3 with a key of ours; the part is the hash times ``parts``, shifted right by 64 bits. Null: 0.
    """

def merge_parts(paths: Sequence[str], key: str, path: str, format: str, hidden: bool = False) -> int:
    """Put Parquet files whose rows are sorted by a column into one file, written as `write_table` does; rows written.

    Rows with one key keep the order they have in their part. ``key``: a column of int64 or text without nulls, sorted by
    value or by code point; ``hidden``: it is left out.
    """

def write_table(table: _ArrowStream, path: str, format: str) -> int:
    """Write a stream as ``parquet``, ``csv`` or ``jsonl`` (``path`` "-": standard output); rows written.

    A regular file is written beside its name and renamed when whole. CSV: null is an empty field, empty text a quoted one; instants
    are ISO 8601 with Z; floats in the shortest form that reads back the same.
    """

def from_python(data: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Table:
    """A dict of lists or numpy arrays, or a list of dicts, as a table.

    Raises:
        EdgeError: A column mixes types (its first two rows of different types are named), an integer does not fit 64
            bits, columns differ in length, or a type is unknown.
    """

def document_events(data: bytes, format: str) -> list[tuple[Any, ...]]:
    """Parse a ``yaml`` (1.2, one document) or ``json`` document into events, scalars as text.

    Events: ``("{", line, column)``, ``("}",)``, ``("[", line, column)``, ``("]",)``, ``("scalar", text, plain, line, column)``
    (``plain`` False for quoted and block scalars, and for JSON strings), ``("alias", anchor id, line, column)``, with
    ``("anchor", anchor id)`` just before the node it names. Lines and columns count from 1.

    Raises:
        ValueError: ``(reason, line, column)``: not of the format, a tag, more than 5 MB, deeper than 200, more than
            one document, more than a million events.
    """

def fold_text(text: str) -> str:
    """Unicode simple case folding with the tables of the `regex` crate (spec 3.4): equal results, equal text."""

def check_pattern(pattern: str, case_sensitive: bool) -> str | None:
    """Why this regular expression is refused (invalid, or larger than the limits), or None."""

def match_text(op: str, values: Sequence[str], case_sensitive: bool, texts: Sequence[str]) -> list[bool]:
    """Test texts with one text op of spec 3.2 (``in``, ``contains``, ``has_word``, ``starts_with``, ``ends_with``, ``matches``)."""
