"""What an audit found, rule by rule, and what it could cost: parts of the audit overview."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from dashboard import access, layout, snapshot
from dashboard.words import audit_findings as words
from dashboard.words import formats, heads, rule_texts, texts

FOUND = """
select rule, finding_class, severity, finding_count, violation_count, waived_count, contact_count
from metrics.finding_counts where period_start is not distinct from ? and channel = ?
order by case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end,
    finding_count desc, rule, finding_class
"""
AUDITS = "select rule from run.audit_rules"
EXPOSURE = """
select
    e.currency, e.violation_count, e.possible_count, e.low_amount, e.high_amount, r.source_url,
    coalesce(r.citation, r.regulation, e.legal_rule_id) as citation, r.jurisdiction
from metrics.exposure as e
left join run.rules as r on r.rule_id = e.legal_rule_id
where e.violation_count > 0 or e.possible_count > 0
order by e.high_amount desc, e.legal_rule_id
"""

Row = dict[str, Any]


def show_found(month: date | None, channel: str) -> None:
    """Findings of a month (None: the whole record) and channel (`*`: all) by rule; what is waived is counted apart."""
    st.header(words.HEAD, anchor=False)
    if not snapshot.has("metrics.finding_counts"):
        st.markdown(texts.OLDER)
        st.code(snapshot.command_for("run"), language=None, wrap_lines=True)
        return
    rows = snapshot.rows(FOUND, [month, channel])
    found = [row for row in rows if row["finding_class"] == "*"]
    classes = [row for row in rows if row["finding_class"] != "*"]
    if not found:
        st.markdown(words.NOTHING)
        show_rest(found)
        return
    wrong = [row for row in found if row["violation_count"]]
    others = [row for row in found if not row["violation_count"]]
    show_rules(wrong or others, classes)
    if wrong and others:
        findings = formats.Counted(sum(row["finding_count"] for row in others))
        label = words.OTHER_RULES.format(rules=formats.Counted(len(others)), findings=findings)
        with st.expander(label):
            show_rules(others, classes)
    show_rest(found)
    waived = sum(row["waived_count"] for row in found)
    if waived:
        counted = words.WAIVED.format(findings=formats.Counted(waived))
        if access.may_open("waivers"):
            page = texts.PAGES["waivers"]
            st.page_link(page.file, label=counted, icon=page.icon)
        else:
            st.caption(f"{counted}.")


def show_rules(found: list[Row], classes: list[Row]) -> None:
    """Rules with what was found under each."""
    lines = [
        {
            heads.WHAT_HAPPENED: in_words(row, [one for one in classes if one["rule"] == row["rule"]]),
            heads.FINDINGS: row["finding_count"],
            heads.VIOLATIONS: row["violation_count"],
            heads.WAIVED: row["waived_count"],
        }
        for row in found
    ]
    counts = dict.fromkeys((heads.FINDINGS, heads.VIOLATIONS, heads.WAIVED), formats.count)
    layout.table(lines, words.RULES_ALT, counts)


def in_words(row: Row, classes: list[Row]) -> str:
    """The findings of one rule: its name and worst severity, what it means, how they divide, whom they concern."""
    rule = row["rule"]
    # A campaign's finding has no contact.
    if row["contact_count"]:
        whom = words.CONTACTS.format(contacts=formats.Counted(row["contact_count"]))
    else:
        whom = words.CAMPAIGNS.format(campaigns=formats.Counted(row["finding_count"]))
    parts = [
        f"{texts.plain(rule_texts.class_name(rule, one['finding_class']))}{formats.GAP}{one['finding_count']:,}"
        for one in classes
    ]
    return (
        f"**{texts.plain(rule_texts.audit_name(rule))}** {layout.severity_badge(row['severity'])}  \n"
        f"{texts.plain(rule_texts.audit_sentence(rule))} {whom}."
        + (f"  \n*{' · '.join(parts)}*" if len(parts) > 1 else "")
    )


def show_rest(found: list[Row]) -> None:
    """The rules under which nothing was found: looked for, not left out."""
    if not snapshot.has("run.audit_rules"):
        return
    looked_for = {row["rule"] for row in snapshot.rows(AUDITS)}
    rest = [rule for rule in rule_texts.AUDITS if rule in looked_for - {row["rule"] for row in found}]
    if rest:
        names = ", ".join(rule_texts.audit_name(rule) for rule in rest)
        st.caption(words.NOT_FOUND.format(names=names))


def show_exposure() -> None:
    """What the violations could cost, a range for each penalty in force, with the caveat beside it."""
    lines = snapshot.rows(EXPOSURE) if snapshot.has("metrics.exposure") and snapshot.has("run.rules") else []
    if not lines:
        return
    st.header(words.EXPOSURE, anchor=False)
    with st.container(border=True, gap="small"):
        st.markdown("\n".join(f"- {words.exposure_in_words(row)}" for row in lines))
        st.caption(f"{words.EXPOSURE_CAVEAT} {rule_texts.NOT_ADVICE}")
