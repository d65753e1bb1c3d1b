"""What leavers say in their words: a few texts of each reason, masked."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.masks import mask, shortened

SCHEMA: dict[str, Any] = {
    "reason": polars.String(),
    "position": polars.Int64(),
    "text": polars.String(),
    "language": polars.String(),
    "chosen_as": polars.String(),
    "contact_count": polars.Int64(),
    "first_month": polars.Date(),
    "last_month": polars.Date(),
}
#: Candidates of a reason that are masked, for each text that is shown: masking may make two of them one.
_CANDIDATES = 4
_FEWEST_WORDS = 2


def write_texts(engine: DuckDBEngine) -> None:
    """Build metrics.reason_texts from metrics.reason_said; without rows if the policy says so."""
    is_wanted = engine.value("select count(*) from run.parameters where publish_reason_texts is not false")
    limits = dict(engine.rows("select name, value from reference.reason_limits"))
    said = engine.frame("select * from metrics.reason_said") if is_wanted else None
    rows: list[tuple[Any, ...]] = []
    if said is not None and len(said):
        keyed = said.with_columns(key=_key(polars.col("said")))
        for reason in said["reason"].unique().sort().to_list():
            rows += _of_reason(keyed.filter(polars.col("reason") == reason), reason, limits)
    engine.create_from_frame("metrics.reason_texts", polars.DataFrame(rows, schema=SCHEMA, orient="row"))


def _key(text: polars.Expr) -> polars.Expr:
    """What two spellings of a text share: letters and digits in small letters, single spaces."""
    return text.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()


def _of_reason(said: polars.DataFrame, reason: str, limits: dict[str, int]) -> list[tuple[Any, ...]]:
    """The texts to show: those that enough contacts gave, then the most typical that hold listed words only."""
    shown = limits["texts_shown"]
    often = _merged(_candidates(said, shown * _CANDIDATES), said)
    often = often.filter(polars.col("contact_count") >= limits["fewest_people"]).head(shown)
    chosen = [(row, "frequent") for row in often.iter_rows(named=True)]
    left = shown - len(chosen)
    # What says nothing has no type.
    if left and reason not in ("other", "unspecified"):
        taken = {row["masked"] for row, _ in chosen}
        typical = _merged(_typical(said, left + shown), said).filter(~polars.col("masked").is_in(taken))
        chosen += [(row, "typical") for row in typical.head(left).iter_rows(named=True)]
    return [
        (
            reason,
            position,
            shortened(row["masked"], limits["longest_text"]),
            row["language"],
            chosen_as,
            row["contact_count"],
            _month(row["first_on"]),
            _month(row["last_on"]),
        )
        for position, (row, chosen_as) in enumerate(chosen, start=1)
    ]


def _month(day: date) -> date:
    return day.replace(day=1)


def _candidates(said: polars.DataFrame, count: int) -> polars.DataFrame:
    """The keys that most contacts gave, each with its commonest spelling, in that order."""
    spellings = said.group_by("key", "said").agg(spelled=polars.col("contact_key").n_unique())
    commonest = spellings.sort("spelled", "said", descending=[True, False]).unique("key", keep="first")
    people = said.group_by("key").agg(people=polars.col("contact_key").n_unique())
    ranked = people.filter(polars.col("key") != "").sort("people", "key", descending=[True, False]).head(count)
    return ranked.join(commonest, on="key", maintain_order="left").select("key", "said")


def _typical(said: polars.DataFrame, count: int) -> polars.DataFrame:
    """Keys of listed words only and without digits, those first whose words are commonest in the reason."""
    texts = said.group_by("key").agg(
        polars.col("said").min(), is_plain=polars.col("has_unknown_words").max() == 0, people=polars.len()
    )
    plain = texts.filter(polars.col("is_plain") & ~polars.col("said").str.contains(r"[\d@]|://|www\."))
    words = plain.with_columns(word=polars.col("key").str.split(" ").list.unique()).explode("word")
    common = words.group_by("word").agg(weight=polars.col("people").sum())
    scored = (
        words.join(common, on="word")
        .group_by("key")
        .agg(score=polars.col("weight").mean(), words=polars.len(), said=polars.col("said").first())
    )
    scored = scored.filter(polars.col("words") >= _FEWEST_WORDS)
    return scored.sort("score", "key", descending=[True, False]).head(count).select("key", "said")


def _merged(chosen: polars.DataFrame, said: polars.DataFrame) -> polars.DataFrame:
    """The chosen keys masked, those that became one text put together; the order stays, most contacts first."""
    masked = chosen.with_columns(
        masked=polars.Series([mask(text) for text in chosen["said"].to_list()], dtype=polars.String)
    ).with_row_index("rank")
    joined = masked.drop("said").join(said, on="key")
    return (
        joined.group_by("masked")
        .agg(
            rank=polars.col("rank").min(),
            language=polars.col("language").max(),
            contact_count=polars.col("contact_key").n_unique().cast(polars.Int64),
            first_on=polars.col("first_on").min(),
            last_on=polars.col("last_on").max(),
        )
        .sort("contact_count", "rank", descending=[True, False])
    )
