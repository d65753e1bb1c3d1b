"""Who asked to stop and was not heard? Requests nobody recorded, and what each way of reading replies would miss."""

from __future__ import annotations

from typing import Any

import pandas
import streamlit as st

from dashboard import charts, filters, layout, snapshot
from dashboard.words import formats, heads, rule_texts, texts
from dashboard.words import missed as words

RULE = "opt_out_request_missed"
# Each reply has one channel, so the channels' counts add up.
REGIMES = """
select
    regime, sum(read_count)::bigint as read_count, sum(request_count)::bigint as request_count,
    sum(missed_by_regime_count)::bigint as missed_count, sum(unrecorded_count)::bigint as unrecorded_count
from metrics.reply_regimes
where channel <> '*' and (? is null or channel = ?)
group by regime
"""
FOUND = """
select
    finding_class, severity, count(*) as finding_count, count(waived_by) as waived_count,
    count(distinct contact_key) as contact_count
from audits.findings where rule = 'opt_out_request_missed' and (? is null or channel = ?)
group by finding_class, severity
order by case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end, finding_class
"""


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("missed", chosen)
    if not snapshot.has("metrics.reply_regimes"):
        layout.older(words.OLDER)
        layout.footer()
        return
    regimes = in_order(snapshot.rows(REGIMES, [chosen.channel, chosen.channel]))
    if not any(row["read_count"] for row in regimes):
        layout.empty(
            words.NOTHING,
            words.NOTHING_BODY,
            icon=":material/hearing_disabled:",
        )
        layout.footer()
        return
    found = snapshot.rows(FOUND, [chosen.channel, chosen.channel])
    show_answer(found, regimes)
    show_regimes(regimes)
    layout.footer(words.DEFINITION)


def in_order(regimes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Regimes from the deafest to the most attentive."""
    order = {code: place for place, code in enumerate(rule_texts.REGIMES)}
    return sorted(regimes, key=lambda row: (order.get(row["regime"], len(order)), row["regime"]))


def show_answer(found: list[dict[str, Any]], regimes: list[dict[str, Any]]) -> None:
    """How many replies asked to stop, how many of those nobody recorded, and the way to them."""
    read = max(row["read_count"] for row in regimes)
    missed = sum(row["finding_count"] for row in found)
    st.markdown(
        words.ANSWER.format(
            replies=formats.Counted(read),
            missed=formats.Counted(missed),
        )
    )
    if not found:
        st.markdown(words.ALL_ANSWERED)
        return
    lines = [
        {
            heads.WHAT: in_words(row),
            heads.FINDINGS: row["finding_count"],
            heads.WAIVED: row["waived_count"],
            heads.CONTACTS: row["contact_count"],
        }
        for row in found
    ]
    counts = dict.fromkeys((heads.FINDINGS, heads.WAIVED, heads.CONTACTS), formats.count)
    layout.table(lines, words.CLASSES_ALT, counts)
    page = texts.PAGES["findings"]
    label = words.READ.format(findings=formats.Counted(missed))
    st.page_link(page.file, label=label, icon=page.icon, query_params={"rule": rule_texts.audit_name(RULE)})
    st.caption(words.NO_TEXTS)


def in_words(row: dict[str, Any]) -> str:
    """A class of missed requests by its name and its severity."""
    return f"**{rule_texts.class_name(RULE, row['finding_class'])}** {layout.severity_badge(row['severity'])}"


def show_regimes(regimes: list[dict[str, Any]]) -> None:
    """What each way of reading takes for a request, and what it would have missed."""
    st.header(words.REGIMES, anchor=False)
    st.markdown("\n".join(f"- {words.sentence(row)}" for row in regimes))
    names = [rule_texts.regime(row["regime"])[0] for row in regimes]
    parts = [
        (heads.UNDERSTOOD, [row["request_count"] for row in regimes], False),
        (heads.MISSED, [row["missed_count"] for row in regimes], True),
    ]
    table = pandas.DataFrame(regimes)
    table["regime"] = names
    number = st.column_config.NumberColumn
    layout.chart(
        charts.stacked_columns(names, parts),
        words.REGIMES_ALT.format(ways=formats.Counted(len(regimes))),
        table,
        {
            "regime": heads.WAY_OF_READING, "read_count": number(heads.REPLIES_READ, format="localized"),
            "request_count": number(heads.UNDERSTOOD_AS_REQUESTS, format="localized"),
            "missed_count": number(heads.MISSED, format="localized"),
            "unrecorded_count": number(heads.UNDERSTOOD_BUT_NOT_RECORDED, format="localized"),
        },
    )  # fmt: skip
    st.caption(words.REGIMES_READ)


show()
