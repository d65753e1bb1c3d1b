"""Did every opt-out get heeded? The verdict in words, the headline numbers, what was found, where to look next."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import access, filters, formats, layout, rule_texts, snapshot, texts

MONTHS_SHOWN = 12

VERDICT = """
select verdict, violation_count, message_count, reasons from metrics.verdicts
where period_start is not distinct from ? and channel = ? and source = '*'
"""
MONTHS = """
select period_start, channel, verdict, violation_count, message_count from metrics.verdicts
where source = '*' and period_start is not null order by period_start desc, channel
"""
RULES = "select rules from run.parameters"
# What a reader of the verdict must know of the rules that made it.
RULES_IN_FORCE = {
    "strict": " Judged by the strict preset, which is heed's own and stricter than most laws.",
    "none": " Judged without any row of law: your policy chose none.",
}
HEADLINE = """
select metric, label, display, period_label, previous_display, sentence from metrics.headline order by position
"""
# One query by rule, one by rule and class: contacts of several classes are counted once.
FOUND = """
select
    rule, {finding_class} as finding_class, count(*) as finding_count,
    count(*) filter (where waived_by is null and severity in ('critical', 'high')) as violation_count,
    count(waived_by) as waived_count, count(distinct contact_key) as contact_count,
    count(distinct campaign_id) as campaign_count,
    min_by(severity, case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end)
        as worst_severity
from audits.findings
where (? is null or channel = ?) and (? is null or occurred_at >= ?) and (? is null or occurred_at < ?)
group by rule, {finding_class}
order by min(case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end),
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
EXPOSURE_CAVEAT = (
    "A range from the text of the law and the violations of the whole record, all channels. It is no forecast and no "
    "advice: a court decides whether the text binds you, what counts as one violation and what was wilful. **The lines "
    "overlap, because one message can fall under several: never add them up.** Waived findings are in no amount."
)
NEXT = """
select
    (select count(*) from core.opt_out_spans where kind = 'opt_out' and (
        processed_at is null or processed_at > (select as_of from run.parameters)
    )) as open_count,
    (select coalesce(sum(row_count), 0)::bigint from run.quarantine) as quarantined_count,
    (select count(*) from run.sources where limits <> '') as limited_count
"""
BROKEN_WAIVERS = "select count(*) as waiver_count from audits.waivers where status <> 'applied'"


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("overview", chosen)
    verdict = snapshot.one(VERDICT, [chosen.period, chosen.channel_or_all])
    if verdict is None:
        layout.empty(texts.NOTHING_IN_PERIOD, f"No message and no opt-out was recorded here. {texts.WIDEN}")
    else:
        show_verdict(verdict)
    show_headline()
    starts_at, ends_at = filters.bounds_of(chosen.period)
    parameters = [chosen.channel, chosen.channel, starts_at, starts_at, ends_at, ends_at]
    found = snapshot.rows(FOUND.format(finding_class="cast(null as varchar)"), parameters)
    show_found(found, snapshot.rows(FOUND.format(finding_class="finding_class"), parameters))
    show_exposure()
    show_months()
    show_next(found)
    layout.footer()


def show_verdict(verdict: dict[str, Any]) -> None:
    """The verdict with its reasons as sentences."""
    word = verdict["verdict"]
    with st.container(border=True, gap="small"):
        st.header(f":red[{word}]" if word == "Fail" else word, anchor=False)
        st.markdown(f"**{texts.VERDICTS.get(word, '')}**")
        reasons = [line for line in (verdict["reasons"] or "").split("\n") if line]
        if reasons and word != "Pass":
            st.markdown("\n".join(f"- {texts.plain(line)}" for line in reasons))
        judged_by = RULES_IN_FORCE.get((snapshot.one(RULES) or {}).get("rules") or "", "")
        st.caption(f"{formats.plural(verdict['message_count'], 'message')} looked at.{judged_by}")


def show_headline() -> None:
    """The three headline numbers, each with its sentence and the value before."""
    st.header("Three numbers", anchor=False)
    with st.grid(3, min_column_width=240, gap="small"):
        for number in snapshot.rows(HEADLINE):
            note = f"**{texts.plain(number['period_label'])}, all channels.** {texts.plain(number['sentence'])}"
            layout.card(number["label"], number["display"], note, number["previous_display"])


def show_found(found: list[dict[str, Any]], classes: list[dict[str, Any]]) -> None:
    """Findings by rule, in words; what is waived is counted apart."""
    st.header("What was found", anchor=False)
    if not found:
        st.markdown("No finding in this selection. Whether the evidence is complete, the verdict above says.")
        return
    wrong = [row for row in found if row["violation_count"]]
    others = [row for row in found if not row["violation_count"]]
    show_rules(wrong or others, classes)
    if wrong and others:
        findings = formats.plural(sum(row["finding_count"] for row in others), "finding")
        label = f"{formats.plural(len(others), 'more rule')} with {findings} and no violation"
        with st.expander(label):
            show_rules(others, classes)
    show_rest(found)
    waived = sum(row["waived_count"] for row in found)
    if waived and access.may_open("waivers"):
        page = texts.PAGES["waivers"]
        label = formats.plural(waived, "finding is waived", "findings are waived")
        st.page_link(page.file, label=f"{label} and counted apart", icon=page.icon)


def show_rules(found: list[dict[str, Any]], classes: list[dict[str, Any]]) -> None:
    """Rules with what was found under each."""
    lines = [
        {
            "What happened": in_words(row, [one for one in classes if one["rule"] == row["rule"]]),
            "Findings": row["finding_count"],
            "Violations": row["violation_count"],
            "Waived": row["waived_count"],
        }
        for row in found
    ]
    counts = dict.fromkeys(("Findings", "Violations", "Waived"), formats.count)
    layout.table(lines, "Findings by rule, the worst first, with violations and waived findings apart", counts)


def in_words(row: dict[str, Any], classes: list[dict[str, Any]]) -> str:
    """The findings of one rule: its name and worst severity, what it means, how they divide, whom they concern."""
    rule = row["rule"]
    # A campaign's finding has no contact.
    whom = (
        formats.plural(row["contact_count"], "contact")
        if row["contact_count"]
        else formats.plural(row["campaign_count"], "campaign")
    )
    parts = [
        f"{texts.plain(rule_texts.class_name(rule, one['finding_class']))}{formats.GAP}{one['finding_count']:,}"
        for one in classes
    ]
    return (
        f"**{texts.plain(rule_texts.audit_name(rule))}** {layout.severity_badge(row['worst_severity'])}  \n"
        f"{texts.plain(rule_texts.audit_sentence(rule))} {whom}."
        + (f"  \n*{' · '.join(parts)}*" if len(parts) > 1 else "")
    )


def show_rest(found: list[dict[str, Any]]) -> None:
    """The rules under which nothing was found: looked for, not left out."""
    if not snapshot.has("run.audit_rules"):
        return
    looked_for = {row["rule"] for row in snapshot.rows(AUDITS)}
    rest = [rule for rule in rule_texts.AUDITS if rule in looked_for - {row["rule"] for row in found}]
    if rest:
        names = ", ".join(rule_texts.audit_name(rule) for rule in rest)
        st.caption(f"Looked for and not found: {names}.")


def show_exposure() -> None:
    """What the violations could cost, a range for each penalty in force, with the caveat beside it."""
    lines = snapshot.rows(EXPOSURE) if snapshot.has("metrics.exposure") and snapshot.has("run.rules") else []
    if not lines:
        return
    st.header("If a court counted each violation", anchor=False)
    with st.container(border=True, gap="small"):
        st.markdown("\n".join(f"- {exposure_in_words(row)}" for row in lines))
        st.caption(f"{EXPOSURE_CAVEAT} {rule_texts.NOT_ADVICE}")


def exposure_in_words(row: dict[str, Any]) -> str:
    """One penalty: the range, the law, what was counted, and what may come on top."""
    low, high = (formats.money(row[name], row["currency"]) for name in ("low_amount", "high_amount"))
    amounts = "up to " + high if not row["low_amount"] else low if low == high else f"between {low} and {high}"
    place = f" ({texts.plain(rule_texts.place_name(row['jurisdiction']))})" if row["jurisdiction"] else ""
    counted = f"{formats.plural(row['violation_count'], 'message')}, each counted once"
    possible = row["possible_count"]
    more = (
        f"; {formats.count(possible)} more may fall under it, by a guessed region, and "
        f"{'is' if possible == 1 else 'are'} in no amount"
        if possible
        else ""
    )
    law = rule_texts.link(row["citation"], row["source_url"])
    if not row["violation_count"]:
        return f"nothing for certain under {law}{place}{more}."
    return f"**{texts.plain(amounts)}** under {law}{place}: {counted}{more}."


def show_months() -> None:
    """The verdict of each month and channel."""
    verdicts = snapshot.rows(MONTHS)
    if not verdicts:
        return
    st.header("Month by month", anchor=False)
    channels = list(dict.fromkeys(row["channel"] for row in verdicts))
    months = list(dict.fromkeys(row["period_start"] for row in verdicts))
    cells = {(row["period_start"], row["channel"]): row for row in verdicts}

    names = {channel: texts.ALL_CHANNELS if channel == "*" else texts.channel(channel) for channel in channels}
    lines = [
        {"Month": formats.month(month).replace(" ", formats.GAP)}
        | {name: verdict_cell(cells.get((month, channel))) for channel, name in names.items()}
        for month in months
    ]
    alt = "Verdict by month and channel, newest month first"
    layout.table(lines[:MONTHS_SHOWN], alt)
    if lines[MONTHS_SHOWN:]:
        with st.expander(formats.plural(len(lines) - MONTHS_SHOWN, "earlier month")):
            layout.table(lines[MONTHS_SHOWN:], alt)


def verdict_cell(row: dict[str, Any] | None) -> str:
    """One verdict as a badge, with its number of violations."""
    if row is None:
        return formats.MISSING
    count = row["violation_count"]
    return layout.verdict_badge(row["verdict"], formats.count(count) if count else "")


def show_next(found: list[dict[str, Any]]) -> None:
    """Links to what deserves a look, most pressing first."""
    st.header("What to do next", anchor=False)
    state = snapshot.one(NEXT) or {}
    violations = sum(row["violation_count"] for row in found)
    steps = []
    if violations:
        # Month and channel stay chosen by themselves.
        label = f"Read the {formats.plural(violations, 'violation')}, worst first"
        steps.append(("findings", label, {"violations": "true"}))
    if any(row["rule"] == "opt_out_request_missed" for row in found):
        steps.append(("missed", "Hear the requests to stop that nobody recorded", {}))
    if state.get("open_count"):
        waiting = formats.plural(state["open_count"], "opt-out that is", "opt-outs that are")
        steps.append(("response", f"Apply the {waiting} still open", {}))
    broken = (snapshot.one(BROKEN_WAIVERS) or {}).get("waiver_count") if snapshot.has("audits.waivers") else 0
    if broken:
        waivers = formats.plural(broken, "waiver that does", "waivers that do")
        steps.append(("waivers", f"Renew or remove {waivers} not hold", {}))
    if state.get("quarantined_count"):
        rows = formats.plural(state["quarantined_count"], "row")
        steps.append(("data", f"Repair the {rows} in quarantine", {}))
    if state.get("limited_count"):
        steps.append(("data", f"See what {formats.plural(state['limited_count'], 'source')} cannot know", {}))
    steps.append(("trends", "See how the opt-out rate moves", {}))
    for name, label, link in steps:
        if not access.may_open(name):
            continue
        page = texts.PAGES[name]
        st.page_link(page.file, label=label, icon=page.icon, query_params=link or None)


show()
