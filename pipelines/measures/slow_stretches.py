"""Stretches of days in which opt-outs took longer to be applied than at other times."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record
from pipelines.measures.rows import measurements
from pipelines.statistics.slow import SlowStretch, slow_stretches
from pipelines.statistics.survival import kaplan_meier, quantile

_EPOCH = date(1970, 1, 1)
_TIMES = ("median", "p90")
_SCHEMA = {
    "channel": polars.String(),
    "first_on": polars.Date(),
    "last_on": polars.Date(),
    "span_count": polars.Int64(),
    "open_count": polars.Int64(),
    **{f"{name}_seconds{where}": polars.Float64() for name in _TIMES for where in ("", "_elsewhere")},
    "p_value": polars.Float64(),
}


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """No measurements; writes metrics.slow_stretches: one row per channel (`*` = all) and slow stretch."""
    frame = engine.frame(
        "select r.channel, s.begins_on, r.duration_seconds, r.is_processed"
        " from metrics.response_time as r join core.opt_out_spans as s on s.span_id = r.span_id"
        " order by r.channel, s.begins_on, r.duration_seconds, r.is_processed, r.span_id"
    )
    rows: list[dict[str, Any]] = []
    # A span on every channel belongs to the total alone.
    channels = [name for name in frame["channel"].unique().sort() if name != "*"]
    for channel in ("*", *channels):
        part = frame if channel == "*" else frame.filter(polars.col("channel") == channel)
        rows += _rows(channel, part)
    engine.create_from_frame("metrics.slow_stretches", polars.DataFrame(rows, schema=_SCHEMA))
    return measurements([])


def _rows(channel: str, spans: polars.DataFrame) -> list[dict[str, Any]]:
    days = spans["begins_on"].dt.epoch("d").to_numpy()
    seconds, is_processed = spans["duration_seconds"].to_numpy(), spans["is_processed"].to_numpy()
    found = slow_stretches(days, seconds, is_processed) or []
    is_slow = np.zeros(len(days), dtype=bool)
    for stretch in found:
        is_slow |= (days >= stretch.first) & (days <= stretch.last)
    elsewhere = _quantiles(seconds[~is_slow], is_processed[~is_slow], "_elsewhere")
    return [
        _row(channel, stretch, seconds[inside], is_processed[inside]) | elsewhere
        for stretch in found
        for inside in [(days >= stretch.first) & (days <= stretch.last)]
    ]


def _row(channel: str, stretch: SlowStretch, seconds: Any, is_processed: Any) -> dict[str, Any]:
    return {
        "channel": channel,
        "first_on": _EPOCH + timedelta(days=stretch.first),
        "last_on": _EPOCH + timedelta(days=stretch.last),
        "span_count": len(seconds),
        "open_count": int((~is_processed).sum()),
        "p_value": stretch.p_value,
    } | _quantiles(seconds, is_processed, "")


def _quantiles(seconds: Any, is_processed: Any, where: str) -> dict[str, float | None]:
    curve = kaplan_meier(seconds, is_processed)
    return {
        f"{name}_seconds{where}": quantile(curve, share).value for name, share in zip(_TIMES, (0.5, 0.9), strict=True)
    }
