"""What went wrong, and for whom? Findings filtered and counted in SQL, one page of rows at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from typing import Any

import streamlit as st

from dashboard import access, export, filters, finding_list, layout, snapshot
from dashboard.finding_list import Choice
from dashboard.words import findings as words
from dashboard.words import formats, heads, rule_texts, texts

#: The days that can be asked for, as of the calendars that heed knows.
DAYS = (date(2000, 1, 1), date(2040, 12, 31))
PAGE_SIZES = [50, 100, 200]
CLASSES_SHOWN = 10
#: What a sheet of the usual programs holds.
MOST_ROWS = 1_048_575
#: Where the list leaves its ids and its address for the page of one finding.
SHOWN, LINK = "findings_shown", "findings_link"
MESSAGES = """
select message_count from metrics.verdicts where period_start is not distinct from ? and channel = ? and source = '*'
"""


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("findings", chosen)
    if not snapshot.rows("select 1 from audits.findings limit 1"):
        body = words.NOTHING
        layout.empty(words.NO_FINDING, body, icon=":material/rule:")
        layout.footer()
        return
    choice = choose_more(chosen)
    counts = finding_list.counts(choice)
    if not counts:
        layout.empty(
            texts.NOTHING_IN_PERIOD,
            words.NO_MATCH,
            icon=":material/filter_alt_off:",
        )
    else:
        total = sum(row["finding_count"] for row in counts)
        show_counts(counts, chosen, choice)
        show_rows(total, choice)
        show_exports(total, choice)
    layout.footer(words.VIOLATION)


def choose_more(chosen: filters.Filters) -> Choice:
    """Draw this page's own filters and return all that is chosen."""
    classes = finding_list.classes()
    rules = list(dict.fromkeys(code.partition("/")[0] for code in classes))
    cited = snapshot.citations()
    laws = finding_list.laws()
    with st.grid(3, min_column_width=220, gap="small"):
        of_rule = st.multiselect(
            words.RULE,
            rules,
            format_func=rule_texts.audit_name,
            key="rule",
            bind="query-params",
            placeholder=words.ALL_RULES,
        )
        of_class = st.multiselect(
            words.FINDING,
            classes,
            format_func=rule_texts.class_name_of,
            key="finding",
            bind="query-params",
            placeholder=words.ALL_FINDINGS,
        )
        severity = st.multiselect(
            words.SEVERITY, list(texts.SEVERITIES), format_func=texts.severity, key="severity", bind="query-params",
            placeholder=words.ALL_SEVERITIES,
        )  # fmt: skip
        law = st.multiselect(
            words.LAW, laws, format_func=lambda one: f"{cited.get(one, one)} ({one})", key="law", bind="query-params",
            placeholder=words.ALL_LAWS, disabled=not laws,
        )  # fmt: skip
        day = st.date_input(
            words.DAY, None, *DAYS, key="day", bind="query-params", format="YYYY-MM-DD", help=words.DAY_HELP
        )
        waived = st.segmented_control(
            words.WAIVED, list(words.WAIVERS), default="all", required=True,
            format_func=words.WAIVERS.__getitem__, key="waived",
            bind="query-params",
        ) or "all"  # fmt: skip
    if len(of_rule) == 1:
        page = texts.PAGES["rules"]
        name = rule_texts.audit_name(of_rule[0])
        st.page_link(page.file, label=words.WHAT_RULE_SAYS, icon=page.icon, query_params={"rule": name})
    only = st.toggle(words.VIOLATIONS_ONLY, key="violations", bind="query-params")
    return Choice(
        period=chosen.period, channel=chosen.channel, program=chosen.program, campaign=chosen.campaign,
        rules=tuple(of_rule), classes=tuple(of_class), severities=tuple(severity), laws=tuple(law), waived=waived,
        violations=only, day=day,
    )  # fmt: skip


def show_counts(counts: list[dict[str, Any]], chosen: filters.Filters, choice: Choice) -> None:
    """How many, of what: the answer in words, then by class."""
    findings = sum(row["finding_count"] for row in counts)
    violations = sum(row["violation_count"] for row in counts)
    is_many = findings > finding_list.FEW
    answer = st.container()
    table = st.container()
    # Different contacts cannot be added up from small counts: of very many findings they are counted when asked for.
    all_of_them = is_many and st.toggle(
        words.COUNT_CONTACTS, key="exact", bind="query-params",
        help=words.COUNT_HELP,
    )  # fmt: skip
    concerned = finding_list.message_count(choice, counts, all_of_them=all_of_them)
    contacts = finding_list.contact_counts(choice, counts, all_of_them=all_of_them)
    sent = (snapshot.one(MESSAGES, [chosen.period, chosen.channel_or_all]) or {}).get("message_count")
    rate = ""
    # How many messages a day, a program or a campaign sent is not published here, so they have no such share.
    if sent and concerned and chosen.program is None and chosen.campaign is None and choice.day is None:
        share = formats.share(concerned / sent)
        rate = words.CONCERN.format(concerned=formats.count(concerned), messages=formats.Counted(sent), share=share)
    answer.markdown(
        words.ANSWER.format(findings=formats.Counted(findings), violations=formats.Counted(violations), rate=rate)
    )
    lines = [
        {
            heads.FINDING: texts.plain(rule_texts.class_name(row["rule"], row["finding_class"]))
            + " "
            + layout.severity_badge(row["severity"]),
            heads.FINDINGS: row["finding_count"],
            heads.SHARE: row["finding_count"] / findings,
            heads.WAIVED: row["waived_count"],
        }
        | (
            {heads.CONTACTS: contacts.get((row["rule"], row["finding_class"], row["severity"]), 0)}
            if contacts is not None
            else {}
        )
        for row in counts
    ]
    writers = {heads.FINDINGS: formats.count, heads.SHARE: formats.share, heads.WAIVED: formats.count}
    writers |= {heads.CONTACTS: formats.count} if contacts is not None else {}
    alt = words.CLASSES_ALT
    with table:
        layout.table(lines[:CLASSES_SHOWN], alt, writers)
        if lines[CLASSES_SHOWN:]:
            rest = sum(line[heads.FINDINGS] for line in lines[CLASSES_SHOWN:])
            kinds = formats.Counted(len(lines) - CLASSES_SHOWN)
            with st.expander(words.MORE_KINDS.format(kinds=kinds, findings=formats.Counted(rest))):
                layout.table(lines[CLASSES_SHOWN:], alt, writers)


def show_rows(total: int, choice: Choice) -> None:
    """One page of findings in the order chosen; a click opens the finding, or its contact's timeline."""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        sort = st.selectbox(
            words.SORTED_BY, list(words.SORTED), format_func=words.SORTED.__getitem__, key="sort",
            bind="query-params", width=260,
        ) or "worst"  # fmt: skip
        size = st.segmented_control(
            words.ROWS, PAGE_SIZES, default=PAGE_SIZES[0], required=True, key="rows", bind="query-params"
        ) or PAGE_SIZES[0]  # fmt: skip
        page = st.pagination(max(1, math.ceil(total / size)), key="page", bind="query-params")
    first = (page - 1) * size
    rows = finding_list.page(choice, sort, size, first)
    contacts = [key if isinstance(key, str) else None for key in rows.pop("contact")]
    ids = [one if isinstance(one, str) else None for one in rows.pop("finding_id")]
    # For the finding's page: what lies beside it in the list, and the way back to the list as it is.
    st.session_state[SHOWN] = [one for one in ids if one]
    st.session_state[LINK] = st.query_params.to_dict()
    rows.insert(0, "open_finding", [heads.OPEN if one else None for one in ids])
    rows["open_timeline"] = [heads.OPEN if key else None for key in contacts]
    labels = dict(zip(ids, [label(row) for row in rows.to_dict("records")], strict=True))
    masks = dict(zip(contacts, rows["contact_masked"], strict=True))
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
        [texts.severity(severity)] + ([heads.WAIVED] if isinstance(waived, str) else [])
        for severity, waived in zip(rows["severity"], rows["waived_by"], strict=True)
    ]
    alt = words.ROWS_ALT.format(first=first + 1, last=first + len(rows), total=total, order=words.SORTED[sort].lower())
    layout.frame(
        rows,
        alt,
        {
            "open_finding": st.column_config.ButtonColumn(
                heads.FINDING, on_click=open_clicked, args=(ids,), key="opened", type="tertiary"
            ),
            "open_timeline": st.column_config.ButtonColumn(
                heads.TIMELINE, on_click=open_timeline, args=(contacts,), key="opened_timeline", type="tertiary"
            ),
            "occurred_at": st.column_config.DatetimeColumn(heads.WHEN_UTC, format=formats.MINUTES_SHOWN),
            "finding_class": st.column_config.TextColumn(heads.WHAT_WAS_FOUND),
            "severity": st.column_config.MultiselectColumn(
                heads.SEVERITY,
                options=[*texts.SEVERITIES.values(), heads.WAIVED],
                color=["red", "red", "gray", "gray", "gray"],
            ),
            "contact_masked": heads.CONTACT,
            "channel": heads.CHANNEL,
            "program": st.column_config.TextColumn(heads.PROGRAM, width=130),
            "campaign_id": st.column_config.TextColumn(heads.CAMPAIGN, width=150),
            "delivered": heads.DELIVERED,
            "begins_at": st.column_config.DatetimeColumn(heads.OPTED_OUT, format=formats.MINUTES_SHOWN),
            "processed_at": st.column_config.DatetimeColumn(heads.APPLIED, format=formats.MINUTES_SHOWN),
            "deadline_at": st.column_config.DatetimeColumn(heads.DEADLINE, format=formats.MINUTES_SHOWN),
            "details": heads.DETAILS,
            "legal_rule_id": st.column_config.TextColumn(heads.LAW, help=words.LAW_HELP),
            "jurisdiction": st.column_config.TextColumn(heads.WHERE, help=words.PLACE_HELP),
            "jurisdiction_certainty": st.column_config.TextColumn(heads.WHERE_IS, help=words.CERTAINTY_HELP),
            "rule": heads.RULE,
            "source": heads.SOURCE,
            "message_id": heads.MESSAGE,
            "event_id": heads.EVENT,
            "waived_by": heads.WAIVED_BY,
        },
        words.ROWS_TITLE,
        buttons=("open_finding", "open_timeline"),
        height=36 * min(len(rows), 14) + 40,
    )
    shown = words.ROWS_SHOWN.format(first=first + 1, last=first + len(rows), findings=formats.Counted(total))
    st.caption(words.SORTED_SO.format(shown=shown, order=words.SORTED[sort].lower(), rows=formats.count(len(rows))))
    # The same way out for a keyboard, a screen reader and a thumb: a click in the table needs a mouse.
    if any(ids):
        choose_one(words.OPEN_ONE, "finding_of", [one for one in ids if one], labels, open_finding)
    elif any(contacts):
        choose_one(words.TIMELINE, "timeline_of", [key for key in masks if key], masks, open_contact)


def choose_one(name: str, key: str, options: list[str], labels: dict[Any, str], go: Callable[[str], None]) -> None:
    """A list of what the rows are about, to open one."""
    one = st.selectbox(
        name, options, index=None, format_func=lambda option: f"{labels[option]}  ({option})",
        placeholder=words.CHOOSE, key=key, width=620,
    )  # fmt: skip
    if one:
        go(one)


def label(row: dict[Any, Any]) -> str:
    """A finding in a line: when, what, of whom."""
    what = rule_texts.class_name(row["rule"], row["finding_class"])
    whom = row["contact_masked"] if isinstance(row["contact_masked"], str) else row["campaign_id"]
    return words.IN_LINE.format(at=row["occurred_at"], what=what, whom=whom)


def open_clicked(ids: list[str | None]) -> None:
    """Go to the finding of the clicked row."""
    one = ids[st.session_state["opened"]["row"]]
    if one:
        open_finding(one)


def open_finding(finding_id: str) -> None:
    """Go to one finding."""
    st.switch_page(texts.PAGES["finding"].file, query_params={"finding_id": finding_id})


def open_timeline(contacts: list[str | None]) -> None:
    """Go to the contact of the clicked row; a campaign's finding has none."""
    contact = contacts[st.session_state["opened_timeline"]["row"]]
    if contact:
        open_contact(contact)


def open_contact(key: str) -> None:
    """Go to one contact's timeline."""
    st.switch_page(texts.PAGES["contact"].file, query_params={"contact": key})


def show_exports(rows: int, choice: Choice) -> None:
    """All matching findings as files, made when asked for."""
    if not access.may_export("findings"):
        return
    read = finding_list.reading(choice)
    name = f"findings-{snapshot.published().run_id}"
    # No spreadsheet opens more rows than this, so whoever takes them reads a ZIP file too.
    is_zipped = rows > MOST_ROWS
    csv = words.CSV_ZIPPED if is_zipped else words.CSV
    with st.container(horizontal=True):
        st.download_button(
            csv,
            access.on_demand(
                "findings",
                rows,
                lambda: export.zipped_csv_of(read(), f"{name}.csv") if is_zipped else export.plain_csv_of(read()),
            ),
            f"{name}.csv{'.zip' if is_zipped else ''}",
            "application/zip" if is_zipped else "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            words.PARQUET, access.on_demand("findings", rows, lambda: export.parquet_of(read())),
            f"{name}.parquet", "application/vnd.apache.parquet", icon=":material/download:", on_click="ignore",
        )  # fmt: skip


show()
