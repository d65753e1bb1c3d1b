"""Which rules are in force? What heed looks for, the rows of law it judges by, and whom they reach."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import access, layout, snapshot
from dashboard.words import formats, heads, rule_texts, texts
from dashboard.words import rules as words

PLACES_SHOWN = 12

POLICY = """
select
    rules, as_of, deadline_amount, deadline_unit, confirmation_window_seconds,
    (select count(*) from run.audit_rules) as audit_count
from run.parameters
"""
OWN_CAP = "select amount, window_seconds from run.caps where rule_id = 'policy'"
AUDITS = """
with found as (
    select
        rule, count(*) as finding_count, count(waived_by) as waived_count,
        count(*) filter (where waived_by is null and severity in ('critical', 'high')) as violation_count
    from audits.findings group by rule
)
select
    a.rule, a.says, a.why, a.remedy, a.severity, coalesce(f.finding_count, 0) as finding_count,
    coalesce(f.violation_count, 0) as violation_count, coalesce(f.waived_count, 0) as waived_count
from run.audit_rules as a
left join found as f on f.rule = a.rule
order by a.rule
"""
ROWS = """
with found as (
    select legal_rule_id, count(*) as finding_count from {findings} group by legal_rule_id
)
select
    r.rule_id, r.jurisdiction, r.regulation, r.citation, r.channel, r.kind, r.value, r.unit,
    cast(r.effective_from as varchar) as effective_from, cast(r.effective_to as varchar) as effective_to, r.grade,
    cast(r.checked_on as varchar) as checked_on, r.source_url, r.enabled, r.severity, r.in_words, r.note, r.origin,
    r.is_in_force, r.is_judged, r.judged_from, coalesce(f.finding_count, 0) as finding_count
from run.rules as r
left join found as f on f.legal_rule_id = r.rule_id
order by r.jurisdiction, r.rule_id
"""
PLACES = """
select country, count(*) as contact_count, count(*) filter (where jurisdiction_certainty = 'certain') as certain_count
from core.contacts group by country order by country is null, contact_count desc, country
"""
DEADLINES = """
select r.country, r.channel, d.amount, d.unit
from run.rule_reach as r
join run.deadlines as d on d.rule_id = r.rule_id
cross join run.parameters as p
where r.region = '*' and (r.until_on is null or r.until_on >= cast(p.as_of as date))
    and (r.from_on is null or r.from_on <= cast(p.as_of as date))
order by r.country, r.channel, d.amount
"""


def show() -> None:
    """Draw the page."""
    layout.header("rules")
    if not snapshot.has("run.rules") or not snapshot.has("run.audit_rules"):
        layout.older(words.OLDER)
        layout.footer()
        return
    rows = snapshot.rows(ROWS.format(findings=snapshot.findings()))
    policy = snapshot.one(POLICY) or {}
    show_answer(policy, rows)
    show_audits()
    show_reach(policy)
    show_law(rows)
    layout.footer()


def show_answer(policy: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """How many rules, by whose choice, and what holds where the law says nothing."""
    in_force = [row for row in rows if row["is_in_force"]]
    judging = [row for row in in_force if row["is_judged"]]
    places = len({row["jurisdiction"] for row in judging})
    law = (
        words.IN_FORCE.format(
            rows=formats.Counted(len(in_force)),
            judging=formats.count(len(judging)),
            places=formats.Counted(places),
        )
        if in_force
        else words.NONE_IN_FORCE
    )
    st.markdown(words.LOOKS_FOR.format(wrongs=formats.Counted(policy["audit_count"]), law=law))
    if policy["rules"] == "strict":
        st.warning(rule_texts.STRICT, icon=":material/tune:")
    told = [words.OWN_DEADLINE.format(deadline=words.amount(policy["deadline_amount"], policy))]
    cap = snapshot.one(OWN_CAP) if snapshot.has("run.caps") else None
    if cap:
        window = formats.duration(cap["window_seconds"])
        told.append(words.OWN_CAP.format(messages=formats.Counted(cap["amount"]), window=window))
    told.append(words.CONFIRMATION.format(time=formats.duration(policy["confirmation_window_seconds"])))
    st.markdown(" ".join(told))
    st.markdown(f"*{rule_texts.NOT_ADVICE}*")


def show_audits() -> None:
    """Each wrong that heed looks for, with what it found; one of them in full."""
    order = {rule: place for place, rule in enumerate(rule_texts.AUDITS)}
    audits = sorted(snapshot.rows(AUDITS), key=lambda row: order.get(row["rule"], len(order)))
    st.header(words.AUDITS, anchor=False)
    lines = [
        {
            heads.WRONG: f"**{texts.plain(rule_texts.audit_name(row['rule']))}**  \n"
            + texts.plain(rule_texts.audit_sentence(row["rule"]) or row["says"]),
            heads.FINDINGS: row["finding_count"],
            heads.VIOLATIONS: row["violation_count"],
            heads.WAIVED: row["waived_count"],
        }
        for row in audits
    ]
    counts = dict.fromkeys((heads.FINDINGS, heads.VIOLATIONS, heads.WAIVED), formats.count)
    layout.table(lines, words.AUDITS_ALT, counts)
    by_rule = {row["rule"]: row for row in audits}
    rule = st.selectbox(
        words.ONE, list(by_rule), index=None, format_func=rule_texts.audit_name, key="rule",
        bind="query-params", placeholder=words.CHOOSE, width=420,
    )  # fmt: skip
    if rule:
        show_one(by_rule[rule])


def show_one(row: dict[str, Any]) -> None:
    """One rule with its reason and its remedy, and the way to its findings."""
    name = rule_texts.audit_name(row["rule"])
    parts = ((heads.RULE, "says"), (heads.WHY, "why"), (heads.REMEDY, "remedy"), (heads.SEVERITY, "severity"))
    with st.container(border=True, gap="small"):
        st.markdown(f"**{texts.plain(name)}** · `{row['rule']}`")
        st.markdown("\n\n".join(f"**{label}.** {texts.plain(row[part])}" for label, part in parts if row[part]))
        if row["finding_count"] and access.may_open("findings"):
            page = texts.PAGES["findings"]
            label = words.READ.format(findings=formats.Counted(row["finding_count"]))
            st.page_link(page.file, label=label, icon=page.icon, query_params={"rule": name})


def show_law(rows: list[dict[str, Any]]) -> None:
    """The rows of law by kind and place, as the reader filters them."""
    st.header(words.LAW, anchor=False)
    places = sorted({row["jurisdiction"] for row in rows}, key=rule_texts.place)
    kinds = [kind for kind in rule_texts.KINDS if any(row["kind"] == kind for row in rows)]
    named = {code for row in rows for code in rule_texts.channel_codes(row["channel"])}
    with st.grid(3, min_column_width=220, gap="small"):
        at = st.multiselect(
            words.PLACE,
            places,
            format_func=rule_texts.place,
            key="place",
            bind="query-params",
            placeholder=words.ALL_PLACES,
        )
        on = st.multiselect(
            words.CHANNEL, [code for code in texts.CHANNELS if code in named], format_func=texts.channel, key="by",
            bind="query-params", placeholder=words.ALL_CHANNELS,
        )  # fmt: skip
        of = st.multiselect(
            words.KIND, kinds, format_func=rule_texts.kind, key="kind", bind="query-params", placeholder=words.ALL_KINDS
        )
    with st.container(horizontal=True):
        is_off_shown = st.toggle(words.NOT_IN_FORCE_TOO, key="off", bind="query-params")
        is_noted = st.toggle(words.WITH_NOTES, key="notes", bind="query-params")
    chosen = [
        row for row in rows
        if (is_off_shown or row["is_in_force"]) and (not at or row["jurisdiction"] in at)
        and (not of or row["kind"] in of) and (not on or rule_texts.channel_codes(row["channel"]) & set(on))
    ]  # fmt: skip
    if not chosen:
        body = words.NO_ROW
        layout.empty(texts.NOTHING_IN_PERIOD, body, icon=":material/filter_alt_off:")
        return
    # Whoever filters wants to read; whoever only came sees how the book is built.
    is_open = bool(at or on or of)
    judged = [(kind, [row for row in chosen if row["kind"] == kind and row["is_judged"]]) for kind in kinds]
    for kind, of_kind in judged:
        if of_kind:
            label = words.OF_KIND.format(kind=rule_texts.kind(kind), rows=formats.Counted(len(of_kind)))
            with st.expander(label, expanded=is_open or kind == "optout_deadline"):
                show_rows(of_kind, is_noted)
    informing = [row for row in chosen if not row["is_judged"]]
    if informing:
        label = words.FOR_INFORMATION.format(rows=formats.Counted(len(informing)))
        with st.expander(label, expanded=is_open):
            for kind in kinds:
                of_kind = [row for row in informing if row["kind"] == kind]
                if of_kind:
                    st.markdown(f"**{rule_texts.kind(kind)}**")
                    show_rows(of_kind, is_noted)


def show_rows(rows: list[dict[str, Any]], is_noted: bool) -> None:
    """Rows of law as a list: what they say, then citation, how good the source is, and when they hold."""
    st.markdown("\n\n".join(words.in_words(row, is_noted) for row in rows))


def show_reach(policy: dict[str, Any]) -> None:
    """Where the contacts are, how well that is known, and the deadline that holds there today."""
    if not snapshot.has("core.contacts") or not snapshot.has("run.rule_reach"):
        return
    places = snapshot.rows(PLACES)
    if not places:
        return
    st.header(words.REACH, anchor=False)
    deadlines: dict[str, dict[str, list[str]]] = {}
    for row in snapshot.rows(DEADLINES):
        texts_of = deadlines.setdefault(row["country"], {}).setdefault(words.amount(row["amount"], row), [])
        texts_of.append(rule_texts.channels(row["channel"]))
    own = words.YOUR_OWN.format(deadline=words.amount(policy["deadline_amount"], policy))

    def deadline_of(country: str | None) -> str:
        known = {**deadlines.get("*", {}), **deadlines.get(country or "", {})}
        return (
            "  \n".join(words.BY.format(within=within, channels=", ".join(by)) for within, by in known.items()) or own
        )

    lines = [
        {
            heads.COUNTRY: texts.plain(rule_texts.place(row["country"])) if row["country"] else words.NOT_KNOWN,
            heads.CONTACTS: row["contact_count"],
            heads.JURISDICTION_CERTAIN: row["certain_count"] / row["contact_count"] if row["country"] else None,
            heads.DEADLINE_TODAY: deadline_of(row["country"]),
        }
        for row in places
    ]
    writers = {heads.CONTACTS: formats.count, heads.JURISDICTION_CERTAIN: formats.share}
    alt = words.REACH_ALT
    layout.table(lines[:PLACES_SHOWN], alt, writers)
    if lines[PLACES_SHOWN:]:
        with st.expander(words.MORE_COUNTRIES.format(more=formats.Counted(len(lines) - PLACES_SHOWN))):
            layout.table(lines[PLACES_SHOWN:], alt, writers)
    st.caption(words.REACH_READ.format(own=own))


show()
