"""How fast an opt-out is applied: times from request to processing, those still open counted in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import polars
from numpy.typing import NDArray

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.groups import encoded, interval_columns, members
from pipelines.measures.periods import Record
from pipelines.measures.rows import measurements, row
from pipelines.statistics.estimate import Estimate, Floats
from pipelines.statistics.intervals import mean, wilson_interval
from pipelines.statistics.survival import (
    Curve,
    kaplan_meier_of_ordered,
    quantile,
    restricted_mean,
    share_within,
    survival_order,
    thinned,
)

#: Below so many spans the intervals say little more than that little is known.
FEW_SPANS = 20
#: The times within which people ask how many were applied, in hours.
WITHIN_HOURS = {1: "1_hour", 24: "24_hours", 48: "48_hours"}
#: Up to here a mean of two groups can be compared, however long their records are.
COMPARED_DAYS = 30

_DAY = 86_400.0
_HOUR = 3_600.0
_CURVE = {
    "channel": polars.String(),
    "seconds": polars.Float64(),
    "share_processed": polars.Float64(),
    "lower": polars.Float64(),
    "upper": polars.Float64(),
    "at_risk": polars.Int64(),
}
#: What metrics.response_groups says of a group besides its counts, each with its interval.
_ESTIMATES = (
    "median_seconds", "p90_seconds", "p95_seconds", "restricted_mean_seconds", "mean_30_days_seconds",
    "mean_completed_seconds", "share_within_1_hour", "share_within_24_hours", "share_within_48_hours",
    "share_within_deadline", "share_asked_again",
)  # fmt: skip
_GROUPS = {
    "channel": polars.String(),
    "dimension": polars.String(),
    "value": polars.String(),
    "month_start": polars.Date(),
    **dict.fromkeys(
        ("span_count", "processed_count", "open_count", "due_count", "within_deadline_count", "asked_again_count"),
        polars.Int64(),
    ),
    "is_small": polars.Boolean(),
    "restricted_to_seconds": polars.Float64(),
    **{f"{name}{end}": polars.Float64() for name in _ESTIMATES for end in ("", "_lower", "_upper")},
}


class _Spans:
    """Opt-out spans that are measured together, in ascending order of duration: one array element per span."""

    def __init__(self, columns: dict[str, NDArray[Any]], chosen: NDArray[np.int64] | slice) -> None:
        self.seconds: Floats = columns["duration_seconds"][chosen]
        self.is_processed: NDArray[np.bool_] = columns["is_processed"][chosen]
        self.is_due: NDArray[np.bool_] = columns["is_due"][chosen]
        self.is_within_deadline: NDArray[np.bool_] = columns["is_within_deadline"][chosen]
        self.is_asked_again: NDArray[np.bool_] = columns["is_asked_again"][chosen]
        self.curve: Curve = kaplan_meier_of_ordered(self.seconds, self.is_processed)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many spans, processed, open, due, in time and asked for again."""
        processed = int(self.is_processed.sum())
        return {
            "span_count": len(self.seconds),
            "processed_count": processed,
            "open_count": len(self.seconds) - processed,
            "due_count": int(self.is_due.sum()),
            "within_deadline_count": int(self.is_within_deadline.sum()),
            "asked_again_count": int(self.is_asked_again.sum()),
        }

    @cached_property
    def estimates(self) -> dict[str, Estimate]:
        """Every estimate by its name in _ESTIMATES."""
        counts = self.counts
        return {
            "median_seconds": quantile(self.curve, 0.5),
            "p90_seconds": quantile(self.curve, 0.9),
            "p95_seconds": quantile(self.curve, 0.95),
            "restricted_mean_seconds": restricted_mean(self.curve),
            "mean_30_days_seconds": restricted_mean(self.curve, COMPARED_DAYS * _DAY),
            "mean_completed_seconds": mean(self.seconds[self.is_processed]),
            **{f"share_within_{name}": share_within(self.curve, hours * _HOUR) for hours, name in WITHIN_HOURS.items()},
            "share_within_deadline": _share(counts["within_deadline_count"], counts["due_count"]),
            "share_asked_again": _share(counts["asked_again_count"], counts["span_count"]),
        }


#: The groups of one dimension: (channel, or `*` for all; the dimension's value; its spans).
_Grouped = list[tuple[str, Any, _Spans]]


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """Measurements of response_time; writes metrics.response_time_curve and metrics.response_groups."""
    by_dimension = _groups(engine)
    engine.create_from_frame("metrics.response_time_curve", _curves(by_dimension["channel"]))
    engine.create_from_frame("metrics.response_groups", _wide_rows(by_dimension))
    months = [(channel, month, spans) for channel, month, spans in by_dimension["month"]]
    return _rows([*((channel, None, spans) for channel, _, spans in by_dimension["channel"]), *months])


def _groups(engine: DuckDBEngine) -> dict[str, _Grouped]:
    """The spans by channel, and by channel and method, source and month; of all channels under `*`.

    A span on every channel belongs to the total alone.
    """
    frame = engine.frame(
        "select channel, method, source, month_start, duration_seconds, is_processed, is_due, is_within_deadline,"
        " is_asked_again from metrics.response_time"
    )
    order = survival_order(frame["duration_seconds"].to_numpy(), frame["is_processed"].to_numpy())
    frame = frame[order]
    columns = {name: frame[name].to_numpy() for name in frame.columns[4:]}
    channels, channel = encoded(frame["channel"])
    found: dict[str, _Grouped] = {"channel": [], "method": [], "source": [], "month": []}
    if len(frame):
        found["channel"].append(("*", "*", _Spans(columns, slice(None))))
    found["channel"] += [
        (channels[code], channels[code], _Spans(columns, chosen))
        for code, chosen in members(channel)
        if channels[code] != "*"
    ]
    for dimension, name in (("method", "method"), ("source", "source"), ("month", "month_start")):
        values, value = encoded(frame[name])
        found[dimension] += [("*", values[code], _Spans(columns, chosen)) for code, chosen in members(value)]
        for code, chosen in members((channel * len(values) + value).astype(np.int16)):
            if channels[code // len(values)] != "*":
                group = (channels[code // len(values)], values[code % len(values)], _Spans(columns, chosen))
                found[dimension].append(group)
    return found


def _share(count: int, of: int) -> Estimate:
    lower, upper = wilson_interval(count, of)
    return Estimate(count / of, float(lower[0]), float(upper[0])) if of else Estimate(None)


def _rows(groups: Iterable[tuple[str, date | None, _Spans]]) -> polars.DataFrame:
    rows = []
    for channel, month, spans in groups:
        count, found = spans.counts, spans.estimates
        still_open = spans.seconds[~spans.is_processed]
        oldest = Estimate(float(still_open[-1]) if len(still_open) else None)
        processed, waiting = (count["processed_count"], count["span_count"]), (count["open_count"], count["span_count"])
        measured = [
            ("kaplan_meier_median", processed, found["median_seconds"], "seconds"),
            ("kaplan_meier_p90", processed, found["p90_seconds"], "seconds"),
            ("kaplan_meier_p95", processed, found["p95_seconds"], "seconds"),
            ("restricted_mean", processed, found["restricted_mean_seconds"], "seconds"),
            ("restricted_mean_30_days", processed, found["mean_30_days_seconds"], "seconds"),
            ("mean_completed", processed, found["mean_completed_seconds"], "seconds"),
            (
                "share_within_deadline",
                (count["within_deadline_count"], count["due_count"]),
                found["share_within_deadline"],
                "share",
            ),
            (
                "share_asked_again",
                (count["asked_again_count"], count["span_count"]),
                found["share_asked_again"],
                "share",
            ),
            ("open_count", waiting, Estimate(count["open_count"]), "count"),
            ("oldest_open_age", waiting, oldest, "seconds"),
        ]
        for hours, name in WITHIN_HOURS.items():
            done = int(np.searchsorted(spans.seconds[spans.is_processed], hours * _HOUR, side="right"))
            share = found[f"share_within_{name}"]
            measured.append((f"share_within_{name}", (done, count["span_count"]), share, "share"))
        rows += [
            row("response_time", definition, month, channel, counts, estimate, unit)
            for definition, counts, estimate, unit in measured
        ]
    return measurements(rows)


def _wide_rows(by_dimension: dict[str, _Grouped]) -> polars.DataFrame:
    rows: list[dict[str, Any]] = []
    for dimension, groups in by_dimension.items():
        for channel, value, spans in groups:
            rows.append({
                "channel": channel, "dimension": dimension, "value": str(value),
                "month_start": value if dimension == "month" else None, "is_small": len(spans.seconds) < FEW_SPANS,
                "restricted_to_seconds": spans.curve.longest, **spans.counts, **interval_columns(spans.estimates),
            })  # fmt: skip
    return polars.DataFrame(rows, schema=_GROUPS, strict=False).sort("channel", "dimension", "value")


def _curves(groups: Iterable[tuple[str, Any, _Spans]]) -> polars.DataFrame:
    """The Kaplan-Meier steps of the whole record, for all channels and each, thinned where there are very many."""
    return polars.concat([polars.DataFrame(schema=_CURVE), *_steps(groups)]).sort("channel", "seconds")


def _steps(groups: Iterable[tuple[str, Any, _Spans]]) -> Iterator[polars.DataFrame]:
    for channel, _, spans in groups:
        curve, kept = spans.curve, thinned(spans.curve)
        columns = {
            "channel": [channel] * len(kept),
            "seconds": curve.seconds[kept],
            "share_processed": curve.share[kept],
            "lower": curve.lower[kept],
            "upper": curve.upper[kept],
            "at_risk": curve.at_risk[kept],
        }
        yield polars.DataFrame(columns, schema=_CURVE).with_columns(polars.col("lower", "upper").fill_nan(None))
