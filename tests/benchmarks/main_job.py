"""Times the main job as whole processes: `python -m tests.benchmarks.main_job --messages 1000000 --out bench.json`.

Prints and writes a list of {name, seconds, ratio_to_floor, peak_mb, rows}. The floor F is DuckDB reading the four key
columns of the delivered messages once, as Parquet; ratios in one run can be compared between machines, seconds cannot.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pipelines.engines.duckdb import DuckDBEngine, quoted
from tests.benchmarks.deliveries import deliver


def _process(output: Path, *command: str) -> tuple[float, float]:
    """Seconds and peak resident megabytes of one process that prints to `output`.

    Raises RuntimeError unless it exits with 0.
    """
    begun = time.perf_counter()
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, *command],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)],
    )
    _, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def _floor(home: Path) -> float:
    csv, parquet = home / "inbox" / "messages.csv", home / "floor.parquet"
    with DuckDBEngine() as engine:
        engine.execute(f"copy (from read_csv({quoted(str(csv))})) to {quoted(str(parquet))} (format parquet)")
        source = f"read_parquet({quoted(str(parquet))})"
        query = f"select max(message_id), max(channel), max(contact), max(sent_at) from {source}"
        engine.rows(query)
        begun = time.perf_counter()
        engine.rows(query)
        return time.perf_counter() - begun


def measure(home: Path, messages: int) -> list[dict[str, Any]]:
    """Deliver, run from nothing (and its steps), run with nothing new; one row each."""
    deliver(home, messages)
    floor = _floor(home)
    events = messages * 15 // 100
    rows = [{"name": "floor: read four key columns", "seconds": floor, "peak_mb": None, "rows": messages}]
    for name, count in (("heed run from nothing", messages + events), ("heed run with nothing new", 0)):
        said = home / "said.json"
        seconds, peak = _process(said, "-m", "pipelines.cli", "-C", str(home), "run", "--json")
        rows.append({"name": name, "seconds": seconds, "peak_mb": round(peak), "rows": count})
        if count:
            told = json.loads(said.read_text(encoding="utf-8"))
            found = sum(sum(classes.values()) for classes in told["findings"].values())
            rows += [
                {
                    "name": f"  {step}",
                    "seconds": step_seconds,
                    "peak_mb": None,
                    "rows": found if step == "audit" else count,
                }
                for step, step_seconds in told["seconds"].items()
            ]
    return [
        row | {"seconds": round(row["seconds"], 3), "ratio_to_floor": round(row["seconds"] / floor, 2)} for row in rows
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Times the main job on canonical CSV.")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), options.messages)
    for row in rows:
        peak = f"{row['peak_mb']:>6} MB" if row["peak_mb"] else " " * 9
        print(
            f"{row['name']:<32} {row['seconds']:>9.3f} s {row['ratio_to_floor']:>9.2f} F {peak} {row['rows']:>12,} rows"
        )
    options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
