"""English text of the page that screens a list."""

from __future__ import annotations

UNKNOWN_FORMAT = "{name} has no format heed knows by its name. Name it .csv, .jsonl or .parquet."
NO_SUCH_TIME = "On that day the clocks of {zone} go forward over {clock:%H:%M}. Choose another time."

TOO_LONG = "The list took too long. Screen it on the command line."
FAILED = "The list could not be screened; the server's log says why."

# What each reason means, for somebody who is about to send.
REASONS = {
    "unreadable_address": ("No usable address", "The row has no address that this channel can be sent to."),
    "duplicate": ("Listed twice", "An earlier row has the same address. Once is enough."),
    "opted_out": ("Opted out", "The contact opted out, complained or blocked you, and has not come back."),
    "pending_confirmation": ("Not confirmed", "The contact asked to join and never confirmed it."),
    "no_consent": ("No consent", "The law asks for consent here, and no opt-in is on record."),
    "quiet_hours": ("Quiet hours", "At that time it is too early or too late where the contact is."),
    "over_cap": ("Over the cap", "The contact would get more messages than are allowed in that time."),
}
KEPT = "Your file is read in memory, and neither it nor the clean list is stored or sent anywhere."
OLDER = "screening"
SCREENING = "Screening"

FILE = "List (CSV, JSON Lines or Parquet, with a column of addresses)"
CHANNEL = "Channel"
PROGRAM = "Program"
PROGRAM_HELP = "The list, brand or topic that the message belongs to."
DAY = "Day"
TIME = "Time"
TIME_ZONE = "Time zone"
MORE = "More"
COLUMN = "Column of addresses"
COLUMN_HELP = "Empty: found by its name."
REQUIRE_CONSENT = "Refuse everybody without an opt-in on record"
STRICT_TIME = "Refuse where the time zone is not known and it may be too early or too late"
SCREEN = "Screen"
NO_LIST = "Choose a list first."

ANSWER = "{sendable} of {rows:row|rows} may be sent to at {at}"

REASONS_ALT = "Refused rows by reason"
NOBODY = "Nobody is refused."

CLEAN = "Clean list"
REFUSED_CSV = "Refused rows as CSV"
AS_THEY_WERE = "{kept} The clean list holds the rows exactly as they were, in their order."

REFUSED_ALT = "Refused rows with the reason and the evidence"
ROW_HELP = "The first row below the header is 1."
FIRST_SHOWN = "The first {shown}; the file has all."
