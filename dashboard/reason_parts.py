"""Parts of the page of reasons: which campaigns and which leavers differ, and what they say."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import charts, layout, snapshot, taking
from dashboard.charts import Share
from dashboard.words import formats, heads, texts
from dashboard.words import reason_parts as words

CAMPAIGNS = """
select * from metrics.reason_differences
where dimension = 'campaign' and (? = '*' or channel = ?)
order by is_different desc, q_value is null, case when is_different then q_value end, opt_out_count desc, member
"""
TENURE_TESTS = "select * from metrics.reason_differences where dimension = 'tenure' and channel = ?"
TENURE = "select * from metrics.reason_tenure where channel = ? order by position"
SAID = "select * from metrics.reason_texts order by reason, position"
WANTS_TEXTS = "select publish_reason_texts from run.parameters"
CAMPAIGNS_SHOWN = 12
UNSPECIFIED = "unspecified"
Rows = list[dict[str, Any]]


def reason_name(reason: str) -> str:
    """A reason as words."""
    return texts.humanise(reason)


def as_share(row: dict[str, Any], at: str = "") -> Share:
    """A measured share as a bar to draw; `at` names it if not its reason does."""
    counts = ("numerator", "denominator") if "numerator" in row else ("opt_out_count", "total_count")
    note = formats.measured(row, "value", *counts)
    return Share(at or reason_name(row["reason"]), row["value"], row["lower"], row["upper"], note)


def show_campaigns(channel: str) -> None:
    """Which campaigns were left for other reasons than the rest of their channel."""
    st.header(words.CAMPAIGNS, anchor=False)
    rows = snapshot.rows(CAMPAIGNS, [channel, channel])
    tested = [row for row in rows if row["q_value"] is not None]
    different = [row for row in rows if row["is_different"]]
    if not rows:
        st.markdown(words.NO_CAMPAIGN)
        return
    if different:
        first = different[0]
        st.markdown(
            words.CAMPAIGNS_DIFFER.format(
                campaigns=formats.Counted(len(different)),
                tested=formats.count(len(tested)),
                member=texts.plain(first["member"]),
                differs=what_differs(first),
            )
        )
    elif tested:
        st.markdown(words.NO_CAMPAIGN_DIFFERS.format(campaigns=formats.Counted(len(tested))))
    else:
        st.markdown(words.CAMPAIGNS_TOO_FEW)
    shown = [*different, *(row for row in rows if not row["is_different"])][:CAMPAIGNS_SHOWN]
    lines = [
        {heads.CAMPAIGN: texts.plain(row["member"]), heads.CHANNEL: texts.channel(row["channel"])}
        | difference_line(row)
        for row in shown
    ]
    layout.table(lines, words.CAMPAIGNS_ALT, DIFFERENCE_WRITERS)
    more = (
        words.CAMPAIGNS_SHOWN.format(shown=CAMPAIGNS_SHOWN, all=formats.count(len(rows)))
        if len(rows) > CAMPAIGNS_SHOWN
        else ""
    )
    st.caption(words.CAMPAIGNS_TEST.format(more=more))


def show_tenure(channel: str, ever: dict[str, dict[str, Any]]) -> None:
    """Whether those who leave early leave for other reasons than those who leave late."""
    st.header(words.TENURE, anchor=False)
    rows = snapshot.rows(TENURE, [channel])
    tests = {row["member"]: row for row in snapshot.rows(TENURE_TESTS, [channel])}
    buckets = list(dict.fromkeys((row["tenure"], row["in_words"]) for row in rows))
    in_words = dict(buckets)
    different = [row for row in tests.values() if row["is_different"]]
    if different:
        first = min(different, key=lambda row: row["q_value"])
        st.markdown(words.TENURE_DIFFERS.format(tenure=in_words[first["member"]], differs=what_differs(first)))
    elif any(row["q_value"] is not None for row in tests.values()):
        st.markdown(words.NO_TENURE_DIFFERS)
    else:
        st.markdown(words.TENURE_TOO_FEW)
    reasons = [one for one in ever if one != UNSPECIFIED and ever[one]["numerator"]]
    reasons.sort(key=lambda one: -ever[one]["numerator"])
    if not reasons or not rows:
        return
    chosen = (
        st.selectbox(heads.REASON, reasons, format_func=reason_name, key="reason", bind="query-params") or reasons[0]
    )
    shares = [as_share(row, at=row["in_words"]) for row in rows if row["reason"] == chosen]
    alt = words.SHARES_ALT.format(reason=reason_name(chosen).lower())
    layout.chart(charts.share_bars(shares), alt, taking.of_shares(heads.LEFT, shares), is_table_beside=True)
    lines = []
    for tenure, in_words in buckets:
        test = tests.get(tenure)
        counted = next(row["total_count"] for row in rows if row["tenure"] == tenure)
        empty = {heads.OPT_OUTS: counted} | dict.fromkeys(
            (heads.GAVE_A_REASON, heads.MOST_ABOVE_THE_REST, heads.SHARE, heads.REST, "q")
        )
        lines.append(
            {heads.LEFT: in_words}
            | (difference_line(test) if test else empty | {heads.MOST_ABOVE_THE_REST: formats.MISSING})
        )
    layout.table(lines, words.TENURE_ALT, DIFFERENCE_WRITERS)
    st.caption(words.TENURE_TEST)


def what_differs(row: dict[str, Any]) -> str:
    """The reason that is most above the rest: too frequent 60.0 %, in the rest 31.0 %."""
    return words.DIFFERS.format(
        reason=reason_name(row["reason"]).lower(),
        value=formats.share(row["value"]),
        rest=formats.share(row["rest_value"]),
    )


def difference_line(row: dict[str, Any]) -> dict[str, Any]:
    """One group's line: its counts, the reason most above the rest (bold beyond chance), and the test."""
    name = reason_name(row["reason"]) if row["reason"] else formats.MISSING
    return {
        heads.OPT_OUTS: row["opt_out_count"],
        heads.GAVE_A_REASON: row["given_count"],
        heads.MOST_ABOVE_THE_REST: f"**{name}**" if row["is_different"] else name,
        heads.SHARE: row["value"],
        heads.REST: row["rest_value"],
        "q": row["q_value"],
    }


DIFFERENCE_WRITERS = {
    heads.OPT_OUTS: formats.count, heads.GAVE_A_REASON: formats.count, heads.SHARE: formats.share,
    heads.REST: formats.share,
    "q": words.chance,
}  # fmt: skip


# ---- words


def show_said() -> None:
    """What leavers wrote, a few texts of each reason, masked."""
    st.header(words.SAID, anchor=False)
    if (snapshot.one(WANTS_TEXTS) or {}).get("publish_reason_texts") is False:
        st.markdown(words.NOT_PUBLISHED)
        return
    rows = snapshot.rows(SAID)
    if not rows:
        st.markdown(words.NOTHING_SAID)
        return
    by_reason: dict[str, Rows] = {}
    for row in rows:
        by_reason.setdefault(row["reason"], []).append(row)
    said = sorted(by_reason, key=lambda one: -sum(row["contact_count"] for row in by_reason[one]))
    with st.grid(2, min_column_width=320, gap="medium") as grid:
        for reason in said:
            with grid.cell(), st.container(gap="xsmall"):
                quotes = [
                    words.QUOTE.format(
                        text=texts.plain(row["text"]),
                        people=formats.Counted(row["contact_count"]),
                        language=", " + words.LANGUAGES[row["language"]] if row["language"] in words.LANGUAGES else "",
                    )
                    for row in by_reason[reason]
                ]
                st.markdown(f"**{reason_name(reason)}**\n\n" + "\n".join(quotes))
    st.caption(words.SAID_MASKED)
