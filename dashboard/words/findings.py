"""English text of the page of findings."""

from __future__ import annotations

from dashboard.words import texts

SORTED = {
    "worst": "Worst first, then newest", "newest": "Newest first", "oldest": "Oldest first",
    "longest": "Longest after the opt-out", "rule": "Rule", "contact": "Contact, those of one together",
    "channel": "Channel", "program": "Program", "campaign": "Campaign",
}  # fmt: skip
# What the reader may choose about waivers, as the URL says it.
WAIVERS = {"all": "All", "waived": "Waived", "counting": "Not waived"}

NOTHING = "Nothing that was loaded breaks a rule. Whether the evidence is complete, the audit overview says."
NO_FINDING = "No finding"
NO_MATCH = f"No finding matches these filters. {texts.WIDEN}"
VIOLATION = "A violation is a finding of severity critical or high that no waiver covers"

RULE = "Rule"
ALL_RULES = "All rules"
FINDING = "Finding"
ALL_FINDINGS = "All findings"
SEVERITY = "Severity"
ALL_SEVERITIES = "All severities"
LAW = "Law"
DAY, DAY_HELP = "Day", "One day, as the report's time zone has it"
ROWS_TITLE = "Findings shown"
ALL_LAWS = "All laws"
WAIVED = "Waived"
WHAT_RULE_SAYS = "What this rule says, why, and what to do"
VIOLATIONS_ONLY = "Violations only"

COUNT_CONTACTS = "Count contacts and messages too"
COUNT_HELP = "Of more than a quarter of a million findings that takes a second or two."
CONCERN = " They concern {concerned} of {messages:message|messages}, {share}."
ANSWER = "**{findings:finding|findings}, of which {violations:violation|violations}.**{rate}"
CLASSES_ALT = "Findings by class, with their share of all that match"
MORE_KINDS = "{kinds:more kind|more kinds} with {findings:finding|findings}"

SORTED_BY = "Sorted by"
ROWS = "Rows"
ROWS_ALT = "Findings {first} to {last} of {total}, {order}"
LAW_HELP = "The citation it rests on; empty where your policy alone decides."
PLACE_HELP = "Whose rules apply to the contact."
CERTAINTY_HELP = "How well that is known. A guess by area code is never certain."
ROWS_SHOWN = "{first:,} to {last:,} of {findings:finding|findings}"
SORTED_SO = "{shown}, sorted by: {order}. Times in UTC. A click on the head of a column sorts these {rows} rows alone."
IN_LINE = "{at:%d %b %Y %H:%M}, {what}, {whom}"
OPEN_ONE = "Open one of these findings"
TIMELINE = "One contact's timeline"

CHOOSE = "Choose from these rows"

CSV_ZIPPED = "All as CSV, zipped"
CSV = "All as CSV"
PARQUET = "All as Parquet"
