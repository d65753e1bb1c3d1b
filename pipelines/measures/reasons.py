"""Why people leave: shares of opt-outs by reason."""

from __future__ import annotations

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record
from pipelines.measures.rows import shares


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """Measurements of feedback_reasons."""
    return shares(engine, "feedback_reasons", "'*' as program, '*' as campaign_id, reason")
