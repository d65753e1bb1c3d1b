"""A section of the audience page: the opt-out rate with and without the opt-outs that a machine may have made."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout, snapshot
from dashboard.words import formats, heads, texts
from dashboard.words import suspected_machines as words

RATES = """
select channel, metric, numerator, denominator, value, lower, upper from metrics.measurements
where metric in ('opt_out_rate', 'opt_out_rate_without_machines') and definition = 'heed'
    and program = '*' and campaign_id = '*'
    and grain = 'all'
order by channel = '*' desc, channel
"""
SUSPECTED = """
select channel, numerator, denominator, value, lower, upper from metrics.measurements
where metric = 'suspected_machine_share' and grain = 'all' order by channel = '*' desc, channel
"""
MACHINE_RULES = "select * from metrics.machine_rules order by rule, within_seconds desc"


def show() -> None:
    """The opt-out rate with and without those that a machine may have made, and the rules for suspecting one."""
    st.header(words.HEAD, anchor=False)
    rules = snapshot.rows(MACHINE_RULES)
    suspected = {row["channel"]: row for row in snapshot.rows(SUSPECTED)}
    every = suspected.get("*")
    if not every:
        st.markdown(words.NOTHING)
        return
    count, total = formats.Counted(every["numerator"]), formats.Counted(every["denominator"])
    bounds = formats.interval(every["lower"], every["upper"])
    if count:
        lead = words.SOME.format(looking=count, share=formats.share(every["value"]), total=total, bounds=bounds)
    else:
        lead = words.NONE.format(total=total, bounds=bounds)
    st.markdown(words.STAY.format(lead=lead))
    rates: dict[str, dict[str, dict[str, Any]]] = {}
    for row in snapshot.rows(RATES):
        rates.setdefault(row["channel"], {})[row["metric"]] = row
    lines = []
    for name, of in rates.items():
        found, without = suspected.get(name), of.get("opt_out_rate_without_machines", {})
        lines.append(
            {
                heads.CHANNEL: texts.ALL_CHANNELS if name == "*" else texts.channel(name),
                heads.SUSPECTED: counts_in_words(found),
                heads.OPT_OUT_RATE: rate_in_words(of.get("opt_out_rate", {})),
                heads.WITHOUT_MACHINES: rate_in_words(without),
            }
        )
    layout.table(lines, words.RATES_ALT)
    st.caption(words.COUNTED)
    with st.expander(words.RULES):
        for rule in rules:
            st.markdown(f"**{texts.humanise(rule['rule'])}: {formats.count(rule['span_count'])}.** {rule['in_words']}")
            st.caption(rule["source"])


def rate_in_words(row: dict[str, Any]) -> str:
    """A rate with its interval."""
    if row.get("value") is None:
        return formats.MISSING
    return f"{formats.share(row['value'])} ({formats.interval(row['lower'], row['upper'])})"


def counts_in_words(row: dict[str, Any] | None) -> str:
    """How many opt-outs are suspected, of how many."""
    return formats.part(row["numerator"], row["denominator"]) if row else formats.MISSING
