"""Draws what a benchmark measured: ``python -m benchmarks.border | python docs/benchmark_chart.py``.

Reads the line of JSON that the benchmark prints and writes ``docs/images/benchmark.svg``.
"""

from __future__ import annotations

import json
import sys
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


if __name__ == "__main__":
    measured = [line for line in sys.stdin if line.startswith("{")]
    if not measured:
        sys.exit("no line of JSON on standard input: python -m benchmarks.border | python docs/benchmark_chart.py")
    save(chart(json.loads(measured[-1])), "benchmark.svg")
