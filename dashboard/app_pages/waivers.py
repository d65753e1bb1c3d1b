"""What is excused, by whom, until when? Waivers that do not hold first, then those in force."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import formats, layout, rule_texts, snapshot, texts

WAIVERS = """
select waiver_number, rule, subject, subject_kind, reason, disposition, who, until, status, finding_count,
    until < cast((select as_of from run.parameters) as date) + 30 as is_ending
from audits.waivers order by until nulls last, waiver_number
"""
WAIVED = """
select count(*) as waived_count, count(*) filter (where severity in ('critical', 'high')) as excused_count
from audits.findings where waived_by is not null
"""
WHAT_IT_DOES = (
    "A waiver excuses findings of one rule about one message, event, contact, campaign or period, until a day. A "
    "waived finding stays listed and is counted apart; it is no violation and makes no verdict fail. When the waiver "
    "expires, the finding counts again."
)
HOW_TO = "To excuse a finding, write a row in `waivers.csv` in the home (rule, subject, reason, who, until), then run:"
SHOWN = 50
NOT_IN_FORCE = {
    "expired": "Its day has passed: what it excused counts again. Renew it, or repair the cause.",
    "unknown_subject": "Nothing on record has this name, so it excuses nothing. Correct the subject or take it out.",
    "unknown_rule": "No rule has this name, so it excuses nothing. Correct the rule or take it out.",
}


def show() -> None:
    """Draw the page."""
    layout.header("waivers")
    if not snapshot.has("audits.waivers"):
        layout.older("waivers")
        layout.footer()
        return
    waivers = snapshot.rows(WAIVERS)
    if not waivers:
        body = f"{WHAT_IT_DOES}\n\n{HOW_TO}"
        layout.empty("Nothing is waived", body, snapshot.command_for("run"), icon=":material/approval:")
        layout.footer()
        return
    in_force = [row for row in waivers if row["status"] == "applied"]
    broken = [row for row in waivers if row["status"] != "applied"]
    show_answer(in_force, broken)
    show_broken(broken)
    show_in_force(in_force)
    st.markdown(f"{WHAT_IT_DOES} {HOW_TO}")
    st.code(snapshot.command_for("run"), language=None)
    layout.footer()


def show_answer(in_force: list[dict[str, Any]], broken: list[dict[str, Any]]) -> None:
    """How many waivers excuse how much."""
    waived = snapshot.one(WAIVED) or {}
    findings = formats.plural(waived["waived_count"], "finding is waived", "findings are waived")
    excused = formats.plural(waived["excused_count"], "would be a violation", "would be violations")
    others = formats.plural(len(broken), "other does not hold", "others do not hold")
    st.markdown(
        f"**{formats.plural(len(in_force), 'waiver')} in force; {findings}"
        + (f", of which {excused}" if waived["waived_count"] else "")
        + ".**"
        + (f" {others}." if broken else "")
    )
    if waived["waived_count"]:
        page = texts.PAGES["findings"]
        st.page_link(page.file, label="Read the waived findings", icon=page.icon, query_params={"waived": "Waived"})


def show_broken(waivers: list[dict[str, Any]]) -> None:
    """Waivers that excuse nothing, by why."""
    for status in dict.fromkeys(row["status"] for row in waivers):
        rows = [row for row in waivers if row["status"] == status]
        word = rule_texts.WAIVER_STATES.get(status, texts.humanise(status).lower())
        told = "\n".join(f"- {in_words(row)}" for row in rows)
        advice = NOT_IN_FORCE.get(status, "It excuses nothing.")
        st.warning(
            f"**{formats.plural(len(rows), 'waiver')}: {word}.** {advice}\n\n{told}", icon=":material/event_busy:"
        )


def in_words(row: dict[str, Any]) -> str:
    """A waiver that does not hold, in one line: its place in the file, what it was about, what follows."""
    until = f", until {formats.day(row['until'])}" if row["until"] else ""
    again = f" {formats.plural(row['finding_count'], 'finding counts again', 'findings count again')}."
    return f"Waiver {row['waiver_number']}: {rule_of(row)}, {subject(row)}{until}." + (
        again if row["status"] == "expired" and row["finding_count"] else ""
    )


def show_in_force(waivers: list[dict[str, Any]]) -> None:
    """Waivers in force, the next to expire first."""
    st.header("In force", anchor=False)
    if not waivers:
        st.markdown("No waiver is in force.")
        return
    items = [in_full(row) for row in waivers]
    st.markdown("\n\n".join(items[:SHOWN]))
    if items[SHOWN:]:
        with st.expander(formats.plural(len(items) - SHOWN, "more waiver")):
            st.markdown("\n\n".join(items[SHOWN:]))
    ending = sum(1 for row in waivers if row["is_ending"])
    if ending:
        st.caption(f"{formats.plural(ending, 'waiver ends', 'waivers end')} within 30 days of the data's end.")
    idle = sum(1 for row in waivers if not row["finding_count"])
    if idle:
        verb = "excuses" if idle == 1 else "excuse"
        st.caption(f"{formats.plural(idle, 'waiver')} {verb} no finding today and could go.")


def in_full(row: dict[str, Any]) -> str:
    """A waiver in force as an item: the rule, what about, how much it excuses; why; who and until when."""
    excuses = formats.plural(row["finding_count"], "finding") if row["finding_count"] else "no finding"
    until = f"until {formats.day(row['until'])}" if row["until"] else "with no end"
    decided = (
        f" ({texts.plain(texts.humanise(row['disposition']).lower())})"
        if row["disposition"] not in (None, "", "waived")
        else ""
    )
    why = texts.plain(rule_texts.without_addresses(row["reason"])) or "No reason is given"
    return (
        f"- **{rule_of(row)}** · {subject(row)} · excuses **{excuses}**  \n  {why}{decided}  \n"
        f"  By {texts.plain(row['who']) or 'nobody named'}, {until}"
    )


def rule_of(row: dict[str, Any]) -> str:
    """The rule a waiver is about, in words."""
    return "Every rule" if row["rule"] == "*" else texts.plain(rule_texts.audit_name(row["rule"]))


def subject(row: dict[str, Any]) -> str:
    """What a waiver is about, in words and without anybody's address."""
    kind, written = row["subject_kind"] or "", row["subject"] or ""
    name = written.removeprefix(f"{kind}:").strip()
    return f"{kind} {texts.plain(rule_texts.without_addresses(name))}".strip()


show()
