"""Did every opt-out get heeded? The verdict of every channel and month with its reasons, and what was found."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import access, audit_findings, filters, layout, snapshot, verdict_calendar
from dashboard.filters import Filters
from dashboard.words import audit as words
from dashboard.words import formats, heads, texts

VERDICT = """
select verdict, violation_count, message_count, reasons from metrics.verdicts
where period_start is not distinct from ? and channel = ? and source = '*'
"""
OF_SOURCES = """
select source, verdict, violation_count, reasons from metrics.verdicts
where period_start is not distinct from ? and channel = ? and source <> '*'
order by violation_count desc, source
"""
RULES = "select rules from run.parameters"


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("audit", chosen)
    verdict = snapshot.one(VERDICT, [chosen.period, chosen.channel_or_all])
    if verdict is None:
        layout.empty(texts.NOTHING_IN_PERIOD, words.NOTHING)
    else:
        show_verdict(verdict, chosen)
    verdict_calendar.show(chosen)
    verdict_calendar.show_days(chosen)
    audit_findings.show_found(chosen.period, chosen.channel_or_all)
    audit_findings.show_exposure()
    layout.footer()


def show_verdict(verdict: dict[str, Any], chosen: Filters) -> None:
    """The verdict with its reasons as sentences, source by source, and the way to its findings."""
    word = verdict["verdict"]
    with st.container(border=True, gap="small"):
        st.header(f":red[{word}]" if word == "Fail" else word, anchor=False)
        st.markdown(f"**{texts.VERDICTS.get(word, '')}**")
        reasons = [line for line in (verdict["reasons"] or "").split("\n") if line]
        if reasons and word != "Pass":
            st.markdown("\n".join(f"- {texts.plain(line)}" for line in reasons))
        if verdict["violation_count"] and access.may_open("findings"):
            page = texts.PAGES["findings"]
            label = words.READ.format(violations=formats.Counted(verdict["violation_count"]))
            # Month and channel stay chosen by themselves.
            st.page_link(page.file, label=label, icon=page.icon, query_params={"violations": "true"})
        judged_by = words.RULES_IN_FORCE.get((snapshot.one(RULES) or {}).get("rules") or "", "")
        st.caption(words.LOOKED_AT.format(messages=formats.Counted(verdict["message_count"]), judged_by=judged_by))
    sources = snapshot.rows(OF_SOURCES, [chosen.period, chosen.channel_or_all])
    if len(sources) > 1:
        with st.expander(words.OF_SOURCES.format(sources=len(sources))):
            lines = [
                {
                    heads.SOURCE: texts.plain(row["source"]),
                    heads.VERDICT: layout.verdict_badge(row["verdict"]),
                    heads.VIOLATIONS: row["violation_count"],
                    heads.REASONS: texts.plain(row["reasons"].replace("\n", " ")),
                }
                for row in sources
            ]
            layout.table(lines, words.SOURCES_ALT, {heads.VIOLATIONS: formats.count})


show()
