"""Measures: counts in sql/metrics become numbers with intervals, in the relations the snapshot publishes.

SQL counts; the statistics of those counts are made here, since no SQL dialect has them.
"""

from __future__ import annotations

from collections.abc import Callable

import polars

from pipelines import sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.headline import headline
from pipelines.measures import (
    audience,
    breakdowns,
    campaigns,
    costs,
    definitions,
    machines,
    membership,
    periods,
    rates,
    reasons,
    response_time,
    seasons,
    slow_stretches,
    trends,
    years,
)
from pipelines.measures.rows import KEY

#: What is measured once sql/metrics is built, in any order: each gives measurements, and writes relations beside them.
FAMILIES: tuple[Callable[[DuckDBEngine, periods.Record], polars.DataFrame], ...] = (
    rates.measure,
    definitions.measure,
    trends.measure,
    seasons.measure,
    years.measure,
    response_time.measure,
    slow_stretches.measure,
    membership.measure,
    reasons.measure,
    audience.measure,
    campaigns.measure,
    breakdowns.measure,
    costs.measure,
    machines.measure,
)


def measure(engine: DuckDBEngine) -> None:
    """Build every relation of schema metrics in the working database, from core, audits and run.

    What of it is published, pipelines.publish lists; the rest are the counts it rests on, one per file of sql/metrics,
    and metrics.report_months.
    """
    record = periods.read_record(engine)
    engine.create_from_frame("metrics.report_months", periods.report_months(engine, record))
    engine.build_all(sqlfiles.load("metrics"))
    engine.release()
    measurements = polars.concat([family(engine, record) for family in FAMILIES]).sort(KEY, nulls_last=False)
    engine.create_from_frame("metrics.measurements", measurements)
    now, before = trends.trends(engine, record)["*"]
    engine.create_from_frame("metrics.headline", headline(measurements, record.as_of_on, now, before))
