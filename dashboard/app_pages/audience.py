"""Is the audience growing, and may we write to it? Growth, coverage by consent, segments, the inactive, machines."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas
import streamlit as st

from dashboard import access, charts_audience, export, filters, layout, snapshot, suspected_machines
from dashboard.words import audience as words
from dashboard.words import formats, heads, texts

GRAINS = {heads.MONTH: "month", heads.WEEK: "week", heads.DAY: "day"}
SHOWN = {"month": 24, "week": 53, "day": 92}
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
        layout.empty(texts.NOTHING_IN_PERIOD, words.NOTHING)
    else:
        show_answer(months, coverage, channel)
        show_growth(channel)
        show_coverage(channel)
        show_segments(channel)
        show_inactive()
        suspected_machines.show()
    layout.footer(words.DEFINITION)


def show_answer(months: list[dict[str, Any]], coverage: dict[str, Any] | None, channel: str) -> None:
    """The audience now, the last complete month, what is covered and who is inactive: a sentence and four numbers."""
    complete = [row for row in months if row["is_over"]]
    now = months[-1]["opted_in_at_end"] if months else 0
    share = coverage["value"] if coverage else None
    lead = words.OPTED_IN.format(contacts=formats.Counted(now))
    if complete:
        last = complete[-1]
        net = last["net_growth"]
        verb = words.GREW if net > 0 else words.SHRANK if net < 0 else words.STAYED
        lead = words.CHANGED.format(
            change=verb, net=formats.count(abs(net)), month=formats.month(last["period_start"]), lead=lead
        )
    if coverage:
        lead += words.COVERED.format(share=formats.share(share))
    st.markdown(f"**{lead}.**")
    inactive = next((row for row in snapshot.rows(INACTIVE) if row["channel"] == channel), None)
    with st.grid(4, min_column_width=150, gap="small"):
        layout.card(words.OPTED_IN_NOW, formats.count(now), words.ONCE_PER_CHANNEL)
        if complete:
            before = formats.signed(complete[-2]["net_growth"], 0) if len(complete) > 1 else None
            note = words.RATE_IN.format(
                rate=growth_rate(complete[-1]), month=formats.month(complete[-1]["period_start"])
            )
            layout.card(words.NET_GROWTH, formats.signed(complete[-1]["net_growth"], 0), note, before)
        else:
            layout.card(words.NET_GROWTH, formats.MISSING, words.NO_COMPLETE_MONTH)
        bounds = f"95 %: {formats.interval(coverage['lower'], coverage['upper'])}" if coverage else words.NO_MESSAGE
        layout.card(words.COVERED_BY_CONSENT, formats.share(share), bounds)
        layout.card(words.INACTIVE, *inactive_in_short(inactive))


def growth_rate(row: dict[str, Any]) -> str:
    """Net growth as a share of those opted in at the start, in words."""
    start = row["opted_in_at_start"]
    return f"{formats.signed(100 * row['net_growth'] / start)}{formats.GAP}%" if start else words.FROM_NOTHING


def inactive_in_short(row: dict[str, Any] | None) -> tuple[str, str]:
    """The number of inactive contacts and what it is of."""
    if row is None:
        return formats.MISSING, words.NOBODY_LATELY
    if row["inactive_count"] is None:
        return formats.MISSING, words.CANNOT_BE_KNOWN_HERE
    known = row["long_reached_count"] - row["unknown_count"]
    unknown = words.UNKNOWN.format(count=formats.count(row["unknown_count"])) if row["unknown_count"] else ""
    return formats.count(row["inactive_count"]), words.OF_REACHED.format(known=formats.count(known), unknown=unknown)


def show_growth(channel: str) -> None:
    """What came and what went, by period; the identity behind it in the table."""
    st.header(words.GROWTH, anchor=False)
    label = st.segmented_control(
        words.PERIOD, list(GRAINS), default=heads.MONTH, required=True, key="audience_grain", bind="query-params"
    )
    grain = GRAINS[label or heads.MONTH]
    rows = snapshot.rows(GROWTH, [grain, channel])[-SHOWN[grain] :]
    if not rows:
        st.markdown(words.NO_EVENT)
        return
    gains = [sum(row[name] for name in words.GAINS) for row in rows]
    losses = [sum(row[name] for name in words.LOSSES) for row in rows]
    notes = [
        words.NOTE.format(
            net_growth=formats.signed(row["net_growth"], 0),
            gained=formats.count(gained),
            lost=formats.count(lost),
            opted_in=formats.count(row["opted_in_at_end"]),
        )
        for row, gained, lost in zip(rows, gains, losses, strict=True)
    ]
    running = "" if rows[-1]["is_over"] else words.LAST_IS_PALE
    st.caption(words.GROWTH_COUNTED.format(running=running))
    figure = charts_audience.gains_and_losses(
        [row["period_start"] for row in rows], gains, losses, notes, last_is_over=rows[-1]["is_over"]
    )
    alt = words.GROWTH_ALT.format(grain=grain, last=notes[-1])
    table = pandas.DataFrame(
        [
            {
                heads.FROM: formats.month(row["period_start"])
                if grain == "month"
                else formats.day(row["period_start"]),
                heads.OPTED_IN_AT_START: row["opted_in_at_start"],
                **{name: row[column] for column, name in words.GAINS.items()},
                **{name: row[column] for column, name in words.LOSSES.items()},
                heads.NET_GROWTH: row["net_growth"],
                heads.OPTED_IN_AT_END: row["opted_in_at_end"],
                heads.OPT_IN_ACTS: row["opt_in_acts"],
                heads.OPT_OUT_ACTS: row["opt_out_acts"],
                heads.COMPLAINT_ACTS: row["complaint_acts"],
                heads.BLOCK_ACTS: row["block_acts"],
                heads.OVER: texts.YES if row["is_over"] else texts.NOT_YET,
            }
            for row in reversed(rows)
        ]
    )
    layout.chart(figure, alt, table)


def show_coverage(channel: str) -> None:
    """Messages that no recorded consent covered, month by month and why; where the consent of the others came from."""
    st.header(words.COVERAGE, anchor=False)
    months = snapshot.rows(COVERAGE, ["month", channel])
    counts = {(row["period_start"], row["phase"]): row["message_count"] for row in snapshot.rows(PHASES, [channel] * 2)}
    if not months:
        st.markdown(words.NOBODY_REACHED)
        return
    uncovered = {
        phase: sum(count for (_, named), count in counts.items() if named == phase) for phase in words.UNCOVERED
    }
    total = sum(uncovered.values())
    if not total:
        st.markdown(words.ALL_COVERED)
    else:
        most = max(words.UNCOVERED, key=lambda phase: uncovered[phase])
        lead = words.UNCOVERED_LEAD.format(messages_were=formats.Counted(total))
        st.markdown(
            words.UNCOVERED_MOST.format(
                lead=lead, reason=words.UNCOVERED[most].lower(), count=formats.count(uncovered[most])
            )
        )
    starts = [row["period_start"] for row in months]
    totals = {row["period_start"]: row["denominator"] for row in months}
    parts = [
        (name, [counts.get((start, phase), 0) / totals[start] for start in starts])
        for phase, name in words.UNCOVERED.items()
    ]
    table = pandas.DataFrame(
        [
            {
                heads.MONTH: formats.month(row["period_start"]),
                heads.MESSAGES: int(row["denominator"]),
                heads.COVERED: 100 * row["value"],
                heads.FROM: 100 * row["lower"],
                heads.TO: 100 * row["upper"],
                **{name: counts.get((row["period_start"], phase), 0) for phase, name in words.UNCOVERED.items()},
            }
            for row in reversed(months)
        ]
    )
    percent = st.column_config.NumberColumn(format="%.2f %%")
    columns = {heads.COVERED: percent, heads.FROM: percent, heads.TO: percent}
    last = months[-1]
    alt = words.COVERAGE_ALT.format(value=formats.share(last["value"]))
    st.caption(words.COVERAGE_COUNTED)
    layout.chart(charts_audience.stacked_shares(starts, parts), alt, table, columns)
    show_origins(channel)


def show_origins(channel: str) -> None:
    """Where the consent came from, and how each source of messages stands."""
    origins, sources = snapshot.rows(ORIGINS, [channel] * 2), snapshot.rows(UNCOVERED_BY_SOURCE, [channel] * 2)
    covered = sum(row["message_count"] for row in origins)
    left, right = st.columns(2)
    with left:
        st.markdown(words.ORIGINS)
        table = pandas.DataFrame(
            {
                heads.SOURCE: [texts.humanise(row["source_type"]) for row in origins],
                heads.METHOD: [texts.humanise(row["method"]) for row in origins],
                heads.MESSAGES: [row["message_count"] for row in origins],
                heads.SHARE: [100 * row["message_count"] / covered for row in origins],
            }
        )
        config = {heads.SHARE: st.column_config.NumberColumn(format="%.1f %%")}
        layout.frame(table, words.ORIGINS_ALT, config)
    with right:
        st.markdown(words.SOURCES)
        table = pandas.DataFrame(
            {
                heads.SOURCE: [row["source"] for row in sources],
                heads.MESSAGES: [row["message_count"] for row in sources],
                heads.COVERED: [100 * (row["covered_count"] or 0) / row["message_count"] for row in sources],
            }
        )
        config = {heads.COVERED: st.column_config.NumberColumn(format="%.2f %%")}
        layout.frame(table, words.SOURCES_ALT, config)


def show_segments(channel: str) -> None:
    """Every contact and channel in exactly one segment, and the keys of one of them as a file."""
    st.header(words.SEGMENTS_HEAD, anchor=False)
    counts = {(row["channel"], row["segment"]): row for row in snapshot.rows(COUNTS)}
    channels = [channel] if channel != "*" else [*sorted({name for name, _ in counts} - {"*"}), "*"]
    names = {name: texts.ALL_CHANNELS if name == "*" else texts.channel(name) for name in channels}

    def count(name: str, segment: str) -> int:
        return int(counts.get((name, segment), {}).get("pair_count", 0))

    lines = [
        {
            heads.CHANNEL: names[name],
            **{title: count(name, segment) for segment, (title, _) in words.SEGMENTS.items()},
            heads.BLOCKED: sum(int(row["blocked_count"]) for (of, _), row in counts.items() if of == name),
        }
        for name in channels
    ]
    st.caption(
        words.SEGMENTS_OF
        + "; ".join(f"**{title.lower()}**, {meaning}" for title, meaning in words.SEGMENTS.values())
        + words.BLOCKED_IN_THEM
    )
    numbers = {title: formats.count for title, _ in words.SEGMENTS.values()} | {heads.BLOCKED: formats.count}
    layout.table(lines, words.SEGMENTS_ALT, numbers)
    if access.may_export("segment_keys"):
        show_downloads(channel, {segment: count(channel, segment) for segment in words.SEGMENTS})


def show_downloads(channel: str, sizes: dict[str, int]) -> None:
    """The keys of one segment as files, made when asked for."""
    segment = st.selectbox(
        words.SEGMENT_TO_TAKE,
        list(words.SEGMENTS),
        format_func=lambda code: f"{words.SEGMENTS[code][0]}: {formats.count(sizes[code])}",
        key="segment",
        bind="query-params",
    )
    published = snapshot.published()
    read = partial(snapshot.read_uncached, published, KEYS, [segment, channel, channel])
    name = f"{segment}-{'every-channel' if channel == '*' else channel}-{published.run_id}"
    with st.container(horizontal=True):
        for label, make, ending, kind in (
            (words.KEYS_CSV, lambda: export.to_csv(read()), "csv", "text/csv"),
            (words.KEYS_PARQUET, lambda: export.to_parquet(read()), "parquet", "application/vnd.apache.parquet"),
        ):
            st.download_button(
                label, access.on_demand("segment_keys", sizes[segment], make), f"{name}.{ending}", kind,
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip
    command = snapshot.command_for(f"segments --segment {segment} --keys --format csv")
    st.caption(words.KEYS_ONLY.format(command=command))


def show_inactive() -> None:
    """Who is written to and shows no sign of life, by channel; where that cannot be known it says so."""
    st.header(words.INACTIVE_HEAD, anchor=False)
    rows = snapshot.rows(INACTIVE)
    if not rows:
        st.markdown(words.NO_MESSAGE_LATELY)
        return
    days = rows[0]["inactive_days"]
    st.caption(words.INACTIVE_COUNTED.format(days=days))
    lines = []
    for row in rows:
        known = row["long_reached_count"] - row["unknown_count"]
        silent = row["inactive_count"]
        if silent is None:
            seen = words.CANNOT_BE_KNOWN
        elif row["channel"] == "*":
            seen = words.SOME_UNKNOWN.format(count=formats.count(row["unknown_count"])) if row["unknown_count"] else ""
        else:
            seen = words.BY_READS if row["reports_reads"] else words.BY_ANSWERS
        lines.append(
            {
                heads.CHANNEL: texts.ALL_CHANNELS if row["channel"] == "*" else texts.channel(row["channel"]),
                heads.REACHED: row["long_reached_count"],
                heads.INACTIVE: silent,
                heads.SHARE: None if silent is None or not known else silent / known,
                heads.KNOWN: seen,
            }
        )
    numbers = dict.fromkeys((heads.REACHED, heads.INACTIVE), formats.count) | {heads.SHARE: formats.share}
    layout.table(lines, words.INACTIVE_ALT, numbers)


show()
