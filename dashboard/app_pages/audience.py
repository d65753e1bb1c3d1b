"""Is the audience growing, and may we write to it? Growth, coverage by consent, segments, the inactive, machines."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas
import streamlit as st

from dashboard import access, charts_audience, export, filters, formats, layout, snapshot, suspected_machines, texts

GRAINS = {"Month": "month", "Week": "week", "Day": "day"}
SHOWN = {"month": 24, "week": 53, "day": 92}
GAINS = {"opt_ins": "First opt-ins", "re_opt_ins": "Opt-ins again", "unblocks": "Unblocked"}
LOSSES = {"opt_outs": "Opt-outs", "complaints": "Complaints", "blocks": "Blocks"}
GROWTH = """
with here as (
    select cast(timezone(report_timezone, as_of) as date) as as_of_on from run.parameters
)
select *,
    case grain when 'day' then period_start + interval 1 day when 'week' then period_start + interval 7 day
        else period_start + interval 1 month end <= as_of_on as is_over
from metrics.audience cross join here where grain = ? and channel = ? order by period_start
"""
COVERAGE = """
select period_start, numerator, denominator, value, lower, upper from metrics.measurements
where metric = 'consent_coverage' and definition = 'heed' and grain = ? and channel = ? order by period_start
"""
PHASES = """
select period_start, phase, cast(sum(message_count) as bigint) as message_count from metrics.consent_coverage
where ? = '*' or channel = ? group by period_start, phase order by period_start
"""
ORIGINS = """
select source_type, method, cast(sum(message_count) as bigint) as message_count from metrics.consent_origins
where ? = '*' or channel = ? group by source_type, method order by message_count desc, source_type, method
"""
UNCOVERED_BY_SOURCE = """
select source, cast(sum(message_count) as bigint) as message_count,
    cast(sum(message_count) filter (where phase = 'opted_in') as bigint) as covered_count
from metrics.consent_coverage where ? = '*' or channel = ? group by source order by source
"""
#: Why a message was not covered, in the order of the chart.
UNCOVERED = {
    "never_asked": "Never asked",
    "not_asked": "Asked only later",
    "requested": "Asked, not confirmed",
    "opted_out": "After an opt-out",
}
SEGMENTS = {
    "opted_in": ("Opted in", "an opt-in on record, and nothing that ended it"),
    "opted_out": ("Opted out", "an opt-out, a complaint or a block that nothing ended"),
    "pending_confirmation": ("Pending confirmation", "an opt-in was asked for and not confirmed"),
    "never_asked": ("Never asked", "written to or listed, and no opt-in or opt-out on record"),
}
COUNTS = "select channel, segment, pair_count, blocked_count from metrics.segments order by channel"
KEYS = """
select lpad(lower(hex(contact_key)), 16, '0') as contact_key, channel, segment, is_blocked, since_on
from metrics.segment_pairs where segment = ? and (? = '*' or channel = ?)
order by metrics.segment_pairs.contact_key, channel
"""
INACTIVE = "select * from metrics.inactive_contacts order by channel = '*', channel"


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("audience", chosen)
    if not snapshot.has("metrics.audience"):
        layout.older("audience")
        return
    channel = chosen.channel_or_all
    months = snapshot.rows(GROWTH, ["month", channel])
    coverage = snapshot.one(COVERAGE, ["all", channel])
    if not months and not coverage:
        layout.empty(texts.NOTHING_IN_PERIOD, f"No consent event and no message is on record here. {texts.WIDEN}")
    else:
        show_answer(months, coverage, channel)
        show_growth(channel)
        show_coverage(channel)
        show_segments(channel)
        show_inactive()
        suspected_machines.show()
    layout.footer("Opted in: an opt-in on record and no opt-out or block that holds, per contact and channel")


def show_answer(months: list[dict[str, Any]], coverage: dict[str, Any] | None, channel: str) -> None:
    """The audience now, the last complete month, what is covered and who is inactive: a sentence and four numbers."""
    complete = [row for row in months if row["is_over"]]
    now = months[-1]["opted_in_at_end"] if months else 0
    share = coverage["value"] if coverage else None
    lead = f"{formats.plural(now, 'contact')} opted in"
    if complete:
        last = complete[-1]
        net = last["net_growth"]
        verb = "grew by" if net > 0 else "shrank by" if net < 0 else "neither grew nor shrank:"
        lead = f"The audience {verb} {formats.count(abs(net))} in {formats.month(last['period_start'])}; {lead} now"
    if coverage:
        lead += f". {formats.share(share)} of the messages that reached somebody were covered by recorded consent"
    st.markdown(f"**{lead}.**")
    inactive = next((row for row in snapshot.rows(INACTIVE) if row["channel"] == channel), None)
    with st.grid(4, min_column_width=150, gap="small"):
        layout.card("Opted in now", formats.count(now), "contacts, once per channel")
        if complete:
            before = formats.signed(complete[-2]["net_growth"], 0) if len(complete) > 1 else None
            note = f"{growth_rate(complete[-1])} in {formats.month(complete[-1]['period_start'])}"
            layout.card("Net growth", formats.signed(complete[-1]["net_growth"], 0), note, before)
        else:
            layout.card("Net growth", formats.MISSING, "no complete month yet")
        bounds = f"95 %: {formats.interval(coverage['lower'], coverage['upper'])}" if coverage else "no message"
        layout.card("Covered by consent", formats.share(share), bounds)
        layout.card("Inactive", *inactive_in_short(inactive))


def growth_rate(row: dict[str, Any]) -> str:
    """Net growth as a share of those opted in at the start, in words."""
    start = row["opted_in_at_start"]
    return f"{formats.signed(100 * row['net_growth'] / start)}{formats.GAP}%" if start else "from nothing"


def inactive_in_short(row: dict[str, Any] | None) -> tuple[str, str]:
    """The number of inactive contacts and what it is of."""
    if row is None:
        return formats.MISSING, "nobody was reached lately"
    if row["inactive_count"] is None:
        return formats.MISSING, "cannot be known here"
    known = row["long_reached_count"] - row["unknown_count"]
    unknown = f"; {formats.count(row['unknown_count'])} cannot be known" if row["unknown_count"] else ""
    return formats.count(row["inactive_count"]), f"of {formats.count(known)} reached for long{unknown}"


def show_growth(channel: str) -> None:
    """What came and what went, by period; the identity behind it in the table."""
    st.header("What came, what went", anchor=False)
    label = st.segmented_control(
        "Period", list(GRAINS), default="Month", required=True, key="audience_grain", bind="query-params"
    )
    grain = GRAINS[label or "Month"]
    rows = snapshot.rows(GROWTH, [grain, channel])[-SHOWN[grain] :]
    if not rows:
        st.markdown("No consent event is on record here.")
        return
    gains = [sum(row[name] for name in GAINS) for row in rows]
    losses = [sum(row[name] for name in LOSSES) for row in rows]
    notes = [
        f"{formats.signed(row['net_growth'], 0)}: {formats.count(gained)} in, {formats.count(lost)} out, "
        f"{formats.count(row['opted_in_at_end'])} opted in at its end"
        for row, gained, lost in zip(rows, gains, losses, strict=True)
    ]
    running = "" if rows[-1]["is_over"] else " The last period is not over and is drawn pale."
    st.caption(
        "Contacts per channel that became opted in or ceased to be. Acts that change nothing, such as the opt-out of "
        f"somebody who never opted in, are not counted here; the table has them beside.{running}"
    )
    figure = charts_audience.gains_and_losses(
        [row["period_start"] for row in rows], gains, losses, notes, last_is_over=rows[-1]["is_over"]
    )
    alt = f"Opt-ins and opt-outs by {grain}; last: {notes[-1]}."
    table = pandas.DataFrame(
        [
            {
                "From": formats.month(row["period_start"]) if grain == "month" else formats.day(row["period_start"]),
                "Opted in at start": row["opted_in_at_start"],
                **{name: row[column] for column, name in GAINS.items()},
                **{name: row[column] for column, name in LOSSES.items()},
                "Net growth": row["net_growth"],
                "Opted in at end": row["opted_in_at_end"],
                "Opt-in acts": row["opt_in_acts"],
                "Opt-out acts": row["opt_out_acts"],
                "Complaint acts": row["complaint_acts"],
                "Block acts": row["block_acts"],
                "Over": "yes" if row["is_over"] else "not yet",
            }
            for row in reversed(rows)
        ]
    )
    layout.chart(figure, alt, table)


def show_coverage(channel: str) -> None:
    """Messages that no recorded consent covered, month by month and why; where the consent of the others came from."""
    st.header("May we write to it?", anchor=False)
    months = snapshot.rows(COVERAGE, ["month", channel])
    counts = {(row["period_start"], row["phase"]): row["message_count"] for row in snapshot.rows(PHASES, [channel] * 2)}
    if not months:
        st.markdown("No marketing message reached anybody here.")
        return
    uncovered = {phase: sum(count for (_, named), count in counts.items() if named == phase) for phase in UNCOVERED}
    total = sum(uncovered.values())
    if not total:
        st.markdown("**Every message was covered by recorded consent when it was sent.**")
    else:
        most = max(UNCOVERED, key=lambda phase: uncovered[phase])
        lead = f"{formats.plural(total, 'message was', 'messages were')} sent without recorded consent"
        st.markdown(
            f"**{lead}, most often: {UNCOVERED[most].lower()} ({formats.count(uncovered[most])}).** Whether the law "
            "asks for consent, and whether a finding follows, the page Findings says."
        )
    starts = [row["period_start"] for row in months]
    totals = {row["period_start"]: row["denominator"] for row in months}
    parts = [
        (name, [counts.get((start, phase), 0) / totals[start] for start in starts]) for phase, name in UNCOVERED.items()
    ]
    table = pandas.DataFrame(
        [
            {
                "Month": formats.month(row["period_start"]),
                "Messages": int(row["denominator"]),
                "Covered": 100 * row["value"],
                "From": 100 * row["lower"],
                "To": 100 * row["upper"],
                **{name: counts.get((row["period_start"], phase), 0) for phase, name in UNCOVERED.items()},
            }
            for row in reversed(months)
        ]
    )
    percent = st.column_config.NumberColumn(format="%.2f %%")
    columns = {"Covered": percent, "From": percent, "To": percent}
    last = months[-1]
    alt = f"Share of messages without recorded consent by month; covered in the last: {formats.share(last['value'])}."
    st.caption("Share of the messages that reached somebody and were sent without recorded consent, and why.")
    layout.chart(charts_audience.stacked_shares(starts, parts), alt, table, columns)
    show_origins(channel)


def show_origins(channel: str) -> None:
    """Where the consent came from, and how each source of messages stands."""
    origins, sources = snapshot.rows(ORIGINS, [channel] * 2), snapshot.rows(UNCOVERED_BY_SOURCE, [channel] * 2)
    covered = sum(row["message_count"] for row in origins)
    left, right = st.columns(2)
    with left:
        st.markdown("Covered messages, by where the consent came from")
        table = pandas.DataFrame(
            {
                "Source": [texts.humanise(row["source_type"]) for row in origins],
                "Method": [texts.humanise(row["method"]) for row in origins],
                "Messages": [row["message_count"] for row in origins],
                "Share": [100 * row["message_count"] / covered for row in origins],
            }
        )
        config = {"Share": st.column_config.NumberColumn(format="%.1f %%")}
        layout.frame(table, "Covered messages by origin of consent", config)
    with right:
        st.markdown("Coverage, by source of messages")
        table = pandas.DataFrame(
            {
                "Source": [row["source"] for row in sources],
                "Messages": [row["message_count"] for row in sources],
                "Covered": [100 * (row["covered_count"] or 0) / row["message_count"] for row in sources],
            }
        )
        config = {"Covered": st.column_config.NumberColumn(format="%.2f %%")}
        layout.frame(table, "Coverage by source of messages", config)


def show_segments(channel: str) -> None:
    """Every contact and channel in exactly one segment, and the keys of one of them as a file."""
    st.header("Segments", anchor=False)
    counts = {(row["channel"], row["segment"]): row for row in snapshot.rows(COUNTS)}
    channels = [channel] if channel != "*" else [*sorted({name for name, _ in counts} - {"*"}), "*"]
    names = {name: "All channels" if name == "*" else texts.channel(name) for name in channels}

    def count(name: str, segment: str) -> int:
        return int(counts.get((name, segment), {}).get("pair_count", 0))

    lines = [
        {
            "Channel": names[name],
            **{title: count(name, segment) for segment, (title, _) in SEGMENTS.items()},
            "Blocked": sum(int(row["blocked_count"]) for (of, _), row in counts.items() if of == name),
        }
        for name in channels
    ]
    st.caption(
        "Every contact on record is in one segment per channel: "
        + "; ".join(f"**{title.lower()}**, {meaning}" for title, meaning in SEGMENTS.values())
        + ". Blocked is counted in them."
    )
    numbers = {title: formats.count for title, _ in SEGMENTS.values()} | {"Blocked": formats.count}
    layout.table(lines, "Contacts per channel by segment", numbers)
    if access.may_export("segment_keys"):
        show_downloads(channel, {segment: count(channel, segment) for segment in SEGMENTS})


def show_downloads(channel: str, sizes: dict[str, int]) -> None:
    """The keys of one segment as files, made when asked for."""
    segment = st.selectbox(
        "Segment to take with you",
        list(SEGMENTS),
        format_func=lambda code: f"{SEGMENTS[code][0]}: {formats.count(sizes[code])}",
        key="segment",
        bind="query-params",
    )
    published = snapshot.published()
    read = partial(snapshot.read_uncached, published, KEYS, [segment, channel, channel])
    name = f"{segment}-{'every-channel' if channel == '*' else channel}-{published.run_id}"
    with st.container(horizontal=True):
        for label, make, ending, kind in (
            ("Keys as CSV", lambda: export.to_csv(read()), "csv", "text/csv"),
            ("Keys as Parquet", lambda: export.to_parquet(read()), "parquet", "application/vnd.apache.parquet"),
        ):
            st.download_button(
                label, access.on_demand("segment_keys", sizes[segment], make), f"{name}.{ending}", kind,
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip
    command = snapshot.command_for(f"segments --segment {segment} --keys --format csv")
    st.caption(f"Keys only, no addresses; whoever holds the addresses can match them. At a terminal: `{command}`")


def show_inactive() -> None:
    """Who is written to and shows no sign of life, by channel; where that cannot be known it says so."""
    st.header("Inactive contacts", anchor=False)
    rows = snapshot.rows(INACTIVE)
    if not rows:
        st.markdown("No message reached anybody in the last months.")
        return
    days = rows[0]["inactive_days"]
    st.caption(
        f"Reached in the last {days} days and for longer than that before, without one message read, one answer or one "
        "consent act of their own in that time. A mail program that opens messages by itself makes a reader of "
        "somebody who never looks. **By answers only**: reads are not reported, so silence says little. **Cannot be "
        "known**: neither reads nor answers are on record."
    )
    lines = []
    for row in rows:
        known = row["long_reached_count"] - row["unknown_count"]
        silent = row["inactive_count"]
        if silent is None:
            seen = "cannot be known"
        elif row["channel"] == "*":
            seen = f"{formats.count(row['unknown_count'])} cannot be known" if row["unknown_count"] else ""
        else:
            seen = "by reads" if row["reports_reads"] else "by answers only"
        lines.append(
            {
                "Channel": "All channels" if row["channel"] == "*" else texts.channel(row["channel"]),
                "Reached": row["long_reached_count"],
                "Inactive": silent,
                "Share": None if silent is None or not known else silent / known,
                "Known": seen,
            }
        )
    numbers = dict.fromkeys(("Reached", "Inactive"), formats.count) | {"Share": formats.share}
    layout.table(lines, "Inactive contacts by channel", numbers)


show()
