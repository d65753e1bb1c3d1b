"""English text of the page about the data."""

from __future__ import annotations

COMPLETE = "**The evidence is complete:** no hole in it is known."
HOLES = "**The evidence has {holes}.** Where no violation is found, the verdict is *Cannot attest* because of them:"
COVERAGE = "When there are records, and when there are none"
COVERAGE_WHAT = (
    "A strip for every log, week by week: the fuller the colour, the more days of the week have records. A line with "
    "ends marks a **silence**: a gap that is longer than three times the log's usual longest one, and than three days "
    "(messages) or seven (consent events and replies)."
)
COVERAGE_MONTHS = COVERAGE_WHAT.replace("week by week", "month by month").replace("of the week", "of the month")
NO_SILENCE = "**No log fell silent** for longer than its own rhythm explains."
SILENCES = "**{silences} longer than {their} own rhythm explains:**"
SILENCE = "{log}: nothing between {last} and {next}, {days}."
STILL_SILENT = "{log}: nothing after {last}, {days} until the end of the data."
NO_RHYTHM = "Too few days with records to know a rhythm, so no gap in them is called a silence: {logs}."
NOTHING_OF = "**Nothing is on record of {sources}**, configured in `heed.toml`."
QUARANTINE_WHAT = (
    "The rows as delivered are in `{folder}`, one file per load: they hold addresses and are in no snapshot. Below is "
    "their shape: every letter is an a, every digit a 9."
)
KINDS = {"messages": "messages", "consent_events": "consent events", "inbound_messages": "replies"}
STANDS = (
    "**Every number of a finished period that the run before reported still stands** ({count} of them were compared)."
)
RESTATED = (
    "**{restated} of the {count} that the run before reported for finished periods {are} different now:** records came "
    "late, or rules, settings or waivers changed."
)
SINCE = (
    "Against the run before (data up to {then}): {violations}, opt-out rate {rate}, verdict {verdict}. Which numbers "
    "of finished periods changed, and why:"
)
FIRST_RUN = "This is the first run that is on record: there is nothing to compare it with."

QUARANTINE = "Quarantine"
NO_QUARANTINE = "No row was set aside."
REFUSED = "{rows:row|rows} could not be read with certainty and {rows:~is|are} in no number."
REFUSED_ALT = "Quarantined rows by reason and column, with an example of each"

EXAMPLES = "Examples ({shown})"
EXAMPLES_ALT = "Refused rows as shapes, with their file and row"

PLACES = "Files and row numbers"
PLACES_ALT = "Quarantined rows by reason, file and column"
