"""The few chart shapes the pages use.

Colours are mid-tones that keep a contrast of at least 3:1 on the light and the dark background, so one figure serves
both themes; fonts, axes and grid come from the theme. Nothing is told by colour alone, and red is kept for violations.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from typing import Any

import plotly.graph_objects as go

from dashboard.words import charts as words

ACCENT = "#2e8b98"
BAND = "rgba(46, 139, 152, 0.22)"
NEUTRAL = "#7c878c"
FAINT = "rgba(124, 135, 140, 0.16)"
VIOLATION = "#cc4b43"

# No link to Plotly's site, no upload button, no toolbar; the page scrolls past a chart on a phone.
CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "displayModeBar": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "showTips": False,
    "scrollZoom": False,
    "doubleClick": False,
}

# An image is as wide as a slide or a page needs, and twice as fine as a screen.
IMAGE_WIDTH, IMAGE_SCALE = 1000, 2
LINE_OF_IMAGE = 120

DURATION_TICKS = {
    1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3_600: "1 h", 10_800: "3 h", 43_200: "12 h", 86_400: "1 d",
    259_200: "3 d", 864_000: "10 d", 2_592_000: "30 d", 8_640_000: "100 d", 31_536_000: "1 y",
}  # fmt: skip
LONGEST_LABEL = 24
# Few enough to be read on a phone when times spread over many scales.
COARSE_TICKS = (1, 10, 60, 600, 3_600, 43_200, 259_200, 2_592_000, 31_536_000)


@dataclass(frozen=True)
class Share:
    """One share with its 95 % interval: `at` is a period start or a label; all as fractions, None where unknown."""

    at: Any
    value: float | None
    lower: float | None
    upper: float | None
    note: str = ""
    is_complete: bool = True


def share_over_time(
    shares: Sequence[Share],
    *,
    height: int = 340,
    highest: float | None = None,
    marks: Sequence[tuple[date, str]] = (),
    used: tuple[date, date, str] | None = None,
    between: tuple[date, date] | None = None,
    name: str = words.OPT_OUT_RATE,
    cut_name: str = words.NOT_OVER,
) -> go.Figure:
    """A share by period with its interval as a band; a period that is not whole is a hollow point.

    `highest` and `between` fix the scales so that several charts compare; `marks` point at single periods; `used`
    shades the span of periods a number was computed from; `name` says what it is, `cut_name` what hollow points are.
    """
    complete = [share for share in shares if share.is_complete and share.value is not None]
    running = [share for share in shares if not share.is_complete and share.value is not None]
    figure = go.Figure()
    if used:
        figure.add_vrect(x0=used[0], x1=used[1], fillcolor=FAINT, line_width=0, layer="below")
        # The text grows into the chart from the side of the span that has more of it.
        is_late = bool(shares) and used[0] - shares[0].at > shares[-1].at - used[1]
        figure.add_annotation(x=used[1] if is_late else used[0], y=1.0, yref="paper", text=used[2], showarrow=False,
                              xanchor="right" if is_late else "left", yanchor="bottom", font_size=12)  # fmt: skip
    # One or two points have no band to speak of: they get bars.
    has_band = len(complete) > 2
    if has_band:
        figure.add_scatter(
            x=[share.at for share in complete] + [share.at for share in reversed(complete)],
            y=percent([share.upper for share in complete]) + percent([share.lower for share in reversed(complete)]),
            fill="toself", fillcolor=BAND, line={"width": 0}, hoverinfo="skip", name=words.INTERVAL, mode="lines",
        )  # fmt: skip
    figure.add_scatter(
        x=[share.at for share in complete], y=percent([share.value for share in complete]),
        mode="lines+markers" if len(complete) <= 70 else "lines", line={"color": ACCENT, "width": 2},
        marker={"size": 5 if has_band else 8, "color": ACCENT}, name=name,
        error_y=None if has_band else error_bars(complete),
        customdata=[escape(share.note) for share in complete], hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    if running:
        figure.add_scatter(
            x=[share.at for share in running], y=percent([share.value for share in running]), mode="markers",
            marker={"size": 9, "symbol": "circle-open", "color": ACCENT, "line": {"width": 2}},
            error_y=error_bars(running), name=cut_name,
            customdata=[escape(share.note) for share in running], hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    values = {share.at: share.value for share in shares if share.value is not None}
    for at, text in marks:
        if at in values:
            # Text at an edge grows inwards, away from the scale.
            place = [share.at for share in shares].index(at) / len(shares)
            anchor = "left" if place < 0.15 else "right" if place > 0.85 else "center"
            figure.add_annotation(x=at, y=values[at] * 100, text=escape(text), showarrow=True, arrowhead=0, ax=0,
                                  ay=-34, font_size=12, arrowcolor=NEUTRAL, xanchor=anchor)  # fmt: skip
    top = highest if highest is not None else max([share.upper or share.value or 0 for share in shares], default=0)
    figure.update_yaxes(range=[0, max(top * 108, 0.1)], ticksuffix=" %", rangemode="tozero")
    if shares:
        # Set, because an annotation near the edge would widen it.
        first, last = between or (shares[0].at, shares[-1].at)
        margin = max(timedelta(days=4), (last - first) / 40)
        figure.update_xaxes(range=[first - margin, last + margin])
    return calm(figure, height, legend=bool(running))


def share_bars(
    shares: Sequence[Share], *, before: Sequence[Share] = (), names: tuple[str, str] = ("", "")
) -> go.Figure:
    """Shares as horizontal bars with their intervals, the first on top; `before` as hollow diamonds on the same bars.

    A label may have two lines; a long line is cut, so that a phone has room left for the bars.
    """
    places = {share.at: place for place, share in enumerate(shares)}
    then = [share for share in before if share.at in places]
    figure = go.Figure()
    figure.add_bar(
        x=percent([share.value for share in shares]), y=list(places.values()), orientation="h", name=names[0],
        marker={"color": BAND, "line": {"width": 1, "color": ACCENT}}, width=0.6, error_x=error_bars(shares, ACCENT),
        customdata=[escape(share.note) for share in shares], hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    if then:
        figure.add_scatter(
            x=percent([share.value for share in then]), y=[places[share.at] for share in then], mode="markers",
            marker={"symbol": "diamond-open", "size": 11, "color": NEUTRAL, "line": {"width": 2}}, name=names[1],
            customdata=[escape(share.note) for share in then], hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    labels = ["<br>".join(escape(_cut(line)) for line in str(share.at).split("\n")) for share in shares]
    figure.update_yaxes(autorange="reversed", tickvals=list(places.values()), ticktext=labels, showgrid=False)
    figure.update_xaxes(ticksuffix=" %", rangemode="tozero")
    return calm(figure, 90 + 38 * max(len(shares), 1), legend=bool(then), hover="closest")


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LABEL else f"{line[: LONGEST_LABEL - 1]}…"


def stacked_columns(labels: Sequence[str], parts: Sequence[tuple[str, Sequence[float], bool]]) -> go.Figure:
    """Counts per label, stacked: parts are (name, counts, is_hatched); a hatched part is the one to look at."""
    figure = go.Figure()
    for name, counts, is_hatched in parts:
        if not any(counts):
            continue
        figure.add_bar(
            x=list(labels), y=list(counts), name=name, width=0.72,
            marker={"color": NEUTRAL if is_hatched else ACCENT, "opacity": 0.85, "line": {"width": 0},
                    "pattern": {"shape": "/" if is_hatched else "", "solidity": 0.45}},
            hovertemplate="%{x}: %{y:,.0f} " + escape(name.lower()) + "<extra></extra>",
        )  # fmt: skip
    figure.update_layout(barmode="stack")
    figure.update_yaxes(rangemode="tozero", tickformat=",d")
    figure.update_xaxes(type="category", showgrid=False, tickangle=0)
    return calm(figure, 320, legend=len(figure.data) > 1)


def share_done_curve(steps: Sequence[dict[str, Any]], deadline_seconds: float | None = None) -> go.Figure:
    """A Kaplan-Meier curve turned upright: the share applied within a time on a logarithmic scale, with its band."""
    seconds = _at_least_a_second([float(step["seconds"]) for step in steps])
    figure = go.Figure()
    edge = {"mode": "lines", "line": {"width": 0, "shape": "hv"}, "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(x=seconds, y=percent([step["lower"] for step in steps]), **edge)  # fmt: skip
    figure.add_scatter(x=seconds, y=percent([step["upper"] for step in steps]), fill="tonexty", fillcolor=BAND, **edge)
    figure.add_scatter(
        x=seconds, y=percent([step["share_processed"] for step in steps]), mode="lines", showlegend=False,
        line={"color": ACCENT, "width": 2, "shape": "hv"}, customdata=[step["note"] for step in steps],
        hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    if deadline_seconds:
        figure.add_vline(x=deadline_seconds, line={"color": NEUTRAL, "dash": "dot", "width": 1.5})
    _duration_axis(figure, "x", seconds)
    figure.update_yaxes(range=[0, 102], ticksuffix=" %")
    return calm(figure, 340, legend=False, hover="closest")


def durations_by_month(
    months: Sequence[date], lines: Sequence[tuple[str, Sequence[float | None], Sequence[str]]]
) -> go.Figure:
    """Durations by month on a logarithmic scale, one line each: (name, seconds, notes); told apart by dash and mark."""
    figure = go.Figure()
    styles = (("solid", "circle", ACCENT), ("dash", "diamond", NEUTRAL), ("dot", "square", NEUTRAL))
    for (name, values, notes), (dash, symbol, color) in zip(lines, styles, strict=False):
        figure.add_scatter(
            x=list(months), y=_at_least_a_second(values), mode="lines+markers", name=name,
            line={"color": color, "width": 2, "dash": dash},
            marker={"symbol": symbol, "size": 7, "color": color}, customdata=list(notes),
            hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    drawn = [value for _, values, _ in lines for value in _at_least_a_second(values) if value is not None]
    _duration_axis(figure, "y", drawn)
    return calm(figure, 320, legend=True)


@dataclass(frozen=True)
class Mark:
    """One point on a timeline: when, in which lane, what the reader sees on it."""

    at: datetime
    lane: str
    note: str
    is_violation: bool = False
    is_filled: bool = True


def timeline(
    spans: Sequence[tuple[datetime, datetime, str, str]], marks: Sequence[Mark], lines: Sequence[tuple[datetime, str]]
) -> go.Figure:
    """What happened to one contact: spans (from, to, lane, note) as bars, marks as points, lines for instants."""
    figure = go.Figure()
    for begins, ends, lane, note in spans:
        figure.add_scatter(
            x=[begins, ends], y=[lane, lane], mode="lines", line={"color": ACCENT, "width": 16}, opacity=0.35,
            text=[escape(note)] * 2, hovertemplate="%{text}<extra></extra>", showlegend=False,
        )  # fmt: skip
    calm_marks = [mark for mark in marks if not mark.is_violation]
    # Violations last, so that they are drawn over what lies beside them.
    groups = (
        (words.MESSAGE, "circle", ACCENT, [mark for mark in calm_marks if mark.is_filled]),
        (words.EVENT_OR_REPLY, "diamond-open", NEUTRAL, [mark for mark in calm_marks if not mark.is_filled]),
        (words.VIOLATION, "x", VIOLATION, [mark for mark in marks if mark.is_violation]),
    )
    for name, symbol, color, group in groups:
        if group:
            figure.add_scatter(
                x=[mark.at for mark in group], y=[mark.lane for mark in group], mode="markers", name=name,
                marker={"symbol": symbol, "size": 10, "color": color, "line": {"width": 2, "color": color}},
                text=[escape(mark.note) for mark in group], hovertemplate="%{text}<extra></extra>",
            )  # fmt: skip
    instants = {at for begins, ends, _, _ in spans for at in (begins, ends)} | {mark.at for mark in marks}
    near = (max(instants) - min(instants)) / 6 if instants else timedelta()
    ordered = sorted(lines)
    for place, (at, text) in enumerate(ordered):
        # Of two lines side by side the first is named on its left, the second on its right.
        is_left = place + 1 < len(ordered) and ordered[place + 1][0] - at < near
        is_right = place > 0 and at - ordered[place - 1][0] < near
        figure.add_vline(x=at, line={"color": NEUTRAL, "dash": "dot", "width": 1.5})
        figure.add_annotation(
            x=at, y=1.0, yref="paper", text=escape(text), showarrow=False, yanchor="bottom", font_size=12,
            xanchor="left" if is_right else "right" if is_left else "center",
        )  # fmt: skip
    if len(instants) == 1:
        # One instant alone would be drawn on a scale of milliseconds.
        (at,) = instants
        figure.update_xaxes(range=[at - timedelta(days=3), at + timedelta(days=3)])
    lanes = list(dict.fromkeys([lane for _, _, lane, _ in spans] + [mark.lane for mark in marks]))
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=lanes[::-1], showgrid=False)
    return calm(figure, 150 + 44 * len(lanes), legend=True, hover="closest")


def image_config(figure: go.Figure, name: str) -> dict[str, Any]:
    """The settings of a chart that is there to be saved: one button, always seen, that makes a PNG in the browser."""
    button = {
        "format": "png", "filename": name, "width": IMAGE_WIDTH, "height": figure.layout.height, "scale": IMAGE_SCALE,
    }  # fmt: skip
    return CONFIG | {"displayModeBar": True, "modeBarButtons": [["toImage"]], "toImageButtonOptions": button}


def wrapped(text: str) -> str:
    """Text from anywhere as lines of an image: what would be a tag is text."""
    return "<br>".join(escape(line) for line in textwrap.wrap(text, LINE_OF_IMAGE))


def _at_least_a_second(values: Sequence[float | None]) -> list[Any]:
    # A logarithmic scale has no place for what took no time at all.
    return [None if value is None else max(value, 1.0) for value in values]


def percent(values: Sequence[float | None]) -> list[float | None]:
    """Fractions in percent; None stays None."""
    return [None if value is None else value * 100 for value in values]


def error_bars(shares: Sequence[Share], color: str = NEUTRAL) -> dict[str, Any]:
    """The intervals of shares as Plotly draws them, in percent."""
    known = [(share.value or 0, share.lower, share.upper) for share in shares]
    return {
        "type": "data", "symmetric": False, "color": color, "thickness": 1.5, "width": 4,
        "array": [0 if upper is None else (upper - value) * 100 for value, _, upper in known],
        "arrayminus": [0 if lower is None else (value - lower) * 100 for value, lower, _ in known],
    }  # fmt: skip


def _duration_axis(figure: go.Figure, axis: str, seconds: Sequence[float]) -> None:
    lowest, highest = min(seconds, default=1.0), max(seconds, default=86_400.0)
    ticks = [tick for tick in DURATION_TICKS if lowest / 3 <= tick <= highest * 3]
    if len(ticks) > 6:
        ticks = [tick for tick in ticks if tick in COARSE_TICKS]
    settings = {
        "type": "log", "tickmode": "array", "tickvals": ticks, "ticktext": [DURATION_TICKS[tick] for tick in ticks],
        "range": [math.log10(lowest / 1.6), math.log10(highest * 1.6)],
    }  # fmt: skip
    (figure.update_xaxes if axis == "x" else figure.update_yaxes)(**settings)


def calm(figure: go.Figure, height: int, *, legend: bool, hover: str = "x unified") -> go.Figure:
    """A figure as every chart of the pages is: its height, its legend on top, no toolbar, no zoom, no axis titles."""
    figure.update_layout(
        height=height, hovermode=hover, dragmode=False, showlegend=legend, margin={"l": 8, "r": 12, "t": 28, "b": 8},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "xanchor": "left"},
    )  # fmt: skip
    figure.update_xaxes(fixedrange=True, automargin=True, title=None)
    figure.update_yaxes(fixedrange=True, automargin=True, title=None)
    return figure
