"""English text of the page of response times."""

from __future__ import annotations

from dashboard.words import texts

#: The times people ask about, by the definition of the share applied within them.
WITHIN = {
    "share_within_1_hour": "1 hour", "share_within_24_hours": "24 hours", "share_within_48_hours": "48 hours",
    "share_within_deadline": "the deadline",
}  # fmt: skip
NOTHING = f"No opt-out began here. {texts.WIDEN}"
OLDER = "response times by method and source, and no count of repeated requests"
DEFINITION = (
    "Response time by the definition `kaplan_meier`: from the request to the moment it was applied; open requests "
    "count as still waiting"
)

HALF = "Half of them were applied within {median}"
FEWER_THAN_HALF = "Fewer than half of them have been applied"
IN_TIME = ", and {within} within their deadline"
ANSWER = "**{opt_outs:opt-out|opt-outs} in this selection. {half}{in_time}.**"
OLDEST = "the oldest for {age}"
NONE_WAITING = "none waiting"
TAIL = "19 of 20 within {p95}"
BOUNDS_DUE = "95 %: {bounds}, of {due} due"
MEDIAN = "Median"
NINE_OF_TEN = "9 of 10 within"
WITHIN_DEADLINE = "Within the deadline"
STILL_OPEN = "Still open"

NOT_REACHED = "not reached"
ABOUT = "95 %: about {first}"
BETWEEN = "95 %: {first} to {last}"

NONE_APPLIED = "None of them is known to be applied. So far they have waited {whole} on average."
NOTHING_OPEN = "On average it took {plain}. Nothing is open, so this mean leaves nobody out."
MEAN_OF_APPLIED = "The mean of the {processed} applied ones is {plain}. "
LEAVES_OUT = "It leaves out the {waiting} still waiting"
NO_DIFFERENCE = "{told}, which here makes no difference: counted in, it is {whole}."
TIMES_AS_LONG = "{times:.1f} times as long"
LONGER = "longer"
LONGER_BY = "{share:.0%} longer"
FLATTERS = (
    "{told}, so it flatters: with them counted in, up to the longest wait on record, the mean is **{whole}**, {longer}."
)

APPLIED_WITHIN = "Applied within"
DUE = " due"
WITHIN_ALT = "Share of opt-outs applied within a time, {first}."
WITHIN_COUNTED = (
    "Open requests count as still waiting (Kaplan-Meier), so a share can be above its count: who has waited for 10 "
    "minutes is counted for these 10 minutes. The deadline's share is of those due: applied, or past it."
)

CURVE = "Share applied within a time"
CURVE_NOTE = "{share} within {time} ({interval})"
CURVE_COUNTED = "Whole record, open requests counted as still waiting. The band is the 95 % interval."
CURVE_ALT = "Kaplan-Meier curve: {note} at its end."

NOTHING_WAITING = "Nothing is waiting: every opt-out on record has been applied."
OVERDUE = "{overdue} of them past the deadline"
NONE_OVERDUE = "none of them past the deadline"
NEXT_DEADLINE = " The next deadline is {coming}."
OPEN = "**{opt_outs:opt-out is|opt-outs are} still open, {past}.{following}**"
WITHDRAWN = "{contacts:contact has|contacts have} opted in again since"
NOTHING_TO_APPLY = "{told}: never known to be applied, and nothing is left to apply."
AGES_ALT = "Open opt-outs by age"
TO_APPLY_FIRST = "To apply first ({shown} of {all}), by deadline:"
DEADLINES_ALT = "Open opt-outs by deadline"

OVERDUE_BY = "{time} overdue"

REPEATS = "Who had to ask more than once?"
NO_OPT_OUT = "No opt-out is on record here."
NOBODY_AGAIN = "Nobody: each of {opt_outs:opt-out|opt-outs} was asked for once."
AGAIN = "**{again} of {opt_outs:opt-out|opt-outs} ({share}) were asked for more than once, up to {most} times.**"
REPEATS_ALT = "Opt-outs by method and number of times asked"
REPEATS_COUNTED = "Whole record. Two sources that both record one request count as asking twice."
