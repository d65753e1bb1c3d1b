"""Which rules are in force? What heed looks for, the rows of law it judges by, and whom they reach."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from dashboard import access, formats, layout, rule_texts, snapshot, texts

UNKNOWN_START = "9999-12-31"
WEAK = ("S1", "unverified")
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
        layout.older("rule book")
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
        f"{formats.plural(len(in_force), 'row')} of law and practice {'is' if len(in_force) == 1 else 'are'} in force; "
        f"heed judges by {formats.count(len(judging))} of them, from {formats.plural(places, 'place')}."
        if in_force
        else "No row of law is in force."
    )
    st.markdown(f"**heed looks for {formats.plural(policy['audit_count'], 'wrong')}. {law}**")
    if policy["rules"] == "strict":
        st.warning(rule_texts.STRICT, icon=":material/tune:")
    words = [f"Where no row gives a deadline, your own holds: {amount(policy['deadline_amount'], policy)}."]
    cap = snapshot.one(OWN_CAP) if snapshot.has("run.caps") else None
    if cap:
        window = formats.duration(cap["window_seconds"])
        words.append(f"Your own cap: {formats.plural(cap['amount'], 'message')} in {window} to a contact and channel.")
    words.append(f"A confirmation is late after {formats.duration(policy['confirmation_window_seconds'])}.")
    st.markdown(" ".join(words))
    st.markdown(f"*{rule_texts.NOT_ADVICE}*")


def amount(number: int | None, row: dict[str, Any]) -> str:
    """A deadline in words: 10 business days."""
    unit = str(row.get("deadline_unit") or row.get("unit") or "")
    if unit == "immediate" or not number:
        return "at once"
    words = unit.replace("_", " ")
    return f"{number} {words.removesuffix('s') if number == 1 else words}"


def show_audits() -> None:
    """Each wrong that heed looks for, with what it found; one of them in full."""
    order = {rule: place for place, rule in enumerate(rule_texts.AUDITS)}
    audits = sorted(snapshot.rows(AUDITS), key=lambda row: order.get(row["rule"], len(order)))
    st.header("What heed looks for", anchor=False)
    lines = [
        {
            "Wrong": f"**{texts.plain(rule_texts.audit_name(row['rule']))}**  \n"
            + texts.plain(rule_texts.audit_sentence(row["rule"]) or row["says"]),
            "Findings": row["finding_count"],
            "Violations": row["violation_count"],
            "Waived": row["waived_count"],
        }
        for row in audits
    ]
    counts = dict.fromkeys(("Findings", "Violations", "Waived"), formats.count)
    layout.table(lines, "What heed looks for, with findings, violations and waived findings", counts)
    by_rule = {row["rule"]: row for row in audits}
    rule = st.selectbox(
        "Read one rule in full", list(by_rule), index=None, format_func=rule_texts.audit_name, key="rule",
        bind="query-params", placeholder="Choose a rule", width=420,
    )  # fmt: skip
    if rule:
        show_one(by_rule[rule])


def show_one(row: dict[str, Any]) -> None:
    """One rule with its reason and its remedy, and the way to its findings."""
    name = rule_texts.audit_name(row["rule"])
    parts = (("Rule", "says"), ("Why", "why"), ("Remedy", "remedy"), ("Severity", "severity"))
    with st.container(border=True, gap="small"):
        st.markdown(f"**{texts.plain(name)}** · `{row['rule']}`")
        st.markdown("\n\n".join(f"**{label}.** {texts.plain(row[part])}" for label, part in parts if row[part]))
        if row["finding_count"] and access.may_open("findings"):
            page = texts.PAGES["findings"]
            label = f"Read the {formats.plural(row['finding_count'], 'finding')}"
            st.page_link(page.file, label=label, icon=page.icon, query_params={"rule": name})


def show_law(rows: list[dict[str, Any]]) -> None:
    """The rows of law by kind and place, as the reader filters them."""
    st.header("The law, row by row", anchor=False)
    places = sorted({row["jurisdiction"] for row in rows}, key=rule_texts.place)
    kinds = [kind for kind in rule_texts.KINDS if any(row["kind"] == kind for row in rows)]
    named = {code for row in rows for code in rule_texts.channel_codes(row["channel"])}
    with st.grid(3, min_column_width=220, gap="small"):
        at = st.multiselect(
            "Place", places, format_func=rule_texts.place, key="place", bind="query-params", placeholder="All places"
        )
        on = st.multiselect(
            "Channel", [code for code in texts.CHANNELS if code in named], format_func=texts.channel, key="by",
            bind="query-params", placeholder="All channels",
        )  # fmt: skip
        of = st.multiselect(
            "Kind", kinds, format_func=rule_texts.kind, key="kind", bind="query-params", placeholder="All kinds"
        )
    with st.container(horizontal=True):
        is_off_shown = st.toggle("Rows not in force too", key="off", bind="query-params")
        is_noted = st.toggle("With notes", key="notes", bind="query-params")
    chosen = [
        row for row in rows
        if (is_off_shown or row["is_in_force"]) and (not at or row["jurisdiction"] in at)
        and (not of or row["kind"] in of) and (not on or rule_texts.channel_codes(row["channel"]) & set(on))
    ]  # fmt: skip
    if not chosen:
        body = "No row in force matches these filters. Rows that are not in force are shown on request."
        layout.empty(texts.NOTHING_IN_PERIOD, body, icon=":material/filter_alt_off:")
        return
    # Whoever filters wants to read; whoever only came sees how the book is built.
    is_open = bool(at or on or of)
    judged = [(kind, [row for row in chosen if row["kind"] == kind and row["is_judged"]]) for kind in kinds]
    for kind, of_kind in judged:
        if of_kind:
            label = f"**{rule_texts.kind(kind)}** · {formats.plural(len(of_kind), 'row')}"
            with st.expander(label, expanded=is_open or kind == "optout_deadline"):
                show_rows(of_kind, is_noted)
    informing = [row for row in chosen if not row["is_judged"]]
    if informing:
        label = f"**For information** · {formats.plural(len(informing), 'row')} that heed does not judge by"
        with st.expander(label, expanded=is_open):
            for kind in kinds:
                of_kind = [row for row in informing if row["kind"] == kind]
                if of_kind:
                    st.markdown(f"**{rule_texts.kind(kind)}**")
                    show_rows(of_kind, is_noted)


def show_rows(rows: list[dict[str, Any]], is_noted: bool) -> None:
    """Rows of law as a list: what they say, then citation, how good the source is, and when they hold."""
    st.markdown("\n\n".join(in_words(row, is_noted) for row in rows))


def in_words(row: dict[str, Any], is_noted: bool) -> str:
    """A row as an item: where and by which channel, what it says, what it rests on, its note if asked for."""
    said = row["in_words"] or f"{row['regulation']}: {row['value']} {(row['unit'] or '').replace('_', ' ')}"
    where = f"**{texts.plain(rule_texts.place(row['jurisdiction']))}** · {rule_texts.channels(row['channel'])}"
    off = "" if row["is_in_force"] else f" :gray-badge[Not in force: {why_off(row)}]"
    found = f" · **{formats.plural(row['finding_count'], 'finding')}**" if row["finding_count"] else ""
    rests_on = " · ".join([*sources_of(row), *holds(row), texts.plain(row["rule_id"])])
    note = f"  \n  *{texts.plain(row['note'])}*" if is_noted and row["note"] else ""
    return f"- {where}{off}{found}  \n  {texts.plain(said)}  \n  :small[{rests_on}]{note}"


def sources_of(row: dict[str, Any]) -> list[str]:
    """What a row rests on: its citation, how good the source is, when it was read, and whose row it is."""
    words = [rule_texts.link(row["citation"] or row["regulation"] or row["rule_id"], row["source_url"])]
    words += [texts.plain(row["regulation"])] if row["regulation"] and row["citation"] else []
    checked = f"checked {day(row['checked_on'])}" if row["checked_on"] else "never checked"
    words.append(f"{texts.plain(rule_texts.grade(row['grade']))}, {checked}")
    return words + (["from your rules.csv"] if row["origin"] == "home" else [])


def holds(row: dict[str, Any]) -> list[str]:
    """Since when and until when a row holds, and what a finding under it weighs."""
    words = []
    if row["effective_from"] == UNKNOWN_START:
        words.append("start not known")
    elif row["effective_from"]:
        words.append(f"since {day(row['effective_from'])}")
    elif row["is_judged"] and row["judged_from"]:
        words.append(f"start not found, judges from {formats.day(row['judged_from']).replace(' ', formats.GAP)}")
    else:
        words.append("start not found")
    words += [f"until {day(row['effective_to'])}"] if row["effective_to"] else []
    return words + (
        [f"weighs {texts.severity(row['severity']).lower()}"] if row["severity"] and row["is_judged"] else []
    )


def why_off(row: dict[str, Any]) -> str:
    """Why a row is not in force."""
    if row["effective_from"] == UNKNOWN_START:
        return "adopted, not begun"
    if row["enabled"] == "strict":
        return "only in the strict preset"
    if row["enabled"] == "no":
        return "its source is too weak" if row["grade"] in WEAK else "switched off"
    return "not chosen by your policy"


def day(text: str) -> str:
    """An ISO date as people read it; what is none, as it is."""
    try:
        return formats.day(date.fromisoformat(text)).replace(" ", formats.GAP)
    except ValueError:
        return texts.plain(text)


def show_reach(policy: dict[str, Any]) -> None:
    """Where the contacts are, how well that is known, and the deadline that holds there today."""
    if not snapshot.has("core.contacts") or not snapshot.has("run.rule_reach"):
        return
    places = snapshot.rows(PLACES)
    if not places:
        return
    st.header("Whom they reach", anchor=False)
    deadlines: dict[str, dict[str, list[str]]] = {}
    for row in snapshot.rows(DEADLINES):
        texts_of = deadlines.setdefault(row["country"], {}).setdefault(amount(row["amount"], row), [])
        texts_of.append(rule_texts.channels(row["channel"]))
    own = f"your own: {amount(policy['deadline_amount'], policy)}"

    def deadline_of(country: str | None) -> str:
        known = {**deadlines.get("*", {}), **deadlines.get(country or "", {})}
        return "  \n".join(f"{within} by {', '.join(by)}" for within, by in known.items()) or own

    lines = [
        {
            "Country": texts.plain(rule_texts.place(row["country"])) if row["country"] else "Not known",
            "Contacts": row["contact_count"],
            "Jurisdiction certain": row["certain_count"] / row["contact_count"] if row["country"] else None,
            "Deadline for opt-outs today": deadline_of(row["country"]),
        }
        for row in places
    ]
    writers = {"Contacts": formats.count, "Jurisdiction certain": formats.share}
    alt = "Contacts by country, the share whose jurisdiction is certain, and the deadline that holds there today"
    layout.table(lines[:PLACES_SHOWN], alt, writers)
    if lines[PLACES_SHOWN:]:
        with st.expander(formats.plural(len(lines) - PLACES_SHOWN, "more country", "more countries")):
            layout.table(lines[PLACES_SHOWN:], alt, writers)
    st.caption(
        f"Channels not named here: {own}. Of several deadlines for one channel the strictest counts; an opt-out is "
        "judged by what was in force when it was made. Rules of single states come on top; a state guessed "
        "from an area code is not certain."
    )


show()
