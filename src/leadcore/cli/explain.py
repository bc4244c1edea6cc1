"""``leadcore explain``: why one lead has its scores (spec 7)."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadcore.cli import _options as options
from leadcore.cli._errors import Stop, telling_files
from leadcore.cli._progress import reading_bar

if TYPE_CHECKING:
    from leadcore.explanation import Explanation
    from leadcore.scores import LeadScore


def explain(
    model: options.ModelFile,
    lead_id: Annotated[str, typer.Argument(metavar="LEAD_ID", help="The lead.")],
    as_of: options.AsOf,
    leads: options.Leads = None,
    events: options.Events = None,
    columns: options.Columns = None,
    aliases: options.Aliases = None,
    shares: Annotated[bool, typer.Option("--shares", help="Also each counted event's part.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, in micropoints.")] = False,
    threads: options.Threads = None,
    format: options.StreamFormat = None,
) -> None:
    """Say why a lead has its scores: lines that add up to each score exactly."""
    if leads is None and events is None:
        raise Stop("give --leads, --events or both: there is nothing to explain")
    inputs = {"--leads": leads, "--events": events, "--aliases": aliases}
    options.check_files(inputs, {})
    if shares and "-" in inputs.values():
        raise Stop("--shares reads the tables twice, which the standard stream does not allow: give files")
    options.instant(as_of)
    document = options.load(model)
    maps = options.column_map(document, columns)

    from leadcore.scorer import Scorer

    tables = {"leads": leads, "events": events, "aliases": aliases}
    files = {table: options.open_input(path, document, table, maps, format) for table, path in tables.items()}
    with telling_files(files):
        with reading_bar(files["events"]) as progress:
            scores = Scorer(document).score(
                files["events"], files["leads"], as_of=as_of, columns=maps, aliases=files["aliases"],
                explain="-" in inputs.values(), threads=threads, progress=progress,
            )  # fmt: skip
        lead = scores.lead(options.lead_of(scores, lead_id))
        explanation = lead.explain(shares)
    if as_json:
        json.dump(_as_json(lead, explanation), sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        print(explanation)
        print("\n".join(_standing(lead)), end="")


def _standing(lead: LeadScore) -> list[str]:
    """Grades, rating, label and thresholds, where the model has them."""
    told = [f"grade of {name}  {grade}\n" for name, grade in lead.grades.items()]
    told += [
        f"{key}  {value}\n" for key, value in (("rating", lead.rating), ("label", lead.label)) if value is not None
    ]
    told += [f"{name}  {'reached' if reached else 'not reached'}\n" for name, reached in lead.thresholds.items()]
    return ["", "".join(told)] if told else []


def _as_json(lead: LeadScore, explanation: Explanation) -> dict[str, Any]:
    def instant(value: Any) -> str:
        return str(value.isoformat()).replace("+00:00", "Z")

    return {
        "lead_id": lead.lead_id,
        "as_of": instant(lead.as_of),
        "scores": lead.micropoints,
        "grades": lead.grades,
        "rating": lead.rating,
        "label": lead.label,
        "thresholds": lead.thresholds,
        "lines": [
            {
                "score": line.score, "group": line.group, "criterion": line.criterion, "part": line.part,
                "micropoints": line.micropoints,
            }
            for line in explanation.lines
        ],
        "shares": [
            {"criterion": s.criterion, "row": s.row, "at": instant(s.at), "micropoints": s.micropoints}
            for s in explanation.shares
        ],
    }  # fmt: skip
