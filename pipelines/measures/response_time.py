"""How fast an opt-out is applied: times from request to processing, those still open counted in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
import polars
from numpy.typing import NDArray

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record
from pipelines.measures.rows import measurements, row
from pipelines.statistics.estimate import Estimate, Floats
from pipelines.statistics.intervals import mean, wilson_interval
from pipelines.statistics.survival import ProcessedCurve, kaplan_meier, processed_quantile, restricted_mean

_CURVE = {
    "channel": polars.String(),
    "seconds": polars.Float64(),
    "share_processed": polars.Float64(),
    "lower": polars.Float64(),
    "upper": polars.Float64(),
    "at_risk": polars.Int64(),
}


class _ResponseTimes(NamedTuple):
    """The opt-out spans of one channel (`*` = all) and month (None = whole record), one array element per span."""

    channel: str
    month_start: date | None
    seconds: Floats
    is_processed: NDArray[np.bool_]
    is_due: NDArray[np.bool_]
    is_within_deadline: NDArray[np.bool_]
    curve: ProcessedCurve


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """Measurements of response_time; writes metrics.response_time_curve."""
    groups = list(_groups(engine))
    engine.create_from_frame("metrics.response_time_curve", _curves(groups))
    return _rows(groups)


def _groups(engine: DuckDBEngine) -> Iterator[_ResponseTimes]:
    """The response times of every channel and month that has opt-out spans, and of all of them."""
    spans = engine.frame(
        "select channel, month_start, duration_seconds, is_processed, is_due, is_within_deadline"
        " from metrics.response_time"
    ).sort("duration_seconds")
    # Spans on every channel belong to the total alone.
    by_channel = polars.concat(
        [spans.with_columns(channel=polars.lit("*")), spans.filter(polars.col("channel") != "*")]
    )
    whole_record = by_channel.with_columns(month_start=polars.lit(None, dtype=polars.Date()))
    groups = polars.concat([by_channel, whole_record]).partition_by("channel", "month_start", as_dict=True)
    for (channel, month_start), group in groups.items():
        seconds, is_processed = group["duration_seconds"].to_numpy(), group["is_processed"].to_numpy()
        is_due, is_within_deadline = group["is_due"].to_numpy(), group["is_within_deadline"].to_numpy()
        curve = kaplan_meier(seconds, is_processed)
        yield _ResponseTimes(channel, month_start, seconds, is_processed, is_due, is_within_deadline, curve)


def _rows(groups: Iterable[_ResponseTimes]) -> polars.DataFrame:
    rows = []
    for group in groups:
        spans, processed = len(group.seconds), int(group.is_processed.sum())
        due, within = int(group.is_due.sum()), int(group.is_within_deadline.sum())
        still_open = group.seconds[~group.is_processed]
        lower, upper = wilson_interval(within, due)
        on_time = Estimate(within / due, float(lower[0]), float(upper[0])) if due else Estimate(None)
        oldest = Estimate(float(still_open.max()) if len(still_open) else None)
        for definition, counts, estimate, unit in (
            ("kaplan_meier_median", (processed, spans), processed_quantile(group.curve, 0.5), "seconds"),
            ("kaplan_meier_p90", (processed, spans), processed_quantile(group.curve, 0.9), "seconds"),
            ("kaplan_meier_p95", (processed, spans), processed_quantile(group.curve, 0.95), "seconds"),
            ("restricted_mean", (processed, spans), restricted_mean(group.seconds, group.is_processed), "seconds"),
            ("mean_completed", (processed, spans), mean(group.seconds[group.is_processed]), "seconds"),
            ("share_within_deadline", (within, due), on_time, "share"),
            ("open_count", (len(still_open), spans), Estimate(len(still_open)), "count"),
            ("oldest_open_age", (len(still_open), spans), oldest, "seconds"),
        ):
            rows.append(row("response_time", definition, group.month_start, group.channel, counts, estimate, unit))
    return measurements(rows)


def _curves(groups: Iterable[_ResponseTimes]) -> polars.DataFrame:
    """The Kaplan-Meier steps of the whole record, for all channels and each."""
    steps = [
        polars.DataFrame(
            {
                "channel": [group.channel] * len(group.curve.seconds),
                "seconds": group.curve.seconds,
                "share_processed": group.curve.share_processed,
                "lower": group.curve.lower,
                "upper": group.curve.upper,
                "at_risk": group.curve.at_risk,
            },
            schema=_CURVE,
        ).with_columns(polars.col("lower", "upper").fill_nan(None))
        for group in groups
        if group.month_start is None
    ]
    return polars.concat([polars.DataFrame(schema=_CURVE), *steps]).sort("channel", "seconds")
