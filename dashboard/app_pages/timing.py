"""When and how often should we send? Opt-outs per message by pressure, place, hour and content; what messages cost."""

from __future__ import annotations

from typing import Any

import pandas
import streamlit as st

from dashboard import charts_campaigns, filters, formats, layout, snapshot, texts
from dashboard.charts import Share

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
#: How a dimension is spoken of: what its buckets are called, and what its highest ones are.
NAMES = {
    "messages_7_days": "Messages in 7 days", "messages_30_days": "Messages in 30 days",
    "sequence_position": "Place in the sequence", "hour": "Hour", "weekday": "Weekday", "template": "Template",
    "language": "Language",
}  # fmt: skip
FREQUENCY = ("messages_7_days", "messages_30_days", "sequence_position")
CLOCK = ("hour", "weekday")
CONTENT = ("template", "language")
AUDIENCES = {"all": "All messages", "opted_out": "To contacts that had opted out", "inactive": "To inactive contacts"}
CAVEAT = (
    "These are differences seen, not effects proven: who gets many messages, or a message at night, may differ in "
    "other ways too. Each week and channel is compared with itself. Only a test on two random halves proves it."
)
_REACHED = (
    "Marketing messages that reached the contact in the {} days up to and with this one, on all channels together."
)
#: What the dimensions of frequency count.
COUNTED = {
    "messages_7_days": _REACHED.format(7),
    "messages_30_days": _REACHED.format(30),
    "sequence_position": (
        "The 1st, 2nd, 3rd … marketing message that reached the contact on the channel since it opted in, or since the "
        "record began. Whoever gets a fiftieth has stayed that long: the impatient have left by then."
    ),
}
COUNT = st.column_config.NumberColumn(format="localized")
PERCENT = st.column_config.NumberColumn(format="%.2f %%")
TIMES = st.column_config.NumberColumn(format="%.2f")
COLUMNS = {
    "Messages": COUNT, "Opt-outs": COUNT, "Rate": PERCENT, "From": PERCENT, "To": PERCENT, "Times the others": TIMES,
    "Times, from": TIMES, "Times, to": TIMES, "q": st.column_config.NumberColumn(format="%.4f"),
}  # fmt: skip
Tests = dict[str, dict[str, Any]]


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("timing", chosen)
    if not snapshot.has("metrics.message_breakdowns"):
        layout.older("breakdown of messages")
        layout.footer()
        return
    scope = [chosen.period, chosen.channel_or_all]
    tests: Tests = {row["dimension"]: row for row in snapshot.rows(TESTS, scope)}
    hours = snapshot.rows(BUCKETS, [*scope, "hour"])
    if not hours:
        layout.empty(texts.NOTHING_IN_PERIOD, f"No marketing message was delivered here. {texts.WIDEN}")
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
    layout.footer("Opt-outs per message by the definition `opt_out_rate_per_message/heed`, in the period of sending")


def show_answer(tests: Tests, hours: list[dict[str, Any]]) -> None:
    """What matters beyond chance, one sentence each; or that nothing does."""
    said = [text for name in (*FREQUENCY, *CLOCK, *CONTENT) if (text := finding(name, tests.get(name)))]
    messages, opt_outs = (sum(row[name] for row in hours) for name in ("message_count", "opt_out_count"))
    base = f"{formats.count(opt_outs)} opt-outs of {formats.count(messages)} messages"
    if said:
        st.markdown(f"**What goes with more or fewer opt-outs, beyond chance** (of {base}):")
        st.markdown("\n".join(f"- {text}" for text in said))
    elif any(test["p_value"] is not None for test in tests.values()):
        st.markdown(
            f"**Neither the hour nor the number of messages makes a difference beyond chance here** (of {base})."
        )
    else:
        st.markdown(f"**Not enough opt-outs to tell:** {base}. A comparison needs at least 20 in several groups.")
    st.caption(CAVEAT)


def finding(name: str, test: dict[str, Any] | None) -> str | None:
    """The sentence of one dimension, where the evidence is there."""
    if test is None or test["p_value"] is None or test["ratio_lower"] is None:
        return None
    q = test["trend_q_value"] if name in FREQUENCY else test["q_value"]
    # A dimension that differs is told by the buckets that are surely apart.
    if q is None or q >= LEVEL or test["ratio_lower"] <= 1 <= test["ratio_upper"]:
        return None
    times = times_text(test["ratio"], test["ratio_lower"], test["ratio_upper"])
    if name in FREQUENCY:
        return f"{which_messages(name, test['high_bucket'])} {times} {than_which(name)}."
    subject = {
        "hour": f"sent between {hour_span(test['high_bucket'])}", "weekday": f"sent on {test['high_bucket']}s",
        "template": f"of template {texts.plain(test['high_bucket'])}",
        "language": f"in language {texts.plain(test['high_bucket'])}",
    }[name]  # fmt: skip
    return f"Messages {subject} {times} all others."


def times_text(ratio: float, lower: float, upper: float) -> str:
    """A ratio with its interval in words: lose 2.1 times (1.8–2.5) as many people as."""
    return f"lose **{ratio:.1f} times** ({lower:.1f}–{upper:.1f}) as many people as"


def which_messages(name: str, bucket: str) -> str:
    """The highest buckets as the messages they are."""
    place = ordinal(int(bucket.split("-")[0].split(" ")[0]))
    if name == "sequence_position":
        return f"Messages from the {place} of a sequence on"
    days = 7 if name == "messages_7_days" else 30
    return f"Messages that are the {place} or later in {days} days"


def than_which(name: str) -> str:
    """The lowest bucket as the message it is."""
    return "the first" if name == "sequence_position" else "the only one in that time"


def show_frequency(scope: list[Any], tests: Tests) -> None:
    """Pressure and place in the sequence."""
    st.header("How often?", anchor=False)
    label = st.segmented_control(
        "By", [NAMES[name] for name in FREQUENCY], default=NAMES[FREQUENCY[0]], required=True, key="frequency",
        bind="query-params",
    )  # fmt: skip
    name = next((one for one in FREQUENCY if NAMES[one] == label), FREQUENCY[0])
    if name == "sequence_position" and scope[0] is not None:
        st.markdown("The place in the sequence is counted over the whole record.")
        scope = [None, scope[1]]
        tests = {row["dimension"]: row for row in snapshot.rows(TESTS, scope)}
    draw(snapshot.rows(BUCKETS, [*scope, name]), name, tests.get(name))
    st.caption(COUNTED[name])


def show_clock(scope: list[Any], tests: Tests, hours: list[dict[str, Any]]) -> None:
    """Hour and weekday of sending."""
    st.header("When?", anchor=False)
    label = st.segmented_control(
        "By", ["Hour and weekday", "Hour", "Weekday"], default="Hour and weekday", required=True, key="clock",
        bind="query-params",
    )  # fmt: skip
    if label in ("Hour", "Weekday"):
        name = label.lower()
        draw(snapshot.rows(BUCKETS, [*scope, name]), name, tests.get(name))
    else:
        draw_week(snapshot.rows(BUCKETS, [*scope, "weekday_hour"]))
        st.caption("Hours of so few messages that not one opt-out is to be expected are left empty.")
    known, messages = (sum(row[name] for row in hours) for name in ("known_count", "message_count"))
    zone = (snapshot.one("select report_timezone from run.parameters") or {})["report_timezone"]
    st.caption(
        "By the contact's own clock where its time zone is known: of "
        f"{formats.share(known / messages if messages else None)} of the messages. Else by {texts.plain(zone)}."
    )


def show_content(scope: list[Any], tests: Tests) -> None:
    """Template and language, where the source tells them."""
    st.header("What?", anchor=False)
    told = False
    for name in CONTENT:
        rows = snapshot.rows(BUCKETS, [*scope, name])
        known = [row for row in rows if row["bucket"] != "not known"]
        if len([row for row in known if row["message_count"]]) > 1:
            told = True
            st.markdown(f"**{NAMES[name]}**")
            # The most used first; the table has them all.
            draw(sorted(known, key=lambda row: -row["message_count"]), name, tests.get(name))
            share = sum(row["message_count"] for row in known) / max(1, sum(row["message_count"] for row in rows))
            st.caption(f"{NAMES[name]} is known of {formats.share(share)} of the messages.")
    if not told:
        st.markdown("No two templates or languages are known here, so there is nothing to compare.")
        st.caption("Messages with a `template_id`, and a list of campaigns with their `language`, fill this part.")


def show_costs(scope: list[Any]) -> None:
    """What messages cost that nobody should have got, each currency by itself."""
    rows = snapshot.rows(COSTS, scope)
    st.header("What does it cost?", anchor=False)
    priced = [row for row in rows if row["cost"] is not None]
    if not priced:
        st.markdown("No price is on record for these messages.")
        return
    currencies = list(dict.fromkeys(row["currency"] for row in priced))
    for currency in currencies:
        cost = {row["audience"]: row for row in priced if row["currency"] == currency}
        whole = cost.get("all", {}).get("cost")
        parts = [
            f"{amount(cost[name]['cost'], currency)} {words}"
            for name, words in (("opted_out", "to contacts that had opted out"), ("inactive", "to inactive contacts"))
            if name in cost
        ]
        spent = f" of {amount(whole, currency)}" if whole else ""
        st.markdown(f"**{' and '.join(parts) or 'Nothing to contacts that should cost nothing'}{spent}.**")
    lines = [
        {
            "Currency": row["currency"] or "not named",
            "Messages to": AUDIENCES[row["audience"]],
            "Messages": row["message_count"],
            "With a price": row["priced_count"],
            "Cost": row["cost"],
        }
        for row in rows
    ]
    alt = "Messages and their cost by currency and audience."
    layout.table(
        lines, alt,
        {"Messages": formats.count, "With a price": formats.count,
         "Cost": lambda value: formats.MISSING if value is None else f"{value:,.2f}"},
    )  # fmt: skip
    st.caption(
        "Prices as delivered, without their sign (some providers write charges as negative); a message without a price "
        "is counted and costs nothing here. The opted-out and the inactive may be the same messages: never add them."
    )


def draw(rows: list[dict[str, Any]], name: str, test: dict[str, Any] | None) -> None:
    """One dimension as columns with intervals, its test in words, its table."""
    shown = [row for row in rows if row["message_count"]]
    if not shown:
        st.markdown("Nothing is known here.")
        return
    drawn = shown[:BUCKETS_SHOWN] if name in CONTENT else shown
    messages = sum(row["message_count"] for row in shown)
    usual = sum(row["opt_out_count"] for row in shown) / messages
    shares = [Share(row["bucket"], row["rate"], row["lower"], row["upper"], note_of(row, name)) for row in drawn]
    marked = [row["q_value"] is not None and row["q_value"] < LEVEL for row in drawn]
    st.markdown(verdict(name, test))
    figure = charts_campaigns.rates_by_bucket(shares, usual=usual, marked=marked)
    apart = ", ".join(row["bucket"] for row, mark in zip(drawn, marked, strict=True) if mark) or "none"
    alt = f"Opt-outs per message by {NAMES[name].lower()}; apart from the others beyond chance: {apart}."
    lines = [
        {
            NAMES[name]: row["bucket"], "Opt-outs": row["opt_out_count"], "Messages": row["message_count"],
            "Rate": percent(row["rate"]), "From": percent(row["lower"]), "To": percent(row["upper"]),
            "Times the others": row["ratio"], "Times, from": row["ratio_lower"], "Times, to": row["ratio_upper"],
            "q": row["q_value"],
        }
        for row in shown
    ]  # fmt: skip
    layout.chart(figure, alt, pandas.DataFrame(lines), COLUMNS)
    if any(marked):
        st.caption("Filled columns differ from the others beyond chance.")


def draw_week(rows: list[dict[str, Any]]) -> None:
    """Weekday by hour as a week of tones; what has too few messages to expect one opt-out is left empty."""
    shown = [row for row in rows if row["message_count"]]
    messages, opt_outs = (sum(row[name] for row in shown) for name in ("message_count", "opt_out_count"))
    kept = [row for row in shown if row["message_count"] * opt_outs >= messages]
    rates = {(row["place"] // 24 + 1, row["place"] % 24): row["rate"] for row in kept}
    notes = {(row["place"] // 24 + 1, row["place"] % 24): note_of(row, "hour") for row in kept}
    if not kept:
        st.markdown("Too few messages to show by hour and weekday.")
        return
    highest = max(kept, key=lambda row: row["lower"] or 0)
    where = f"{highest['bucket']}, {formats.share(highest['rate'])}"
    alt = f"Opt-outs per message by weekday and hour; surely highest: {where}."
    lines = [
        {
            "Weekday and hour": row["bucket"], "Opt-outs": row["opt_out_count"], "Messages": row["message_count"],
            "Rate": percent(row["rate"]), "From": percent(row["lower"]), "To": percent(row["upper"]),
        }
        for row in shown
    ]  # fmt: skip
    layout.chart(charts_campaigns.week_of_hours(rates, notes), alt, pandas.DataFrame(lines), COLUMNS)


def verdict(name: str, test: dict[str, Any] | None) -> str:
    """The test of one dimension in a sentence."""
    if test is None or test["p_value"] is None:
        return "Too few opt-outs, or one group alone: nothing to compare."
    q, trend = test["q_value"], test["trend_q_value"]
    if name in FREQUENCY and trend is not None and trend < LEVEL:
        way = "rises" if test["trend_sign"] > 0 else "falls"
        return f"**The rate {way} beyond chance** (false-discovery rate {probability(trend)})."
    if q < LEVEL:
        return f"**The rates differ beyond chance** (false-discovery rate {probability(q)})."
    return f"No difference beyond chance (false-discovery rate {probability(q)})."


def note_of(row: dict[str, Any], name: str) -> str:
    """What a reader sees on one bucket."""
    label = row["bucket"] if name in (*CLOCK, *CONTENT) else f"{NAMES[name]}: {row['bucket']}"
    return (
        f"{label}. {formats.share(row['rate'])} ({formats.interval(row['lower'], row['upper'])}), "
        f"{formats.count(row['opt_out_count'])} of {formats.count(row['message_count'])}"
    )


def hour_span(bucket: str) -> str:
    """An hour as its two ends: 21:00 and 22:00."""
    hour = int(bucket[:2])
    return f"{hour:02d}:00 and {(hour + 1) % 24:02d}:00"


def ordinal(number: int) -> str:
    """A number as a place: 1st, 2nd, 11th, 21st."""
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def amount(value: float | None, currency: str | None) -> str:
    """A sum of money with two digits: 66.20 USD; without a currency just the number."""
    if value is None:
        return formats.MISSING
    return f"{value:,.2f}{formats.GAP}{texts.plain(currency) if currency else '(no currency named)'}"


def probability(value: float) -> str:
    """A probability as people read it: under 0.0001, 0.012."""
    return "under 0.0001" if value < 0.0001 else f"{value:.4f}" if value < 0.01 else f"{value:.2f}"


def percent(value: float | None) -> float | None:
    """A fraction in percent, for tables."""
    return None if value is None else value * 100


show()
