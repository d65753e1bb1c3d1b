"""English text of the page about one contact."""

from __future__ import annotations

WHO = "Address or contact key"
WHO_HELP = (
    "An address as people write it, or the 16 digits of contact_key. An address is turned into its key at once and is "
    "kept nowhere: not in this page's link, not in a log."
)
SHOW = "Show"
ASK = "No contact chosen"
ASK_BODY = "Open one from the findings, or enter an address or the 16 digits of a contact key."
PRINT_VIEW = "Print view"
PRINT_HELP = "One plain page with every record: print it, or save it as PDF, with your browser (Ctrl+P, on a Mac ⌘P)."
PRINT_NOW = "Print this page with Ctrl+P (on a Mac ⌘P). The menu and these buttons stay off the paper."

NOTHING = "Nothing is held about this contact"
NOTHING_IN_HISTORY = (
    "History was searched for the key of what you entered, and there is no message, no reply, no consent event and no "
    "place on a list. Check the spelling: a phone number needs its country code where the home has no default country."
)
NOTHING_IN_SNAPSHOT = (
    "Only the published snapshot could be read here, and it holds the records of contacts with a finding. On the "
    "machine with the home, everything about any contact:"
)
NOT_LOOKED_UP = "The address could not be looked up"
KEY_STILL_WORKS = "The 16 digits of a contact key work without it: findings and exports have them."
NO_HISTORY_NO_ADDRESS = (
    "Addresses are turned into keys on the machine that holds the home's history and its secret, and this is not it. "
    "Enter the 16 digits of the contact key."
)
NO_HISTORY = (
    "**From the snapshot alone.** The home's history is not on this machine, so what is shown is what the snapshot "
    "holds: the records of contacts with a finding, without their texts and details."
)
HISTORY_FAILED = (
    "**From the snapshot alone.** History could not be read: {why} What is shown is what the snapshot holds: the "
    "records of contacts with a finding, without their texts and details."
)
TOO_LONG = "It took too long. Ask on the command line."
FAILED = "`heed contact` ended without an answer; the server's log says how."

FROM_HISTORY = (
    "**Records** are from history, as delivered, a row for each. **Findings, opt-out spans and waivers** are from the "
    "snapshot of run `{run}`, which judged the data up to {as_of}."
)
NEWER_LOADS = (
    "**History is newer than the snapshot.** {loads:load|loads} came since; {records:record|records|none} of this "
    "contact came with {loads:~it|them}, and nothing here has judged them yet. To judge them:"
)
NOT_JUDGED = (
    "{records:record|records} of this contact {records:~is|are} later than the data that the snapshot judged "
    "({as_of}): no finding can be about them."
)
READ = (
    "Read {bytes_read} of {bytes_held} of history: {row_groups_read} of {row_groups_held} row groups can hold this "
    "contact."
)
CHART_CAPPED = (
    "The chart draws {drawn} of {records:record|records}: all that are no messages, every one with a finding, and the "
    "newest of the others. The table has all of them."
)
PRINT_CAPPED = "The first {shown} of {records:record|records} by time, newest first; the files have all of them."
NEVER = "This contact never opted out."
WAIVED = "Waivers that excuse findings of this contact"
RECORDS = "Every record, as delivered"
FILES = "The files they came from"
PLACE = "{file}, row {row}: {source} {record}"
FILES_ALT = "Files with the digest of what was read, and how many records of this contact each gave"
RECORDS_ALT = "Everything recorded about this contact, in time order, with the file and row of each record"

LANES = {
    "message": "Messages", "consent_event": "Consent events", "inbound_message": "Replies", "listing": "Audience list",
}  # fmt: skip
LISTED = "On the contacts list"

BACK = "Back to the findings"
THIS_CONTACT = "This contact"
READING = "Reading history"

SAVE_CSV = "Save as CSV"
SAVE_PARQUET = "Save as Parquet"

VIOLATIONS = ":red[{violations:violation|violations}]"
NO_VIOLATION = "no violation"
ANSWER = "**{contact} got {messages:message|messages}; {verdict}.** Contact key `{key}`."

FOUND = "**What was found**\n\n{lines}"

BLOCK_SPAN = "Block span"
OPT_OUT_SPAN = "Opt-out span"
APPLIED_LINE, DEADLINE_LINE = "applied", "deadline"
SPAN_FROM = "{name} from {begins_at}"
TIMELINE = "Timeline: {spans:span|spans} and {records:record|records}."

OLDEST_FIRST = "{first:,} to {last:,} of {records:record|records}, oldest first."
