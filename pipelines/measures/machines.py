"""How many opt-outs a machine is suspected of, and the opt-out rate without them."""

from __future__ import annotations

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record
from pipelines.measures.rows import shares

_DIMENSIONS = "'*' as program, '*' as campaign_id, '*' as reason"


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """Measurements of opt_out_rate_without_machines and suspected_machine_share."""
    return polars.concat(
        [
            shares(engine, "opt_out_rate_without_machines", _DIMENSIONS),
            shares(engine, "suspected_machine_share", _DIMENSIONS, counts="suspected_spans"),
        ]
    )
