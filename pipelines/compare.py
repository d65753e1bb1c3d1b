"""`heed compare`: two runs side by side on standard output."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from pipelines import comparison, output
from pipelines.comparison import Selection, words
from pipelines.comparison.measured import COUNTED
from pipelines.measures.rows import KEY
from pipelines.snapshots import plain

#: The columns of a number in CSV, in order.
COLUMNS = (
    *KEY, "unit", *(f"{name}_{side}" for name in COUNTED for side in ("then", "now")), "difference", "change",
    "was_over_then", "is_restated", "why", "loads",
)  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Print the comparison that the command line asks for. Raises a HeedError with its exit code."""
    rows = options.rows
    if rows is None and options.format == "table" and not options.all_rows:
        rows = words.SHOWN
    selection = Selection(
        metric=options.metric,
        definition=options.definition,
        channel=options.channel,
        grain=options.grain,
        rows=rows,
        with_same=options.all_rows,
    )
    compared = comparison.compare(options.home, options.then, options.now, selection)
    if options.format == "json":
        print(output.json_text(_plain(compared), indent=1))
    elif options.format == "csv":
        texts = [row | {name: " ".join(row[name]) for name in ("why", "loads")} for row in compared["numbers"]]
        output.write_rows(COLUMNS, [[row[name] for name in COLUMNS] for row in texts], "csv")
    else:
        sys.stdout.write(output.terminal_safe_lines(words.in_words(compared)))


def _plain(value: Any) -> Any:
    """Nested rows with every value as JSON has it."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return plain(value)
