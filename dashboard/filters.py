"""Period, channel, program and campaign: chosen in the sidebar, kept in the URL, the same on every page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import streamlit as st

from dashboard import snapshot
from dashboard.words import filters as words
from dashboard.words import formats, texts

MONTHS = """
select distinct period_start from metrics.verdicts where period_start is not null order by period_start desc
"""
CHANNELS = """
select distinct channel from (
    select channel from metrics.verdicts
    union all select channel from metrics.measurements
    union all select channel from {found}
) where channel <> '*' order by channel
"""
PROGRAMS = """
select distinct program from (
    select program from metrics.measurements
    union all select program from {found}
) where program <> '*' order by program
"""
CAMPAIGNS = """
select distinct campaign_id from (
    select campaign_id from metrics.measurements where grain = 'all'
    union all select campaign_id from {found}
) where campaign_id <> '*' order by campaign_id
"""
BOUNDS = """
select
    timezone(report_timezone, cast(? as timestamp)) as starts_at,
    timezone(report_timezone, cast(? as timestamp) + {length}) as ends_at
from run.parameters
"""
#: What the address said and the reader had chosen at the end of the last page run, by filter.
SEEN = "filters_seen"


@dataclass(frozen=True)
class Filters:
    """What the reader chose; None means all of them. `period` is the first day of a month in the report time zone."""

    period: date | None = None
    channel: str | None = None
    program: str | None = None
    campaign: str | None = None

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
        program = [words.OF_PROGRAM.format(program=self.program)] if self.program else []
        campaign = [words.OF_CAMPAIGN.format(campaign=self.campaign)] if self.campaign else []
        told = ", ".join([period, channel, *program, *campaign])
        return told[0].upper() + told[1:]


def draw(offered: Sequence[str]) -> None:
    """Draw the filters a page offers and keep what is chosen for this page run.

    Called by app.py, not by the pages: what the entry script draws keeps its value and its place in the URL when the
    reader goes to another page.
    """
    st.session_state["filters"] = Filters(
        period=_one("period", words.MONTH, MONTHS, texts.ALL_PERIODS, formats.month, offered),
        channel=_one("channel", words.CHANNEL, CHANNELS, texts.ALL_CHANNELS, texts.channel, offered),
        program=_one("program", words.PROGRAM, PROGRAMS, texts.ALL_PROGRAMS, str, offered),
        campaign=_one("campaign", words.CAMPAIGN, CAMPAIGNS, texts.ALL_CAMPAIGNS, str, offered),
    )


def chosen() -> Filters:
    """What is chosen in this page run; a filter the page does not offer chooses nothing."""
    filters: Filters = st.session_state["filters"]
    return filters


def bounds_of(month: date | None) -> tuple[datetime | None, datetime | None]:
    """The instants at which a month of the report time zone begins and ends; None and None for the whole record."""
    if month is None:
        return None, None
    return _bounds(month, "interval 1 month")


def bounds_of_day(day: date) -> tuple[datetime, datetime]:
    """The instants at which a day of the report time zone begins and ends."""
    return _bounds(day, "interval 1 day")


def _bounds(first: date, length: str) -> tuple[datetime, datetime]:
    row = snapshot.one(BOUNDS.format(length=length), [first, first]) or {}
    return row["starts_at"], row["ends_at"]


def _one(key: str, label: str, sql: str, everything: str, name: Callable[[Any], str], offered: Sequence[str]) -> Any:
    if key not in offered:
        return None
    # The groups say it in thousands of rows, where an earlier snapshot has them by millions.
    found = "metrics.finding_groups" if snapshot.has("metrics.finding_groups") else "audits.findings"
    options = [value for row in snapshot.rows(sql.format(found=found)) for value in row.values()]
    labels = {None: everything} | {value: name(value) for value in options}
    adopt(key, {written: value for value, written in labels.items()})
    value = st.sidebar.selectbox(label, list(labels), format_func=labels.__getitem__, key=key, bind="query-params")
    st.session_state.setdefault(SEEN, {})[key] = (st.query_params.get(key), value)
    return value


def adopt(key: str, by_label: dict[str, Any]) -> None:
    """Choose what a link says that the reader followed since the last page run.

    Streamlit reads the address into a widget that is new, and not into one that the reader brings from another page.
    """
    asked = st.query_params.get(key)
    said, chosen = st.session_state.get(SEEN, {}).get(key, (None, None))
    # What the reader chooses changes the address as well, but later: then the choice is what differs.
    if key in st.session_state and asked != said and asked in by_label and st.session_state[key] == chosen:
        st.session_state[key] = by_label[asked]
