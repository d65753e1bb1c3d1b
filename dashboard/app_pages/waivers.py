"""What is excused, by whom, until when? Waivers that do not hold first, then those in force."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout, snapshot
from dashboard.words import findings, formats, rule_texts, texts
from dashboard.words import waivers as words

WAIVERS = """
select waiver_number, rule, subject, subject_kind, reason, disposition, who, until, status, finding_count,
    until < cast((select as_of from run.parameters) as date) + 30 as is_ending
from audits.waivers order by until nulls last, waiver_number
"""
WAIVED = """
select count(*) as waived_count, count(*) filter (where severity in ('critical', 'high')) as excused_count
from audits.findings where waived_by is not null
"""
SHOWN = 50


def show() -> None:
    """Draw the page."""
    layout.header("waivers")
    if not snapshot.has("audits.waivers"):
        layout.older(words.OLDER)
        layout.footer()
        return
    waivers = snapshot.rows(WAIVERS)
    if not waivers:
        body = f"{words.WHAT_IT_DOES}\n\n{words.HOW_TO}"
        layout.empty(words.NOTHING, body, snapshot.command_for("run"), icon=":material/approval:")
        layout.footer()
        return
    in_force = [row for row in waivers if row["status"] == "applied"]
    broken = [row for row in waivers if row["status"] != "applied"]
    show_answer(in_force, broken)
    show_broken(broken)
    show_in_force(in_force)
    st.markdown(f"{words.WHAT_IT_DOES} {words.HOW_TO}")
    st.code(snapshot.command_for("run"), language=None, wrap_lines=True)
    layout.footer()


def show_answer(in_force: list[dict[str, Any]], broken: list[dict[str, Any]]) -> None:
    """How many waivers excuse how much."""
    waived = snapshot.one(WAIVED) or {}
    st.markdown(words.answer(len(in_force), len(broken), waived["waived_count"], waived["excused_count"]))
    if waived["waived_count"]:
        page = texts.PAGES["findings"]
        st.page_link(page.file, label=words.READ, icon=page.icon, query_params={"waived": findings.WAIVERS["waived"]})


def show_broken(waivers: list[dict[str, Any]]) -> None:
    """Waivers that excuse nothing, by why."""
    for status in dict.fromkeys(row["status"] for row in waivers):
        rows = [row for row in waivers if row["status"] == status]
        word = rule_texts.WAIVER_STATES.get(status, texts.humanise(status).lower())
        told = "\n".join(f"- {in_words(row)}" for row in rows)
        advice = words.NOT_IN_FORCE.get(status, words.EXCUSES_NOTHING)
        st.warning(words.broken(len(rows), word, advice, told), icon=":material/event_busy:")


def in_words(row: dict[str, Any]) -> str:
    """A waiver that does not hold, in one line: its place in the file, what it was about, what follows."""
    until = formats.day(row["until"]) if row["until"] else ""
    again = row["finding_count"] if row["status"] == "expired" else 0
    return words.broken_item(row["waiver_number"], rule_of(row), subject(row), until, again)


def show_in_force(waivers: list[dict[str, Any]]) -> None:
    """Waivers in force, the next to expire first."""
    st.header(words.IN_FORCE, anchor=False)
    if not waivers:
        st.markdown(words.NONE_IN_FORCE)
        return
    items = [in_full(row) for row in waivers]
    st.markdown("\n\n".join(items[:SHOWN]))
    if items[SHOWN:]:
        with st.expander(words.more(len(items) - SHOWN)):
            st.markdown("\n\n".join(items[SHOWN:]))
    ending = sum(1 for row in waivers if row["is_ending"])
    if ending:
        st.caption(words.ending(ending))
    idle = sum(1 for row in waivers if not row["finding_count"])
    if idle:
        st.caption(words.idle(idle))


def in_full(row: dict[str, Any]) -> str:
    """A waiver in force as an item: the rule, what about, how much it excuses; why; who and until when."""
    is_told = row["disposition"] not in (None, "", "waived")
    return words.item(
        rule=rule_of(row),
        subject=subject(row),
        findings=row["finding_count"],
        why=texts.plain(rule_texts.without_addresses(row["reason"])),
        decided=texts.plain(texts.humanise(row["disposition"]).lower()) if is_told else "",
        who=texts.plain(row["who"]),
        until=formats.day(row["until"]) if row["until"] else "",
    )


def rule_of(row: dict[str, Any]) -> str:
    """The rule a waiver is about, in words."""
    return words.EVERY_RULE if row["rule"] == "*" else texts.plain(rule_texts.audit_name(row["rule"]))


def subject(row: dict[str, Any]) -> str:
    """What a waiver is about, in words and without anybody's address."""
    kind, written = row["subject_kind"] or "", row["subject"] or ""
    name = written.removeprefix(f"{kind}:").strip()
    return f"{kind} {texts.plain(rule_texts.without_addresses(name))}".strip()


show()
