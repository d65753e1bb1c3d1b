"""Calendars of cells that a reader can click: each has its text, its shade and, where nothing is known, its hatching.

The text is the answer and the colour repeats it; red is for violations alone, the more of them the stronger.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from dashboard.charts import ACCENT, BAND, FAINT, NEUTRAL, VIOLATION, calm

#: Reds by how many violations a cell has beside the others: few, more, most. The last one needs white text.
REDS = ("rgba(204, 75, 67, 0.28)", "rgba(204, 75, 67, 0.55)", "#a8332c")
#: Streamlit's placeholder for the theme's text: its front end puts the light or the dark theme's colour in its place.
INK = "#000037"
CLEAR, UNKNOWN, NOTHING = "clear", "unknown", "nothing"
#: So that a short record does not fill the page with a few huge cells.
FEWEST_COLUMNS = 7


@dataclass(frozen=True)
class Cell:
    """One cell: its place from the top left, its text (`<br>` breaks it), what is said on hovering, and what it is.

    `key` comes back when it is clicked; `state` is clear, unknown or nothing where there are no violations.
    """

    column: int
    row: int
    text: str
    note: str
    key: str
    state: str
    violations: int = 0
    is_chosen: bool = False


def shade(violations: int, most: int) -> int:
    """Which of the reds: 0, 1 or 2, by how many digits long the count is beside the greatest one."""
    if most <= 1:
        return 0
    return min(2, int(3 * math.log(violations) / math.log(most))) if violations > 1 else 0


def grid(cells: Sequence[Cell], columns: Sequence[str], rows: Sequence[str], row_height: int) -> go.Figure:
    """Cells in rows and columns, the first row on top; `row_height` in pixels."""
    most = max((cell.violations for cell in cells), default=0)
    figure = go.Figure()
    fills = [REDS[shade(cell.violations, most)] if cell.violations else _fill(cell) for cell in cells]
    figure.add_bar(
        x=[cell.column for cell in cells], y=[0.9] * len(cells), base=[cell.row - 0.45 for cell in cells], width=0.92,
        marker={
            "color": fills,
            "line": {"width": 1, "color": [_edge(cell) for cell in cells]},
            "pattern": {
                "shape": ["/" if cell.state == UNKNOWN and not cell.violations else "" for cell in cells],
                "fgcolor": NEUTRAL, "bgcolor": FAINT, "size": 8, "solidity": 0.22,
            },
        },
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
        customdata=[[cell.key, escape(cell.note)] for cell in cells],
        hovertemplate="%{customdata[1]}<extra></extra>",
    )  # fmt: skip
    for is_strong in (False, True):
        # On the strongest red text is white; elsewhere it is the theme's.
        some = [cell for cell, fill in zip(cells, fills, strict=True) if (fill == REDS[2]) == is_strong]
        if some:
            figure.add_scatter(
                x=[cell.column for cell in some], y=[cell.row for cell in some], text=[cell.text for cell in some],
                mode="text", hoverinfo="skip", textfont={"size": 12, "color": "#ffffff" if is_strong else INK},
            )  # fmt: skip
    for cell in cells:
        if cell.is_chosen:
            figure.add_shape(
                type="rect", x0=cell.column - 0.49, x1=cell.column + 0.49, y0=cell.row - 0.49, y1=cell.row + 0.49,
                line={"color": ACCENT, "width": 3},
            )  # fmt: skip
    width = max(len(columns), FEWEST_COLUMNS)
    figure.update_xaxes(
        range=[-0.5, width - 0.5], tickvals=list(range(len(columns))), ticktext=list(columns), side="top",
        showgrid=False, zeroline=False, ticks="", tickangle=0,
    )  # fmt: skip
    figure.update_yaxes(
        range=[len(rows) - 0.5, -0.5], tickvals=list(range(len(rows))), ticktext=[escape(row) for row in rows],
        showgrid=False, zeroline=False, ticks="",
    )  # fmt: skip
    figure = calm(figure, 56 + row_height * max(len(rows), 1), legend=False, hover="closest")
    return figure.update_layout(barmode="overlay", margin={"l": 4, "r": 4, "t": 44, "b": 4})


def _fill(cell: Cell) -> str:
    return {CLEAR: BAND, UNKNOWN: FAINT}.get(cell.state, "rgba(0, 0, 0, 0)")


def _edge(cell: Cell) -> str:
    return VIOLATION if cell.violations else {CLEAR: ACCENT, UNKNOWN: NEUTRAL}.get(cell.state, FAINT)
