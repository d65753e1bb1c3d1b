"""What every page has: a question with its scope on top, charts with their tables, empty states, a footer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas
import plotly.graph_objects as go
import streamlit as st

from dashboard import access, charts, linking, snapshot, taking
from dashboard.filters import Filters
from dashboard.words import access_texts, formats, texts
from dashboard.words import layout as words

STALE_AFTER = timedelta(hours=36)
# Wide enough for a table, narrow enough to read a sentence.
PAGE_WIDTH = 1120


def header(name: str, filters: Filters | None = None) -> None:
    """The page's question, what is selected, and a banner if the snapshot is old."""
    published = snapshot.published()
    taking.view().selection = filters.words() if filters else ""
    st.title(texts.PAGES[name].question, anchor=False)
    age = formats.age(published.published_at, datetime.now(UTC))
    selected = [f"**{texts.plain(filters.words())}**"] if filters else []
    until = words.up_to(formats.instant(published.as_of), in_your_time(published.as_of))
    st.caption(" · ".join([*selected, until, words.published(age)]))
    linking.place()
    if is_stale(published.published_at, datetime.now(UTC)):
        st.warning(words.STALE.format(age=age, command=snapshot.command_for("run")), icon=":material/history:")


def in_your_time(value: datetime) -> str:
    """An instant as the reader's own clock shows it; nothing where the browser does not say or agrees with UTC."""
    zone = st.context.timezone
    written = formats.local(value, zone)
    return words.your_time(written, texts.plain(zone)) if written else ""


def is_stale(published_at: datetime, now: datetime) -> bool:
    """Whether a snapshot was published longer ago than a daily run explains."""
    return now - published_at > STALE_AFTER


def footer(definition: str = "") -> None:
    """Where these numbers come from: run, version, rules and the definition used."""
    published = snapshot.published()
    told = snapshot.one("select scope, rules, report_timezone, heed_version from run.parameters") or {}
    taking.view().definition = definition
    st.space("small")
    linking.offer()
    parts = words.origin(
        run_id=published.run_id,
        version=told.get("heed_version", ""),
        rules=texts.plain(told.get("rules")),
        scope=texts.plain(told.get("scope")),
        zone=texts.plain(told.get("report_timezone")),
        fingerprint=published.fingerprint[:12],
    )
    open_to = [access_texts.LOCAL.format(role=access_texts.ROLES[access.reader().role])] if access.is_local() else []
    st.caption("  \n".join([" · ".join([*([definition] if definition else []), *parts]), *open_to]))


def chart(
    figure: go.Figure,
    alt: str,
    table: pandas.DataFrame,
    columns: dict[str, Any] | None = None,
    *,
    title: str = "",
    is_table_beside: bool = False,
    clicked: Callable[[], None] | None = None,
    key: str | None = None,
) -> None:
    """A chart with its text alternative, the table behind it one click away, and both to take with you.

    `title` names the image and the files; without one they are named by how the text alternative begins. Where the
    page shows the numbers beside the chart (`is_table_beside`), they are not drawn a second time. `clicked` is called
    when a point is clicked; what was is in the session's state under `key`.
    """
    title = title or begins(alt)
    key = key or taking.view().once(f"chart-{taking.slug(title)}")
    st.plotly_chart(
        figure, config=charts.CONFIG, alt=alt, key=key, on_select=clicked or "ignore", selection_mode="points"
    )
    if is_table_beside:
        taking.offer(title, table, columns=columns, figure=figure)
        return
    with st.container(horizontal=True, vertical_alignment="top", gap="small"):
        with st.expander(texts.TABLE_BEHIND):
            st.dataframe(table, hide_index=True, column_config=columns, alt=alt, placeholder="")
        taking.offer(title, table, columns=columns, figure=figure)


def frame(
    table: pandas.DataFrame,
    alt: str,
    columns: dict[str, Any] | None = None,
    title: str = "",
    buttons: Sequence[str] = (),
    **drawn: Any,
) -> None:
    """A table to sort and scroll, and to take with you but for its `buttons`; `drawn` goes on to st.dataframe.

    `title` names the files.
    """
    st.dataframe(table, hide_index=True, column_config=columns, alt=alt, placeholder="", **drawn)
    order = drawn.get("column_order")
    taken = (table[list(order)] if order else table).drop(columns=list(buttons))
    taking.offer(title or begins(alt), taken, columns=columns)


def begins(alt: str) -> str:
    """How a text alternative begins, up to its first colon, semicolon or full stop."""
    return re.split(r"[:;.](?:\s|$)", alt, maxsplit=1)[0]


def table(lines: Sequence[dict[str, Any]], alt: str, numbers: Mapping[str, Callable[[Any], str]] | None = None) -> None:
    """A short table of Markdown cells, to take with you; `numbers` names the columns to align right, with how to
    write each."""
    frame = pandas.DataFrame(lines)
    writers: dict[Any, str | Callable[[object], str] | None] = {}
    for column, write in (numbers or {}).items():
        frame[column] = pandas.to_numeric(frame[column])
        writers[column] = _missing_as_none(write)
    st.table(frame.style.format(writers), hide_index=True, border="horizontal", alt=alt)
    taking.offer(begins(alt), pandas.DataFrame(lines), numbers)


def _missing_as_none(write: Callable[[Any], str]) -> Callable[[object], str]:
    # pandas has one "missing" for numbers, not a number; the writers know None.
    return lambda value: write(None if value != value else value)


def card(label: str, value: str, note: str, before: str | None = None) -> None:
    """One number with its note under it, and the value before if there is one."""
    with st.container(border=True, height="stretch", gap="xsmall"):
        delta = words.BEFORE.format(value=texts.plain(before)) if before else None
        st.metric(texts.plain(label), texts.plain(value), delta=delta, delta_color="off", delta_arrow="off")
        st.caption(note)


def empty(title: str, body: str, command: str = "", icon: str = ":material/inbox:") -> None:
    """A designed empty state: what is not there, why, and what to do."""
    with st.container(border=True, gap="small"):
        st.header(f"{icon} {texts.plain(title)}", anchor=False)
        st.markdown(body)
        if command:
            st.code(command, language=None, wrap_lines=True)


def older(what: str) -> None:
    """The designed state of a page whose numbers an earlier version of heed did not publish."""
    empty(words.OLDER.format(what=what), texts.OLDER, snapshot.command_for("run"), icon=":material/update:")


def verdict_badge(verdict: str, note: str = "") -> str:
    """A verdict as a Markdown badge: red for Fail alone, always with its word."""
    color = {"Fail": "red", "Pass": "primary"}.get(verdict, "gray")
    return f":{color}-badge[{verdict}{f' · {note}' if note else ''}]"


def severity_badge(severity: str) -> str:
    """A severity as a Markdown badge: red for those that make a violation."""
    color = "red" if severity in ("critical", "high") else "gray"
    return f":{color}-badge[{texts.severity(severity)}]"
