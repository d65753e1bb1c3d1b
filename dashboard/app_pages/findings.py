"""What went wrong, and for whom? Findings filtered and counted in SQL, one page of rows at a time."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import streamlit as st

from dashboard import export, filters, formats, layout, snapshot, texts

PAGE_SIZES = [50, 100, 200]

CLASSES = """
select finding_class from audits.findings group by finding_class
order by min(case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end), finding_class
"""
CAMPAIGNS = "select distinct campaign_id from audits.findings where campaign_id is not null order by campaign_id"
CHOSEN = """
where (? is null or channel = ?) and (? is null or program = ?)
    and (? is null or occurred_at >= ?) and (? is null or occurred_at < ?)
    and (len(?) = 0 or list_contains(?, finding_class)) and (len(?) = 0 or list_contains(?, severity))
    and (len(?) = 0 or list_contains(?, campaign_id))
    and (not ? or (waived_by is null and severity in ('critical', 'high')))
"""
COUNTS = """
select
    finding_class, severity, count(*) as finding_count,
    count(*) filter (where waived_by is null and severity in ('critical', 'high')) as violation_count,
    count(waived_by) as waived_count, count(distinct contact_key) as contact_count
from audits.findings {chosen}
group by finding_class, severity
order by case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end, finding_count desc
"""
CONCERNED = """
select count(distinct concat_ws(' ', source, message_id)) as message_count from audits.findings {chosen}
    and message_id is not null
"""
WORST_FIRST = """
order by case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end, occurred_at desc,
    source, message_id, event_id, rule
"""
ROWS = """
select
    'Open' as open_timeline, contact_masked, occurred_at, finding_class, severity, channel, program, campaign_id,
    delivered, begins_at, processed_at, deadline_at, details, rule, source, message_id, event_id, waived_by,
    lpad(lower(hex(contact_key)), 16, '0') as contact
from audits.findings {chosen} {worst_first} limit ? offset ?
"""
EXPORTED = """
select
    rule, finding_class, severity, source, message_id, event_id, lpad(lower(hex(contact_key)), 16, '0') as contact_key,
    contact_masked, channel, program, campaign_id, occurred_at, begins_at, processed_at, deadline_at, delivered,
    details, waived_by
from audits.findings {chosen} {worst_first}
"""
MESSAGES = """
select message_count from metrics.verdicts where period_start is not distinct from ? and channel = ? and source = '*'
"""


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("findings", chosen)
    if not snapshot.rows("select 1 from audits.findings limit 1"):
        body = "Nothing that was loaded breaks a rule. Whether the evidence is complete, the overview says."
        layout.empty("No finding", body, icon=":material/rule:")
        layout.footer()
        return
    parameters = choose_more(chosen)
    counts = snapshot.rows(COUNTS.format(chosen=CHOSEN), parameters)
    if not counts:
        layout.empty(
            texts.NOTHING_IN_PERIOD,
            f"No finding matches these filters. {texts.WIDEN}",
            icon=":material/filter_alt_off:",
        )
    else:
        show_counts(counts, chosen, parameters)
        show_rows(sum(row["finding_count"] for row in counts), parameters)
        show_exports(parameters)
    layout.footer("A violation is a finding of severity critical or high that no waiver covers")


def choose_more(chosen: filters.Filters) -> list[Any]:
    """Draw this page's own filters and return the parameters of CHOSEN."""
    classes = [row["finding_class"] for row in snapshot.rows(CLASSES)]
    campaigns = [row["campaign_id"] for row in snapshot.rows(CAMPAIGNS)]
    with st.grid(3, min_column_width=220, gap="small"):
        of_class = st.multiselect(
            "Finding",
            classes,
            format_func=texts.finding_label,
            key="finding",
            bind="query-params",
            placeholder="All findings",
        )
        severity = st.multiselect(
            "Severity", list(texts.SEVERITIES), format_func=texts.severity, key="severity", bind="query-params",
            placeholder="All severities",
        )  # fmt: skip
        campaign = st.multiselect(
            "Campaign", campaigns, key="campaign", bind="query-params", placeholder="All campaigns"
        )
    only = st.toggle("Violations only", key="violations", bind="query-params")
    both = [chosen.channel, chosen.program, *filters.bounds_of(chosen.period)]
    lists = [of_class, severity, campaign]
    return [*(value for value in both for _ in range(2)), *(tuple(value) for value in lists for _ in range(2)), only]


def show_counts(counts: list[dict[str, Any]], chosen: filters.Filters, parameters: list[Any]) -> None:
    """How many, of what: the answer in words, then by class."""
    findings = sum(row["finding_count"] for row in counts)
    violations = sum(row["violation_count"] for row in counts)
    concerned = (snapshot.one(CONCERNED.format(chosen=CHOSEN), parameters) or {}).get("message_count") or 0
    sent = (snapshot.one(MESSAGES, [chosen.period, chosen.channel_or_all]) or {}).get("message_count")
    rate = ""
    # How many messages a program sent is not published, so a program has no such share.
    if sent and chosen.program is None:
        share = formats.share(concerned / sent)
        rate = f" They concern {formats.count(concerned)} of {formats.plural(sent, 'message')}, {share}."
    st.markdown(f"**{formats.plural(findings, 'finding')}, of which {formats.plural(violations, 'violation')}.**{rate}")
    lines = [
        {
            "Finding": texts.plain(texts.finding_label(row["finding_class"]))
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
    layout.table(lines, "Findings by class, with their share of all that match", writers)


def show_rows(total: int, parameters: list[Any]) -> None:
    """One page of findings, the worst first; a click opens the contact's timeline."""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        size = st.segmented_control(
            "Rows", PAGE_SIZES, default=PAGE_SIZES[0], required=True, key="rows", bind="query-params"
        ) or PAGE_SIZES[0]  # fmt: skip
        page = st.pagination(max(1, math.ceil(total / size)), key="page", bind="query-params")
    first = (page - 1) * size
    rows = snapshot.frame(ROWS.format(chosen=CHOSEN, worst_first=WORST_FIRST), [*parameters, size, first])
    contacts = list(rows.pop("contact"))
    rows["finding_class"] = rows["finding_class"].map(texts.finding_label)
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
    names = dict(zip(contacts, rows["contact_masked"], strict=True))
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


def open_timeline(contacts: list[str]) -> None:
    """Go to the contact of the clicked row."""
    open_contact(contacts[st.session_state["opened"]["row"]])


def open_contact(key: str) -> None:
    """Go to one contact's timeline."""
    st.switch_page(texts.PAGES["contact"].file, query_params={"contact": key})


def show_exports(parameters: list[Any]) -> None:
    """All matching findings as files, made when asked for."""
    published = snapshot.published()
    sql = EXPORTED.format(chosen=CHOSEN, worst_first=WORST_FIRST)
    read = partial(snapshot.read_uncached, published, sql, parameters)
    name = f"findings-{published.run_id}"
    with st.container(horizontal=True):
        st.download_button(
            "All as CSV",
            lambda: export.to_csv(read()),
            f"{name}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "All as Parquet", lambda: export.to_parquet(read()), f"{name}.parquet", "application/vnd.apache.parquet",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip


show()
