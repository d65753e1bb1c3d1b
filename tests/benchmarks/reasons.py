"""How fast reasons are read: a million texts that are all different. `python -m tests.benchmarks.reasons`."""

from __future__ import annotations

import argparse
import csv
import json
import random
import time
from pathlib import Path

import polars

from pipelines import build, sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.reasons import RELATIONS
from tools.measure_reasons import SETS


def texts(count: int, seed: int = 7) -> list[str]:
    """Texts put together of two labelled ones and a number, no two alike."""
    chance = random.Random(seed)
    with SETS["labelled"].open(encoding="utf-8", newline="") as file:
        given = [row["text"] for row in csv.DictReader(file)]
    return [f"{chance.choice(given)} {chance.choice(given)} {position}" for position in range(count)]


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast reasons are read.")
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, help="write the seconds of each relation as JSON")
    options = parser.parse_args()
    said = texts(options.texts)
    frame = polars.DataFrame(
        {"reason_code": polars.Series([None] * len(said), dtype=polars.String), "reason_text": said}
    )
    told: dict[str, dict[str, float]] = {}
    with DuckDBEngine(threads=2) as engine:
        build.write_reference(engine)
        engine.create_from_frame("history.consent_events", frame)
        for relation in RELATIONS:
            begun, used = time.perf_counter(), time.process_time()
            rows = engine.create(relation, sqlfiles.read(relation).text)
            seconds, processor = time.perf_counter() - begun, time.process_time() - used
            told[relation] = {"seconds": round(seconds, 1), "processor_seconds": round(processor, 1), "rows": rows}
            print(f"{relation}: {seconds:.1f} s, {processor:.1f} s of processor time, {rows:,} rows")
    if options.out:
        options.out.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
