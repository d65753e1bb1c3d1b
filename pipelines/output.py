"""Rows to standard output: a table for people; CSV, JSON or Parquet for machines."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelines.errors import UsageError
from pipelines.snapshots import plain
from pipelines.terminal import json_text as json_text
from pipelines.terminal import terminal_safe as terminal_safe
from pipelines.terminal import terminal_safe_lines as terminal_safe_lines

if TYPE_CHECKING:
    import polars

_WIDEST = 48


def formula_safe(value: Any) -> Any:
    """A cell that a spreadsheet will not run: text that begins like a formula gets an apostrophe in front."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def _cell(value: Any) -> str:
    value = plain(value)
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else terminal_safe(str(value))
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def as_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns in line; columns that are empty throughout are left out."""
    cells = [[_cell(value) for value in row] for row in rows]
    shown = [position for position in range(len(columns)) if not cells or any(row[position] for row in cells)]
    widths = [
        max(len(columns[position]), *(len(row[position]) for row in cells)) if cells else len(columns[position])
        for position in shown
    ]
    lines = ["  ".join(columns[position].ljust(width) for position, width in zip(shown, widths, strict=True)).rstrip()]
    for row in cells:
        lines.append(
            "  ".join(row[position].ljust(width) for position, width in zip(shown, widths, strict=True)).rstrip()
        )
    return "\n".join(lines) + "\n"


def as_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """RFC 4180 CSV, spreadsheet formulas neutralised."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([formula_safe(plain(value)) for value in row] for row in rows)
    return buffer.getvalue()


def as_json(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """One array of objects."""
    return json_text([dict(zip(columns, map(plain, row), strict=True)) for row in rows], indent=1) + "\n"


def write_parquet(frame: polars.DataFrame) -> None:
    """Write a data frame to standard output as Parquet; raises UsageError on a terminal."""
    if sys.stdout.isatty():
        raise UsageError("Parquet is not text.", "Send it to a file: heed findings --format parquet > findings.parquet")
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    sys.stdout.buffer.write(buffer.getvalue())


def write_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]], form: str) -> None:
    """Print rows to standard output as table, csv, json or parquet."""
    if form == "parquet":
        import polars

        write_parquet(
            polars.DataFrame([list(row) for row in rows], schema=list(columns), orient="row", infer_schema_length=None)
        )
        return
    text = {"table": as_table, "csv": as_csv, "json": as_json}[form](columns, rows)
    if sys.stdout.isatty():
        text = terminal_safe_lines(text)
    sys.stdout.write(text)
