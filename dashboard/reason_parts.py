"""Parts of the page of reasons: which campaigns and which leavers differ, and what they say."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import charts, formats, layout, snapshot, taking, texts
from dashboard.charts import Share

CAMPAIGNS = """
select * from metrics.reason_differences
where dimension = 'campaign' and (? = '*' or channel = ?)
order by is_different desc, q_value is null, case when is_different then q_value end, opt_out_count desc, member
"""
TENURE_TESTS = "select * from metrics.reason_differences where dimension = 'tenure' and channel = ?"
TENURE = "select * from metrics.reason_tenure where channel = ? order by position"
SAID = "select * from metrics.reason_texts order by reason, position"
WANTS_TEXTS = "select publish_reason_texts from run.parameters"
LANGUAGES = {"en": "English", "es": "Spanish", "fr": "French", "de": "German", "pt": "Portuguese", "it": "Italian",
             "nl": "Dutch"}  # fmt: skip
CAMPAIGNS_SHOWN = 12
UNSPECIFIED = "unspecified"
Rows = list[dict[str, Any]]


def reason_name(reason: str) -> str:
    """A reason as words."""
    return texts.humanise(reason)


def as_share(row: dict[str, Any], at: str = "") -> Share:
    """A measured share as a bar to draw; `at` names it if not its reason does."""
    count, whole = (row.get("numerator", row.get("opt_out_count")), row.get("denominator", row.get("total_count")))
    note = (
        f"{formats.share(row['value'])} ({formats.interval(row['lower'], row['upper'])}), "
        f"{formats.count(count)} of {formats.count(whole)}"
    )
    return Share(at or reason_name(row["reason"]), row["value"], row["lower"], row["upper"], note)


def chance(value: float | None) -> str:
    """A p or q value: 0.032, under 0.001."""
    if value is None:
        return formats.MISSING
    return f"under{formats.GAP}0.001" if value < 0.001 else f"{value:.3f}"


def show_campaigns(channel: str) -> None:
    """Which campaigns were left for other reasons than the rest of their channel."""
    st.header("Is a campaign left for another reason?", anchor=False)
    rows = snapshot.rows(CAMPAIGNS, [channel, channel])
    tested = [row for row in rows if row["q_value"] is not None]
    different = [row for row in rows if row["is_different"]]
    if not rows:
        st.markdown("No opt-out here is attributed to a campaign.")
        return
    if different:
        first = different[0]
        st.markdown(
            f"**Yes: {formats.plural(len(different), 'campaign')} of {formats.count(len(tested))}.** "
            f"Most of all {texts.plain(first['member'])}: {what_differs(first)}."
        )
    elif tested:
        st.markdown(
            "**None stands out**: no campaign's reasons differ from the rest of its channel by more than chance "
            f"explains ({formats.plural(len(tested), 'campaign')} compared)."
        )
    else:
        st.markdown("**Not enough data**: no campaign has enough opt-outs with a reason to compare.")
    shown = [*different, *(row for row in rows if not row["is_different"])][:CAMPAIGNS_SHOWN]
    lines = [
        {"Campaign": texts.plain(row["member"]), "Channel": texts.channel(row["channel"])} | difference_line(row)
        for row in shown
    ]
    layout.table(lines, "Campaigns and the reasons of their opt-outs", DIFFERENCE_WRITERS)
    more = f" {CAMPAIGNS_SHOWN} of {formats.count(len(rows))} are shown." if len(rows) > CAMPAIGNS_SHOWN else ""
    st.caption(
        "Opt-outs attributed to the campaign, against all other opt-outs of its channel, of those who gave a reason. "
        "Compared where at least 10 did. Whole record. Chi-square or exact test; q holds the false-discovery rate over "
        f"the campaigns.{more}"
    )


def show_tenure(channel: str, ever: dict[str, dict[str, Any]]) -> None:
    """Whether those who leave early leave for other reasons than those who leave late."""
    st.header("Do early leavers have other reasons than late ones?", anchor=False)
    rows = snapshot.rows(TENURE, [channel])
    tests = {row["member"]: row for row in snapshot.rows(TENURE_TESTS, [channel])}
    buckets = list(dict.fromkeys((row["tenure"], row["in_words"]) for row in rows))
    words = dict(buckets)
    different = [row for row in tests.values() if row["is_different"]]
    if different:
        first = min(different, key=lambda row: row["q_value"])
        st.markdown(f"**Yes.** Those who leave {words[first['member']]}: {what_differs(first)}.")
    elif any(row["q_value"] is not None for row in tests.values()):
        st.markdown("**Not by more than chance explains**, whatever the time since the opt-in.")
    else:
        st.markdown("**Not enough data** to tell.")
    reasons = [one for one in ever if one != UNSPECIFIED and ever[one]["numerator"]]
    reasons.sort(key=lambda one: -ever[one]["numerator"])
    if not reasons or not rows:
        return
    chosen = st.selectbox("Reason", reasons, format_func=reason_name, key="reason", bind="query-params") or reasons[0]
    shares = [as_share(row, at=row["in_words"]) for row in rows if row["reason"] == chosen]
    alt = f"Share of opt-outs for the reason {reason_name(chosen).lower()} by the time since the opt-in"
    layout.chart(charts.share_bars(shares), alt, taking.of_shares("Left", shares), is_table_beside=True)
    lines = []
    for tenure, in_words in buckets:
        test = tests.get(tenure)
        counted = next(row["total_count"] for row in rows if row["tenure"] == tenure)
        empty = {"Opt-outs": counted} | dict.fromkeys(("Gave a reason", "Most above the rest", "Share", "Rest", "q"))
        lines.append(
            {"Left": in_words} | (difference_line(test) if test else empty | {"Most above the rest": formats.MISSING})
        )
    layout.table(lines, "Opt-outs by time since the opt-in, and their reasons", DIFFERENCE_WRITERS)
    st.caption(
        "Time since the opt-in that the opt-out ended. Each group against the others, of those who gave a reason. "
        "Whole record. q holds the false-discovery rate over the groups."
    )


def what_differs(row: dict[str, Any]) -> str:
    """The reason that is most above the rest: too frequent 60.0 %, in the rest 31.0 %."""
    return (
        f"{reason_name(row['reason']).lower()} {formats.share(row['value'])} of reasons given, "
        f"in the rest {formats.share(row['rest_value'])}"
    )


def difference_line(row: dict[str, Any]) -> dict[str, Any]:
    """One group's line: its counts, the reason most above the rest (bold beyond chance), and the test."""
    name = reason_name(row["reason"]) if row["reason"] else formats.MISSING
    return {
        "Opt-outs": row["opt_out_count"],
        "Gave a reason": row["given_count"],
        "Most above the rest": f"**{name}**" if row["is_different"] else name,
        "Share": row["value"],
        "Rest": row["rest_value"],
        "q": row["q_value"],
    }


DIFFERENCE_WRITERS = {
    "Opt-outs": formats.count, "Gave a reason": formats.count, "Share": formats.share, "Rest": formats.share,
    "q": chance,
}  # fmt: skip


# ---- words


def show_said() -> None:
    """What leavers wrote, a few texts of each reason, masked."""
    st.header("What do leavers say?", anchor=False)
    if (snapshot.one(WANTS_TEXTS) or {}).get("publish_reason_texts") is False:
        st.markdown("Texts are not published: `[policy] publish_reason_texts` is off.")
        return
    rows = snapshot.rows(SAID)
    if not rows:
        st.markdown("No text was given by enough people to be shown here.")
        return
    by_reason: dict[str, Rows] = {}
    for row in rows:
        by_reason.setdefault(row["reason"], []).append(row)
    said = sorted(by_reason, key=lambda one: -sum(row["contact_count"] for row in by_reason[one]))
    with st.grid(2, min_column_width=320, gap="medium") as grid:
        for reason in said:
            with grid.cell(), st.container(gap="xsmall"):
                quotes = [
                    f"- “{texts.plain(row['text'])}” :small[{formats.plural(row['contact_count'], 'person', 'people')}"
                    f"{', ' + LANGUAGES[row['language']] if row['language'] in LANGUAGES else ''}]"
                    for row in by_reason[reason]
                ]
                st.markdown(f"**{reason_name(reason)}**\n\n" + "\n".join(quotes))
    st.caption(
        "All channels, whole record. Addresses, links, numbers and names are masked; a text is shown if several people "
        "gave it, or if it holds everyday words only."
    )
