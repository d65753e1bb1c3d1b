"""English text of the page of one finding, but for what happened: that is told by finding_story."""

from __future__ import annotations

from typing import Any

from dashboard.words import formats, texts
from dashboard.words.finding_story import who

NOT_FOUND = "No such finding in this snapshot"
NOT_FOUND_BODY = (
    "Either what it is about is in order by now, or the id is incomplete. An id has 16 digits and stays the same from "
    "run to run for as long as the same thing is found."
)
NONE_CHOSEN = "No finding chosen"
NONE_CHOSEN_BODY = "Open one from the list of findings, or enter its id: 16 digits, as in the list and the exports."
SAME = (
    "**Found again.** The same SQL, run a moment ago over the {records} that the snapshot holds of {contact}, gives "
    "this finding once more, alike in every column. {all_of_rule} It took {seconds}."
)
SAME_OF_NO_CONTACT = (
    "**Found again.** The same SQL, run a moment ago over this snapshot, gives this finding once more, alike in every "
    "column. {all_of_rule} It took {seconds}."
)
DIFFERENT = (
    "**Found again, but not as published.** The same SQL, run a moment ago, gives another {columns}. The snapshot's "
    "records or its findings were changed after the run: do not rely on it, and run heed again."
)
GONE = (
    "**Not found again.** The same SQL, run a moment ago over the records that the snapshot holds, does not give this "
    "finding. The snapshot's records or its findings were changed after the run: do not rely on it, and run heed again."
)
REPLAY = "Run this SQL again now"
REPLAY_HELP = (
    "Runs it as it stands, in memory, over what the snapshot holds of this contact, and compares the result with what "
    "was published. Nothing is written."
)
NO_REPLAY = "SQL of its rules, nor the rows they read"
BACK = "Back to the findings"
OLDER = "page for one finding"
FINDING_OF = "Finding `{id}`"

ID = "Finding id"

PREVIOUS = "Previous"
NEXT = "Next"
PLACE_IN_LIST = "{place} of the {findings} findings on that page of the list"

WAIVED_BADGE = " :gray-badge[Waived]"
UNTIL = ", until {until}"
WAIVED = "Waived by {who}{until}{why}."
COUNTS = "It counts as a **violation**: it is critical or high, and no waiver covers it."

CONTACT = "**Contact** {contact}"
CHANNEL = "**Channel** {channel}"
PROGRAM = "**Program** {program}"
CAMPAIGN = "**Campaign** {campaign}"
WHERE = "**Where** {where}"
SOURCE = "**Source** {source}"
MESSAGE = "**Message** {message}"
EVENT = "**Consent event** {event}"

RULE = "The rule, and what to do"
JUDGED_BY = "**Judged by** {law}.{said} :small[({grade})]"
OWN_POLICY = "**Judged by** your own policy: no legal rule sets a deadline where the contact is."
READ_RULE = "Read it in the rule book"

AROUND = "What happened around it"
THIS_FINDING = "this finding"
AROUND_ALT = "Timeline of 30 days before and after {at}: {records:record|records}, the finding marked by a line."
NOTHING_AROUND = "Nothing is on record within 30 days of it."
NEAREST = "The {shown} records nearest to it; there are more."
EVERYTHING = "Everything about this contact"

LANES = {"message": "Messages", "consent_event": "Consent events", "inbound_message": "Replies"}
BLOCK_SPAN = "Block span"
OPT_OUT_SPAN = "Opt-out span"
SPAN_FROM = "{name} from {begins_at}"

LINEAGE = "Where that is on record"
CAMPAIGNS_TABLE = "The campaigns table says so; its rows carry no place."
NO_RECORD = "The snapshot holds no record of it."
BY_HAND = "Check it by hand"
BY_HAND_HOW = (
    "In the home folder. The first line must print the SHA-256 above; the second shows the header and the row, as long "
    "as no cell before it holds a line break. Files below `inbox/` hold addresses."
)

UNKNOWN_FILE = "a file that is not known"
FILE_ROW = "{file}, row {row}"
ORIGIN = "- **{what}** of {at}: {place}  \n  SHA-256 `{sha256}`  \n  :small[Loaded {loaded}, load {load}]"

SQL = "The SQL that found it"
RUNNING = "Running"
SQL_USED = (
    "`sql/audits/{rule}.sql`, as run {run} used it. Opened with DuckDB, the snapshot answers it as it stands: for "
    "every contact that has a finding."
)

ROW_GIVEN = "The row it gave"
THEN_AND_NOW = "The finding, then and now"
APPLIED, DEADLINE = "applied", "deadline"


def replayed(result: Any, finding: dict[str, Any]) -> str:
    """What came of running the SQL again, in words."""
    if result.found is None:
        return GONE
    if result.differs:
        return DIFFERENT.format(columns=" and ".join(texts.humanise(name).lower() for name in result.differs))
    if result.published_count == result.again_count and not result.other_count:
        all_of_rule = (
            f"So does every other finding of this rule here ({formats.count(result.published_count)} in all), and no "
            "further one." if result.published_count > 1 else "It gives no further one."
        )  # fmt: skip
    else:
        all_of_rule = (
            f"Of the {formats.count(result.published_count)} findings of this rule here it gives "
            f"{formats.count(result.again_count)}, and {formats.count(result.other_count)} that were not published: "
            "the snapshot was changed after the run."
        )
    sentence = SAME if finding["contact_key"] is not None else SAME_OF_NO_CONTACT
    return sentence.format(
        records=formats.plural(result.record_count, "record"),
        contact=who(finding),
        all_of_rule=all_of_rule,
        seconds=f"{result.seconds * 1000:,.0f} ms",
    )
