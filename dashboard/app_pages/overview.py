"""Did every opt-out get heeded? The verdict in words, the headline numbers, what was found, where to look next."""

from __future__ import annotations

from typing import Any

import pandas
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
where (? is null or channel = ?)
    and (? is null or date_trunc('month', timezone((select report_timezone from run.parameters), occurred_at)) = ?)
group by finding_class, severity
order by case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end, finding_count desc
"""
NEXT = """
select
    (select count(*) from core.opt_out_spans where kind = 'opt_out' and processed_at is null) as open_count,
    (select coalesce(sum(row_count), 0)::bigint from run.quarantine) as quarantined_count,
    (select count(*) from run.sources where limits <> '') as limited_count
"""


def show() -> None:
    """Draw the page."""
    chosen = filters.choose(period=True, channel=True)
    layout.header("overview", chosen)
    verdict = snapshot.one(VERDICT, [chosen.period, chosen.channel_or_all])
    if verdict is None:
        layout.empty(texts.NOTHING_IN_PERIOD, f"No message and no opt-out was recorded here. {texts.WIDEN}")
    else:
        show_verdict(verdict)
    show_headline()
    found = snapshot.rows(FOUND, [chosen.channel, chosen.channel, chosen.period, chosen.period])
    show_found(found)
    show_months()
    show_next(found, chosen)
    layout.footer()


def show_verdict(verdict: dict[str, Any]) -> None:
    """The verdict with its reasons as sentences."""
    word = verdict["verdict"]
    with st.container(border=True, gap="small"):
        st.header(f":red[{word}]" if word == "Fail" else word, anchor=False)
        st.markdown(f"**{texts.VERDICTS.get(word, '')}**")
        reasons = [line for line in (verdict["reasons"] or "").split("\n") if line]
        if reasons:
            st.markdown("\n".join(f"- {texts.plain(line)}" for line in reasons))
        violations = formats.plural(verdict["violation_count"], "violation")
        st.caption(f"{violations} among {formats.plural(verdict['message_count'], 'message')}.")


def show_headline() -> None:
    """The three headline numbers, each with its sentence and the value before."""
    st.subheader("Three numbers", anchor=False)
    with st.grid(3, min_column_width=240, gap="small") as grid:
        for number in snapshot.rows(HEADLINE):
            with grid.cell(), st.container(border=True, height="stretch", gap="xsmall"):
                before = number["previous_display"]
                st.metric(
                    number["label"],
                    number["display"],
                    delta=f"before: {before}" if before else None,
                    delta_color="off",
                    delta_arrow="off",
                )
                st.caption(f"**{texts.plain(number['period_label'])}, all channels.** {texts.plain(number['sentence'])}")


def show_found(found: list[dict[str, Any]]) -> None:
    """Findings by class, in words."""
    st.subheader("What was found", anchor=False)
    if not found:
        st.markdown("No finding in this selection: no rule was broken, and nothing came close.")
        return
    lines = [
        {
            "Finding": f"**{texts.plain(texts.finding_label(row['finding_class']))}**  \n"
            + texts.plain(texts.finding_sentence(row["finding_class"])),
            "Severity": layout.severity_badge(row["severity"]),
            "Findings": formats.count(row["finding_count"]),
            "Waived": formats.count(row["waived_count"]),
            "Contacts": formats.count(row["contact_count"]),
        }
        for row in found
    ]
    st.table(pandas.DataFrame(lines), hide_index=True, border="horizontal", alt="Findings by class")


def show_months() -> None:
    """The verdict of each month and channel."""
    verdicts = snapshot.rows(MONTHS)
    if not verdicts:
        return
    st.subheader("Month by month", anchor=False)
    channels = list(dict.fromkeys(row["channel"] for row in verdicts))
    months = list(dict.fromkeys(row["period_start"] for row in verdicts))
    cells = {(row["period_start"], row["channel"]): row for row in verdicts}

    def table(shown: list[Any]) -> pandas.DataFrame:
        return pandas.DataFrame(
            {
                "Month": [formats.month(month) for month in shown],
                **{
                    texts.ALL_CHANNELS if channel == "*" else texts.channel(channel): [
                        verdict_cell(cells.get((month, channel))) for month in shown
                    ]
                    for channel in channels
                },
            }
        )

    alt = "Verdict by month and channel, newest month first"
    st.table(table(months[:MONTHS_SHOWN]), hide_index=True, border="horizontal", alt=alt)
    if months[MONTHS_SHOWN:]:
        with st.expander(f"{formats.plural(len(months) - MONTHS_SHOWN, 'earlier month')}"):
            st.table(table(months[MONTHS_SHOWN:]), hide_index=True, border="horizontal", alt=alt)


def verdict_cell(row: dict[str, Any] | None) -> str:
    """One verdict as a badge, with its number of violations."""
    if row is None:
        return formats.MISSING
    count = row["violation_count"]
    return layout.verdict_badge(row["verdict"], formats.count(count) if count else "")


def show_next(found: list[dict[str, Any]], chosen: filters.Filters) -> None:
    """Links to what deserves a look, most pressing first."""
    st.subheader("What to do next", anchor=False)
    state = snapshot.one(NEXT) or {}
    violations = sum(row["violation_count"] for row in found)
    steps = []
    if violations:
        link = filters.in_url(period=chosen.period, channel=chosen.channel) | {"violations": "true"}
        steps.append(("findings", f"Read the {formats.plural(violations, 'violation')}, worst first", link))
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
