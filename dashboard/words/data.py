"""English text of the page about the data."""

from __future__ import annotations

from dashboard.words import formats

COMPLETE = "**The evidence is complete:** no hole in it is known."
#: How those of a verdict's published reasons begin that are no holes in the evidence.
NOT_HOLES = ("Violations:", "Waived:", "No violation, and no hole")
HOLES = (
    "**The evidence has {holes:kind of hole|kinds of holes}.** Where no violation is found, the verdict is *Cannot "
    "attest* because of them:"
)
COVERAGE = "When there are records, and when there are none"
COVERAGE_WHAT = (
    "A strip for every log, week by week: the fuller the colour, the more days of the week have records. A line with "
    "ends marks a **silence**: a gap that is longer than three times the log's usual longest one, and than three days "
    "(messages) or seven (consent events and replies)."
)
COVERAGE_MONTHS = COVERAGE_WHAT.replace("week by week", "month by month").replace("of the week", "of the month")
NO_SILENCE = "**No log fell silent** for longer than its own rhythm explains."
SILENCES = "**{silences:silence|silences} longer than {silences:~its|their} own rhythm explains:**"
SILENCE = "{log}: nothing between {last} and {next}, {days:day|days}."
STILL_SILENT = "{log}: nothing after {last}, {days:day|days} until the end of the data."
NO_RHYTHM = "Too few days with records to know a rhythm, so no gap in them is called a silence: {logs}."
NOTHING_OF = "**Nothing is on record of {sources}**, configured in `heed.toml`."
QUARANTINE_WHAT = (
    "The rows as delivered are in `{folder}`, one file per load: they hold addresses and are in no snapshot. Below is "
    "their shape: every letter is an a, every digit a 9."
)
KINDS = {"messages": "messages", "consent_events": "consent events", "inbound_messages": "replies"}
STANDS = (
    "**Every number of a finished period that the run before reported still stands** ({count:number|numbers} of them "
    "were compared)."
)
RESTATED = (
    "**{restated} of the {count:number|numbers} that the run before reported for finished periods {restated:~is|are} "
    "different now:** records came late, or rules, settings or waivers changed."
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

PLACE = "{file}, row {row}"
PLACES = "Files and row numbers"
PLACES_ALT = "Quarantined rows by reason, file and column"

NOTHING = "Nothing was loaded"
NOTHING_BODY = "The inbox was empty. Put the delivered files in `inbox/`, then run:"

SUMS = (
    "**{records:record|records} read from {files:file|files}: {accepted} accepted, {duplicates:duplicate|duplicates}, "
    "{quarantined} in quarantine.** "
)
ALL_ACCOUNTED = "Every record is accounted for."
NOT_ACCOUNTED = ":red[Some records are not accounted for.]"
LATER = " {records:record|records} later than the run's end of data are left out."

LOADED = "What was loaded"
LOADED_ALT = "Loaded files: records read are the sum of accepted, duplicate and quarantined"

SOURCES = "What the sources cannot know"
NO_BLIND_SPOT = "No source has a known blind spot."
NO_CLASS = "**{no_class:,} of {all:,} messages have no class and are audited as marketing.**"
SKEWED = (
    "**{consent_events:consent event|consent events} recorded as processed before the request:** counted as processed "
    "at once. Compare the clocks of the systems that wrote them."
)
SOURCES_ALT = "Sources with their records and what they cannot know"

VALIDATION = "Validation"
NOTHING_CHECKED = "No expectation was checked."
CHECKED = "{expectations:expectation|expectations} checked before publishing: "
NOT_MET = "**{failed:was|were} not met**."
ALL_MET = "all met."
RESULTS = {True: "met", False: "not met"}
EXPECTATIONS = "Every expectation, with what it checked"
EXPECTATIONS_ALT = "Expectations and their results, those not met first"

RESTATEMENTS = "Restatements"

RUNS = "This run, and those before"
STEPS = "{steps} steps in {seconds:.1f} seconds."
STEPS_ALT = "Steps of this run"
RUNS_ALT = "Published runs, newest first"
NEWEST = "The newest {newest} of {runs:run|runs}."

COVERAGE_OLDER = "coverage of the logs"
NO_LOG = "No log holds a record."
STRIPS_ALT = "Days with records of {logs:log|logs} by {period}, with {silences:silence|silences}"

SHORTER = "- and {shorter_ones:shorter one|shorter ones}"
BY_CHANNEL = " by {channel}"

MONTH, WEEK = "month", "week"
WEEK_OF = "week of {start}"
STRIP_NOTE = "{log}, {period}: records on {days:day|days}, {records:record|records}"


def then_and_now(then: str, now: str) -> str:
    """Two values in words: still Fail; 1.2 % then, 1.3 % now."""
    return f"still {now}" if then == now else f"{then} then, {now} now"


def difference(then: int | None, now: int | None) -> str:
    """Violations of two runs in words: 3 violations more (483 then, 486 now)."""
    before, after = then or 0, now or 0
    if before == after:
        return f"still {formats.plural(after, 'violation')}"
    more = f"{formats.plural(abs(after - before), 'violation')} {'more' if after > before else 'fewer'}"
    return f"{more} ({formats.count(before)} then, {formats.count(after)} now)"
