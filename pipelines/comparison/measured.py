"""Measurements of two snapshots side by side: what differs, whether its period was over then, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars

from pipelines.comparison.causes import Causes
from pipelines.comparison.reported import Reported
from pipelines.measures.rows import KEY

COUNTED = ("numerator", "denominator", "value", "lower", "upper")
#: Two numbers are the same within this share of the larger: sums of fractions may be added up in another order.
TOLERANCE = 1e-9
#: What `why` may say beside the causes that are no load.
_OF_LOADS = ("late_records", "new_records", "other_records")
#: The definitions of the headline numbers that are of a month.
_HEADLINES = {"opt_out_rate": "heed", "response_time": "kaplan_meier_median"}
_FAMILY = ("metric", "definition", "grain")


def _last_day_after() -> polars.Expr:
    """The first day after a measurement's period; null where it is the whole record."""
    start, grain = polars.col("period_start"), polars.col("grain")
    days = grain.str.extract(r"^rolling_(\d+)_days$").cast(polars.Int64)
    return (
        polars.when(grain == "day").then(start.dt.offset_by("1d"))
        .when(grain == "week").then(start.dt.offset_by("7d"))
        .when(grain == "month").then(start.dt.offset_by("1mo"))
        .when(days.is_not_null()).then(start + polars.duration(days=days))
    )  # fmt: skip


def _is_same() -> polars.Expr:
    checks = []
    for name in COUNTED:
        then, now = polars.col(f"{name}_then"), polars.col(f"{name}_now")
        near = (then - now).abs() <= TOLERANCE * polars.max_horizontal(then.abs(), now.abs())
        checks.append(near.fill_null(value=False) | then.eq_missing(now))
    return polars.all_horizontal(checks)


def compare(then: Reported, now: Reported, causes: Causes) -> polars.DataFrame:
    """One row per measurement that either snapshot holds, the ones that matter most first.

    Columns: the key, unit, numerator to upper with `_then` and `_now`, difference, change (changed, only_now,
    only_then, same), was_over_then, is_restated, why (names of causes), loads (their ids).
    """
    sides = [
        one.measurements.rename({name: f"{name}_{side}" for name in (*COUNTED, "unit")}).with_columns(
            **{f"held_{side}": polars.lit(value=True)}
        )
        for one, side in ((then, "then"), (now, "now"))
    ]
    joined = sides[0].join(sides[1], on=list(KEY), how="full", nulls_equal=True, coalesce=True)
    held_then, held_now = (polars.col(f"held_{side}").is_not_null() for side in ("then", "now"))
    table = joined.with_columns(
        unit=polars.coalesce("unit_now", "unit_then"),
        difference=polars.col("value_now") - polars.col("value_then"),
        change=polars.when(~held_then).then(polars.lit("only_now"))
        .when(~held_now).then(polars.lit("only_then"))
        .when(_is_same()).then(polars.lit("same"))
        .otherwise(polars.lit("changed")),
        ends_on=_last_day_after(),
    )  # fmt: skip
    table = table.with_columns(was_over_then=_was_over(then, now), is_comparable=_is_comparable(then, now, causes))
    table = table.with_columns(
        is_restated=polars.col("was_over_then") & (polars.col("change") != "same") & polars.col("is_comparable")
    )
    return _ordered(_explained(table, causes)).select(
        *KEY, "unit", *(f"{name}_{side}" for name in COUNTED for side in ("then", "now")), "difference", "change",
        "was_over_then", "is_restated", "why", "loads",
    )  # fmt: skip


def _was_over(then: Reported, now: Reported) -> polars.Expr:
    """Whether the period was over when the first snapshot was made; the whole record: whether both end together."""
    if then.as_of_on is None:
        return polars.lit(value=False)
    whole = polars.lit(then.as_of == now.as_of)
    return polars.when(polars.col("ends_on").is_null()).then(whole).otherwise(polars.col("ends_on") <= then.as_of_on)


def _is_comparable(then: Reported, now: Reported, causes: Causes) -> polars.Expr:
    """False for a kind of number that one of two versions of heed did not measure at all: nothing was reported."""
    if not {"version", "not_recorded"} & set(causes.others):
        return polars.lit(value=True)
    once = _families(then) ^ _families(now)
    return ~polars.concat_str(_FAMILY, separator="\n").is_in(["\n".join(family) for family in once])


def _families(reported: Reported) -> set[tuple[str, ...]]:
    return set(reported.measurements.select(_FAMILY).unique().iter_rows())


def measured_once(then: Reported, now: Reported) -> list[str]:
    """Metrics that only one of the two measured, a sentence each."""
    metrics = [set(one.measurements["metric"]) for one in (then, now)]
    if not all(metrics):
        return []
    found = []
    for only, run in ((metrics[1] - metrics[0], then), (metrics[0] - metrics[1], now)):
        if only:
            found.append(f"Run {run.run_id} has no {', '.join(sorted(only))}.")
    return found


def _explained(table: polars.DataFrame, causes: Causes) -> polars.DataFrame:
    """The table with `loads` (which hold other records of that period and channel) and `why`."""
    changed = table.filter(polars.col("change") != "same")
    places = changed.select("grain", "period_start", "ends_on", "channel").unique()
    bearing = _bearing(places, causes)
    table = table.join(bearing, on=["grain", "period_start", "channel"], how="left", nulls_equal=True)
    is_bearing = polars.col("loads").is_not_null()
    has_loads = len(causes.loads) > 0
    late = polars.col("has_late").fill_null(value=False)
    new = polars.col("has_new").fill_null(value=False)
    # A moved end explains what the records of the period itself do not: requests still open are older now.
    tests = {
        "late_records": late,
        "new_records": new,
        "other_records": ~is_bearing & polars.lit(value=has_loads),
        "end_of_data": polars.lit("end_of_data" in causes.others)
        & (~is_bearing | polars.col("ends_on").is_null() | (polars.col("metric") == "response_time")),
    }
    tests |= {
        name: polars.lit(value=True) for name in causes.others if name not in {"end_of_data", "waivers", "not_recorded"}
    }
    why = polars.concat_list([
        polars.when(test).then(polars.lit(name)).otherwise(polars.lit(None, dtype=polars.String))
        for name, test in tests.items()
    ]).list.drop_nulls()  # fmt: skip
    nothing = "not_recorded" if "not_recorded" in causes.others else "unexplained"
    nobody = polars.lit([], dtype=polars.List(polars.String))
    is_changed = polars.col("change") != "same"
    return table.with_columns(why=why).with_columns(
        why=polars.when(~is_changed).then(nobody)
        .when(polars.col("why").list.len() == 0).then(polars.lit([nothing]))
        .otherwise(polars.col("why")),
        loads=polars.when(is_changed & is_bearing).then(polars.col("loads")).otherwise(nobody),
    )  # fmt: skip


def _bearing(places: polars.DataFrame, causes: Causes) -> polars.DataFrame:
    """Per period and channel: the changed loads with records in it, and whether any are late or new."""
    days = causes.days.filter(polars.col("on_date").is_not_null()).rename({"channel": "load_channel"})
    channels = [polars.col("channel") == "*", polars.col("load_channel") == "*"]
    within = places.filter(polars.col("ends_on").is_not_null()).join_where(
        days, polars.col("on_date") >= polars.col("period_start"), polars.col("on_date") < polars.col("ends_on")
    )
    whole = places.filter(polars.col("ends_on").is_null()).join(days, how="cross")
    matched = polars.concat([within, whole.select(within.columns)]).filter(
        polars.any_horizontal(*channels, polars.col("channel") == polars.col("load_channel"))
    )
    return matched.group_by("grain", "period_start", "channel").agg(
        loads=polars.col("load_id").unique().sort(),
        has_late=polars.col("is_late").any(),
        has_new=polars.col("is_new").any(),
    )


def _ordered(table: polars.DataFrame) -> polars.DataFrame:
    """Restated numbers first, the broadest and the newest before others."""
    names = ("channel", "program", "campaign_id", "reason")
    depth = polars.sum_horizontal([(polars.col(name) != "*").cast(polars.Int32) for name in names])
    grains = {"all": 0, "month": 1, "week": 2}
    changes = {"changed": 0, "only_now": 1, "only_then": 2, "same": 3}
    return table.sort(
        ~polars.col("is_restated"), polars.col("change").replace_strict(changes), depth,
        polars.col("grain").replace_strict(grains, default=3), "metric", "definition",
        polars.col("period_start").dt.epoch("d").fill_null(0) * -1, "grain", *names,
        nulls_last=False,
    )  # fmt: skip


def chosen(table: polars.DataFrame, columns: dict[str, str]) -> polars.DataFrame:
    """The rows with these values."""
    for name, value in columns.items():
        table = table.filter(polars.col(name) == value)
    return table


def changed(table: polars.DataFrame) -> polars.DataFrame:
    """The rows that are not the same in both."""
    return table.filter(polars.col("change") != "same")


def counts(table: polars.DataFrame) -> dict[str, int]:
    """How many numbers are restated (of them by late records), changed because their period was not over, are in one
    snapshot only, or the same; and how many changed for no reason on record."""
    is_open = ~polars.col("is_restated")
    conditions = {
        "restated": polars.col("is_restated"),
        "late_records": polars.col("is_restated") & polars.col("why").list.contains("late_records"),
        "not_over_then": is_open & (polars.col("change") == "changed"),
        "only_now": is_open & (polars.col("change") == "only_now"),
        "only_then": is_open & (polars.col("change") == "only_then"),
        "same": polars.col("change") == "same",
        "unexplained": polars.col("why").list.contains("unexplained"),
    }
    return {name: len(table.filter(condition)) for name, condition in conditions.items()}


def headline(then: Reported, now: Reported, table: polars.DataFrame) -> list[dict[str, Any]]:
    """What stood on the first page of both: one row per headline number, with its period then and now.

    `value_then` and `value_now` are what was reported and is known of the month that was reported then; null for a
    trend, which is of twelve weeks and not of a month. `table` is what `compare` gives.
    """
    newer = {row["metric"]: row for row in now.headline}
    rows = []
    for row in then.headline:
        if not (other := newer.get(row["metric"])):
            continue
        same = _of_month(table, row["metric"], row["period_label"])
        rows.append({
            "metric": row["metric"], "label": row["label"], "then": row["display"],
            "then_period": row["period_label"], "value_then": same.get("value_then"),
            "value_now": same.get("value_now"), "unit": same.get("unit"), "now": other["display"],
            "now_period": other["period_label"],
        })  # fmt: skip
    return rows


def _of_month(table: polars.DataFrame, metric: str, label: str | None) -> dict[str, Any]:
    """The measurement behind a headline number, found by the month that its label names; empty if it names none."""
    try:
        month = datetime.strptime(label or "", "%B %Y").date()  # noqa: DTZ007 a month has no time zone
    except ValueError:
        return {}
    definition = _HEADLINES.get(metric)
    everything = [polars.col(name) == "*" for name in ("channel", "program", "campaign_id", "reason")]
    chosen_rows = table.filter(
        polars.all_horizontal(
            *everything,
            polars.col("metric") == metric,
            polars.col("definition") == definition,
            polars.col("grain") == "month",
            polars.col("period_start") == month,
        )
    )
    return chosen_rows.row(0, named=True) if len(chosen_rows) else {}
