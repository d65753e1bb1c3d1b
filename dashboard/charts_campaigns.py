"""The chart shapes of the campaign and timing pages: a funnel, rates by bucket, and a week of hours.

Colours and manners are those of dashboard.charts. No mark is red: a campaign that people leave is no violation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log10
from typing import Any

import plotly.graph_objects as go

from dashboard.charts import ACCENT, BAND, FAINT, NEUTRAL, Share, calm, error_bars, percent
from dashboard.words import charts as words
from dashboard.words import texts

#: Labels that fit under columns before they are written aslant.
_STRAIGHT_LABELS = 12
_PALEST = "rgba(46, 139, 152, 0.04)"


@dataclass(frozen=True)
class Campaign:
    """One campaign in a funnel: its messages, its rate, what the reader sees on it, whether it stands out."""

    messages: float
    rate: float
    label: str
    note: str
    stands_out: bool = False


def funnel(limits: Sequence[dict[str, Any]], campaigns: Sequence[Campaign], *, height: int = 380) -> go.Figure:
    """Rates by size on a logarithmic scale, inside the limits that chance and ordinary spread keep to.

    `limits` are rows of metrics.campaign_funnels. Campaigns that stand out are filled diamonds with their name.
    """
    figure = go.Figure()
    at = [row["message_count"] for row in limits]
    for name, suffix, colour in ((words.CAMPAIGNS_998, "998", FAINT), (words.CAMPAIGNS_95, "95", BAND)):
        edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        lower, upper = (percent([row[f"{side}_{suffix}"] for row in limits]) for side in ("lower", "upper"))
        figure.add_scatter(x=at, y=lower, showlegend=False, **edge)
        figure.add_scatter(x=at, y=upper, fill="tonexty", fillcolor=colour, name=name, **edge)
    figure.add_scatter(
        x=at, y=percent([row["centre"] for row in limits]), mode="lines", name=words.CHANNEL,
        line={"color": NEUTRAL, "width": 1.5, "dash": "dash"}, hoverinfo="skip",
    )  # fmt: skip
    styles: tuple[tuple[str, bool, dict[str, Any]], ...] = (
        (words.CAMPAIGN, False, {"symbol": "circle-open", "size": 8, "color": NEUTRAL, "line": {"width": 1.5}}),
        (words.STANDS_OUT, True, {"symbol": "diamond", "size": 12, "color": ACCENT}),
    )
    for name, stands_out, marker in styles:
        shown = [campaign for campaign in campaigns if campaign.stands_out == stands_out]
        if shown:
            figure.add_scatter(
                x=[one.messages for one in shown], y=percent([one.rate for one in shown]), name=name,
                mode="markers", marker=marker, customdata=[escape(one.note) for one in shown],
                hovertemplate="%{customdata}<extra></extra>",
            )  # fmt: skip
    named = sorted((one for one in campaigns if one.stands_out), key=lambda one: -one.rate)[:4]
    for one in named:
        # A logarithmic axis takes the exponent as the place of a note.
        figure.add_annotation(
            x=log10(one.messages), y=one.rate * 100, text=escape(one.label), showarrow=False, font_size=12,
            xanchor="right", xshift=-10,
        )  # fmt: skip
    # The limits of a tiny campaign reach 100 %: the scale follows the campaigns.
    highest = max([one.rate for one in campaigns], default=0)
    usual = [row["upper_95"] for row in limits[len(limits) // 2 :]] or [0]
    top = max(highest, min(usual[0], 4 * max(highest, usual[-1] / 2)))
    ticks = [step * 10**power for power in range(9) for step in (1, 2, 5)]
    ticks = [tick for tick in ticks if at and at[0] <= tick <= at[-1]]
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks])
    figure.update_yaxes(range=[0, max(top * 115, 0.1)], ticksuffix=" %", rangemode="tozero")
    calm(figure, height, legend=True, hover="closest")
    figure.update_xaxes(title={"text": words.MESSAGES_DELIVERED, "font": {"size": 12}})
    return figure


def rates_by_bucket(shares: Sequence[Share], *, usual: float | None, marked: Sequence[bool] = ()) -> go.Figure:
    """Rates in the order of their buckets with their intervals; `usual` is a line, `marked` ones are filled."""
    filled = list(marked) or [False] * len(shares)
    figure = go.Figure()
    figure.add_bar(
        x=[str(share.at) for share in shares], y=percent([share.value for share in shares]), width=0.7,
        marker={"color": [ACCENT if mark else BAND for mark in filled], "line": {"width": 1, "color": ACCENT}},
        error_y=error_bars(shares), customdata=[escape(share.note) for share in shares], showlegend=False,
        hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    if usual is not None:
        figure.add_hline(y=usual * 100, line={"color": NEUTRAL, "dash": "dash", "width": 1.5})
        figure.add_annotation(
            x=1, xref="paper", y=usual * 100, text="all", showarrow=False, yanchor="bottom", xanchor="right",
            font_size=12,
        )  # fmt: skip
    # One opt-out of three messages has an interval up to the ceiling: the scale follows the rates.
    values = [share.value or 0 for share in shares]
    tops = [min(share.upper or 0, 3 * max(values, default=0)) for share in shares]
    figure.update_yaxes(range=[0, max(max(tops, default=0) * 108, 0.1)], ticksuffix=" %", rangemode="tozero")
    figure.update_xaxes(type="category", showgrid=False, tickangle=0 if len(shares) <= _STRAIGHT_LABELS else -45)
    return calm(figure, 320, legend=False, hover="closest")


def week_of_hours(rates: dict[tuple[int, int], float], notes: dict[tuple[int, int], str]) -> go.Figure:
    """Rates by weekday (1 Monday to 7) and hour as tones of one colour; an hour without messages stays empty."""
    hours = sorted({hour for _, hour in rates})
    span = range(hours[0], hours[-1] + 1) if hours else range(24)
    figure = go.Figure()
    figure.add_heatmap(
        x=[f"{hour:02d}" for hour in span], y=list(texts.WEEKDAYS),
        z=[[_percent_or_none(rates.get((day, hour))) for hour in span] for day in range(1, 8)],
        customdata=[[escape(notes.get((day, hour), "")) for hour in span] for day in range(1, 8)],
        hovertemplate="%{customdata}<extra></extra>", hoverongaps=False, xgap=2, ygap=2,
        colorscale=[[0, _PALEST], [1, ACCENT]], zmin=0,
        colorbar={"ticksuffix": " %", "thickness": 10, "outlinewidth": 0, "len": 0.9},
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    figure.update_xaxes(type="category", showgrid=False, tickangle=0)
    return calm(figure, 300, legend=False, hover="closest")


def _percent_or_none(value: float | None) -> float | None:
    return None if value is None else value * 100
