"""When logs hold records and when they do not: a strip for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from html import escape

import plotly.graph_objects as go

from dashboard import charts

SCALE = [[0.0, charts.FAINT], [0.001, "rgba(46, 139, 152, 0.25)"], [1.0, charts.ACCENT]]


@dataclass(frozen=True)
class Strip:
    """One log: its label of two lines, and for each period that it covers its days with records as a share and a note.

    `silences` are (the day before, the day after, note).
    """

    label: str
    shares: dict[date, float] = field(default_factory=dict)
    notes: dict[date, str] = field(default_factory=dict)
    silences: Sequence[tuple[date, date, str]] = ()


def strips(logs: Sequence[Strip], periods: Sequence[date]) -> go.Figure:
    """A strip per log over the periods, fuller where more days have records; silences as lines with ends on them."""
    figure = go.Figure()
    figure.add_heatmap(
        x=list(periods), y=list(range(len(logs))), z=[[log.shares.get(start) for start in periods] for log in logs],
        customdata=[[escape(log.notes.get(start, "")) for start in periods] for log in logs],
        hovertemplate="%{customdata}<extra></extra>", colorscale=SCALE, zmin=0, zmax=1, showscale=False,
        xgap=1 if len(periods) <= 80 else 0, ygap=16, hoverongaps=False,
    )  # fmt: skip
    for place, log in enumerate(logs):
        for begins, ends, note in log.silences:
            figure.add_scatter(
                x=[begins, ends], y=[place, place], mode="lines+markers", line={"color": charts.NEUTRAL, "width": 3},
                marker={"symbol": "line-ns-open", "size": 20, "line": {"width": 3}, "color": charts.NEUTRAL},
                text=[escape(note)] * 2, hovertemplate="%{text}<extra></extra>", showlegend=False,
            )  # fmt: skip
    labels = ["<br>".join(escape(_cut(line)) for line in log.label.split("\n")) for log in logs]
    figure.update_yaxes(
        autorange="reversed", tickvals=list(range(len(logs))), ticktext=labels, showgrid=False, zeroline=False
    )
    if periods:
        figure.update_xaxes(range=[periods[0] - timedelta(days=4), periods[-1] + timedelta(days=10)], showgrid=False)
    return charts.calm(figure, 70 + 42 * max(len(logs), 1), legend=False, hover="closest")


def _cut(line: str) -> str:
    return line if len(line) <= charts.LONGEST_LABEL else f"{line[: charts.LONGEST_LABEL - 1]}…"
