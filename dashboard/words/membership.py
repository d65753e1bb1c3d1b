"""English text of the page of how long people stay."""

from __future__ import annotations

from dashboard.words import texts

BY = {
    "source_type": "source", "consent_source": "where exactly they opted in", "method": "method",
    "opt_in_kind": "double or single opt-in", "incentive": "incentive", "channel": "channel",
}  # fmt: skip
NAMES = {
    ("opt_in_kind", "double"): "Double opt-in", ("opt_in_kind", "single"): "Single opt-in",
    ("incentive", "yes"): "With an incentive", ("incentive", "no"): "Without one",
}  # fmt: skip
WATCHED, EVERY = "Since departures are on record", "Every opt-in on record"
OLDER = "times from opt-in to opt-out"
NOTHING = f"No opt-in is on record here. {texts.WIDEN}"
DEFINITION = (
    "Stay by the definition `kaplan_meier`: from the opt-in to the opt-out, complaint or block that ended it; who is "
    "still in counts as staying on"
)

COUNTED = "Opt-ins counted"

GONE_WITHIN = "{share} are gone within {days} days"
HALF_GONE = "Half are gone within {median}"
FEWER_GONE = "Fewer than half are gone within the longest time on record, {followed}"
OF = "Of {opt_ins:opt-in|opt-ins}, "
AND = " and "
TOO_SHORT = "The record does not reach so far"
GONE = "Gone within {days} days"
LEFT_OUT = "left out here"
COUNTED_HERE = "counted here, so the shares are too low"
OLDER_OPT_INS = (
    "{opt_ins:opt-in is|opt-ins are} older than the first departure on record, and {left_out}: who left before that is "
    "missing, so only those who stayed are on record. With them, {with_them} are gone within 30 days; without them, "
    "{without}."
)

CURVE = "Share gone, day by day"
NOBODY_LEFT = "Nobody has left."
ALL_OF_THEM = "All of them"
CURVE_COUNTED = "Who is still in counts as staying on (Kaplan-Meier). The band is the 95 % interval."
ALL = "All"
CURVE_ALT = "Kaplan-Meier curve: {note} at its end."

NOTE = "{name}: {share} gone within {days} ({interval})"

DIFFERENCES = "Who leaves sooner?"
NO_GROUPS = "There are no two groups with 20 opt-ins each to compare."
UNCLEAR = "No difference that chance would not explain: by {groups}."
AND_BY = ", by "
WITHIN = ", within each channel"
TEST = (
    "Log-rank tests{within}, p values corrected for {asked:question|questions} asked at once (Holm): where nothing "
    "differs, a difference is named in 1 of 20 records. Each opt-in counts from when departures are on record. A "
    "difference is no proof of a cause."
)

SOONER, LATER = "sooner", "later"
PACE = "{name} {word}: {left} left, {expected} expected"
BY_GROUP = "**By {by}:** {told} ({chance})."

COMPARE_BY = "Compare by"
NOTHING_HERE = "No opt-in is on record here."
GROUPS_ALT = "Share gone by days since the opt-in: "
NOT_REACHED = "not reached"
GONE_BY = "Share gone by {by}"
SMALL = "Fewer than 20 opt-ins, so little is known: {names}."

GONE_IN_90 = "{name} {share} within 90 days"
NOT_FOLLOWED = "{name} not followed for 90 days"


def chance(p_value: float) -> str:
    """A p value in words."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def name_of(dimension: str, value: str) -> str:
    """The name of a group as readers say it."""
    if (dimension, value) in NAMES:
        return NAMES[dimension, value]
    if value == "unknown":
        return "Not recorded"
    if dimension == "channel":
        return texts.channel(value)
    return value if dimension == "consent_source" and value != "other" else texts.humanise(value)
