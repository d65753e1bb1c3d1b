"""Verdicts by channel and month as a calendar to click, and the days of one month under it."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pandas
import plotly.graph_objects as go
import streamlit as st

from dashboard import access, charts_calendar, layout, snapshot
from dashboard.charts_calendar import CLEAR, NOTHING, UNKNOWN, Cell
from dashboard.filters import Filters
from dashboard.words import formats, heads, texts
from dashboard.words import verdict_calendar as words

MONTHS_SHOWN = 12

VERDICTS = """
select period_start, channel, verdict, violation_count, message_count, reasons from metrics.verdicts
where source = '*' and period_start is not null
"""
DAYS = """
select on_date, channel, message_count, finding_count, violation_count, waived_count from metrics.violation_days
where on_date >= ? and on_date < cast(? as date) + interval 1 month order by on_date, channel
"""
SILENCES = """
select log, channel, source, last_on, resumes_on, gap_days from metrics.silences
where (channel in ('*', ?) or ? = '*') and last_on < cast(? as date) + interval 1 month
    and (resumes_on is null or resumes_on > ?)
order by last_on, source, channel
"""
AS_OF = "select cast(timezone(report_timezone, as_of) as date) as as_of_on from run.parameters"
STATES = {"Fail": "F", "Pass": "P", "Cannot attest": "?"}

Row = dict[str, Any]


def months_between(first: date, last: date) -> list[date]:
    """The first day of every month from one to another."""
    count = 12 * (last.year - first.year) + last.month - first.month + 1
    return [date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(count)]


def windows(months: Sequence[date]) -> list[list[date]]:
    """All months in windows of twelve, the newest first; the oldest window may be shorter."""
    ends = range(len(months), 0, -MONTHS_SHOWN)
    return [list(months[max(0, end - MONTHS_SHOWN) : end]) for end in ends]


def show(chosen: Filters) -> None:
    """The calendar of verdicts; a click or a choice below it sets the filters of month and channel."""
    verdicts = {(row["channel"], row["period_start"]): row for row in snapshot.rows(VERDICTS)}
    if not verdicts:
        return
    st.header(words.HEAD, anchor=False)
    months = months_between(min(month for _, month in verdicts), max(month for _, month in verdicts))
    parts = windows(months)
    shown = parts[_window(parts, chosen.period)]
    channels = sorted({channel for channel, _ in verdicts}, key=lambda channel: (channel != "*", channel))
    st.markdown(words.in_words([verdicts[key] for key in verdicts if key[0] == "*" and key[1] in shown]))
    key = f"cells_{chosen.period}_{chosen.channel}"

    def clicked() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:
            choose(points[0]["customdata"][0])

    layout.chart(
        figure(verdicts, channels, shown, chosen),
        words.CALENDAR_ALT.format(first=formats.month(shown[0]), last=formats.month(shown[-1]))
        + words.in_words([verdicts[cell] for cell in verdicts if cell[0] == "*" and cell[1] in shown]).replace("*", ""),
        table(verdicts, channels, shown),
        clicked=clicked,
        key=key,
    )
    st.caption(words.LEGEND)
    options = [
        f"{channel} {month}" for month in reversed(shown) for channel in channels if (channel, month) in verdicts
    ]

    def picked() -> None:
        if st.session_state["cell"]:
            choose(st.session_state["cell"])

    # The same way in for a keyboard, a screen reader and a thumb.
    here = f"{chosen.channel_or_all} {chosen.period}"
    st.session_state["cell"] = here if here in options else None
    st.selectbox(
        words.CELL,
        options,
        index=None,
        format_func=lambda option: words.told(
            verdicts[(option.split(" ")[0], date.fromisoformat(option.split(" ")[1]))]
        ),
        placeholder=words.CHOOSE_CELL,
        key="cell",
        on_change=picked,
        width=420,
    )


def _window(parts: Sequence[Sequence[date]], month: date | None) -> int:
    """Which window is shown: the one the reader chose, else that of the chosen month, else the newest."""
    holding = next((place for place, part in enumerate(parts) if month in part), 0)
    if len(parts) == 1:
        return 0
    names = {
        place: words.FROM_TO.format(first=formats.month(part[0]), last=formats.month(part[-1]))
        for place, part in enumerate(parts)
    }
    # A window of its own for each month chosen: who chooses a month sees it.
    picked = st.selectbox(
        words.MONTHS_SHOWN, list(names), index=holding, format_func=names.__getitem__, key=f"months_{month}", width=420
    )
    return holding if picked is None else picked


def choose(cell: str) -> None:
    """Set the filters of channel and month to a cell."""
    channel, _, month = cell.partition(" ")
    st.session_state["period"] = date.fromisoformat(month)
    st.session_state["channel"] = None if channel == "*" else channel


def figure(
    verdicts: dict[tuple[str, date], Row], channels: Sequence[str], months: Sequence[date], chosen: Filters
) -> go.Figure:
    """The calendar: channels below one another, all together on top, months side by side."""
    cells = []
    for line, channel in enumerate(channels):
        for column, month in enumerate(months):
            row = verdicts.get((channel, month))
            is_chosen = (channel, month) == (chosen.channel_or_all, chosen.period)
            if row is None:
                note = words.NOTHING_ON_RECORD.format(channel=words.name(channel), month=formats.month(month))
                cells.append(Cell(column, line, formats.MISSING, note, "", NOTHING))
                continue
            state = {"Pass": CLEAR, "Cannot attest": UNKNOWN}.get(row["verdict"], NOTHING)
            count = row["violation_count"]
            text = f"<b>{STATES.get(row['verdict'], '?')}</b>" + (f"<br>{short(count)}" if count else "")
            cells.append(Cell(column, line, text, words.told(row), f"{channel} {month}", state, count, is_chosen))
    labels = [
        f"{month:%b}<br>’{month:%y}" if column == 0 or month.month == 1 else f"{month:%b}"
        for column, month in enumerate(months)
    ]
    return charts_calendar.grid(cells, labels, [words.name(channel) for channel in channels], 40)


def short(count: int) -> str:
    """A count in a few characters: 136, 1.2k, 12k, 3.4M."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            scaled = count / size
            return f"{scaled:.1f}{unit}" if scaled < 9.95 else f"{scaled:.0f}{unit}"
    return str(count)


def table(verdicts: dict[tuple[str, date], Row], channels: Sequence[str], months: Sequence[date]) -> pandas.DataFrame:
    """The calendar as a table, newest month first: one row per month and channel, with the reasons."""
    rows = [
        verdicts[(channel, month)]
        for month in reversed(months)
        for channel in channels
        if (channel, month) in verdicts
    ]  # fmt: skip
    return pandas.DataFrame(
        {
            heads.MONTH: [formats.month(row["period_start"]) for row in rows],
            heads.CHANNEL: [words.name(row["channel"]) for row in rows],
            heads.VERDICT: [row["verdict"] for row in rows],
            heads.VIOLATIONS: [row["violation_count"] for row in rows],
            heads.MESSAGES: [row["message_count"] for row in rows],
            heads.REASONS: [row["reasons"].replace("\n", " ") for row in rows],
        }
    )


def month_of(chosen: Filters) -> date | None:
    """The month whose days are shown: the chosen one, else the newest with a violation, else the newest."""
    if chosen.period:
        return chosen.period
    rows = [row for row in snapshot.rows(VERDICTS) if row["channel"] == chosen.channel_or_all]
    failed = [row["period_start"] for row in rows if row["violation_count"]]
    return max(failed or [row["period_start"] for row in rows], default=None)


def show_days(chosen: Filters) -> None:
    """The days of one month with their violations; days without a record are told from days without a violation."""
    month = month_of(chosen)
    if month is None or not snapshot.has("metrics.violation_days"):
        return
    of = chosen.channel_or_all
    days = snapshot.rows(DAYS, [month, month])
    silences = snapshot.rows(SILENCES, [of, of, month, month]) if snapshot.has("metrics.silences") else []
    last = (snapshot.one(AS_OF) or {})["as_of_on"]
    own = {row["on_date"]: row for row in days if row["channel"] == of}
    st.header(
        words.DAYS.format(month=formats.month(month), of=words.name(of) if of != "*" else words.name(of).lower()),
        anchor=False,
    )
    st.markdown(days_in_words(own, silences, month, last))
    key = f"days_{month}_{of}"

    def clicked() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points and points[0]["customdata"][0] in wrong:
            open_day(points[0]["customdata"][0])

    wrong = {str(day): row["violation_count"] for day, row in sorted(own.items()) if row["violation_count"]}
    layout.chart(
        day_figure(own, days, silences, month, last),
        words.DAYS_ALT.format(
            month=formats.month(month), of=words.name(of), told=days_in_words(own, silences, month, last)
        ),
        day_table(days),
        clicked=clicked if access.may_open("findings") else None,
        key=key,
    )
    st.caption(words.DAYS_READ)
    if wrong and access.may_open("findings"):
        # The same way for a keyboard, a screen reader and a thumb.
        day = st.selectbox(
            words.DAY, list(wrong), index=None, placeholder=words.CHOOSE_DAY, key=f"day_of_{key}", width=420,
            format_func=lambda one: words.day_option(date.fromisoformat(one), wrong[one]),
        )  # fmt: skip
        if day:
            open_day(day)
    if chosen.period is None:
        # A link would not do: what is chosen stays chosen, whatever a link says.
        st.button(
            words.CHOOSE_MONTH.format(month=formats.month(month)),
            on_click=choose,
            args=(f"{of} {month}",),
            icon=":material/event:",
        )


def open_day(day: str) -> None:
    """Go to the violations of a day; the channel that is chosen stays so."""
    st.switch_page(texts.PAGES["findings"].file, query_params={"day": day, "violations": "true"})


def silent_on(day: date, silences: Sequence[Row]) -> list[Row]:
    """The silences that a day is in: after the last day with a record, before the next."""
    return [one for one in silences if one["last_on"] < day and (one["resumes_on"] is None or day < one["resumes_on"])]


def days_in_words(own: dict[date, Row], silences: Sequence[Row], month: date, last: date | None) -> str:
    """What the days say: how many had violations, the worst one, and which cannot be judged."""
    listed = days_of(month, last)
    wrong = {day: own[day]["violation_count"] for day in listed if day in own and own[day]["violation_count"]}
    empty = sum(1 for day in listed if day not in own or not own[day]["message_count"])
    silent = sum(1 for day in listed if silent_on(day, silences))
    if wrong:
        worst = max(wrong, key=lambda day: (wrong[day], day))
        said = words.WRONG.format(
            violations=formats.Counted(sum(wrong.values())),
            wrong=len(wrong),
            days=formats.Counted(len(listed)),
            worst=formats.day(worst),
            most=formats.count(wrong[worst]),
        )
    else:
        said = words.NONE_WRONG.format(days=formats.Counted(len(listed)))
    if empty:
        said += words.EMPTY.format(days=formats.Counted(empty))
    if silent:
        logs = sorted(
            {words.LOG_OF.format(log=words.LOGS.get(one["log"], one["log"]), source=one["source"]) for one in silences}
        )
        said += words.SILENT.format(days=formats.Counted(silent), logs=", ".join(map(texts.plain, logs)))
    return said


def days_of(month: date, last: date | None) -> list[date]:
    """The days of a month up to the last one of the data."""
    days = [month + timedelta(days=place) for place in range(calendar.monthrange(month.year, month.month)[1])]
    return [day for day in days if last is None or day <= last]


def day_figure(
    own: dict[date, Row], days: Sequence[Row], silences: Sequence[Row], month: date, last: date | None
) -> go.Figure:
    """Weeks below one another from Monday to Sunday, a cell for each day up to the last one of the data."""
    cells = []
    first = month.weekday()
    listed = days_of(month, last)
    for place in range(calendar.monthrange(month.year, month.month)[1]):
        day = month + timedelta(days=place)
        line, column = divmod(first + place, 7)
        if day not in listed:
            cells.append(Cell(column, line, f"{day.day}", words.AFTER_END.format(day=formats.day(day)), "", NOTHING))
            continue
        row = own.get(day)
        count = row["violation_count"] if row else 0
        has_messages = bool(row and row["message_count"])
        silent = silent_on(day, silences)
        state = UNKNOWN if silent or not has_messages else CLEAR
        mark = str(short(count)) if count else "?" if silent else "0" if has_messages else formats.MISSING
        text = f"<span style='font-size:10px'>{day.day}</span><br><b>{mark}</b>"
        note = words.day_note(day, [one for one in days if one["on_date"] == day], silent)
        cells.append(Cell(column, line, text, note, str(day), state, count))
    weeks = (first + calendar.monthrange(month.year, month.month)[1] + 6) // 7
    return charts_calendar.grid(cells, texts.WEEKDAYS, [""] * weeks, 46)


def day_table(days: Sequence[Row]) -> pandas.DataFrame:
    """The days as a table: one row per day and channel on record."""
    return pandas.DataFrame(
        {
            heads.DAY: [row["on_date"] for row in days],
            heads.CHANNEL: [words.name(row["channel"]) for row in days],
            heads.VIOLATIONS: [row["violation_count"] for row in days],
            heads.FINDINGS: [row["finding_count"] for row in days],
            heads.WAIVED: [row["waived_count"] for row in days],
            heads.MESSAGES: [row["message_count"] for row in days],
        }
    )
