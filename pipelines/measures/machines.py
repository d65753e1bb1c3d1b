"""How many opt-outs a machine is suspected of, and the opt-out rate without them."""

from __future__ import annotations

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record
from pipelines.measures.rows import shares

_DIMENSIONS = "'*' as program, '*' as campaign_id, '*' as reason"


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """Measurements of opt_out_rate without suspected machines and of suspected_machine_share."""
    without = shares(engine, "opt_out_rate", _DIMENSIONS, counts="opt_out_rate_without_machines")
    return polars.concat(
        [
            without.with_columns(definition=polars.lit("without_machines")),
            shares(engine, "suspected_machine_share", _DIMENSIONS, counts="suspected_spans"),
        ]
    )
