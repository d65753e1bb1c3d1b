"""English text of the page of missed requests."""

from __future__ import annotations

from typing import Any

from dashboard.words import formats, rule_texts, texts

NO_TEXTS = "heed publishes no message texts: a finding names the reply, and your own system holds its words."
OLDER = "reading of replies"
NOTHING = "No reply was read"
NOTHING_BODY = (
    "No inbound message was delivered here, so nobody can say whether a request to stop was missed. To have replies "
    "read, add a source with the table `inbound_messages`."
)
DEFINITION = "A request is missed if no opt-out, complaint or block of that contact and channel follows in 24 h"

ANSWER = (
    "**{replies:reply|replies} read; {missed:||none} of them {missed:~reads|read} as a request to stop that nobody "
    "recorded.**"
)
ALL_ANSWERED = "Every request that heed read is answered by a recorded act within a day."
CLASSES_ALT = "Missed requests by how clear they are"
READ = "Read the {findings:finding|findings}, worst first"

REGIMES = "The same replies, read in other ways"
REGIMES_ALT = "Requests to stop that {ways:way|ways} of reading the replies would understand or miss."
REGIMES_READ = (
    "The law asks for more than keywords in some places: under 47 CFR 64.1200(a)(10) any reasonable means counts. "
    "Missed is counted against what a reasonable person would understand."
)


def sentence(row: dict[str, Any]) -> str:
    """One way of reading in a sentence: what it would have understood and missed."""
    name, who = rule_texts.regime(row["regime"])
    missed = row["missed_count"]
    would = f"would have missed {formats.count(missed)}" if missed else "would have missed none"
    open_count = row["unrecorded_count"]
    recorded = (
        f" Of those it understands, {formats.count(open_count)} {'was' if open_count == 1 else 'were'} never recorded."
        if open_count
        else ""
    )
    return (
        f"**{texts.plain(name)}:** {texts.plain(who)} takes {formats.plural(row['request_count'], 'reply', 'replies')} "
        f"for a request to stop and **{would}**.{recorded}"
    )
