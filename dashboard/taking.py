"""What a page shows, to take with you: every table as CSV and Parquet, every chart as an image.

A file says by itself what it holds: the run, the instant up to which it knows, what was selected and how it was
counted; a CSV in columns at its end, a Parquet file in its metadata, an image under its title.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import Any

import pandas
import plotly.graph_objects as go
import pyarrow
import streamlit as st

from dashboard import access, charts, export, snapshot
from dashboard.words import formats, texts
from dashboard.words import taking as words

LONGEST_NAME = 60
# A Markdown badge, a link, and the marks that texts.plain() and the pages put around text.
_BADGE = re.compile(r":[a-z]+(?:-badge|-background)?\[((?:[^\[\]\\]|\\.)*)\]")
_LINK = re.compile(r"\[((?:[^\[\]\\]|\\.)*)\]\([^)\s]*\)")
_MARKS = re.compile(r"(?<!\\)(?:\*\*|`)|<br\s*/?>")
_ESCAPED = re.compile(r"\\([\\`*_\[\]<>~$|#])")


@dataclass
class View:
    """What is seen on one page run: told by its header, its switch of definitions and its footer."""

    page: str = "page"
    selection: str = ""
    definition: str = ""
    names: dict[str, int] = field(default_factory=dict)

    def once(self, name: str) -> str:
        """The name, with a number from the second time on."""
        self.names[name] = self.names.get(name, 0) + 1
        return name if self.names[name] == 1 else f"{name}-{self.names[name]}"


def begin(page: str) -> None:
    """A page run begins; what it offers to take is named after its page."""
    st.session_state["view"] = View(page)


def view() -> View:
    """What this page run shows."""
    if "view" not in st.session_state:
        begin(View.page)
    shown: View = st.session_state["view"]
    return shown


def offer(
    title: str,
    table: pandas.DataFrame,
    numbers: Mapping[str, Callable[[Any], str]] | None = None,
    columns: Mapping[str, Any] | None = None,
    figure: go.Figure | None = None,
) -> None:
    """A button that opens what is shown as files, made when asked for: `table`, and the `figure` drawn from it.

    `numbers` and `columns` say how the page writes the columns of the table, and so in which unit they are.
    """
    shown = view()
    name = shown.once(slug(title))
    key = f"take-{shown.page}-{name}"
    if not st.button(words.TAKE, type="tertiary", icon=":material/download:", key=key):
        return

    # A dialog and no popover: saving an image counts as a click outside a popover, and would take its chart away.
    @st.dialog(texts.plain(title), width="large", icon=":material/download:")
    def opened() -> None:
        show(name, title, lambda: in_units(table, numbers or {}, columns or {}), len(table), figure)

    opened()


def show(name: str, title: str, make: Callable[[], pandas.DataFrame], rows: int, figure: go.Figure | None) -> None:
    """The files that can be made of a table, and the image of its chart if it has one."""
    shown, published = view(), snapshot.published()
    file = f"heed-{shown.page}-{name}-{published.run_id}"

    def read() -> pyarrow.Table:
        return pyarrow.Table.from_pandas(make(), preserve_index=False)

    def csv() -> bytes:
        return export.to_csv(with_origin_columns(read(), origin(shown, published)))

    def parquet() -> bytes:
        return export.to_parquet(read().replace_schema_metadata(origin(shown, published)))

    with st.container(horizontal=True):
        for label, made, ending, kind in (
            (words.CSV, csv, "csv", "text/csv"),
            (words.PARQUET, parquet, "parquet", "application/vnd.apache.parquet"),
        ):
            st.download_button(
                label, access.on_demand("view", rows, made, page=shown.page), f"{file}.{ending}", kind,
                icon=":material/download:", on_click="ignore", key=f"{ending}-{shown.page}-{name}",
            )  # fmt: skip
    if figure is not None:
        light = printed(figure, title, origin(shown, published))
        st.markdown(words.IMAGE)
        st.plotly_chart(light, theme=None, config=charts.image_config(light, file), key=f"image-{name}",
                        alt=words.image_alt(title))  # fmt: skip


def origin(shown: View, published: snapshot.Published) -> dict[str, str]:
    """Where the numbers of a file come from, by the names that the file gives it."""
    return {
        "heed_run": published.run_id,
        "heed_as_of": published.as_of.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "heed_selection": without_marks(shown.selection),
        "heed_definition": without_marks(shown.definition),
    }


def in_units(
    table: pandas.DataFrame, numbers: Mapping[str, Callable[[Any], str]], columns: Mapping[str, Any]
) -> pandas.DataFrame:
    """A table as it goes into a file: numbers in full, their unit in the column's name, text without marks."""
    told: dict[str, Any] = {}
    for column in table.columns:
        values = table[column]
        unit, factor = UNITS.get(numbers.get(column, str), ("", 1.0))
        # As the page configures it: None hides the column, a text is its label, anything else has label and format.
        how = columns.get(column, "")
        if how is None:
            continue
        label = how if isinstance(how, str) else how.get("label")
        if not isinstance(how, str) and "%%" in str((how.get("type_config") or {}).get("format")):
            unit = words.PERCENT
        if factor != 1:
            values = pandas.to_numeric(values) * factor
        elif not (pandas.api.types.is_numeric_dtype(values) or pandas.api.types.is_datetime64_any_dtype(values)):
            values = values.map(_cell)
        told[words.with_unit(without_marks(label or str(column)), unit)] = values
    return pandas.DataFrame(told)


#: How a page writes a number, with its unit in a file and what to multiply it by.
UNITS: Mapping[Callable[[Any], str], tuple[str, float]] = {
    formats.share: (words.PERCENT, 100.0),
    formats.points: (words.POINTS, 100.0),
    formats.duration: (words.SECONDS, 1.0),
    formats.seconds: (words.SECONDS, 1.0),
}


def with_origin_columns(table: pyarrow.Table, told: Mapping[str, str]) -> pyarrow.Table:
    """The table with where it comes from in every row: a CSV has no other place that every program reads."""
    for name, value in told.items():
        table = table.append_column(name, pyarrow.array([value] * table.num_rows, pyarrow.string()))
    return table


def printed(figure: go.Figure, title: str, told: Mapping[str, str]) -> go.Figure:
    """A chart as it goes out of the house: dark on white whatever the theme, with its title and its origin."""
    lines = "<br>".join(map(charts.wrapped, words.under_title(told))).split("<br>")
    light = go.Figure(figure)
    above = 44 + 17 * len(lines)
    light.update_layout(
        template="plotly_white", paper_bgcolor="white", plot_bgcolor="white",
        font={"family": "sans-serif", "size": 13, "color": "#22292c"},
        title={"text": f"<b>{charts.wrapped(title)}</b>", "x": 0, "xref": "container", "xanchor": "left",
               "y": 1, "yref": "container", "yanchor": "top", "pad": {"l": 16, "t": 16},
               "font": {"size": 17}, "subtitle": {"text": "<br>".join(lines),
                                                  "font": {"size": 12, "color": "#5d666b"}}},
        modebar={"color": "#1f6b75", "activecolor": "#14191b", "bgcolor": "white"},
        height=(figure.layout.height or 340) + above, margin={"l": 16, "r": 20, "t": 36 + above, "b": 16},
    )  # fmt: skip
    # Apart from the scale beside it: the first day's label is as wide as the margin.
    light.update_xaxes(ticks="outside", ticklen=7, tickcolor="white")
    return light


def of_shares(first_column: str, shares: Sequence[charts.Share]) -> pandas.DataFrame:
    """The shares that a chart draws as a table, in percent."""
    at = [formats.day(one.at) if isinstance(one.at, date) else str(one.at).replace("\n", ", ") for one in shares]
    bounds = zip(*(charts.percent([one.value, one.lower, one.upper]) for one in shares), strict=True)
    named = zip((words.SHARE, words.FROM, words.TO), bounds, strict=False)
    return pandas.DataFrame({first_column: at} | {words.with_unit(name, words.PERCENT): v for name, v in named})


def slug(title: str) -> str:
    """A title as part of a file's name: small letters, digits and hyphens."""
    parts = re.findall(r"[a-z0-9]+", without_marks(title).lower())
    return "-".join(parts)[:LONGEST_NAME].strip("-") or "table"


def without_marks(text: str) -> str:
    """Markdown as the reader sees it: the words of badges and links, nothing of what makes them look so."""
    for pattern in (_BADGE, _LINK):
        text = pattern.sub(r"\1", text)
    text = _ESCAPED.sub(r"\1", _MARKS.sub("", text))
    return text.replace(formats.JOINER, "").replace(formats.GAP, " ").strip()


def _cell(value: Any) -> str | None:
    if value is None or value != value:
        return None
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return without_marks(str(value))
