"""What the loads must add up to: no delivered row is lost, and the newest one is in core."""

from __future__ import annotations

from pipelines.expectations._declare import no_offenders

RELATION = "run.inputs"

EXPECTATIONS = [
    no_offenders(
        "loads_account_for_every_row",
        "fitness",
        "Of every file, rows read = rows accepted + duplicates + rows quarantined.",
    ),
    no_offenders(
        "loads_balance_with_history", "fitness", "History holds exactly the rows that every file's load accepted."
    ),
    no_offenders(
        "newest_record_is_in_core",
        "fitness",
        "The newest record delivered up to as_of is in core, and nothing in core is newer than what was delivered.",
    ),
]
