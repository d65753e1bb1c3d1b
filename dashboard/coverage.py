"""Is the evidence complete? The holes that the verdict knows, and when each log holds records and when it is silent."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pandas
import streamlit as st

from dashboard import layout, snapshot
from dashboard.charts_coverage import Strip, strips
from dashboard.words import data as words
from dashboard.words import formats, heads, texts

REASONS = "select reasons from metrics.verdicts where period_start is null and channel = '*' and source = '*'"
LOGS = """
select log, channel, source, first_on, last_on, day_count, record_count, empty_day_count, longest_gap_days,
    longest_gap_from, longest_gap_to, silent_above_days, silence_count
from metrics.log_coverage
order by case log when 'messages' then 1 when 'consent_events' then 2 else 3 end, source, channel
"""
WEEKS = "select log, channel, source, week_start, day_count, record_count from metrics.log_weeks"
SILENCES = """
select log, channel, source, last_on, resumes_on, gap_days from metrics.silences
order by gap_days desc, last_on, log, source, channel
"""
NOTHING_OF = """
select source from run.sources where message_count + consent_event_count + inbound_message_count = 0 order by source
"""
AS_OF = "select cast(timezone(report_timezone, as_of) as date) as on_date from run.parameters"
SILENCES_TOLD = 12
# A strip of more weeks than this is drawn by months.
WEEKS_DRAWN = 130
NUMBER = st.column_config.NumberColumn
DAY = st.column_config.DateColumn

Log = tuple[str, str, str]


def show_answer() -> None:
    """Whether the evidence has holes, and which, as the verdict of the whole record says it."""
    reasons = ((snapshot.one(REASONS) or {}).get("reasons") or "").splitlines()
    holes = [line for line in reasons if line and not line.startswith(words.NOT_HOLES)]
    if not holes:
        st.markdown(words.COMPLETE)
        return
    listed = "\n".join(f"- {texts.plain(line)}" for line in holes)
    st.markdown(f"{words.HOLES.format(holes=formats.Counted(len(holes)))}\n\n{listed}")


def show_coverage() -> None:
    """A strip for each log, its silences in words, and the numbers behind both."""
    nothing_of = [f"**{texts.plain(row['source'])}**" for row in snapshot.rows(NOTHING_OF)]
    st.header(words.COVERAGE, anchor=False)
    if nothing_of:
        st.markdown(words.NOTHING_OF.format(sources=", ".join(nothing_of).replace("**", "")))
    if not snapshot.has("metrics.log_coverage"):
        layout.older(words.COVERAGE_OLDER)
        return
    logs = snapshot.rows(LOGS)
    if not logs:
        st.markdown(words.NO_LOG)
        return
    silences = snapshot.rows(SILENCES)
    show_silences(logs, silences)
    by_month = (max(log["last_on"] for log in logs) - min(log["first_on"] for log in logs)).days > WEEKS_DRAWN * 7
    drawn, periods = strips_of(logs, silences, by_month=by_month)
    alt = words.STRIPS_ALT.format(
        logs=formats.Counted(len(logs)),
        period=words.MONTH if by_month else words.WEEK,
        silences=formats.Counted(len(silences)),
    )
    layout.chart(strips(drawn, periods), alt, table_of(logs), COLUMNS)
    st.caption(words.COVERAGE_MONTHS if by_month else words.COVERAGE_WHAT)


def show_silences(logs: list[dict[str, Any]], silences: list[dict[str, Any]]) -> None:
    """Each silence in a sentence, the longest first; and the logs that have no rhythm to judge by."""
    if silences:
        told = words.SILENCES.format(silences=formats.Counted(len(silences)))
        lines = [f"- {silence_words(row)}" for row in silences[:SILENCES_TOLD]]
        if silences[SILENCES_TOLD:]:
            lines.append(words.SHORTER.format(shorter_ones=formats.Counted(len(silences) - SILENCES_TOLD)))
        st.markdown(f"{told}\n\n" + "\n".join(lines))
    else:
        st.markdown(words.NO_SILENCE)
    unknown = [texts.plain(name(log)) for log in logs if log["silent_above_days"] is None]
    if unknown:
        st.markdown(words.NO_RHYTHM.format(logs="; ".join(unknown)))


def silence_words(row: dict[str, Any]) -> str:
    """One silence: between which days there is nothing, and how long that is."""
    told: dict[str, Any] = {"log": texts.plain(name(row)), "last": formats.day(row["last_on"])}
    told["days"] = formats.Counted(round(row["gap_days"]))
    if row["resumes_on"] is None:
        return words.STILL_SILENT.format(**told)
    return words.SILENCE.format(**told, next=formats.day(row["resumes_on"]))


def name(log: dict[str, Any]) -> str:
    """A log in words: twilio, messages by SMS."""
    kind = words.KINDS.get(log["log"], texts.humanise(log["log"]).lower())
    by = words.BY_CHANNEL.format(channel=texts.channel(log["channel"])) if log["channel"] != "*" else ""
    return f"{log['source']}, {kind}{by}"


def strips_of(
    logs: list[dict[str, Any]], silences: list[dict[str, Any]], *, by_month: bool
) -> tuple[list[Strip], list[date]]:
    """A strip per log, and every period from the first record of all to the last."""
    days: dict[Log, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    records: dict[Log, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for row in snapshot.rows(WEEKS):
        start = row["week_start"].replace(day=1) if by_month else row["week_start"]
        days[key(row)][start] += row["day_count"]
        records[key(row)][start] += row["record_count"]
    periods = every_period(min(log["first_on"] for log in logs), max(log["last_on"] for log in logs), by_month=by_month)
    end = (snapshot.one(AS_OF) or {}).get("on_date") or max(log["last_on"] for log in logs)
    drawn = []
    for log in logs:
        own = [start for start in periods if start >= period_of(log["first_on"], by_month=by_month)]
        last = period_of(log["last_on"], by_month=by_month)
        counted = {start: days[key(log)][start] for start in own if start <= last}
        shares, notes = {}, {}
        for start, count in counted.items():
            length = monthrange(start.year, start.month)[1] if by_month else 7
            shares[start] = min(count / length, 1.0)
            period = formats.month(start) if by_month else words.WEEK_OF.format(start=formats.day(start))
            notes[start] = words.STRIP_NOTE.format(
                log=name(log),
                period=period,
                days=formats.Counted(count),
                records=formats.Counted(records[key(log)][start]),
            )
        drawn.append(
            Strip(
                f"{log['source']}\n{name(log).partition(', ')[2]}", shares, notes,
                [(row["last_on"], row["resumes_on"] or end, silence_words(row)) for row in silences
                 if key(row) == key(log)],
            )
        )  # fmt: skip
    return drawn, periods


def key(row: dict[str, Any]) -> Log:
    """What tells a log from the others."""
    return row["log"], row["channel"], row["source"]


def period_of(day: date, *, by_month: bool) -> date:
    """The first day of a day's month or ISO week."""
    return day.replace(day=1) if by_month else day - timedelta(days=day.weekday())


def every_period(first: date, last: date, *, by_month: bool) -> list[date]:
    """The first days of all weeks or months from one day to another."""
    periods, start = [], period_of(first, by_month=by_month)
    while start <= last:
        periods.append(start)
        start = period_of(start + timedelta(days=32), by_month=True) if by_month else start + timedelta(days=7)
    return periods


def table_of(logs: list[dict[str, Any]]) -> pandas.DataFrame:
    """The numbers behind the strips."""
    return pandas.DataFrame(
        [
            {
                heads.SOURCE: log["source"],
                heads.LOG: name(log).partition(", ")[2],
                heads.FIRST_DAY: log["first_on"],
                heads.LAST_DAY: log["last_on"],
                heads.RECORDS: log["record_count"],
                heads.DAYS_WITH_RECORDS: log["day_count"],
                heads.DAYS_WITHOUT_BETWEEN: log["empty_day_count"],
                heads.LONGEST_GAP_DAYS: log["longest_gap_days"],
                heads.FROM: log["longest_gap_from"],
                heads.TO: log["longest_gap_to"],
                heads.SILENT_ABOVE: log["silent_above_days"],
                heads.SILENCES: log["silence_count"],
            }
            for log in logs
        ]
    )


COLUMNS: dict[str, Any] = {
    heads.FIRST_DAY: DAY(format=formats.DAYS_SHOWN), heads.LAST_DAY: DAY(format=formats.DAYS_SHOWN),
    heads.FROM: DAY(format=formats.DAYS_SHOWN),
    heads.TO: DAY(format=formats.DAYS_SHOWN), heads.RECORDS: NUMBER(format="localized"),
}  # fmt: skip
