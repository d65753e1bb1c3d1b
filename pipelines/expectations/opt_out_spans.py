"""What core.opt_out_spans must be: each span runs forward in time, and no two of one scope overlap."""

from __future__ import annotations

from pipelines.expectations._declare import column_allowed, columns_present, no_offenders

RELATION = "core.opt_out_spans"

EXPECTATIONS = [
    *columns_present("spans", ["span_id", "kind", "scope_key", "contact_key", "channel", "program", "begins_at"]),
    column_allowed("spans", "kind", ("opt_out", "block")),
    no_offenders("spans_are_ordered_in_time", "invariant", "No span ends, was processed or was due before it began."),
    no_offenders(
        "spans_of_one_scope_are_disjoint",
        "invariant",
        "Spans of one kind, scope key, channel and program never overlap.",
    ),
]
