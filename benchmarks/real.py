"""Score 10.7 million real study events with a model made for them, and ask how well it foretold who passed.

``python -m benchmarks.real [--data ../shared/data/oulad]`` (``make demo-real``).
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

import leadcore as lc
from benchmarks.oulad import CACHE, SOURCE, TYPES, Oulad, auc, end_of, load

MODEL = Path(__file__).with_name("oulad.yaml")
DAYS = (30, 60, 90)
HELD_OUT = "2014J"
WIDTH = 80

# Of the data set's README: day, AUC of the plain sum of clicks over all enrolments and over those still registered.
GROUND_TRUTH = {0: (0.685387, 0.643079), 14: (0.727669, 0.665798), 30: (0.737414, 0.662587), 60: (0.764309, 0.683236),
                90: (0.781579, 0.701847)}  # fmt: skip


def clicks_model(decay: dict[str, str] | None = None) -> lc.Model:
    """The plain way: a point per click, on any page, at best with a decay."""
    criterion = {"name": "clicks", "kind": "event", "on": list(TYPES), "points": {"per": "clicks", "rate": 1}}
    return lc.Model.model_validate(
        {
            "leadcore": 1,
            "name": "clicks",
            "events": {kind: {"clicks": "number"} for kind in TYPES},
            "scores": {"clicks": {"criteria": [{**criterion, **({"decay": decay} if decay else {})}]}},
        }
    )


@dataclass(frozen=True)
class Backtest:
    """One day's scores against what became of everybody."""

    day: int
    seconds: float
    clicks: npt.NDArray[np.float64]
    model: npt.NDArray[np.float64]
    grades: npt.NDArray[np.object_]

    def row(self, data: Oulad, who: npt.NDArray[np.bool_]) -> str:
        """A line: enrolments and both AUCs, of all and of those who had not left by the day."""
        stayed = still_there(data, self.day)
        line = f"{self.day:>6}"
        for group in (who, who & stayed):
            won = data.leads["success"].to_numpy()[group]
            line += f"{group.sum():>12,}{auc(self.clicks[group], won):>11.6f}{auc(self.model[group], won):>11.6f}"
        return line


def still_there(data: Oulad, day: int) -> npt.NDArray[np.bool_]:
    """Who had not left by the end of the day."""
    left = data.leads["left"]
    return (left.is_null() | (left > day)).to_numpy()


def scores_of(scorer: lc.Scorer, data: Oulad, day: int) -> tuple[lc.Scores, float]:
    """Every enrolment's scores at the end of a day, and the seconds that took."""
    begun = time.perf_counter()
    leads = data.leads.select("lead_id", "module")
    scores = scorer.score(data.events.drop("event_id"), leads, as_of=end_of(day))
    assert scores.table.column("lead_id") == data.leads["lead_id"].to_list()
    return scores, time.perf_counter() - begun


def backtests(data: Oulad) -> list[Backtest]:
    """The plain sum and the model, day by day."""
    plain, made = lc.Scorer(clicks_model()), lc.Scorer(lc.Model.load(str(MODEL)))
    out = []
    for day in DAYS:
        clicks, _ = scores_of(plain, data, day)
        scores, seconds = scores_of(made, data, day)
        frame = scores.to_polars()
        out.append(
            Backtest(
                day, seconds, clicks.to_polars()["clicks"].to_numpy(), frame["chance"].to_numpy(),
                frame["chance_grade"].cast(pl.String).to_numpy(),
            )
        )  # fmt: skip
    return out


def one_pass(data: Oulad) -> tuple[lc.Scores, float]:
    """All days in one pass over the events: a table of (lead, instant) says what is asked."""
    leads = data.leads.select("lead_id", "module")
    asked = pl.concat([leads.select("lead_id", pl.lit(end_of(day)).alias("as_of")) for day in DAYS])
    scorer = lc.Scorer(lc.Model.load(str(MODEL)))
    begun = time.perf_counter()
    scores = scorer.score(data.events.drop("event_id"), leads, as_of=asked)
    assert len(scores.table) == len(asked)
    return scores, time.perf_counter() - begun


def titled(title: str) -> None:
    print(f"\n{title}\n{'-' * len(title)}")


def check(data: Oulad, runs: list[Backtest]) -> int:
    """How many AUCs of the plain sum differ from the data set's README in the sixth place."""
    wrong = 0
    won = data.leads["success"].to_numpy()
    for run in runs:
        stayed = still_there(data, run.day)
        found = (round(auc(run.clicks, won), 6), round(auc(run.clicks[stayed], won[stayed]), 6))
        wrong += sum(a != b for a, b in zip(found, GROUND_TRUTH[run.day], strict=True))
    return wrong


def show_backtests(data: Oulad, runs: list[Backtest]) -> None:
    """Both tables of AUCs: everybody, and the presentations no number was fitted on."""
    held_out = (data.leads["presentation"] == HELD_OUT).to_numpy()
    heads = (
        f"{'':>6}{'all enrolments':>34}{'still registered':>34}\n{'day':>6}"
        + f"{'':>12}{'clicks':>11}{'model':>11}" * 2
    )
    for title, who in (
        ("AUC: does a higher score mean passing?", held_out | True),
        (f"The same for {HELD_OUT} alone, held out when the points were fitted", held_out),
    ):
        titled(title)
        print(heads)
        for run in runs:
            print(run.row(data, who))


def show_grades(data: Oulad, run: Backtest) -> None:
    """What became of each grade, in the held-out presentations, of those still registered."""
    titled(f"What day {run.day} foretold: {HELD_OUT}, still registered")
    who = (data.leads["presentation"] == HELD_OUT).to_numpy() & still_there(data, run.day)
    won = data.leads["success"].to_numpy()
    for grade in "ABCDE":
        group = who & (run.grades == grade)
        if not group.any():
            continue
        rate = won[group].mean()
        print(f"  {grade}{group.sum():>8,} students  {rate:>4.0%} passed  {'#' * round(40 * rate)}")


def chosen(data: Oulad, run: Backtest) -> str:
    """A lead worth explaining: held out, still there, in the middle of the field, active in the forum and quizzes."""
    who = (data.leads["presentation"] == HELD_OUT).to_numpy() & still_there(data, run.day)
    places = np.flatnonzero(who & (data.leads["module"] == "BBB").to_numpy())
    return str(data.leads["lead_id"][int(places[np.argsort(run.model[places])[len(places) * 3 // 4]])])


def main(arguments: list[str] | None = None) -> int:
    """Score, compare, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SOURCE, help="folder of the OULAD files")
    parser.add_argument("--no-cache", action="store_true", help="read the source again")
    options = parser.parse_args(arguments)
    if not (options.data / "studentVle.parquet").exists():
        print(f"no OULAD at {options.data} (CC BY 4.0, doi:10.1038/sdata.2017.171): nothing to score", file=sys.stderr)
        return 1
    data = load(options.data, None if options.no_cache else CACHE)
    rows = len(data.events)
    print("Open University Learning Analytics: will this student pass?".center(WIDTH).rstrip())
    print("Kuzilek, Hlosta, Zdrahal, Scientific Data 4:170171 (2017), CC BY 4.0".center(WIDTH).rstrip())
    print(f"\n{len(data.leads):,} enrolments, {rows:,} rows of activity on 20 kinds of page.")
    runs = backtests(data)
    fastest = min(run.seconds for run in runs)
    _, together = one_pass(data)
    print(f"Scored in {fastest:.2f} s: {rows / fastest / 1e6:.1f} million rows per second.")
    print(
        f"Days {', '.join(map(str, DAYS))} in one pass: {together:.2f} s, {rows / together / 1e6:.1f} million rows per second."
    )
    show_backtests(data, runs)
    wrong = check(data, runs)
    says = (
        "equals the published figures to six places"
        if not wrong
        else f"differs from the published figures {wrong} times"
    )
    print(f"\nclicks: the plain sum of clicks, by the same engine;\n{says}.")
    show_grades(data, runs[1])
    scores, _ = scores_of(lc.Scorer(lc.Model.load(str(MODEL))), data, runs[1].day)
    lead = chosen(data, runs[1])
    titled(f"Why: {lead}, day {runs[1].day}")
    print(scores.explain(lead))
    passed = bool(data.leads.filter(pl.col("lead_id") == lead)["success"][0])
    print(f"\n{lead} {'passed' if passed else 'did not pass'} in the end.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
