"""What metrics.measurements must be: every number is possible, and there is one of each."""

from __future__ import annotations

from pipelines.expectations._declare import columns_present, no_offenders

RELATION = "metrics.measurements"

EXPECTATIONS = [
    *columns_present("measurements", ["metric", "definition", "grain", "channel", "campaign_id", "unit"]),
    no_offenders(
        "measurements_key_is_unique",
        "invariant",
        "There is one measurement for each metric, definition, period and set of dimensions.",
    ),
    no_offenders(
        "shares_have_numerator_within_denominator",
        "invariant",
        "No share counts more than there is, or less than none.",
    ),
    no_offenders("shares_lie_between_none_and_all", "invariant", "Every share lies between 0 and 1."),
    no_offenders("values_lie_inside_their_interval", "invariant", "Every value lies inside its 95 % interval."),
    no_offenders(
        "values_have_a_denominator", "invariant", "Nothing but a plain count has a value without a denominator."
    ),
]
