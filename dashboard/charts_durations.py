"""Chart shapes for times: ranges of durations side by side, and the share gone by a number of days."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import plotly.graph_objects as go

from dashboard.charts import ACCENT, BAND, COARSE_TICKS, DURATION_TICKS, LONGEST_LABEL, NEUTRAL
from dashboard.words import charts as words

#: How lines are told apart: dash, colour. The first is the one to look at.
LINE_STYLES = (("solid", ACCENT), ("dash", NEUTRAL), ("dot", ACCENT), ("dashdot", NEUTRAL))


@dataclass(frozen=True)
class Range:
    """The times of one group, in seconds: median with its interval, and the time by which nine of ten are done."""

    label: str
    median: float | None
    lower: float | None
    upper: float | None
    ninth: float | None
    note: str


def duration_ranges(ranges: Sequence[Range]) -> go.Figure:
    """Medians as points with their intervals, the first group on top, and nine of ten as hollow diamonds beside them.

    The scale is logarithmic; what took under a second stands at a second.
    """
    figure = go.Figure()
    known = [(place, one) for place, one in enumerate(ranges) if one.median is not None]
    far = [(place, one) for place, one in enumerate(ranges) if one.ninth is not None]
    figure.add_scatter(
        x=[_visible(one.median) for _, one in known], y=[place for place, _ in known],
        name=words.MEDIAN, mode="markers",
        marker={"size": 10, "color": ACCENT}, error_x=_whiskers([one for _, one in known]),
        customdata=[escape(one.note) for _, one in known], hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[_visible(one.ninth) for _, one in far], y=[place for place, _ in far],
        name=words.NINE_OF_TEN, mode="markers",
        marker={"size": 10, "symbol": "diamond-open", "color": NEUTRAL, "line": {"width": 2}},
        customdata=[escape(one.note) for _, one in far], hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    labels = [escape(one.label if len(one.label) <= LONGEST_LABEL else one.label[:23] + "…") for one in ranges]
    figure.update_yaxes(
        tickvals=list(range(len(ranges))),
        ticktext=labels,
        range=[len(ranges) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    drawn = [_visible(value) for one in ranges for value in (one.median, one.lower, one.upper, one.ninth)]
    _duration_axis(figure, [value for value in drawn if value is not None])
    return _calm(figure, 100 + 34 * max(len(ranges), 1), has_legend=True)


@dataclass(frozen=True)
class Steps:
    """One curve: its name, days since the start, the share gone by then with its interval, and a note for each step."""

    name: str
    days: Sequence[float]
    share: Sequence[float]
    lower: Sequence[float | None]
    upper: Sequence[float | None]
    notes: Sequence[str]
    until: float


def shares_gone(curves: Sequence[Steps], *, marks: Sequence[int] = (), has_bands: bool = True) -> go.Figure:
    """Kaplan-Meier curves turned upright: the share gone by a day. Lines are told apart by dash, colour and their name.

    A curve goes on, level, to the end of what is known of it. `marks` are days with a fine upright line.
    """
    figure = go.Figure()
    for curve, (dash, color) in zip(curves, LINE_STYLES, strict=False):
        days = [0.0, *curve.days, max(curve.until, *curve.days, 0.0)]
        share = [0.0, *curve.share, curve.share[-1] if curve.share else 0.0]
        if has_bands and curve.days:
            _add_band(figure, curve, days[-1])
        figure.add_scatter(
            x=days, y=[value * 100 for value in share], mode="lines", name=escape(curve.name),
            line={"color": color, "width": 2.2, "dash": dash, "shape": "hv"},
            customdata=["", *(escape(note) for note in curve.notes), ""], hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    for day in marks:
        figure.add_vline(x=day, line={"color": NEUTRAL, "dash": "dot", "width": 1})
    longest = max((curve.until for curve in curves), default=1.0)
    ticks = [day for day in (0, 7, 30, 90, 180, 365, 730, 1_095, 1_825, 3_650) if day <= longest]
    apart = [day for place, day in enumerate(ticks) if place == 0 or day - ticks[place - 1] >= longest / 12]
    figure.update_xaxes(tickvals=apart, ticktext=[f"{day} d" for day in apart], range=[0, longest * 1.01])
    figure.update_yaxes(ticksuffix=" %", rangemode="tozero")
    return _calm(figure, 340, has_legend=len(curves) > 1)


def _add_band(figure: go.Figure, curve: Steps, until: float) -> None:
    known = [
        (day, low, high)
        for day, low, high in zip(curve.days, curve.lower, curve.upper, strict=True)
        if low is not None and high is not None
    ]
    if not known:
        return
    days = [day for day, _, _ in known] + [until]
    edge: dict[str, Any] = {
        "mode": "lines", "line": {"width": 0, "shape": "hv"}, "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip
    figure.add_scatter(x=days, y=[low * 100 for _, low, _ in known] + [known[-1][1] * 100], **edge)
    upper = [high * 100 for _, _, high in known] + [known[-1][2] * 100]
    figure.add_scatter(x=days, y=upper, fill="tonexty", fillcolor=BAND, **edge)


def _visible(value: float | None) -> float | None:
    # A logarithmic scale has no place for what took no time at all.
    return None if value is None else max(value, 1.0)


def _whiskers(ranges: Sequence[Range]) -> dict[str, Any]:
    pairs = [(_visible(one.median) or 1.0, _visible(one.lower), _visible(one.upper)) for one in ranges]
    return {
        "type": "data", "symmetric": False, "color": ACCENT, "thickness": 1.8, "width": 5,
        "array": [0 if upper is None else upper - median for median, _, upper in pairs],
        "arrayminus": [0 if lower is None else median - lower for median, lower, _ in pairs],
    }  # fmt: skip


def _duration_axis(figure: go.Figure, seconds: Sequence[float]) -> None:
    lowest, highest = min(seconds, default=1.0), max(seconds, default=86_400.0)
    ticks = [tick for tick in DURATION_TICKS if lowest / 3 <= tick <= highest * 3]
    if len(ticks) > 6:
        ticks = [tick for tick in ticks if tick in COARSE_TICKS]
    figure.update_xaxes(
        type="log", tickmode="array", tickvals=ticks, ticktext=[DURATION_TICKS[tick] for tick in ticks],
        range=[math.log10(lowest / 1.8), math.log10(highest * 1.8)],
    )  # fmt: skip


def _calm(figure: go.Figure, height: int, *, has_legend: bool) -> go.Figure:
    figure.update_layout(
        height=height, hovermode="closest", dragmode=False, showlegend=has_legend,
        margin={"l": 8, "r": 12, "t": 28, "b": 8},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "xanchor": "left"},
    )  # fmt: skip
    figure.update_xaxes(fixedrange=True, automargin=True, title=None)
    figure.update_yaxes(fixedrange=True, automargin=True, title=None)
    return figure
