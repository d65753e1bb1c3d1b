"""English text of the page of restated numbers."""

from __future__ import annotations

CAUSES = {
    "late_records": "records of that time came later",
    "new_records": "records after the data's end then",
    "other_records": "records of other days or channels, or of contacts or campaigns",
    "end_of_data": "the data's end moved",
    "policy": "the policy changed",
    "sources": "the settings of sources changed",
    "rules": "the rule book changed",
    "waivers": "waivers changed",
    "version": "heed itself changed",
    "not_recorded": "an earlier version did not record why",
    "unexplained": "unexplained",
}
LOADS = {
    "new": "New", "withdrawn": "Withdrawn", "read_anew": "Read anew", "counted_otherwise": "Counted otherwise",
}  # fmt: skip
WHAT_IT_IS = (
    "Opt-outs and delivery reports arrive late, and then the past looks different. A number is **restated** when its "
    "period was over at the time of the report and the number is another one now. Numbers of a period that was not "
    "over are counted apart: they had to change."
)
KEEP = (
    "To compare, there must be two. Each run publishes one; `keep_snapshots` under `[policy]` in `heed.toml` says how "
    "many are kept (5 unless set). The next run leaves this one beside its own:"
)
ONE_SNAPSHOT = "Only one snapshot is kept"
COMPARING = "Comparing"

RUN = "Data up to {as_of} · run {run} {tail}"

THEN = "Reported then"
NOW = "Known now"

RESTATED = (
    "**{numbers:number of a finished period|numbers of finished periods} reported with data up to {until} "
    "{numbers:~is|are} different now; {late} of them because records of that time came later.**"
)
STANDS = "**Every number of a finished period reported with data up to {until} still stands.**"
NOT_OVER_THEN = "changed because their period was not over"
ONLY_NOW = "are new"
ONLY_THEN = "are gone"
SAME = "are the same"
OTHERS = "Of the others, {others}."
UNEXPLAINED = (
    "**{changes:change|changes} cannot be explained** by loads, the data's end, policy, rules or heed's version. "
    "Report it with both snapshots."
)
VERDICT_THEN = " then, "
VERDICT = "Verdict of the whole record: {badges} now."

AS_KNOWN_NOW = "{period}, as it is known now"

RATES = "Opt-out rate by month"
RATES_ALT = (
    "Opt-out rate of {months:month|months} as known now with 95 % intervals, and as reported then; {changed} differ"
)

KNOWN_NOW = "known now"
REPORTED_THEN = "reported then"

CAUSES_HEAD = "What changed it"
NO_CAUSE = "Nothing that is recorded."
LATE = "**{opt_outs:opt-out|opt-outs} came late:** asked for before the data's end then, loaded later."
LATE_ALT = "Opt-outs that came late, by month and load"
LOADS_HEAD = "**Loads**"
LOADS_ALT = "Loads whose records count now and did not then, or the other way round"
MORE_NOW = "More now than then"
OF_BEFORE = "Of before the data's end then"
RULE = "- Rule {rule}: {change} {what}"
WAIVER = "- Waiver {change}: {rule}, by {who}"
SETTINGS = "Settings, rules and waivers that differ ({settings})"
LEFT_OUT = "Left out: {sentence}"

NUMBERS = "Numbers that differ"
NUMBERS_ALT = "Numbers that differ between the two runs, restated ones first"
MORE_NUMBERS = "{more_numbers:more number|more numbers}: the command below prints them."

FINDINGS = "Findings"
FINDINGS_ALT = "Findings by rule and class, then and now"
EVERY_SOURCE = "Every source"
VERDICTS = "Verdicts that changed"
VERDICTS_ALT = "Verdicts that changed, by month, channel and source"

ALL_OF_IT = "All of it, for a spreadsheet:"
GRAIN_OF = "{grain} of {start}"

TOO_LONG = "Comparing took too long. Compare the runs on the command line."
FAILED = "The runs could not be compared; the server's log says why."
