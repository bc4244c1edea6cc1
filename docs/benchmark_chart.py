"""Draws what benchmarks measured: ``python -m benchmarks.border | python docs/benchmark_chart.py [RESULTS]``.

Reads the line of JSON that the benchmark prints and writes ``docs/images/benchmark.svg``. Given a file of such lines, as
``make bench-peers`` leaves it, it draws leadcore beside its peers into ``docs/images/peers.svg`` instead.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import altair as alt
from plots import COLOURS, INK, save

PARTS = {
    "edge": "reading Arrow and matching every condition",
    "push": "handing rows from Rust to Cython",
    "group_and_kernel_1_thread": "grouping by lead and scoring",
    "end_to_end_1_thread": "tables to scores, 1 thread",
    "end_to_end": "tables to scores, {threads} threads",
}


def chart(found: dict[str, Any]) -> alt.LayerChart:
    """Nanoseconds per event: the parts, and the whole."""
    rows = [
        {"part": title.format(**found), "ns": found["ns_per_event"][name]["wall"], "whole": name.startswith("end")}
        for name, title in PARTS.items()
    ]
    names = [row["part"] for row in rows]
    y = alt.Y("part:N", sort=names, title=None, axis=alt.Axis(labelLimit=320, ticks=False, domain=False))
    bars = (
        alt.Chart(alt.Data(values=rows), width=420, height=34 * len(rows))
        .mark_bar(height=18)
        .encode(
            x=alt.X("ns:Q", title="nanoseconds per event", axis=alt.Axis(tickCount=5)),
            y=y,
            color=alt.Color("whole:N", scale=alt.Scale(domain=[False, True], range=COLOURS[:2]), legend=None),
        )
    )
    values = bars.mark_text(align="left", dx=4, color=INK).encode(
        text=alt.Text("ns:Q", format=".1f"), color=alt.value(INK)
    )
    title = f"{found['rows']:,} events of {found['leads']:,} leads, {found['ids']} ids"
    return alt.layer(bars, values).properties(
        title=alt.TitleParams(title, color=INK, fontSize=12, fontWeight="normal", anchor="start")
    )


SETTINGS = (
    ("tables in memory, integer ids", {"variant": "plain", "ids": "int", "source": "arrow"}),
    ("tables in memory, UUIDs as ids", {"variant": "plain", "ids": "uuid", "source": "arrow"}),
    ("Parquet files, integer ids", {"variant": "plain", "ids": "int", "source": "parquet"}),
    ("urls that hardly repeat", {"variant": "urls"}),
    ("events in bursts by visit", {"variant": "visits"}),
    ("200 behavioural criteria", {"variant": "criteria"}),
)
LEAST = 5  # nanoseconds: where bars of a logarithmic axis begin


def beside_peers(lines: list[dict[str, Any]]) -> alt.VConcatChart:
    """Wall clock per event as bars and CPU as ticks: a panel for each setting of W1 that was measured."""
    found = [line for line in lines if line["benchmark"] == "score"]
    panels = [
        panel(title, line)
        for title, setting in SETTINGS
        for line in found
        if all(line[key] == value for key, value in setting.items())
    ]
    return alt.vconcat(*panels, spacing=22).resolve_scale(x="shared")


def panel(title: str, line: dict[str, Any]) -> alt.LayerChart:
    """The contenders of one run, the quickest on top."""
    rows = [
        {"who": one["title"], "ours": name.startswith("leadcore"), "least": LEAST, **one["ns_per_event"]}
        for name, one in line["contenders"].items()
    ]
    names = [row["who"] for row in sorted(rows, key=lambda row: row["wall"])]
    y = alt.Y("who:N", sort=names, title=None, axis=alt.Axis(labelLimit=320, ticks=False, domain=False))
    scale = alt.Scale(type="log", domainMin=LEAST, nice=False)
    x = alt.X(
        "wall:Q",
        scale=scale,
        title="nanoseconds per event: wall clock (bars), CPU of all cores (ticks)",
        axis=alt.Axis(values=[5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000], format="~s"),
    )
    base = alt.Chart(alt.Data(values=rows), width=420, height=20 * len(rows))
    bars = base.mark_bar(height=13).encode(
        x=x,
        x2="least:Q",
        y=y,
        color=alt.Color("ours:N", scale=alt.Scale(domain=[True, False], range=COLOURS[:2]), legend=None),
    )
    ticks = base.mark_tick(color=INK, thickness=2, size=13).encode(x=alt.X("cpu:Q", scale=scale), y=y)
    values = base.mark_text(align="left", dx=6, color=INK).encode(
        x=alt.X("most:Q", scale=scale), y=y, text=alt.Text("wall:Q", format=",.0f")
    )
    values = values.transform_calculate(most="max(datum.wall, datum.cpu)")
    heading = f"{title}: {line['events']:,} events of {line['leads']:,} leads"
    return alt.layer(bars, ticks, values).properties(
        title=alt.TitleParams(heading, color=INK, fontSize=12, fontWeight="normal", anchor="start")
    )


def measured(text: str) -> list[dict[str, Any]]:
    """The lines of JSON of a text."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        save(beside_peers(measured(Path(sys.argv[1]).read_text())), "peers.svg")
    elif lines := measured(sys.stdin.read()):
        save(chart(lines[-1]), "benchmark.svg")
    else:
        sys.exit("no line of JSON on standard input: python -m benchmarks.border | python docs/benchmark_chart.py")
