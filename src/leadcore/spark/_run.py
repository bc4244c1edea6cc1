"""One run on Spark: tables brought together by lead, each partition answered on its own, the answer's tables apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from leadcore._inputs import column_names
from leadcore.errors import LeadcoreError
from leadcore.model import Model
from leadcore.scorer import Scorer
from leadcore.spark._frames import Inputs
from leadcore.spark._layout import Layout
from leadcore.spark._types import ddl, plain, pyarrow
from leadcore.spark._work import REJECTS, Question, Work, rejects_schema

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Unknown = Literal["score", "error", "ignore"]
OnError = Literal["raise", "reject"]


@dataclass(frozen=True)
class Options:
    """What `Scorer.score` and `Scorer.replay` are told alike in every partition."""

    columns: Mapping[str, Any] | None
    unknown_leads: Unknown
    on_error: OnError
    micropoints: bool
    threads: int

    @property
    def reject(self) -> bool:
        """Whether faulty rows are rejected."""
        return self.on_error == "reject"

    def arguments(self) -> dict[str, Any]:
        """As keyword arguments."""
        return {
            "columns": self.columns, "unknown_leads": self.unknown_leads, "on_error": self.on_error,
            "micropoints": self.micropoints, "threads": self.threads, "sort": True,
        }  # fmt: skip


def inputs_of(
    model: Model, columns: Mapping[str, Any] | None, tables: Mapping[str, Any], further: tuple[str, ...] = ()
) -> Inputs:
    """What a model wants of its tables, which are Spark's DataFrames or None; ``further`` columns of leads beside.

    Raises:
        DataError: A name in ``columns`` is none of the model's.
        LeadcoreError: The model is none, pyspark or pyarrow is missing, or a table is none of Spark's.
    """
    if not isinstance(model, Model):
        raise LeadcoreError(f"leads are scored by a leadcore.Model, not by {type(model).__name__}")
    return Inputs.of(model, column_names(model, columns), tables, further)


@dataclass(frozen=True)
class Answer:
    """The tables of an answer: rows of one DataFrame, which is computed when rows of any are wanted.

    Attributes:
        layout: How they stand in it, in Arrow's types.
        rows: That DataFrame.
    """

    layout: Layout
    rows: DataFrame

    @classmethod
    def of(
        cls,
        model: Model,
        question: Question,
        inputs: Inputs,
        partitions: int | None,
        reject: bool,
        part: str | None = None,
    ) -> Answer:
        """Ask every partition; what is wrong with columns or arguments is told at once, what with rows when it is run.

        Raises:
            DataError: A column is missing or of a type that does not fit.
            LeadcoreError: An argument is none of those there are.
        """
        if partitions is not None and (type(partitions) is not int or partitions < 1):
            raise LeadcoreError(f"partitions is a whole number of at least 1, not {partitions!r}")
        empty = question.answer(Scorer(model), inputs.empty())
        tables = {name: rejects_schema() if name == REJECTS else pyarrow().table(empty[name]).schema for name in empty}
        outputs = Layout.of({name: [(one.name, plain(one.type)) for one in schema] for name, schema in tables.items()})
        layout, rows = inputs.together(partitions, reject, part is not None)
        work = Work(
            model.to_json(), model.fingerprint, question, inputs.names, replace(layout, types=()), outputs, part
        )  # fmt: skip
        return cls(outputs, rows.mapInArrow(work, ddl(outputs.schema)))

    def table(self, name: str) -> DataFrame:
        """One of the tables."""
        return self.layout.unpack(self.rows, name)

    def persisted(self, keep: bool) -> DataFrame | None:
        """The rows, if they are to be kept: Spark does so from when they are first computed."""
        return self.rows.persist() if keep else None


@dataclass(frozen=True)
class Kept:
    """Tables that are computed together, once, when rows of any are first wanted, and kept until `unpersist`.

    Attributes:
        kept: What Spark keeps; None with ``keep=False``.
    """

    kept: DataFrame | None = field(repr=False)

    def unpersist(self) -> None:
        """Let go of what was computed; the tables can still be used, and are then computed anew."""
        if self.kept is not None:
            self.kept.unpersist()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.unpersist()
