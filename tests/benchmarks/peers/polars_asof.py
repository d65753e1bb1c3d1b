"""Polars: join_asof, lazily, so that only the columns of the question are read and marketing is kept at the scan."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tests.benchmarks.peers import (
    AUDITED_CLASSES,
    CHANNELS,
    ENDS_BLOCK,
    ENDS_BOTH,
    OPENS_BLOCK,
    OPENS_OPT_OUT,
    run,
)


def _scan(path: Path, instant: str) -> pl.LazyFrame:
    if path.suffix == ".csv":
        # A format is read several times faster than a guess.
        return pl.scan_csv(path, schema_overrides={"contact": pl.String, instant: pl.String}).with_columns(
            pl.col(instant).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")
        )
    return pl.scan_parquet(path)


def answer(messages: Path, consent_events: Path, out: Path) -> None:
    kind = pl.col("event_type")
    opens = kind.is_in(OPENS_OPT_OUT + OPENS_BLOCK)
    states = (
        _scan(consent_events, "requested_at")
        .filter(kind != "opt_in_requested")
        .select(
            "contact",
            channel=pl.when(pl.col("channel") == "*")
            .then(pl.lit(list(CHANNELS)))
            .otherwise(pl.concat_list("channel")),
            at=pl.col("requested_at") - pl.when(opens).then(0).otherwise(1).cast(pl.Duration("us")),
            is_out=pl.when(kind.is_in(OPENS_OPT_OUT)).then(True).when(kind.is_in(ENDS_BOTH)).then(False),
            is_blocked=pl.when(kind.is_in(OPENS_BLOCK)).then(True).when(kind.is_in(ENDS_BOTH + ENDS_BLOCK)).then(False),
        )
        .explode("channel")
        .sort("at")
        .with_columns(pl.col("is_out", "is_blocked").forward_fill().over("contact", "channel"))
        .select(
            "contact", "channel", "at",
            is_silent=pl.col("is_out").fill_null(False) | pl.col("is_blocked").fill_null(False),
        )
    )  # fmt: skip
    (
        _scan(messages, "sent_at")
        .filter(pl.col("message_class").is_in(AUDITED_CLASSES))
        .select("message_id", "contact", "channel", "sent_at")
        .sort("sent_at")
        .join_asof(
            states,
            left_on="sent_at",
            right_on="at",
            by=["contact", "channel"],
            strategy="backward",
            allow_exact_matches=False,
            check_sortedness=False,  # both sides are sorted just above
        )
        .filter(pl.col("is_silent"))
        .select("message_id")
        .collect(engine="streaming")
        .write_parquet(out)
    )


if __name__ == "__main__":
    run(answer)
