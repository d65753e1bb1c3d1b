"""What was set aside, for the snapshot: counts and places by reason, and a few examples without their text.

The rows as delivered hold addresses and stay in private/. An example is a row's shape: every letter is an a or an A,
every digit a 9, so that a reader sees what kind of text was refused and nobody's address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.ledger import Load
from pipelines.limits import OPTIONS
from pipelines.settings import Settings
from pipelines.shapes import masked

#: Of each load, reason and column: how many places are named, and how many rows are shown as examples.
FIRST_ROWS, EXAMPLES = 20, 3
_LONGEST_VALUE, _LONGEST_ROW = 40, 300
_COUNTED = {
    "load_id": polars.String, "source": polars.String, "file": polars.String, "reason": polars.String,
    "column_name": polars.String, "row_count": polars.Int64, "first_rows": polars.String,
}  # fmt: skip
_EXAMPLE = {
    "load_id": polars.String, "reason": polars.String, "column_name": polars.String, "row_number": polars.Int64,
    "shape": polars.String,
}  # fmt: skip
_TIME_NAME = re.compile(r"(?i)time|date|_at$")
#: A name that a person gave a column. Anything else may be a row that was taken for the header.
_COLUMN_NAME = re.compile(r"[A-Za-z_][A-Za-z_ -]*[0-9]{0,2}")


def write(engine: DuckDBEngine, settings: Settings, loads: list[Load]) -> None:
    """Build run.quarantine and run.quarantine_examples from what the loads set aside."""
    counted: list[tuple[Any, ...]] = []
    examples: list[tuple[Any, ...]] = []
    for load in loads:
        if not load.quarantined_count:
            continue
        path = settings.private / "quarantine" / f"{load.load_id}.parquet"
        if not path.exists():
            gone = (load.load_id, load.source, load.file, "text_no_longer_kept", None, load.quarantined_count, "")
            counted.append(gone)
            continue
        rows = polars.scan_parquet(path, glob=False)
        grouped = (
            rows.select("row_number", "reason", "column")
            .sort("row_number")
            .group_by("reason", "column", maintain_order=True)
            .agg(polars.len().alias("row_count"), polars.col("row_number").head(FIRST_ROWS).alias("places"))
            .collect()
        )
        for reason, column, count, places in grouped.iter_rows():
            counted.append((load.load_id, load.source, load.file, reason, column, count, ", ".join(map(str, places))))
        examples += [(load.load_id, *row) for row in _examples(path, grouped)]
    engine.create_from_frame("run.quarantine", polars.DataFrame(counted, schema=_COUNTED, orient="row"))
    engine.create_from_frame("run.quarantine_examples", polars.DataFrame(examples, schema=_EXAMPLE, orient="row"))


def beyond_limits(private: Path, loads: list[Load]) -> Iterator[str]:
    """One sentence for each load and limit of heed.toml that rows of it are beyond, naming the option."""
    for load in loads:
        reasons = polars.scan_parquet(private / "quarantine" / f"{load.load_id}.parquet", glob=False).select("reason")
        for reason, count in sorted(reasons.group_by("reason").len().collect().iter_rows()):
            if option := OPTIONS.get(reason):
                yield f"{load.file}: {count:,} rows are beyond {option} in [limits] of heed.toml ({reason})."


def _examples(path: Path, grouped: polars.DataFrame) -> Iterator[tuple[Any, ...]]:
    """The first rows of each reason and column: reason, column, row number, shape. Reads no more texts than these."""
    wanted = {
        (reason, column): places[:EXAMPLES]
        for reason, column, places in grouped.select("reason", "column", "places").iter_rows()
    }
    numbers = sorted({number for places in wanted.values() for number in places})
    rows = (
        polars.scan_parquet(path, glob=False)
        .filter(polars.col("row_number").is_in(numbers))
        .select("row_number", "reason", "column", "raw")
        .sort("row_number", "reason", "column", "raw")
        .collect()
    )
    seen = set()
    for number, reason, column, raw in rows.iter_rows():
        if number in wanted[reason, column] and (number, reason, column) not in seen:
            seen.add((number, reason, column))
            yield reason, column, number, shape(raw or "", reason, column)


def shape(raw: str, reason: str, column: str | None = None) -> str:
    """A refused row without its text: of an object the values that it was refused for, by their names.

    Those are the value of `column`; where the file has another name for it, what is empty or reads as a time, as the
    reason says; else all of them. Letters are a or A and digits 9; names of columns stay. Of a row that is no object it
    is the row itself, masked.
    """
    try:
        row = json.loads(raw)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        return _cut(masked(raw), _LONGEST_ROW)
    values = list(_values(row))
    choices = [[one for one in values if one[0] == column]]
    if reason == "required_value_missing":
        choices.append([one for one in values if not one[1]])
    elif reason.startswith("timestamp_"):
        choices.append([one for one in values if _TIME_NAME.search(one[0])])
    chosen = next((some for some in choices if some), values)
    told = [f"{_name(name)}: {_cut(masked(value), _LONGEST_VALUE) or '(empty)'}" for name, value in chosen]
    return _cut(", ".join(told), _LONGEST_ROW)


def _values(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The values of an object with their names, of those inside it too."""
    if isinstance(value, dict):
        for inner, one in value.items():
            yield from _values(one, inner)
    elif isinstance(value, list) and value:
        for one in value:
            yield from _values(one, name)
    else:
        yield name, "" if value is None or value == [] else value if isinstance(value, str) else json.dumps(value)


def _name(name: str) -> str:
    return name if _COLUMN_NAME.fullmatch(name) and len(name) <= _LONGEST_VALUE else _cut(masked(name), _LONGEST_VALUE)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
