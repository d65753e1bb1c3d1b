"""English text of the page of reasons."""

from __future__ import annotations

from dashboard.words import texts

DIRECTIONS = {1: "Increasing", -1: "Decreasing", 0: "No clear trend", None: "Not enough data"}
NOTHING = f"No opt-out was recorded here. {texts.WIDEN}"
NOTHING_IN_MONTH = "No opt-out in {month}"
WHOLE_RECORD = "{opt_outs:opt-out|opt-outs} in the whole record. {widen}"
OLDER = "trends, campaigns or texts of reasons"
COUNTED = "Reason: as the contact gave it, mapped to eleven; without one it is `unspecified`, never dropped"

NOTHING_BEFORE = "{then} has no opt-outs to compare with."
CHANGED = "Against {then}, this changed by more than chance explains: {names}."
MIX_CHANGED = "The mix of reasons is another than in {then}, though no single share stands out."
NOT_CHANGED = "No share differs from {then} by more than chance explains."

MOST_OFTEN = "Most often: {reason}, {value}"
NOBODY = "Nobody gave a reason"
ANSWER = "**{lead} of {opt_outs:opt-out|opt-outs} in {month}.** {shift}"
SHARES_ALT = "Shares of reasons in {month}, {lead}; {before} beside it."
BARS = "Bars with 95 % intervals; the diamond is the month before."
BEYOND_CHANCE = (
    "Beyond chance: Fisher's exact test of each share against the month before, the false-discovery rate over the "
    "eleven reasons held at 5 %."
)

RANGE = "{lower} to {upper}"

GROWING = "Which reasons grow?"
WAYS = {1: "up", -1: "down"}
MOVES_BY = "{reason} {way} by {slope:.1f} points a week"
MOVING = "**{first}{rest}**, over the last {weeks} complete weeks."
NO_TREND = "**No reason has a clear trend** over the last {weeks} complete weeks."
TOO_FEW_WEEKS = "**Not enough data.** A trend needs at least 6 complete weeks; there are {weeks}."
TRENDS_ALT = "Trends of the reasons: direction, slope in percentage points a week, and its interval"
TREND_TEST = (
    "Mann-Kendall test of the weekly shares with Theil-Sen slope, neighbouring weeks that are alike allowed for; q "
    "holds the false-discovery rate over the eleven reasons, and below 0.05 is called a trend."
)

WEEK_FROM = "Week from {start}: {note}"
SHARE_OF_OPT_OUTS = "Share of opt-outs"
WEEKS_ALT = "Weekly share of opt-outs with the reason {reason}: {direction}."
