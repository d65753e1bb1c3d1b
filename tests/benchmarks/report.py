"""The table of ratios, the targets beside it, and the list that is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.benchmarks.targets import Row, Target


def write(rows: list[Row], floor: float, out: Path) -> None:
    """Write every row as {name, seconds, ratio_to_floor, peak_mb, rows}; what is missing also says why."""
    listed: list[dict[str, Any]] = []
    for row in rows:
        seconds = row.seconds
        one: dict[str, Any] = {
            "name": row.name,
            "seconds": None if seconds is None else round(seconds, 3),
            "ratio_to_floor": None if seconds is None else round(seconds / floor, 2),
            "peak_mb": None if row.peak_mb is None else round(row.peak_mb),
            "rows": row.rows,
            "processor_seconds": None if row.processor is None else round(row.processor, 3),
        }
        listed.append(one | ({"not_measured": row.missing} if row.missing else {}))
    out.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")


def show(rows: list[Row], floor: float) -> None:
    """Print the table of ratios."""
    print(f"{'':<64}{'seconds':>10}{'in F':>10}{'processor':>11}{'peak MB':>9}{'rows':>13}")
    for row in rows:
        if row.seconds is None:
            print(f"{row.name:<64}{'-':>10}   not measured: {row.missing}")
            continue
        peak = f"{row.peak_mb:,.0f}" if row.peak_mb else ""
        used = "" if row.processor is None else f"{row.processor:.3f}"
        print(f"{row.name:<64}{row.seconds:>10.3f}{row.seconds / floor:>10.2f}{used:>11}{peak:>9}{row.rows:>13,}")


def show_targets(listed: list[Target]) -> None:
    """Print each target, its ratio and whether it is met."""
    for target in listed:
        print(target.line)
