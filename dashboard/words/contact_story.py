"""English text of a contact's story: where it is, what its opt-outs were, what was found and what is excused."""

from __future__ import annotations

from dashboard.words import rule_texts, texts

COUNTRY, REGION, TIME_ZONE = "Country", "Region", "Time zone"
OR_MORE = " or {more} more"
ONE_OF = "one of {listed}{more}"

UNDER = ", under {law}"
WAIVED = ", {count} waived"

EVERY_RULE = "Every rule"
UNTIL = "until {until}"
UNTIL_REVOKED = "until revoked"
WAIVER = "{rule}, {subject}: by {who}, {until}. {reason}"

BLOCKED = "Blocked"
OPTED_OUT = "Opted out"
EVERY_CHANNEL = "every channel"
BY_METHOD = " by {method}"
ACT = "{act} of {where} on {at}{method}."
REPEATED = "Had to ask {times} times."
APPLIED = "Applied after {took}."
NOT_APPLIED = "Nothing shows that it was applied."
BY_LAW = ", by {law}"
DEADLINE = "Deadline: {deadline}{law}."
BEFORE_OPT_IN, SINCE = "before the next opt-in", "since"
AFTER = "{messages:message|messages} {until}, the first after {first}."
NONE_BEFORE = "No message before the next opt-in."
NONE_SINCE = "No message since."
OPTED_IN_AGAIN = "Opted in again on {at}."


def known(label: str, value: str, origin: str | None, certainty: str | None) -> str:
    """A fact about a contact and how it is known: Country: United States (US), certain (from the phone number)."""
    if value == "unknown":
        return f"{label}: unknown."
    # A fact that nobody knows for sure and that still has candidates names them and claims nothing.
    sure = f", {rule_texts.CERTAINTY.get(certainty, texts.plain(certainty))}" if certainty else ""
    told = f" (from {texts.plain(rule_texts.ORIGINS.get(origin, origin))})" if origin else ""
    if certainty == "unknown":
        return f"{label}: unknown, {texts.plain(value)}{told}."
    return f"{label}: {texts.plain(value)}{sure}{told}."
