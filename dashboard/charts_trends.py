"""The chart shapes of the page on trends: levels drawn over a rate, and shares side by side in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

import plotly.graph_objects as go

from dashboard.charts import ACCENT, BAND, NEUTRAL, Share, calm, error_bars, percent
from dashboard.words import charts as words

LABELS_SHOWN = 8


@dataclass(frozen=True)
class Level:
    """A stretch of days with one rate (a fraction); `text` is written where it begins, if anything is."""

    from_on: date
    until_on: date
    value: float
    text: str = ""


def mark_levels(figure: go.Figure, levels: Sequence[Level]) -> go.Figure:
    """Draw each level as a dashed line over the days it held, and a thin upright line where a new one begins."""
    days, heights = [], []
    for level in levels:
        days += [level.from_on, level.until_on, None]
        heights += [100 * level.value, 100 * level.value, None]
        if level.text:
            figure.add_vline(x=level.from_on, line={"color": NEUTRAL, "dash": "dot", "width": 1.5})
            figure.add_annotation(
                x=level.from_on, y=0, yref="paper", text=escape(level.text), showarrow=False, xanchor="left",
                yanchor="bottom", xshift=4, font_size=12,
            )  # fmt: skip
    if levels:
        figure.add_scatter(
            x=days, y=heights, mode="lines", name=words.LEVEL, hoverinfo="skip", connectgaps=False,
            line={"color": NEUTRAL, "width": 2, "dash": "dash"},
        )  # fmt: skip
    return figure


def share_columns(
    shares: Sequence[Share], *, beside: Sequence[Share] = (), names: tuple[str, str], marked: Sequence[str] = ()
) -> go.Figure:
    """Shares as columns with their intervals, in the order given; `beside` as hollow diamonds.

    Columns of `marked` labels stand out; `names` say what the columns and the diamonds are.
    """
    labels = [str(share.at) for share in shares]
    figure = go.Figure()
    figure.add_bar(
        x=labels, y=percent([share.value for share in shares]), name=names[0], width=0.7,
        marker={"color": [ACCENT if label in marked else BAND for label in labels],
                "line": {"width": 1, "color": ACCENT}},
        error_y=error_bars(shares), customdata=[escape(share.note) for share in shares],
        hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    if beside:
        figure.add_scatter(
            x=[str(share.at) for share in beside], y=percent([share.value for share in beside]), mode="markers",
            name=names[1], marker={"symbol": "diamond-open", "size": 9, "color": NEUTRAL, "line": {"width": 2}},
            hoverinfo="skip",
        )  # fmt: skip
    # As many labels as a phone has room for; pointing at a column names it.
    ticks = labels[:: max(1, -(-len(labels) // LABELS_SHOWN))]
    figure.update_xaxes(
        type="category", categoryorder="array", categoryarray=labels, showgrid=False, tickangle=0, tickmode="array",
        tickvals=ticks,
    )  # fmt: skip
    figure.update_yaxes(ticksuffix=" %", rangemode="tozero")
    return calm(figure, 300, legend=bool(beside), hover="closest")
