"""When and how often to send: opt-outs per message by hour, weekday, pressure, position, template and language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import polars
from numpy.typing import NDArray

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record
from pipelines.measures.rows import measurements
from pipelines.statistics.estimate import Floats
from pipelines.statistics.intervals import wilson_interval
from pipelines.statistics.multiplicity import false_discovery_rates
from pipelines.statistics.stratified import FEWEST_SUCCESSES, GroupTest, common_ratio, groups_test

#: Dimensions whose buckets have an order in which a trend is sought.
ORDERED = ("messages_7_days", "messages_30_days", "sequence_position")
#: Dimensions that are shown and not tested: their buckets are those of two others crossed.
CROSSED = ("weekday_hour",)
#: How the buckets that a source did not tell are named.
NOT_KNOWN = "not known"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_KEY = {
    "grain": polars.String(),
    "period_start": polars.Date(),
    "channel": polars.String(),
    "dimension": polars.String(),
}
_BREAKDOWNS = _KEY | {
    "bucket": polars.String(),
    "place": polars.Int64(),
    "message_count": polars.Int64(),
    "known_count": polars.Int64(),
    "opt_out_count": polars.Int64(),
    **dict.fromkeys(
        ("rate", "lower", "upper", "ratio", "ratio_lower", "ratio_upper", "p_value", "q_value"), polars.Float64()
    ),
}
_TESTS = _KEY | {
    "bucket_count": polars.Int64(),
    "message_count": polars.Int64(),
    "opt_out_count": polars.Int64(),
    "statistic": polars.Float64(),
    "degrees": polars.Int64(),
    "dispersion": polars.Float64(),
    "p_value": polars.Float64(),
    "q_value": polars.Float64(),
    "trend_p_value": polars.Float64(),
    "trend_q_value": polars.Float64(),
    "trend_sign": polars.Int64(),
    "high_bucket": polars.String(),
    "low_bucket": polars.String(),
    "ratio": polars.Float64(),
    "ratio_lower": polars.Float64(),
    "ratio_upper": polars.Float64(),
}
#: One row per dimension, bucket, channel, stratum (week of sending, or month in which a sequence began) and month.
_CELLS = {
    "dimension": polars.String(),
    "place": polars.Int64(),
    "bucket": polars.String(),
    "channel": polars.String(),
    "stratum": polars.Date(),
    "month": polars.Date(),
    "message_count": polars.Int64(),
    "known_count": polars.Int64(),
    "opt_out_count": polars.Int64(),
}


Flags = NDArray[np.bool_]


class _Part(NamedTuple):
    """One grain, period, channel and dimension: its buckets in order, and their counts by bucket and stratum."""

    key: tuple[str, date | None, str, str]
    buckets: list[tuple[int, str]]
    messages: Floats
    known: Floats
    opt_outs: Floats


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """No measurements; writes metrics.message_breakdowns and metrics.breakdown_tests."""
    parts = list(_parts(_cells(engine)))
    columns, tests = [], []
    for part in parts:
        dimension = part.key[3]
        is_known = np.array([bucket != NOT_KNOWN for _, bucket in part.buckets])
        tested = None
        if dimension not in CROSSED and is_known.any():
            counts = part.opt_outs[is_known], part.messages[is_known]
            tested = groups_test(*counts, is_ordered=dimension in ORDERED)
        columns.append(_bucket_columns(part, is_known, tested))
        if dimension not in CROSSED:
            tests.append(_test_row(part, is_known, tested))
    engine.create_from_frame("metrics.message_breakdowns", _bucket_frame(parts, columns))
    listed = polars.DataFrame(tests, schema=_TESTS, orient="row")
    # The dimensions of one channel and period are as many chances to find something.
    groups = listed.partition_by("grain", "period_start", "channel", maintain_order=True)
    with_q_values = [
        group.with_columns(
            polars.Series(
                name.replace("p_value", "q_value"), false_discovery_rates(group[name].to_numpy().astype(np.float64))
            ).fill_nan(None)
            for name in ("p_value", "trend_p_value")
        )
        for group in groups
    ]
    engine.create_from_frame("metrics.breakdown_tests", polars.concat([listed.clear(), *with_q_values]))
    return measurements([])


def _cells(engine: DuckDBEngine) -> polars.DataFrame:
    """Messages and opt-outs by dimension, bucket, channel, stratum and month."""
    messages = [
        ("sending_counts", "delivered_count", "sent_on", ("hour", "weekday", "weekday_hour", "template")),
        ("language_counts", "delivered_count", "sent_on", ("language",)),
        ("pressure_counts", "delivered_count", "sent_on", ("messages_7_days", "messages_30_days")),
        ("sequences", "message_count", "first_month", ("sequence_position",)),
    ]
    bounds = engine.frame(
        "select dimension, place, bucket, from_count, to_count from reference.count_buckets order by dimension, place"
    )
    opt_outs = engine.frame("select * from metrics.opt_out_messages").with_columns(opt_out_count=1)
    cells = [polars.DataFrame(schema=_CELLS)]
    for relation, counted, day, dimensions in messages:
        counts = engine.frame(f"select * from metrics.{relation}")
        if relation == "sequences":
            counts = _positions(counts, bounds.filter(polars.col("dimension") == "sequence_position"))
        if counted != "message_count":
            counts = counts.with_columns(message_count=polars.col(counted))
        for dimension in dimensions:
            for frame, name in ((counts, "message_count"), (opt_outs, "opt_out_count")):
                known = polars.col(name) * polars.col("is_zone_known") if "is_zone_known" in frame.columns else (
                    polars.col(name)
                )  # fmt: skip
                month = polars.lit(None, dtype=polars.Date()) if day == "first_month" else (
                    polars.col(day).dt.truncate("1mo")
                )  # fmt: skip
                cells.append(
                    _bucketed(frame, dimension, bounds)
                    .with_columns(
                        stratum=polars.col(day).dt.truncate("1mo" if day == "first_month" else "1w"),
                        month=month,
                        message_count=polars.col(name) if name == "message_count" else polars.lit(0),
                        known_count=known if name == "message_count" else polars.lit(0),
                        opt_out_count=polars.col(name) if name == "opt_out_count" else polars.lit(0),
                        dimension=polars.lit(dimension),
                    )
                    .group_by("dimension", "place", "bucket", "channel", "stratum", "month")
                    .agg(polars.col("message_count", "known_count", "opt_out_count").cast(polars.Int64()).sum())
                    .select(*_CELLS)
                    .cast(_CELLS)  # type: ignore[arg-type]
                )
    key = [name for name in _CELLS if not name.endswith("_count")]
    return polars.concat(cells).group_by(key).agg(polars.col("message_count", "known_count", "opt_out_count").sum())


def _positions(sequences: polars.DataFrame, bounds: polars.DataFrame) -> polars.DataFrame:
    """Messages by position from sequences by length: a sequence of n messages has one at each place up to n."""
    crossed = sequences.join(bounds, how="cross").filter(polars.col("message_count") >= polars.col("from_count"))
    last = polars.min_horizontal("message_count", polars.col("to_count"))
    return crossed.select(
        "channel",
        "first_month",
        polars.col("from_count").alias("sequence_position"),
        ((last - polars.col("from_count") + 1) * polars.col("sequence_count")).alias("message_count"),
    )


def _bucketed(frame: polars.DataFrame, dimension: str, bounds: polars.DataFrame) -> polars.DataFrame:
    """The frame with the `place` and `bucket` of each row in a dimension."""
    hour, weekday = polars.col("local_hour").cast(polars.Int64()), polars.col("local_weekday").cast(polars.Int64())
    hour_name = polars.format("{}:00", hour.cast(polars.String()).str.zfill(2))
    weekday_name = (weekday - 1).replace_strict(dict(enumerate(WEEKDAYS)), return_dtype=polars.String())
    if dimension == "hour":
        return frame.with_columns(place=hour, bucket=hour_name)
    if dimension == "weekday":
        return frame.with_columns(place=weekday, bucket=weekday_name)
    if dimension == "weekday_hour":
        return frame.with_columns(
            place=(weekday - 1) * 24 + hour, bucket=polars.concat_str(weekday_name, hour_name, separator=" ")
        )
    if dimension in ("template", "language"):
        column = "template_id" if dimension == "template" else "language"
        return frame.with_columns(
            place=polars.col(column).is_null().cast(polars.Int64()), bucket=polars.col(column).fill_null(NOT_KNOWN)
        )
    edges = bounds.filter(polars.col("dimension") == dimension)
    place = polars.lit(None, dtype=polars.Int64())
    for from_count, number in edges.select("from_count", "place").iter_rows():
        place = polars.when(polars.col(dimension) >= from_count).then(polars.lit(number)).otherwise(place)
    names = dict(edges.select("place", "bucket").iter_rows())
    return frame.with_columns(place=place).with_columns(
        bucket=polars.col("place").replace_strict(names, return_dtype=polars.String())
    )


def _parts(cells: polars.DataFrame) -> Iterator[_Part]:
    """The counts of every grain, period, channel (`*` = all) and dimension, in order."""
    every = polars.lit("*").alias("part_channel")
    whole = polars.lit(None, dtype=polars.Date()).alias("part_month")
    own, month = polars.col("channel").alias("part_channel"), polars.col("month").alias("part_month")
    dated = cells.filter(polars.col("month").is_not_null())
    parts = polars.concat(
        [
            frame.with_columns(chosen, period)
            for frame, period in ((cells, whole), (dated, month))
            for chosen in (every, own)
        ]
    )
    # Channels are strata too: what all of them have in common is not the difference between two of them.
    key = ("part_month", "part_channel", "dimension")
    parts = parts.with_columns(
        part=polars.struct(*key).rank("dense"),
        group=polars.struct("place", "bucket").rank("dense"),
        cell=polars.struct("channel", "stratum").rank("dense"),
    ).sort("part", "group")
    numbers = parts["part"].to_numpy()
    edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)] if len(numbers) else []
    group, cell = parts["group"].to_numpy(), parts["cell"].to_numpy()
    counted = [parts[name].to_numpy() for name in ("message_count", "known_count", "opt_out_count")]
    for start, end in pairwise(edges):
        rows = np.unique(group[start:end], return_index=True, return_inverse=True)
        columns = np.unique(cell[start:end], return_inverse=True)
        matrices = []
        for counts in counted:
            matrix = np.zeros((len(rows[0]), len(columns[0])))
            np.add.at(matrix, (rows[2], columns[1]), counts[start:end])
            matrices.append(matrix)
        month_start, channel, dimension = parts.select(key).row(start)
        buckets = parts[start + rows[1]].select("place", "bucket").rows()
        yield _Part(("month" if month_start else "all", month_start, channel, dimension), buckets, *matrices)


def _bucket_columns(part: _Part, is_known: Flags, tested: GroupTest | None) -> dict[str, Floats]:
    """The buckets of one dimension: rate with Wilson's interval, and how it compares with the other buckets."""
    n, k = part.messages.sum(axis=1), part.opt_outs.sum(axis=1)
    # An opt-out of a message whose delivery was never reported is no share of those delivered.
    lower, upper = wilson_interval(np.minimum(k, n), n)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(n > 0, k / n, np.nan)
    compared = np.full((4, len(n)), np.nan)
    if tested is not None:
        compared[:3, is_known] = _ratios(part.opt_outs[is_known], part.messages[is_known], tested.dispersion)
        compared[3, is_known] = tested.group_p_values
    return {
        "message_count": n, "known_count": part.known.sum(axis=1), "opt_out_count": k, "rate": rate, "lower": lower,
        "upper": upper, "ratio": compared[0], "ratio_lower": compared[1], "ratio_upper": compared[2],
        "p_value": compared[3], "q_value": false_discovery_rates(compared[3]),
    }  # fmt: skip


def _bucket_frame(parts: list[_Part], columns: list[dict[str, Floats]]) -> polars.DataFrame:
    """The buckets of all parts as one table."""
    if not parts:
        return polars.DataFrame(schema=_BREAKDOWNS)
    keys = [(*part.key, bucket, place) for part in parts for place, bucket in part.buckets]
    named = polars.DataFrame(keys, schema=_KEY | {"bucket": polars.String(), "place": polars.Int64()}, orient="row")
    values = [polars.Series(name, np.concatenate([one[name] for one in columns])) for name in columns[0]]
    found = named.with_columns(values).with_columns(polars.col(polars.Float64()).fill_nan(None))
    return found.select(*_BREAKDOWNS).cast(_BREAKDOWNS)  # type: ignore[arg-type]


def _ratios(opt_outs: Floats, messages: Floats, dispersion: float) -> Floats:
    """Each bucket's rate as a multiple of the others', in the same strata: value, lower and upper bound as rows."""
    k, n = opt_outs.sum(axis=0), messages.sum(axis=0)
    ratios = [
        common_ratio((own_k, own_n), (k - own_k, n - own_n), dispersion)
        for own_k, own_n in zip(opt_outs, messages, strict=True)
    ]
    bounds = [[ratio.value, ratio.lower, ratio.upper] for ratio in ratios]
    return np.array(bounds, dtype=np.float64).T


def _test_row(part: _Part, is_known: Flags, tested: GroupTest | None) -> dict[str, Any]:
    """The test of one dimension, and the comparison that tells how much it matters.

    Of ordered buckets the highest (together at least enough opt-outs to judge, were all rates equal) with the lowest;
    of others the bucket that stands out most with all others.
    """
    n, k = part.messages.sum(axis=1)[is_known], part.opt_outs.sum(axis=1)[is_known]
    names = [bucket for _, bucket in part.buckets if bucket != NOT_KNOWN]
    row: dict[str, Any] = dict(zip(_KEY, part.key, strict=True))
    row |= {"bucket_count": int((n > 0).sum()), "message_count": int(n.sum()), "opt_out_count": int(k.sum())}
    if tested is None:
        return row
    row |= {"statistic": tested.statistic, "degrees": tested.degrees, "dispersion": tested.dispersion}
    row |= {"p_value": tested.p_value, "trend_p_value": tested.trend_p_value, "trend_sign": tested.trend_sign}
    if part.key[3] in ORDERED:
        first = _highest(n, k.sum() / n.sum())
        chosen, others = np.arange(len(n)) >= first, np.arange(len(n)) == 0
        row |= {"high_bucket": names[first], "low_bucket": names[0]}
    else:
        if np.isnan(tested.group_p_values).all():
            return row
        most = int(np.nanargmin(tested.group_p_values))
        chosen = np.arange(len(n)) == most
        others = ~chosen
        row |= {"high_bucket": names[most]}
    opt_outs, messages = part.opt_outs[is_known], part.messages[is_known]
    high, low = ((opt_outs[picked].sum(axis=0), messages[picked].sum(axis=0)) for picked in (chosen, others))
    ratio = common_ratio(high, low, tested.dispersion)
    return row | {"ratio": ratio.value, "ratio_lower": ratio.lower, "ratio_upper": ratio.upper}


def _highest(n: Floats, rate: float) -> int:
    """The first of the highest buckets that together would have enough opt-outs to judge; the second at least."""
    expected = np.cumsum((n * rate)[::-1])[::-1]
    return int(max(1, np.flatnonzero(expected >= FEWEST_SUCCESSES).max(initial=1)))
