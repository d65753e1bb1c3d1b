"""What audits.findings must be: each finding can be traced to what it is about."""

from __future__ import annotations

from pipelines.expectations._declare import column_allowed, columns_present, no_offenders

RELATION = "audits.findings"

EXPECTATIONS = [
    *columns_present("findings", ["rule", "finding_class", "severity"]),
    column_allowed("findings", "severity", ("critical", "high", "warning", "notice")),
    no_offenders(
        "findings_subject_is_in_core", "invariant", "The message, event or campaign of every finding is in core."
    ),
    no_offenders(
        "findings_span_exists", "invariant", "The span that a finding cites exists and covers its contact and channel."
    ),
    no_offenders(
        "messages_found_after_opt_out_are_after_it",
        "invariant",
        "Every message found after an opt-out was sent later than the opt-out it cites.",
    ),
    no_offenders(
        "messages_after_opt_out_are_found_once", "invariant", "No message is found twice for the same silence."
    ),
]
