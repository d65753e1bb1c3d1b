"""What differs from the run before: relation run.changes, counted while that run's snapshot is still published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars

from pipelines import snapshots
from pipelines.comparison import causes, measured, reported
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.errors import DamagedSnapshotError, EngineError
from pipelines.publish import read_pointer

_SCHEMA = {
    "since_run_id": polars.String(),
    "what": polars.String(),
    "name": polars.String(),
    "then_count": polars.Int64(),
    "now_count": polars.Int64(),
    "new_count": polars.Int64(),
    "gone_count": polars.Int64(),
}
# A finding about the same record under the same rule is the same finding, whatever its class.
_VIOLATIONS = """
select rule, source, coalesce(message_id, event_id, campaign_id, cast(contact_key as varchar)) as subject
from {findings} where severity in ('critical', 'high') and waived_by is null
"""
_NOW, _THEN = (_VIOLATIONS.format(findings=name) for name in ("audits.findings", "before.audits.findings"))
_BY_RULE = f"""
with sides as (
    select rule, source, subject, 0 as then_count, 1 as now_count from ({_NOW})
    union all
    select rule, source, subject, 1, 0 from ({_THEN})
),
subjects as (
    select rule, sum(then_count) as then_count, sum(now_count) as now_count from sides group by rule, source, subject
)
select rule, sum(then_count)::bigint, sum(now_count)::bigint, sum(greatest(now_count - then_count, 0))::bigint,
    sum(greatest(then_count - now_count, 0))::bigint
from subjects group by rule order by rule
"""
#: What is counted as a whole: the relation, and what of it.
_SUMS = {
    "open_requests": ("metrics.open_requests", "sum(open_count) filter (where channel = '*')"),
    "late_requests": ("metrics.open_requests", "sum(past_deadline_count) filter (where channel = '*')"),
    "quarantined_rows": ("run.quarantine", "sum(row_count)"),
}


def write(engine: DuckDBEngine, published: Path) -> None:
    """Build run.changes: this run against the snapshot that `published` points at; after everything is measured.

    No rows where nothing was published before, or where its snapshot is gone or cannot be read any more.
    """
    pointer = read_pointer(published)
    rows: list[tuple[Any, ...]] = []
    if pointer is not None:
        try:
            rows = [(pointer["run_id"], *row) for row in _rows(engine, published / pointer["snapshot"])]
        except (EngineError, DamagedSnapshotError):
            rows = []  # its file is damaged, or another version wrote it: there is nothing to compare with
    engine.create_from_frame("run.changes", polars.DataFrame(rows, schema=_SCHEMA, orient="row"))


def _rows(engine: DuckDBEngine, before: Path) -> list[tuple[Any, ...]]:
    """(what, name, then_count, now_count, new_count, gone_count) of all that both runs counted."""
    with snapshots.opened(before) as other:
        then = reported.of(other, with_findings=False)
        sums = {what: _sum(other, what) for what in _SUMS}
    with engine.attached(before, "before"):
        rows: list[tuple[Any, ...]] = [("violations", *row) for row in engine.rows(_BY_RULE)]
    rows += [(what, "*", count, _sum(engine, what), None, None) for what, count in sums.items() if count is not None]
    now = reported.of(engine, with_findings=False)
    table = measured.compare(then, now, causes.find(then, now))
    finished = table.filter(polars.col("was_over_then") & polars.col("value_then").is_not_null())
    restated = measured.counts(table)["restated"]
    return [*rows, ("restated_numbers", "*", len(finished), None, None, restated)]


def _sum(engine: DuckDBEngine, what: str) -> int | None:
    """A count of _SUMS; None where the snapshot of an earlier version does not have its relation."""
    relation, total = _SUMS[what]
    if not engine.relation_exists(relation):
        return None
    return int(engine.value(f"select coalesce({total}, 0) from {relation}"))
