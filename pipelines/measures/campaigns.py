"""Which campaigns drive people away: a league of each channel and period that crowns no campaign by chance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record
from pipelines.measures.rows import measurements
from pipelines.statistics.estimate import Floats
from pipelines.statistics.intervals import wilson_interval
from pipelines.statistics.multiplicity import false_discovery_rates
from pipelines.statistics.standings import (
    funnel_limits,
    rate_ratios,
    relative_spread,
    shrunken_rates,
    standing_out_p_values,
)

#: False-discovery rate among the campaigns named, within a channel and period.
ALERT_LEVEL = 0.05
#: A campaign of fewer opt-outs is never named: one or two are an anecdote, whatever their p value.
FEWEST_OPT_OUTS = 3
#: One-sided tails of the funnel's limits: 95 % and 99.8 %.
_INNER, _OUTER = 0.025, 0.001
#: Points of a funnel's curves, evenly spaced on a logarithmic scale of messages.
_FUNNEL_POINTS = 40

_KEY = {"grain": polars.String(), "period_start": polars.Date(), "channel": polars.String()}
_CAMPAIGNS = _KEY | {
    "campaign_id": polars.String(),
    "name": polars.String(),
    "program": polars.String(),
    "language": polars.String(),
    "delivered_count": polars.Int64(),
    "opt_out_count": polars.Int64(),
    **dict.fromkeys(
        (
            "rate", "lower", "upper", "rest_rate", "ratio", "ratio_lower", "ratio_upper", "excess_opt_outs",
            "shrunken_rate", "shrunken_lower", "shrunken_upper", "limit_lower_95", "limit_upper_95",
            "limit_lower_998", "limit_upper_998", "p_value", "q_value",
        ),
        polars.Float64(),
    ),
    "is_alert": polars.Boolean(),
    "league_rank": polars.Int64(),
}  # fmt: skip
_FUNNELS = _KEY | {
    "message_count": polars.Float64(),
    "centre": polars.Float64(),
    "lower_95": polars.Float64(),
    "upper_95": polars.Float64(),
    "lower_998": polars.Float64(),
    "upper_998": polars.Float64(),
    "relative_spread": polars.Float64(),
}


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """No measurements; writes metrics.campaigns and metrics.campaign_funnels."""
    leagues, funnels = [polars.DataFrame(schema=_CAMPAIGNS)], [polars.DataFrame(schema=_FUNNELS)]
    for key, counts in _groups(engine):
        league, funnel = _league(counts)
        place = [polars.lit(value, dtype=_KEY[name]).alias(name) for name, value in zip(_KEY, key, strict=True)]
        leagues.append(league.with_columns(place).select(*_CAMPAIGNS).cast(_CAMPAIGNS))  # type: ignore[arg-type]
        funnels.append(funnel.with_columns(place).select(*_FUNNELS).cast(_FUNNELS))  # type: ignore[arg-type]
    engine.create_from_frame("metrics.campaigns", polars.concat(leagues))
    engine.create_from_frame("metrics.campaign_funnels", polars.concat(funnels))
    return measurements([])


def _groups(engine: DuckDBEngine) -> Iterator[tuple[tuple[str, date | None, str], polars.DataFrame]]:
    """Grain, period and channel with the counts of its campaigns, in order; what belongs to none has a null id."""
    months = engine.frame(
        "select channel, campaign_id, month_start, name, program, language, delivered_count, opt_out_count"
        " from metrics.campaign_counts order by channel, campaign_id nulls first, month_start"
    )
    program = polars.when(polars.col("program").n_unique() == 1).then(polars.col("program").first())
    whole = months.group_by("channel", "campaign_id", maintain_order=True).agg(
        polars.lit(None, dtype=polars.Date()).alias("month_start"),
        polars.col("name").first(),
        program.alias("program"),
        polars.col("language").first(),
        polars.col("delivered_count", "opt_out_count").sum(),
    )
    both = polars.concat([whole.select(months.columns), months])
    parts = both.partition_by("month_start", "channel", as_dict=True)
    for month, channel in sorted(parts, key=lambda key: (key[0] is not None, key[0], key[1])):
        yield ("month" if month else "all", month, channel), parts[month, channel]


def _league(counts: polars.DataFrame) -> tuple[polars.DataFrame, polars.DataFrame]:
    """The campaigns of one channel and period, judged, and the funnel they are judged by.

    Campaigns of which nothing was delivered are listed and not judged.
    """
    listed = counts.filter(polars.col("campaign_id").is_not_null())
    n_all, k_all = (float(counts[name].sum()) for name in ("delivered_count", "opt_out_count"))
    n, k = (listed[name].to_numpy().astype(np.float64) for name in ("delivered_count", "opt_out_count"))
    # An opt-out of a message whose delivery was never reported is no share of those delivered.
    within = np.minimum(k, n)
    judged = n > 0
    rest_n, rest_k = n_all - n, k_all - k
    p_values = standing_out_p_values(within[judged], n[judged], rest_k[judged], rest_n[judged])
    q_values = false_discovery_rates(p_values)
    ratio, ratio_lower, ratio_upper = rate_ratios(k[judged], n[judged], rest_k[judged], rest_n[judged])
    is_alert = (q_values < ALERT_LEVEL) & (ratio > 1) & (k[judged] >= FEWEST_OPT_OUTS)
    usual_k, usual_n = within[judged][~is_alert], n[judged][~is_alert]
    spread = relative_spread(usual_k, usual_n) if len(usual_k) > 1 else 0.0
    centre = min(k_all / n_all, 1.0) if n_all else 0.0
    inner, outer = (funnel_limits(n[judged], centre, spread, tail) for tail in (_INNER, _OUTER))
    shrunken = shrunken_rates(within[judged], n[judged])
    lower, upper = wilson_interval(within[judged], n[judged])
    with np.errstate(divide="ignore", invalid="ignore"):
        rest_rate = np.where(rest_n > 0, rest_k / rest_n, np.nan)[judged]
    columns: dict[str, Floats] = {
        "rate": k[judged] / n[judged], "lower": lower, "upper": upper, "rest_rate": rest_rate, "ratio": ratio,
        "ratio_lower": ratio_lower, "ratio_upper": ratio_upper,
        "excess_opt_outs": k[judged] - n[judged] * rest_rate, "shrunken_rate": shrunken[0],
        "shrunken_lower": shrunken[1], "shrunken_upper": shrunken[2], "limit_lower_95": inner[0],
        "limit_upper_95": inner[1], "limit_lower_998": outer[0], "limit_upper_998": outer[1],
        # Without a rest there is nothing to compare with.
        "p_value": np.where(np.isnan(rest_rate), np.nan, p_values),
        "q_value": np.where(np.isnan(rest_rate), np.nan, q_values),
    }  # fmt: skip
    league = listed.with_columns(
        [polars.Series(name, _spread_out(values, judged)).fill_nan(None) for name, values in columns.items()]
    ).with_columns(
        polars.Series("is_alert", _spread_out(is_alert.astype(np.float64), judged) == 1),
        polars.col("shrunken_rate").rank("ordinal", descending=True).alias("league_rank"),
    )
    return league.sort("league_rank", "campaign_id", nulls_last=True), _funnel(n[judged], centre, spread)


def _spread_out(values: Floats, judged: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    """Values of the judged campaigns in the places of all; NaN for the others."""
    every = np.full(len(judged), np.nan)
    every[judged] = values
    return every


def _funnel(n: Floats, centre: float, spread: float) -> polars.DataFrame:
    """The limits around the channel's rate from the smallest campaign to the largest."""
    if not len(n):
        return polars.DataFrame(schema={name: kind for name, kind in _FUNNELS.items() if name not in _KEY})
    at = np.geomspace(max(1.0, n.min() * 0.8), n.max() * 1.2, _FUNNEL_POINTS)
    inner, outer = (funnel_limits(at, centre, spread, tail) for tail in (_INNER, _OUTER))
    return polars.DataFrame(
        {
            "message_count": at, "centre": np.full(len(at), centre), "lower_95": inner[0], "upper_95": inner[1],
            "lower_998": outer[0], "upper_998": outer[1], "relative_spread": np.full(len(at), spread),
        }
    )  # fmt: skip
