"""English text of the page of the audience."""

from __future__ import annotations

from dashboard.words import texts

GAINS = {"opt_ins": "First opt-ins", "re_opt_ins": "Opt-ins again", "unblocks": "Unblocked"}
LOSSES = {"opt_outs": "Opt-outs", "complaints": "Complaints", "blocks": "Blocks"}
#: Why a message was not covered, in the order of the chart.
UNCOVERED = {
    "never_asked": "Never asked",
    "not_asked": "Asked only later",
    "requested": "Asked, not confirmed",
    "opted_out": "After an opt-out",
}
SEGMENTS = {
    "opted_in": ("Opted in", "an opt-in on record, and nothing that ended it"),
    "opted_out": ("Opted out", "an opt-out, a complaint or a block that nothing ended"),
    "pending_confirmation": ("Pending confirmation", "an opt-in was asked for and not confirmed"),
    "never_asked": ("Never asked", "written to or listed, and no opt-in or opt-out on record"),
}
NOTHING = f"No consent event and no message is on record here. {texts.WIDEN}"
DEFINITION = "Opted in: an opt-in on record and no opt-out or block that holds, per contact and channel"

OPTED_IN = "{contacts:contact|contacts} opted in"
GREW = "grew by"
SHRANK = "shrank by"
STAYED = "neither grew nor shrank:"
CHANGED = "The audience {change} {net} in {month}; {lead} now"
COVERED = ". {share} of the messages that reached somebody were covered by recorded consent"
OPTED_IN_NOW = "Opted in now"
ONCE_PER_CHANNEL = "contacts, once per channel"
RATE_IN = "{rate} in {month}"
NET_GROWTH = "Net growth"
NO_COMPLETE_MONTH = "no complete month yet"
NO_MESSAGE = "no message"
COVERED_BY_CONSENT = "Covered by consent"
INACTIVE = "Inactive"

FROM_NOTHING = "from nothing"

NOBODY_LATELY = "nobody was reached lately"
CANNOT_BE_KNOWN_HERE = "cannot be known here"
UNKNOWN = "; {count} cannot be known"
OF_REACHED = "of {known} reached for long{unknown}"

GROWTH = "What came, what went"
PERIOD = "Period"
NO_EVENT = "No consent event is on record here."
NOTE = "{net_growth}: {gained} in, {lost} out, {opted_in} opted in at its end"
LAST_IS_PALE = " The last period is not over and is drawn pale."
GROWTH_COUNTED = (
    "Contacts per channel that became opted in or ceased to be. Acts that change nothing, such as the opt-out of "
    "somebody who never opted in, are not counted here; the table has them beside.{running}"
)
GROWTH_ALT = "Opt-ins and opt-outs by {grain}; last: {last}."

COVERAGE = "May we write to it?"
NOBODY_REACHED = "No marketing message reached anybody here."
ALL_COVERED = "**Every message was covered by recorded consent when it was sent.**"
UNCOVERED_LEAD = "{messages_were:message was|messages were} sent without recorded consent"
UNCOVERED_MOST = (
    "**{lead}, most often: {reason} ({count}).** Whether the law asks for consent, and whether a finding follows, the "
    "page Findings says."
)
COVERAGE_ALT = "Share of messages without recorded consent by month; covered in the last: {value}."
COVERAGE_COUNTED = "Share of the messages that reached somebody and were sent without recorded consent, and why."

ORIGINS = "Covered messages, by where the consent came from"
ORIGINS_ALT = "Covered messages by origin of consent"
SOURCES = "Coverage, by source of messages"
SOURCES_ALT = "Coverage by source of messages"

SEGMENTS_HEAD = "Segments"
SEGMENTS_OF = "Every contact on record is in one segment per channel: "
BLOCKED_IN_THEM = ". Blocked is counted in them."
SEGMENTS_ALT = "Contacts per channel by segment"

SEGMENT_TO_TAKE = "Segment to take with you"
KEYS_CSV = "Keys as CSV"
KEYS_PARQUET = "Keys as Parquet"
KEYS_ONLY = "Keys only, no addresses; whoever holds the addresses can match them. At a terminal: `{command}`"

INACTIVE_HEAD = "Inactive contacts"
NO_MESSAGE_LATELY = "No message reached anybody in the last months."
INACTIVE_COUNTED = (
    "Reached in the last {days} days and for longer than that before, without one message read, one answer or one "
    "consent act of their own in that time. A mail program that opens messages by itself makes a reader of somebody "
    "who never looks. **By answers only**: reads are not reported, so silence says little. **Cannot be known**: "
    "neither reads nor answers are on record."
)
CANNOT_BE_KNOWN = "cannot be known"
SOME_UNKNOWN = "{count} cannot be known"
BY_READS = "by reads"
BY_ANSWERS = "by answers only"
INACTIVE_ALT = "Inactive contacts by channel"
