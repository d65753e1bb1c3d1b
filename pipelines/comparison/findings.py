"""Findings and verdicts of two snapshots side by side."""

from __future__ import annotations

from typing import Any

import polars

from pipelines.comparison.reported import Reported

_SUBJECT = ("rule", "source", "subject")


def _single(reported: Reported) -> polars.DataFrame:
    """One row per finding: rule, source, subject, finding_class, is_waived, place (among equal ones)."""
    repeated = reported.findings.select(
        *_SUBJECT, "finding_class", "is_waived", polars.int_ranges(polars.col("finding_count")).alias("place")
    ).explode("place")
    same = [*_SUBJECT, "finding_class"]
    return repeated.sort(*same, "is_waived").with_columns(place=polars.int_range(polars.len()).over(same))


def _paired(then: Reported, now: Reported) -> polars.DataFrame:
    """Findings of both with class_then and class_now; null on the side that does not have one.

    A finding about the same record under the same rule is the same finding, whatever its class.
    """
    before, after = _single(then), _single(now)
    same = [*_SUBJECT, "finding_class", "place"]
    kept = before.join(after, on=same, how="inner", nulls_equal=True, suffix="_now")
    both = kept.select(
        "rule", polars.col("finding_class").alias("class_then"), polars.col("finding_class").alias("class_now"),
        polars.col("is_waived").alias("waived_then"), polars.col("is_waived_now").alias("waived_now"),
    )  # fmt: skip
    rest = [
        one.join(other, on=same, how="anti", nulls_equal=True)
        .sort(*_SUBJECT, "finding_class")
        .with_columns(place=polars.int_range(polars.len()).over(_SUBJECT))
        .rename({"finding_class": f"class_{side}", "is_waived": f"waived_{side}"})
        for one, other, side in ((before, after, "then"), (after, before, "now"))
    ]
    moved = rest[0].join(rest[1], on=[*_SUBJECT, "place"], how="full", nulls_equal=True, coalesce=True)
    return polars.concat([both, moved.select(both.columns)])


def by_class(then: Reported, now: Reported) -> list[dict[str, Any]]:
    """One row per rule and class: how many then and now; new, gone, to and from another class; waived then and now."""
    pairs = _paired(then, now)
    before, after = polars.col("class_then"), polars.col("class_now")
    sides = [
        pairs.filter(before.is_not_null())
        .group_by("rule", before.alias("finding_class"))
        .agg(
            then_count=polars.len(),
            gone_count=after.is_null().sum(),
            to_other_class_count=(after != before).sum(),
            waived_then_count=polars.col("waived_then").sum(),
        ),
        pairs.filter(after.is_not_null())
        .group_by("rule", after.alias("finding_class"))
        .agg(
            now_count=polars.len(),
            new_count=before.is_null().sum(),
            from_other_class_count=(after != before).sum(),
            waived_now_count=polars.col("waived_now").sum(),
        ),
    ]
    counts = (
        "then_count", "now_count", "new_count", "gone_count", "from_other_class_count", "to_other_class_count",
        "waived_then_count", "waived_now_count",
    )  # fmt: skip
    return (
        sides[0].join(sides[1], on=["rule", "finding_class"], how="full", coalesce=True)
        .select("rule", "finding_class", *(polars.col(name).fill_null(0).cast(polars.Int64) for name in counts))
        .sort("rule", "finding_class")
        .to_dicts()
    )  # fmt: skip


def changes(then: Reported, now: Reported) -> list[dict[str, Any]]:
    """How many findings came, went or changed class: rule, class_then and class_now (null: none), finding_count."""
    pairs = _paired(then, now).filter(~polars.col("class_then").eq_missing(polars.col("class_now")))
    return (
        pairs.group_by("rule", "class_then", "class_now")
        .agg(finding_count=polars.len().cast(polars.Int64))
        .sort("rule", "class_then", "class_now")
        .to_dicts()
    )


def verdicts(then: Reported, now: Reported) -> list[dict[str, Any]]:
    """Verdicts, or numbers of violations, that differ: one row per month (null: whole record), channel and source."""
    key = ["period_start", "channel", "source"]
    joined = then.verdicts.join(now.verdicts, on=key, how="full", nulls_equal=True, coalesce=True, suffix="_now")
    differs = polars.any_horizontal(
        ~polars.col(name).eq_missing(polars.col(f"{name}_now")) for name in ("verdict", "violation_count")
    )
    both = joined.filter(differs).select(
        *key,
        polars.col("verdict").alias("verdict_then"),
        "verdict_now",
        polars.col("violation_count").alias("violations_then"),
        polars.col("violation_count_now").alias("violations_now"),
        polars.col("reasons").alias("reasons_then"),
        "reasons_now",
    )
    # The whole record first, then the newest month.
    newest = polars.col("period_start").dt.epoch("d") * -1
    return both.sort(newest, "channel", "source", nulls_last=False).to_dicts()


def left_out(then: Reported, now: Reported) -> list[str]:
    """Rules that only one of the two found anything of while heed's versions differ: they may not have been asked."""
    if then.parameters.get("heed_version") == now.parameters.get("heed_version"):
        return []
    rules = [set(one.findings["rule"]) for one in (then, now)]
    return [f"Only run {now.run_id} has findings of {name}." for name in sorted(rules[1] - rules[0])]
