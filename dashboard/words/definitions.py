"""English text of definitions: the switch between them, and the page that compares them."""

from __future__ import annotations

from typing import Any

from dashboard.words import texts

#: heed's own, for snapshots of before definitions were published.
OWN: dict[str, dict[str, Any]] = {
    "opt_out_rate": {
        "name": "Opt-out rate", "numerator": "those of them that began an opt-out or block in it",
        "denominator": "contacts per channel reached in the period", "unit": "share", "is_share": True,
        "grains": "day week month all",
    },
    "opt_out_rate_per_message": {
        "name": "Opt-outs per message", "numerator": "attributed opt-outs begun in the period",
        "denominator": "messages delivered in it", "unit": "opt_outs_per_message", "is_share": False,
        "grains": "day week month all",
    },
    "list_churn": {
        "name": "List churn", "numerator": "opt-outs and blocks begun in the period",
        "denominator": "contacts per channel opted in at its start", "unit": "ratio", "is_share": False,
        "grains": "day week month",
    },
}  # fmt: skip
LABEL = "Definition"
HELP = "The same data, counted as heed or as another product counts. The page Definitions explains each."

RATIO = " A ratio, no true share: it may exceed 100 %."
FOOTER = "{name} by the definition `{metric}/{definition}`: {says}"

QUESTIONS = {
    "opt_out_rate": ("Of those we reached", "how many left?"),
    "opt_out_rate_without_machines": ("Of those we reached", "how many left, link scanners aside?"),
    "opt_out_rate_per_message": ("Per message", "what does a message cost us in opt-outs?"),
    "list_churn": ("Of the list", "how fast does it wear away?"),
}
GRADES = {
    "heed": "heed's own", "P": "read on the page, in a stored copy", "Q": "quoted by others",
    "S": "in part from summaries", "S1": "from one weak source", "unverified": "not confirmed",
}  # fmt: skip
OLDER = "table of definitions"
EVERY_NUMBER = "Every number names its definition; `metrics.definitions` and `heed metrics` carry it too"

OF_REACHED = "{rate} of those reached"
PER_MESSAGE = "{rate} per message"
OF_LIST = "{rate} of the list"
NO_NUMBERS = "No numbers in {month}"
NOBODY_REACHED = f"No message reached anybody here. {texts.WIDEN}"
SPREAD = " By the rules of other products, {low} to {high} per message."
ANSWER = (
    "**The same opt-outs of {month} are {said}.**{spread} None of them is wrong: each answers another question. "
    "Compare a number only with numbers of the same definition."
)

BY_DEFINITION = "{title}, by definition"
UNATTRIBUTED = (
    "Unattributed: of the opt-outs begun in the month, the share that the definition counts for no message. The higher "
    "it is, the more the rate leaves out."
)
OVER_TIME = "See any of them over time"

OWN_NAME = "**{name}** (heed)"

EXAMPLE = "Why they differ: one example"
SENT = "*{name}* on {day} at {at:%H:%M}"
MADE_UP = (
    "A made-up {month}. {contacts} contacts opted in by text message in September. Two campaigns went out: {sent}. Of "
    "{messages} messages sent, {confirmed} were confirmed as delivered."
)
EXAMPLE_ALT = "What happened to each contact of the example"
ANSWERS_ALT = "The example under each definition"
TESTED = "heed computes these numbers from these records each time it is tested."

NOTHING_SENT, STAYS = "nothing", "stays"
UNCONFIRMED = " (delivery never confirmed)"

LEFT_OUT = " Unattributed: {unattributed} of {opt_outs}."

SOURCES = "How each counts, and where that is written"
CHECKED = ", checked {on}"
SOURCE = "{note}\n\nSource: {link} ({grade}{checked})"
