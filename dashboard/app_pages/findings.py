"""What went wrong, and for whom? Findings filtered and counted in SQL, one page of rows at a time."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import streamlit as st

from dashboard import access, export, filters, formats, layout, rule_texts, snapshot, texts

PAGE_SIZES = [50, 100, 200]
CLASSES_SHOWN = 10

CLASSES = """
select rule, finding_class from audits.findings group by rule, finding_class
order by min(case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end), rule,
    finding_class
"""
LAWS = "select distinct legal_rule_id from {findings} where legal_rule_id is not null order by legal_rule_id"
CHOSEN = """
where (? is null or channel = ?) and (? is null or program = ?) and (? is null or campaign_id = ?)
    and (? is null or occurred_at >= ?) and (? is null or occurred_at < ?)
    and (len(?) = 0 or list_contains(?, rule)) and (len(?) = 0 or list_contains(?, concat(rule, '/', finding_class)))
    and (len(?) = 0 or list_contains(?, severity))
    and (len(?) = 0 or list_contains(?, legal_rule_id))
    and (not ? or (waived_by is null and severity in ('critical', 'high')))
    and (? = 'all' or (waived_by is not null) = (? = 'waived'))
"""
COUNTS = """
select
    rule, finding_class, severity, count(*) as finding_count,
    count(*) filter (where waived_by is null and severity in ('critical', 'high')) as violation_count,
    count(waived_by) as waived_count, count(distinct contact_key) as contact_count
from {findings} {chosen}
group by rule, finding_class, severity
order by case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end, finding_count desc
"""
CONCERNED = """
select count(distinct concat_ws(' ', source, message_id)) as message_count from {findings} {chosen}
    and message_id is not null and rule <> 'opt_out_request_missed'
"""
WORST_FIRST = """
order by case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end, occurred_at desc,
    source, message_id, event_id, rule
"""
ROWS = """
select
    case when contact_key is not null then 'Open' end as open_timeline, contact_masked, occurred_at, finding_class,
    severity, channel, program, campaign_id, delivered, begins_at, processed_at, deadline_at, details,
    legal_rule_id, jurisdiction, jurisdiction_certainty, rule, source, message_id, event_id, waived_by,
    lpad(lower(hex(contact_key)), 16, '0') as contact
from {findings} {chosen} {worst_first} limit ? offset ?
"""
EXPORTED = """
select
    rule, finding_class, severity, source, message_id, event_id, lpad(lower(hex(contact_key)), 16, '0') as contact_key,
    contact_masked, channel, program, campaign_id, occurred_at, begins_at, processed_at, deadline_at, delivered,
    details, waived_by, legal_rule_id, jurisdiction, jurisdiction_certainty
from {findings} {chosen} {worst_first}
"""
# What the reader may choose about waivers, as the URL says it.
WAIVED = {"all": "All", "waived": "Waived", "counting": "Not waived"}
MESSAGES = """
select message_count from metrics.verdicts where period_start is not distinct from ? and channel = ? and source = '*'
"""


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("findings", chosen)
    if not snapshot.rows("select 1 from audits.findings limit 1"):
        body = "Nothing that was loaded breaks a rule. Whether the evidence is complete, the audit overview says."
        layout.empty("No finding", body, icon=":material/rule:")
        layout.footer()
        return
    parameters = choose_more(chosen)
    counts = snapshot.rows(asking(COUNTS), parameters)
    if not counts:
        layout.empty(
            texts.NOTHING_IN_PERIOD,
            f"No finding matches these filters. {texts.WIDEN}",
            icon=":material/filter_alt_off:",
        )
    else:
        show_counts(counts, chosen, parameters)
        show_rows(sum(row["finding_count"] for row in counts), parameters)
        show_exports(parameters, sum(row["finding_count"] for row in counts))
    layout.footer("A violation is a finding of severity critical or high that no waiver covers")


def asking(sql: str) -> str:
    """A query of this page with its findings, its filters and its order filled in."""
    return sql.format(findings=snapshot.findings(), chosen=CHOSEN, worst_first=WORST_FIRST)


def choose_more(chosen: filters.Filters) -> list[Any]:
    """Draw this page's own filters and return the parameters of CHOSEN."""
    classes = [f"{row['rule']}/{row['finding_class']}" for row in snapshot.rows(CLASSES)]
    rules = list(dict.fromkeys(code.partition("/")[0] for code in classes))
    cited = snapshot.citations()
    laws = [row["legal_rule_id"] for row in snapshot.rows(asking(LAWS))]
    with st.grid(3, min_column_width=220, gap="small"):
        of_rule = st.multiselect(
            "Rule", rules, format_func=rule_texts.audit_name, key="rule", bind="query-params", placeholder="All rules"
        )
        of_class = st.multiselect(
            "Finding",
            classes,
            format_func=rule_texts.class_name_of,
            key="finding",
            bind="query-params",
            placeholder="All findings",
        )
        severity = st.multiselect(
            "Severity", list(texts.SEVERITIES), format_func=texts.severity, key="severity", bind="query-params",
            placeholder="All severities",
        )  # fmt: skip
        law = st.multiselect(
            "Law", laws, format_func=lambda one: f"{cited.get(one, one)} ({one})", key="law", bind="query-params",
            placeholder="All laws", disabled=not laws,
        )  # fmt: skip
        waived = st.segmented_control(
            "Waived", list(WAIVED), default="all", required=True, format_func=WAIVED.__getitem__, key="waived",
            bind="query-params",
        ) or "all"  # fmt: skip
    if len(of_rule) == 1:
        page = texts.PAGES["rules"]
        name = rule_texts.audit_name(of_rule[0])
        st.page_link(
            page.file, label="What this rule says, why, and what to do", icon=page.icon, query_params={"rule": name}
        )
    only = st.toggle("Violations only", key="violations", bind="query-params")
    both = [chosen.channel, chosen.program, chosen.campaign, *filters.bounds_of(chosen.period)]
    lists = [of_rule, of_class, severity, law]
    return [
        *(value for value in both for _ in range(2)),
        *(tuple(value) for value in lists for _ in range(2)),
        only, waived, waived,
    ]  # fmt: skip


def show_counts(counts: list[dict[str, Any]], chosen: filters.Filters, parameters: list[Any]) -> None:
    """How many, of what: the answer in words, then by class."""
    findings = sum(row["finding_count"] for row in counts)
    violations = sum(row["violation_count"] for row in counts)
    concerned = (snapshot.one(asking(CONCERNED), parameters) or {}).get("message_count") or 0
    sent = (snapshot.one(MESSAGES, [chosen.period, chosen.channel_or_all]) or {}).get("message_count")
    rate = ""
    # How many messages a program or a campaign sent is not published here, so they have no such share.
    if sent and concerned and chosen.program is None and chosen.campaign is None:
        share = formats.share(concerned / sent)
        rate = f" They concern {formats.count(concerned)} of {formats.plural(sent, 'message')}, {share}."
    st.markdown(f"**{formats.plural(findings, 'finding')}, of which {formats.plural(violations, 'violation')}.**{rate}")
    lines = [
        {
            "Finding": texts.plain(rule_texts.class_name(row["rule"], row["finding_class"]))
            + " "
            + layout.severity_badge(row["severity"]),
            "Findings": row["finding_count"],
            "Share": row["finding_count"] / findings,
            "Waived": row["waived_count"],
            "Contacts": row["contact_count"],
        }
        for row in counts
    ]
    writers = {"Findings": formats.count, "Share": formats.share, "Waived": formats.count, "Contacts": formats.count}
    alt = "Findings by class, with their share of all that match"
    layout.table(lines[:CLASSES_SHOWN], alt, writers)
    if lines[CLASSES_SHOWN:]:
        rest = sum(line["Findings"] for line in lines[CLASSES_SHOWN:])
        kinds = formats.plural(len(lines) - CLASSES_SHOWN, "more kind")
        with st.expander(f"{kinds} with {formats.plural(rest, 'finding')}"):
            layout.table(lines[CLASSES_SHOWN:], alt, writers)


def show_rows(total: int, parameters: list[Any]) -> None:
    """One page of findings, the worst first; a click opens the contact's timeline."""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        size = st.segmented_control(
            "Rows", PAGE_SIZES, default=PAGE_SIZES[0], required=True, key="rows", bind="query-params"
        ) or PAGE_SIZES[0]  # fmt: skip
        page = st.pagination(max(1, math.ceil(total / size)), key="page", bind="query-params")
    first = (page - 1) * size
    rows = snapshot.frame(asking(ROWS), [*parameters, size, first])
    contacts = [key if isinstance(key, str) else None for key in rows.pop("contact")]
    cited = snapshot.citations()
    rows["finding_class"] = [
        rule_texts.class_name(rule, one) for rule, one in zip(rows["rule"], rows["finding_class"], strict=True)
    ]
    rows["legal_rule_id"] = [cited.get(one, one) if isinstance(one, str) else None for one in rows["legal_rule_id"]]
    rows["jurisdiction"] = [
        rule_texts.place_name(one) if isinstance(one, str) else None for one in rows["jurisdiction"]
    ]
    rows["jurisdiction_certainty"] = rows["jurisdiction_certainty"].map(rule_texts.CERTAINTY)
    rows["rule"] = rows["rule"].map(rule_texts.audit_name)
    rows["channel"] = rows["channel"].map(texts.channel)
    rows["program"] = rows["program"].map(texts.program)
    rows["severity"] = [
        [texts.severity(severity)] + (["Waived"] if isinstance(waived, str) else [])
        for severity, waived in zip(rows["severity"], rows["waived_by"], strict=True)
    ]
    st.dataframe(
        rows,
        hide_index=True,
        placeholder="",
        height=36 * min(len(rows), 14) + 40,
        alt=f"Findings {first + 1} to {first + len(rows)} of {total}, worst first",
        column_config={
            "open_timeline": st.column_config.ButtonColumn(
                "Timeline", on_click=open_timeline, args=(contacts,), key="opened", type="tertiary"
            ),
            "occurred_at": st.column_config.DatetimeColumn("When (UTC)", format="D MMM YYYY, HH:mm"),
            "finding_class": st.column_config.TextColumn("Finding"),
            "severity": st.column_config.MultiselectColumn(
                "Severity", options=[*texts.SEVERITIES.values(), "Waived"], color=["red", "red", "gray", "gray", "gray"]
            ),
            "contact_masked": "Contact",
            "channel": "Channel",
            "program": st.column_config.TextColumn("Program", width=130),
            "campaign_id": st.column_config.TextColumn("Campaign", width=150),
            "delivered": "Delivered",
            "begins_at": st.column_config.DatetimeColumn("Opted out", format="D MMM YYYY, HH:mm"),
            "processed_at": st.column_config.DatetimeColumn("Applied", format="D MMM YYYY, HH:mm"),
            "deadline_at": st.column_config.DatetimeColumn("Deadline", format="D MMM YYYY, HH:mm"),
            "details": "Details",
            "legal_rule_id": st.column_config.TextColumn(
                "Law", help="The citation it rests on; empty where your policy alone decides."
            ),
            "jurisdiction": st.column_config.TextColumn("Where", help="Whose rules apply to the contact."),
            "jurisdiction_certainty": st.column_config.TextColumn(
                "Where is", help="How well that is known. A guess by area code is never certain."
            ),
            "rule": "Rule",
            "source": "Source",
            "message_id": "Message",
            "event_id": "Event",
            "waived_by": "Waived by",
        },
    )
    shown = f"{first + 1:,} to {first + len(rows):,} of {formats.plural(total, 'finding')}"
    st.caption(f"{shown}, worst first, newest first. Times in UTC.")
    # The same way out for a keyboard, a screen reader and a thumb: a click in the table needs a mouse.
    names = {key: mask for key, mask in zip(contacts, rows["contact_masked"], strict=True) if key}
    if not names:
        st.caption("These findings are about campaigns, not about one contact.")
        return
    contact = st.selectbox(
        "One contact's timeline",
        list(names),
        index=None,
        format_func=lambda key: f"{names[key]}  ({key})",
        placeholder="Choose a contact from these rows",
        key="timeline_of",
        width=420,
    )
    if contact:
        open_contact(contact)


def open_timeline(contacts: list[str | None]) -> None:
    """Go to the contact of the clicked row; a campaign's finding has none."""
    contact = contacts[st.session_state["opened"]["row"]]
    if contact:
        open_contact(contact)


def open_contact(key: str) -> None:
    """Go to one contact's timeline."""
    st.switch_page(texts.PAGES["contact"].file, query_params={"contact": key})


def show_exports(parameters: list[Any], rows: int) -> None:
    """All matching findings as files, made when asked for."""
    if not access.may_export("findings"):
        return
    published = snapshot.published()
    sql = asking(EXPORTED)
    read = partial(snapshot.read_uncached, published, sql, parameters)
    name = f"findings-{published.run_id}"
    with st.container(horizontal=True):
        st.download_button(
            "All as CSV",
            access.on_demand("findings", rows, lambda: export.to_csv(read())),
            f"{name}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "All as Parquet", access.on_demand("findings", rows, lambda: export.to_parquet(read())),
            f"{name}.parquet", "application/vnd.apache.parquet", icon=":material/download:", on_click="ignore",
        )  # fmt: skip


show()
