"""Draws the pictures of the documentation from what leadcore computes: ``python docs/plots.py``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import altair as alt

import leadcore as lc
from leadcore.presets import preset_text

IMAGES = Path(__file__).parent / "images"
SIX_STAGES = Path(__file__).parents[1] / "tests/data/six_stage.yaml"
START = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(hours=6)
INK, RULE, FONT = "#1f2937", "#d1d5db", "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"
COLOURS = ["#0b6e99", "#d1661f", "#5b8c3a", "#8d4a97"]

Rows = list[dict[str, Any]]

KINDS = {
    "none": None,
    "half_life: 14d": {"half_life": "14d"},
    "linear: 45d": {"linear": "45d"},
    "expire: 30d": {"expire": "30d"},
    "steps: 0.6 after 10d, 0.2 after 30d": {
        "steps": [{"after": "10d", "factor": 0.6}, {"after": "30d", "factor": 0.2}]
    },
    "periodic: every 7d lose 0.25, compound": {"periodic": {"every": "7d", "lose": 0.25, "compound": True}},
}
VARIANTS = {
    "half_life: 14d": {"half_life": "14d"},
    "half_life: 14d, delay: 10d": {"half_life": "14d", "delay": "10d"},
    "half_life: 14d, keep: 0.3": {"half_life": "14d", "keep": 0.3},
}


def scorer(decay: Any, **more: Any) -> lc.Scorer:
    """A model of one criterion: 100 points for an act, with this decay."""
    criterion = {"name": "act", "kind": "event", "on": "act", "points": 100, **more}
    if decay is not None:
        criterion["decay"] = decay
    score = {"criteria": [criterion]}
    return lc.Scorer(lc.Model.model_validate({"name": "curve", "events": {"act": {}}, "scores": {"value": score}}))


def curve(asked: lc.Scorer, acts: list[float], days: float) -> Rows:
    """Points over time of acts at these days."""
    events = [{"type": "act", "at": START + timedelta(days=day)} for day in acts]
    steps = int(timedelta(days=days) / STEP)
    instants = [START + i * STEP for i in range(steps + 1)]
    return [
        {"day": (now - START) / timedelta(days=1), "points": asked.score_lead(None, events, as_of=now)["value"]}
        for now in instants
    ]


def kinds() -> alt.Chart:
    """Six kinds of decay side by side."""
    rows = [{**row, "decay": name} for name, decay in KINDS.items() for row in curve(scorer(decay), [0], 60)]
    lines = (
        alt.Chart(alt.Data(values=rows), width=270, height=130)
        .mark_line(interpolate="step-after", strokeWidth=2.5, color=COLOURS[0])
        .encode(x=days("age of the event in days"), y=points())
    )
    return lines.facet(
        facet=alt.Facet(
            "decay:N", sort=list(KINDS), title=None, header=alt.Header(labelFontSize=12, labelFontWeight="bold")
        ),
        columns=2,
        spacing={"row": 18, "column": 24},
    )


def variants() -> alt.Chart:
    """What delay and keep do to a half-life."""
    rows = [{**row, "decay": name} for name, decay in VARIANTS.items() for row in curve(scorer(decay), [0], 70)]
    return (
        alt.Chart(alt.Data(values=rows), width=560, height=240)
        .mark_line(strokeWidth=2.5)
        .encode(x=days("age of the event in days"), y=points(), color=colour(list(VARIANTS)))
    )


def history() -> alt.Chart:
    """Six acts of one lead: their sum with a half-life, with and without a bound on the criterion."""
    acts = [3.0, 5.5, 6.0, 21.0, 38.0, 38.5]
    names = {"half_life: 10d": {}, "half_life: 10d, max: 160": {"max": 160}}
    rows = [
        {**row, "decay": name}
        for name, more in names.items()
        for row in curve(scorer({"half_life": "10d"}, **more), acts, 70)
    ]
    lines = (
        alt.Chart(alt.Data(values=rows), width=560, height=240)
        .mark_line(strokeWidth=2.5)
        .encode(
            x=days("day"),
            y=points(),
            color=colour(list(names)),
            strokeDash=alt.StrokeDash("decay:N", sort=list(names), legend=None),
        )
    )
    ticks = (
        alt.Chart(alt.Data(values=[{"day": act} for act in acts]))
        .mark_point(shape="triangle-up", size=60, filled=True, color=INK, yOffset=-6)
        .encode(x="day:Q", y=alt.value(240))
    )
    return alt.layer(lines, ticks)


def days(title: str) -> alt.X:
    """The axis of time."""
    return alt.X("day:Q", title=title, axis=alt.Axis(tickCount=6))


def points() -> alt.Y:
    """The axis of points."""
    return alt.Y("points:Q", title="points", axis=alt.Axis(tickCount=5))


def colour(names: list[str]) -> alt.Color:
    """A colour a name, in this order, with the legend on top."""
    return alt.Color(
        "decay:N",
        sort=names,
        title=None,
        scale=alt.Scale(range=COLOURS),
        legend=alt.Legend(orient="top", labelLimit=400),
    )


def save(chart: alt.Chart, name: str) -> None:
    """Write an SVG in the documentation's clothes."""
    dressed = (
        chart.configure(background="white", font=FONT, padding=12)
        .configure_axis(
            labelColor=INK, titleColor=INK, gridColor=RULE, domainColor=RULE, tickColor=RULE, titleFontWeight="normal"
        )
        .configure_header(labelColor=INK)
        .configure_legend(labelColor=INK, labelFontSize=12)
        .configure_view(stroke=None)
    )
    dressed.save(str(IMAGES / name))
    print(IMAGES / name)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    save(kinds(), "decay-kinds.svg")
    save(variants(), "decay-delay-keep.svg")
    save(history(), "decay-history.svg")
    lc.Model.load(SIX_STAGES).diagram().save(IMAGES / "lifecycle.svg")
    print(IMAGES / "lifecycle.svg")
    for preset in ("six-stage", "fit-intent", "revenue-cycle", "stars"):
        lc.Model.from_yaml(preset_text(preset)).diagram().save(IMAGES / f"preset-{preset}.svg")
        print(IMAGES / f"preset-{preset}.svg")
