"""English text of the page of timing and pressure."""

from __future__ import annotations

from dashboard.words import formats, texts

#: How a dimension is spoken of: what its buckets are called, and what its highest ones are.
NAMES = {
    "messages_7_days": "Messages in 7 days", "messages_30_days": "Messages in 30 days",
    "sequence_position": "Place in the sequence", "hour": "Hour", "weekday": "Weekday", "template": "Template",
    "language": "Language",
}  # fmt: skip
AUDIENCES = {"all": "All messages", "opted_out": "To contacts that had opted out", "inactive": "To inactive contacts"}
CAVEAT = (
    "These are differences seen, not effects proven: who gets many messages, or a message at night, may differ in "
    "other ways too. Each week and channel is compared with itself. Only a test on two random halves proves it."
)
_REACHED = (
    "Marketing messages that reached the contact in the {} days up to and with this one, on all channels together."
)
#: What the dimensions of frequency count.
COUNTED = {
    "messages_7_days": _REACHED.format(7),
    "messages_30_days": _REACHED.format(30),
    "sequence_position": (
        "The 1st, 2nd, 3rd … marketing message that reached the contact on the channel since it opted in, or since the "
        "record began. Whoever gets a fiftieth has stayed that long: the impatient have left by then."
    ),
}
OLDER = "breakdown of messages"
NOTHING_DELIVERED = f"No marketing message was delivered here. {texts.WIDEN}"
DEFINITION = "Opt-outs per message by the definition `opt_out_rate_per_message/heed`, in the period of sending"

BASE = "{opt_outs} opt-outs of {messages} messages"
WHAT_MATTERS = "**What goes with more or fewer opt-outs, beyond chance** (of {base}):"
NOTHING_MATTERS = "**Neither the hour nor the number of messages makes a difference beyond chance here** (of {base})."
TOO_FEW = "**Not enough opt-outs to tell:** {base}. A comparison needs at least 20 in several groups."

#: The messages of one bucket, by its dimension, and how they compare.
SUBJECTS = {
    "hour": "sent between {bucket}", "weekday": "sent on {bucket}s", "template": "of template {bucket}",
    "language": "in language {bucket}",
}  # fmt: skip
OF_ALL_OTHERS = "Messages {subject} {times} all others."

HOW_OFTEN = "How often?"
BY = "By"
OVER_WHOLE_RECORD = "The place in the sequence is counted over the whole record."

WHEN = "When?"
LEFT_EMPTY = "Hours of so few messages that not one opt-out is to be expected are left empty."
CLOCK = "By the contact's own clock where its time zone is known: of {known} of the messages. Else by {zone}."

WHAT = "What?"
KNOWN = "{name} is known of {share} of the messages."
NOTHING_KNOWN = "No two templates or languages are known here, so there is nothing to compare."
FILL = "Messages with a `template_id`, and a list of campaigns with their `language`, fill this part."

COSTS = "What does it cost?"
NOT_NAMED = "not named"
NO_PRICE = "No price is on record for these messages."
TO_OPTED_OUT = "to contacts that had opted out"
TO_INACTIVE = "to inactive contacts"
AND = " and "
OF_ALL = " of {amount}"
NOTHING_WASTED = "Nothing to contacts that should cost nothing"
COSTS_ALT = "Messages and their cost by currency and audience."
PRICES = (
    "Prices as delivered, without their sign (some providers write charges as negative); a message without a price is "
    "counted and costs nothing here. The opted-out and the inactive may be the same messages: never add them."
)

NOT_KNOWN = "Nothing is known here."
BUCKETS_ALT = "Opt-outs per message by {name}; apart from the others beyond chance: {apart}."
FILLED = "Filled columns differ from the others beyond chance."

TOO_FEW_TO_SHOW = "Too few messages to show by hour and weekday."
WEEK_ALT = "Opt-outs per message by weekday and hour; surely highest: {where}."

NOTHING_TO_COMPARE = "Too few opt-outs, or one group alone: nothing to compare."
RISES = "**The rate rises beyond chance** (false-discovery rate {q})."
FALLS = "**The rate falls beyond chance** (false-discovery rate {q})."
DIFFERS = "**The rates differ beyond chance** (false-discovery rate {q})."
NO_DIFFERENCE = "No difference beyond chance (false-discovery rate {q})."


def times_text(ratio: float, lower: float, upper: float) -> str:
    """A ratio with its interval in words: lose 2.1 times (1.8–2.5) as many people as."""
    return f"lose **{ratio:.1f} times** ({lower:.1f}–{upper:.1f}) as many people as"


def which_messages(name: str, bucket: str) -> str:
    """The highest buckets as the messages they are."""
    place = ordinal(int(bucket.split("-")[0].split(" ")[0]))
    if name == "sequence_position":
        return f"Messages from the {place} of a sequence on"
    days = 7 if name == "messages_7_days" else 30
    return f"Messages that are the {place} or later in {days} days"


def than_which(name: str) -> str:
    """The lowest bucket as the message it is."""
    return "the first" if name == "sequence_position" else "the only one in that time"


def hour_span(bucket: str) -> str:
    """An hour as its two ends: 21:00 and 22:00."""
    hour = int(bucket[:2])
    return f"{hour:02d}:00 and {(hour + 1) % 24:02d}:00"


def ordinal(number: int) -> str:
    """A number as a place: 1st, 2nd, 11th, 21st."""
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def amount(value: float | None, currency: str | None) -> str:
    """A sum of money with two digits: 66.20 USD; without a currency just the number."""
    if value is None:
        return formats.MISSING
    return f"{value:,.2f}{formats.GAP}{texts.plain(currency) if currency else '(no currency named)'}"
