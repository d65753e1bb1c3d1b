"""Did every opt-out get heeded? The verdict in words, the headline numbers, what was found, where to look next."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import filters, formats, layout, snapshot, texts

MONTHS_SHOWN = 12

VERDICT = """
select verdict, violation_count, message_count, reasons from metrics.verdicts
where period_start is not distinct from ? and channel = ? and source = '*'
"""
MONTHS = """
select period_start, channel, verdict, violation_count, message_count from metrics.verdicts
where source = '*' and period_start is not null order by period_start desc, channel
"""
HEADLINE = """
select metric, label, display, period_label, previous_display, sentence from metrics.headline order by position
"""
FOUND = """
select
    finding_class, severity, count(*) as finding_count,
    count(*) filter (where waived_by is null and severity in ('critical', 'high')) as violation_count,
    count(waived_by) as waived_count, count(distinct contact_key) as contact_count
from audits.findings
where (? is null or channel = ?) and (? is null or occurred_at >= ?) and (? is null or occurred_at < ?)
group by finding_class, severity
order by case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end, finding_count desc
"""
NEXT = """
select
    (select count(*) from core.opt_out_spans where kind = 'opt_out' and (
        processed_at is null or processed_at > (select as_of from run.parameters)
    )) as open_count,
    (select coalesce(sum(row_count), 0)::bigint from run.quarantine) as quarantined_count,
    (select count(*) from run.sources where limits <> '') as limited_count
"""


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
    found = snapshot.rows(FOUND, [chosen.channel, chosen.channel, starts_at, starts_at, ends_at, ends_at])
    show_found(found)
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
        st.caption(f"{formats.plural(verdict['message_count'], 'message')} looked at.")


def show_headline() -> None:
    """The three headline numbers, each with its sentence and the value before."""
    st.subheader("Three numbers", anchor=False)
    with st.grid(3, min_column_width=240, gap="small"):
        for number in snapshot.rows(HEADLINE):
            note = f"**{texts.plain(number['period_label'])}, all channels.** {texts.plain(number['sentence'])}"
            layout.card(number["label"], number["display"], note, number["previous_display"])


def show_found(found: list[dict[str, Any]]) -> None:
    """Findings by class, in words."""
    st.subheader("What was found", anchor=False)
    if not found:
        st.markdown("No finding in this selection. Whether the evidence is complete, the verdict above says.")
        return
    lines = [{"What happened": in_words(row), "Findings": row["finding_count"]} for row in found]
    layout.table(lines, "Findings by class", {"Findings": formats.count})


def in_words(row: dict[str, Any]) -> str:
    """One class of findings: its name and severity, what it means, whom it concerns."""
    waived = f", {formats.count(row['waived_count'])} waived" if row["waived_count"] else ""
    return (
        f"**{texts.plain(texts.finding_label(row['finding_class']))}** {layout.severity_badge(row['severity'])}  \n"
        f"{texts.plain(texts.finding_sentence(row['finding_class']))} "
        f"{formats.plural(row['contact_count'], 'contact')}{waived}."
    )


def show_months() -> None:
    """The verdict of each month and channel."""
    verdicts = snapshot.rows(MONTHS)
    if not verdicts:
        return
    st.subheader("Month by month", anchor=False)
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
    st.subheader("What to do next", anchor=False)
    state = snapshot.one(NEXT) or {}
    violations = sum(row["violation_count"] for row in found)
    steps = []
    if violations:
        # Month and channel stay chosen by themselves.
        label = f"Read the {formats.plural(violations, 'violation')}, worst first"
        steps.append(("findings", label, {"violations": "true"}))
    if state.get("open_count"):
        waiting = formats.plural(state["open_count"], "opt-out that is", "opt-outs that are")
        steps.append(("response", f"Apply the {waiting} still open", {}))
    if state.get("quarantined_count"):
        rows = formats.plural(state["quarantined_count"], "row")
        steps.append(("data", f"Repair the {rows} in quarantine", {}))
    if state.get("limited_count"):
        steps.append(("data", f"See what {formats.plural(state['limited_count'], 'source')} cannot know", {}))
    steps.append(("trends", "See how the opt-out rate moves", {}))
    for name, label, link in steps:
        page = texts.PAGES[name]
        st.page_link(page.file, label=label, icon=page.icon, query_params=link or None)


show()
