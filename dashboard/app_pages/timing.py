"""When and how often should we send? Opt-outs per message by pressure, place, hour and content; what messages cost."""

from __future__ import annotations

from typing import Any

import pandas
import streamlit as st

from dashboard import charts_campaigns, filters, layout, snapshot
from dashboard.charts import Share
from dashboard.words import formats, heads, texts
from dashboard.words import timing as words

LEVEL = 0.05
BUCKETS_SHOWN = 12
BUCKETS = """
select * from metrics.message_breakdowns
where period_start is not distinct from ? and channel = ? and dimension = ? order by place, bucket
"""
TESTS = "select * from metrics.breakdown_tests where period_start is not distinct from ? and channel = ?"
COSTS = """
select * from metrics.costs where period_start is not distinct from ? and channel = ?
order by currency nulls last, case audience when 'all' then 0 when 'opted_out' then 1 else 2 end
"""
FREQUENCY = ("messages_7_days", "messages_30_days", "sequence_position")
CLOCK = ("hour", "weekday")
CONTENT = ("template", "language")
COUNT = st.column_config.NumberColumn(format="localized")
PERCENT = st.column_config.NumberColumn(format="%.2f %%")
TIMES = st.column_config.NumberColumn(format="%.2f")
COLUMNS = {
    heads.MESSAGES: COUNT, heads.OPT_OUTS: COUNT, heads.RATE: PERCENT, heads.FROM: PERCENT, heads.TO: PERCENT,
    heads.TIMES_THE_OTHERS: TIMES,
    heads.TIMES_FROM: TIMES, heads.TIMES_TO: TIMES, "q": st.column_config.NumberColumn(format="%.4f"),
}  # fmt: skip
Tests = dict[str, dict[str, Any]]


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("timing", chosen)
    if not snapshot.has("metrics.message_breakdowns"):
        layout.older(words.OLDER)
        layout.footer()
        return
    scope = [chosen.period, chosen.channel_or_all]
    tests: Tests = {row["dimension"]: row for row in snapshot.rows(TESTS, scope)}
    hours = snapshot.rows(BUCKETS, [*scope, "hour"])
    if not hours:
        layout.empty(texts.NOTHING_IN_PERIOD, words.NOTHING_DELIVERED)
    else:
        show_answer(tests, hours)
        show_frequency(scope, tests)
        show_clock(scope, tests, hours)
        show_content(scope, tests)
        show_costs(scope)
        st.page_link(
            texts.PAGES["campaigns"].file,
            label=texts.PAGES["campaigns"].question,
            icon=texts.PAGES["campaigns"].icon,
        )
    layout.footer(words.DEFINITION)


def show_answer(tests: Tests, hours: list[dict[str, Any]]) -> None:
    """What matters beyond chance, one sentence each; or that nothing does."""
    said = [text for name in (*FREQUENCY, *CLOCK, *CONTENT) if (text := finding(name, tests.get(name)))]
    messages, opt_outs = (sum(row[name] for row in hours) for name in ("message_count", "opt_out_count"))
    base = words.BASE.format(opt_outs=formats.count(opt_outs), messages=formats.count(messages))
    if said:
        st.markdown(words.WHAT_MATTERS.format(base=base))
        st.markdown("\n".join(f"- {text}" for text in said))
    elif any(test["p_value"] is not None for test in tests.values()):
        st.markdown(words.NOTHING_MATTERS.format(base=base))
    else:
        st.markdown(words.TOO_FEW.format(base=base))
    st.caption(words.CAVEAT)


def finding(name: str, test: dict[str, Any] | None) -> str | None:
    """The sentence of one dimension, where the evidence is there."""
    if test is None or test["p_value"] is None or test["ratio_lower"] is None:
        return None
    q = test["trend_q_value"] if name in FREQUENCY else test["q_value"]
    # A dimension that differs is told by the buckets that are surely apart.
    if q is None or q >= LEVEL or test["ratio_lower"] <= 1 <= test["ratio_upper"]:
        return None
    times = words.times_text(test["ratio"], test["ratio_lower"], test["ratio_upper"])
    if name in FREQUENCY:
        return f"{words.which_messages(name, test['high_bucket'])} {times} {words.than_which(name)}."
    bucket = words.hour_span(test["high_bucket"]) if name == "hour" else texts.plain(test["high_bucket"])
    subject = words.SUBJECTS[name].format(bucket=bucket)
    return words.OF_ALL_OTHERS.format(subject=subject, times=times)


def show_frequency(scope: list[Any], tests: Tests) -> None:
    """Pressure and place in the sequence."""
    st.header(words.HOW_OFTEN, anchor=False)
    names = [words.NAMES[name] for name in FREQUENCY]
    label = st.segmented_control(words.BY, names, default=names[0], required=True, key="frequency", bind="query-params")
    name = next((one for one in FREQUENCY if words.NAMES[one] == label), FREQUENCY[0])
    if name == "sequence_position" and scope[0] is not None:
        st.markdown(words.OVER_WHOLE_RECORD)
        scope = [None, scope[1]]
        tests = {row["dimension"]: row for row in snapshot.rows(TESTS, scope)}
    draw(snapshot.rows(BUCKETS, [*scope, name]), name, tests.get(name))
    st.caption(words.COUNTED[name])


def show_clock(scope: list[Any], tests: Tests, hours: list[dict[str, Any]]) -> None:
    """Hour and weekday of sending."""
    st.header(words.WHEN, anchor=False)
    names = [heads.HOUR_AND_WEEKDAY, *(words.NAMES[name] for name in CLOCK)]
    label = st.segmented_control(words.BY, names, default=names[0], required=True, key="clock", bind="query-params")
    chosen = next((name for name in CLOCK if words.NAMES[name] == label), None)
    if chosen:
        draw(snapshot.rows(BUCKETS, [*scope, chosen]), chosen, tests.get(chosen))
    else:
        draw_week(snapshot.rows(BUCKETS, [*scope, "weekday_hour"]))
        st.caption(words.LEFT_EMPTY)
    known, messages = (sum(row[name] for row in hours) for name in ("known_count", "message_count"))
    zone = (snapshot.one("select report_timezone from run.parameters") or {})["report_timezone"]
    st.caption(words.CLOCK.format(known=formats.share(known / messages if messages else None), zone=texts.plain(zone)))


def show_content(scope: list[Any], tests: Tests) -> None:
    """Template and language, where the source tells them."""
    st.header(words.WHAT, anchor=False)
    told = False
    for name in CONTENT:
        rows = snapshot.rows(BUCKETS, [*scope, name])
        known = [row for row in rows if row["bucket"] != "not known"]
        if len([row for row in known if row["message_count"]]) > 1:
            told = True
            st.markdown(f"**{words.NAMES[name]}**")
            # The most used first; the table has them all.
            draw(sorted(known, key=lambda row: -row["message_count"]), name, tests.get(name))
            share = sum(row["message_count"] for row in known) / max(1, sum(row["message_count"] for row in rows))
            st.caption(words.KNOWN.format(name=words.NAMES[name], share=formats.share(share)))
    if not told:
        st.markdown(words.NOTHING_KNOWN)
        st.caption(words.FILL)


def show_costs(scope: list[Any]) -> None:
    """What messages cost that nobody should have got, each currency by itself."""
    rows = snapshot.rows(COSTS, scope)
    st.header(words.COSTS, anchor=False)
    priced = [row for row in rows if row["cost"] is not None]
    if not priced:
        st.markdown(words.NO_PRICE)
        return
    currencies = list(dict.fromkeys(row["currency"] for row in priced))
    for currency in currencies:
        cost = {row["audience"]: row for row in priced if row["currency"] == currency}
        whole = cost.get("all", {}).get("cost")
        parts = [
            f"{words.amount(cost[name]['cost'], currency)} {told}"
            for name, told in (("opted_out", words.TO_OPTED_OUT), ("inactive", words.TO_INACTIVE))
            if name in cost
        ]
        spent = words.OF_ALL.format(amount=words.amount(whole, currency)) if whole else ""
        st.markdown(f"**{words.AND.join(parts) or words.NOTHING_WASTED}{spent}.**")
    lines = [
        {
            heads.CURRENCY: row["currency"] or words.NOT_NAMED,
            heads.MESSAGES_TO: words.AUDIENCES[row["audience"]],
            heads.MESSAGES: row["message_count"],
            heads.WITH_A_PRICE: row["priced_count"],
            heads.COST: row["cost"],
        }
        for row in rows
    ]
    alt = words.COSTS_ALT
    layout.table(
        lines, alt,
        {heads.MESSAGES: formats.count, heads.WITH_A_PRICE: formats.count,
         heads.COST: lambda value: formats.MISSING if value is None else f"{value:,.2f}"},
    )  # fmt: skip
    st.caption(words.PRICES)


def draw(rows: list[dict[str, Any]], name: str, test: dict[str, Any] | None) -> None:
    """One dimension as columns with intervals, its test in words, its table."""
    shown = [row for row in rows if row["message_count"]]
    if not shown:
        st.markdown(words.NOT_KNOWN)
        return
    drawn = shown[:BUCKETS_SHOWN] if name in CONTENT else shown
    messages = sum(row["message_count"] for row in shown)
    usual = sum(row["opt_out_count"] for row in shown) / messages
    shares = [Share(row["bucket"], row["rate"], row["lower"], row["upper"], note_of(row, name)) for row in drawn]
    marked = [row["q_value"] is not None and row["q_value"] < LEVEL for row in drawn]
    st.markdown(verdict(name, test))
    figure = charts_campaigns.rates_by_bucket(shares, usual=usual, marked=marked)
    apart = ", ".join(row["bucket"] for row, mark in zip(drawn, marked, strict=True) if mark) or texts.NONE
    alt = words.BUCKETS_ALT.format(name=words.NAMES[name].lower(), apart=apart)
    lines = [
        {
            words.NAMES[name]: row["bucket"], heads.OPT_OUTS: row["opt_out_count"],
            heads.MESSAGES: row["message_count"],
            heads.RATE: percent(row["rate"]), heads.FROM: percent(row["lower"]), heads.TO: percent(row["upper"]),
            heads.TIMES_THE_OTHERS: row["ratio"], heads.TIMES_FROM: row["ratio_lower"],
            heads.TIMES_TO: row["ratio_upper"],
            "q": row["q_value"],
        }
        for row in shown
    ]  # fmt: skip
    layout.chart(figure, alt, pandas.DataFrame(lines), COLUMNS)
    if any(marked):
        st.caption(words.FILLED)


def draw_week(rows: list[dict[str, Any]]) -> None:
    """Weekday by hour as a week of tones; what has too few messages to expect one opt-out is left empty."""
    shown = [row for row in rows if row["message_count"]]
    messages, opt_outs = (sum(row[name] for row in shown) for name in ("message_count", "opt_out_count"))
    kept = [row for row in shown if row["message_count"] * opt_outs >= messages]
    rates = {(row["place"] // 24 + 1, row["place"] % 24): row["rate"] for row in kept}
    notes = {(row["place"] // 24 + 1, row["place"] % 24): note_of(row, "hour") for row in kept}
    if not kept:
        st.markdown(words.TOO_FEW_TO_SHOW)
        return
    highest = max(kept, key=lambda row: row["lower"] or 0)
    where = f"{highest['bucket']}, {formats.share(highest['rate'])}"
    alt = words.WEEK_ALT.format(where=where)
    lines = [
        {
            heads.WEEKDAY_AND_HOUR: row["bucket"], heads.OPT_OUTS: row["opt_out_count"],
            heads.MESSAGES: row["message_count"],
            heads.RATE: percent(row["rate"]), heads.FROM: percent(row["lower"]), heads.TO: percent(row["upper"]),
        }
        for row in shown
    ]  # fmt: skip
    layout.chart(charts_campaigns.week_of_hours(rates, notes), alt, pandas.DataFrame(lines), COLUMNS)


def verdict(name: str, test: dict[str, Any] | None) -> str:
    """The test of one dimension in a sentence."""
    if test is None or test["p_value"] is None:
        return words.NOTHING_TO_COMPARE
    q, trend = test["q_value"], test["trend_q_value"]
    if name in FREQUENCY and trend is not None and trend < LEVEL:
        rises = words.RISES if test["trend_sign"] > 0 else words.FALLS
        return rises.format(q=formats.probability(trend))
    if q < LEVEL:
        return words.DIFFERS.format(q=formats.probability(q))
    return words.NO_DIFFERENCE.format(q=formats.probability(q))


def note_of(row: dict[str, Any], name: str) -> str:
    """What a reader sees on one bucket."""
    label = row["bucket"] if name in (*CLOCK, *CONTENT) else f"{words.NAMES[name]}: {row['bucket']}"
    return f"{label}. {formats.measured(row, 'rate', 'opt_out_count', 'message_count')}"


def percent(value: float | None) -> float | None:
    """A fraction in percent, for tables."""
    return None if value is None else value * 100


show()
