"""Period, channel and program: chosen in the sidebar, kept in the URL, the same on every page that offers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import streamlit as st

from dashboard import formats, snapshot, texts

MONTHS = """
select distinct period_start from metrics.verdicts where period_start is not null order by period_start desc
"""
CHANNELS = """
select distinct channel from (
    select channel from metrics.verdicts
    union all select channel from metrics.measurements
    union all select channel from audits.findings
) where channel <> '*' order by channel
"""
PROGRAMS = """
select distinct program from (
    select program from metrics.measurements
    union all select program from audits.findings
) where program <> '*' order by program
"""
BOUNDS = """
select
    timezone(report_timezone, cast(? as timestamp)) as starts_at,
    timezone(report_timezone, cast(? as timestamp) + interval 1 month) as ends_at
from run.parameters
"""


@dataclass(frozen=True)
class Filters:
    """What the reader chose; None means all of them. `period` is the first day of a month in the report time zone."""

    period: date | None = None
    channel: str | None = None
    program: str | None = None

    @property
    def channel_or_all(self) -> str:
        """The channel as metrics name it: `*` for all."""
        return self.channel or "*"

    @property
    def program_or_all(self) -> str:
        """The program as metrics name it: `*` for all."""
        return self.program or "*"

    def words(self) -> str:
        """The selection as a reader says it: October 2026, SMS."""
        period = formats.month(self.period) if self.period else texts.ALL_PERIODS.lower()
        channel = texts.channel(self.channel) if self.channel else texts.ALL_CHANNELS.lower()
        program = [f"program {self.program}"] if self.program else []
        words = ", ".join([period, channel, *program])
        return words[0].upper() + words[1:]


def draw(offered: Sequence[str]) -> None:
    """Draw the filters a page offers, of period, channel and program, and keep what is chosen for this page run.

    Called by app.py, not by the pages: what the entry script draws keeps its value and its place in the URL when the
    reader goes to another page.
    """
    st.session_state["filters"] = Filters(
        period=_one("period", "Month", _column(MONTHS), texts.ALL_PERIODS, formats.month, offered),
        channel=_one("channel", "Channel", _column(CHANNELS), texts.ALL_CHANNELS, texts.channel, offered),
        program=_one("program", "Program", _column(PROGRAMS), texts.ALL_PROGRAMS, str, offered),
    )


def chosen() -> Filters:
    """What is chosen in this page run; a filter the page does not offer chooses nothing."""
    filters: Filters = st.session_state["filters"]
    return filters


def bounds_of(month: date | None) -> tuple[datetime | None, datetime | None]:
    """The instants at which a month of the report time zone begins and ends; None and None for the whole record."""
    if month is None:
        return None, None
    row = snapshot.one(BOUNDS, [month, month]) or {}
    return row["starts_at"], row["ends_at"]


def _column(sql: str) -> list[Any]:
    return [value for row in snapshot.rows(sql) for value in row.values()]


def _one(
    key: str, label: str, options: list[Any], everything: str, name: Callable[[Any], str], offered: Sequence[str]
) -> Any:
    if key not in offered:
        return None
    return st.sidebar.selectbox(
        label,
        [None, *options],
        format_func=lambda value: everything if value is None else name(value),
        key=key,
        bind="query-params",
    )
