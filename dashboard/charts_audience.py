"""The chart shapes of the audience page: what came and went by period, and stacked shares by month.

Colours and manners are those of dashboard.charts; parts are told apart by pattern as well as by tone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape
from typing import Any

import plotly.graph_objects as go

from dashboard.charts import ACCENT, BAND, NEUTRAL, calm
from dashboard.words import charts as words

_STYLES: tuple[dict[str, Any], ...] = (
    {"color": ACCENT},
    {"color": BAND, "line": {"width": 1, "color": ACCENT}},
    {"color": NEUTRAL, "opacity": 0.75},
    {"color": NEUTRAL, "opacity": 0.75, "pattern": {"shape": "/", "solidity": 0.45}},
)


def gains_and_losses(
    periods: Sequence[date],
    gains: Sequence[int],
    losses: Sequence[int],
    notes: Sequence[str],
    *,
    last_is_over: bool = True,
) -> go.Figure:
    """Counts gained as columns up, lost as hatched columns down, and the difference as a line of diamonds.

    The last period is pale where it is not over; `notes` is what the reader sees on a period.
    """
    opacity = [0.9] * len(periods)
    if periods and not last_is_over:
        opacity[-1] = 0.4
    figure = go.Figure()
    figure.add_bar(
        x=list(periods), y=list(gains), name=words.OPTED_IN, hoverinfo="skip",
        marker={"color": BAND, "opacity": opacity, "line": {"width": 1, "color": ACCENT}},
    )  # fmt: skip
    figure.add_bar(
        x=list(periods), y=[-count for count in losses], name=words.OPTED_OUT, hoverinfo="skip",
        marker={"color": NEUTRAL, "opacity": opacity, "line": {"width": 0},
                "pattern": {"shape": "/", "solidity": 0.45}},
    )  # fmt: skip
    figure.add_scatter(
        x=list(periods), y=[gained - lost for gained, lost in zip(gains, losses, strict=True)], name=words.NET_GROWTH,
        mode="lines+markers" if len(periods) <= 70 else "lines", line={"color": ACCENT, "width": 2},
        marker={"symbol": "diamond", "size": 7, "color": ACCENT},
        customdata=[escape(note) for note in notes], hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(barmode="relative")
    figure.update_yaxes(tickformat=",d", zeroline=True, zerolinewidth=1, zerolinecolor=NEUTRAL)
    return calm(figure, 340, legend=True)


def stacked_shares(months: Sequence[date], parts: Sequence[tuple[str, Sequence[float]]]) -> go.Figure:
    """Shares by month (fractions), stacked, up to four parts (name, shares); an empty one is left out."""
    figure = go.Figure()
    for (name, values), style in zip(parts, _STYLES, strict=False):
        if any(values):
            figure.add_bar(
                x=list(months), y=[value * 100 for value in values], name=name, marker=style,
                hovertemplate="%{y:.2f} % " + escape(name.lower()) + "<extra></extra>",
            )  # fmt: skip
    figure.update_layout(barmode="stack")
    figure.update_yaxes(ticksuffix=" %", rangemode="tozero")
    return calm(figure, 300, legend=True)
