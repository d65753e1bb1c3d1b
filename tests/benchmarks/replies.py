"""Times the reading of inbound texts: `python -m tests.benchmarks.replies --texts 1000000 --out replies.json`.

Prints and writes a list of {name, seconds, cpu_seconds, rows}: one row per relation that reads inbound messages, and
their sum. The texts are all different: labelled replies, alone or two together, with a name or a number; most of them
hold a word that some phrase needs, far more than in a real inbox, and about four in ten are requests.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import time
from pathlib import Path
from typing import Any

import polars

from pipelines import build, sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.replies import RELATIONS

_LABELLED = Path(__file__).resolve().parents[1] / "spec" / "labelled_replies.csv"
_NAMES = ("Ann", "Bob", "Chris", "Dana", "Eli", "Fay", "Gus", "Hana", "Ivan", "Joy", "Kim", "Lou", "Max", "Nia", "Oto")
_TAILS = ("", "!", "!!", "?", " 👍", " thanks", " please", " ok", "...", " 😂", "\n")


def distinct_texts(count: int, seed: int = 7) -> list[str]:
    """`count` different texts made of the labelled replies; the same seed gives the same texts."""
    chance = random.Random(seed)
    with _LABELLED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    requests = [row["text"] for row in rows if row["label"] == "certain"]
    others = [row["text"] for row in rows if row["label"] != "certain"]
    texts: set[str] = set(requests)
    while len(texts) < count:
        text = chance.choice(requests if chance.random() < 0.3 else others)
        if chance.random() < 0.5:
            text = f"{text}{chance.choice(('. ', ', ', ' ', chr(10)))}{chance.choice(others)}"
        if chance.random() < 0.5:
            greeting = f"{chance.choice(('Hi ', '', 'This is '))}{chance.choice(_NAMES)}"
            text = f"{greeting}{chance.choice(('. ', ', ', ' '))}{text}"
        if chance.random() < 0.4:
            text = f"{text} {chance.randint(1, 999_999)}"
        texts.add(text + chance.choice(_TAILS))
    return sorted(texts)[:count]


def measure(texts: list[str], threads: int | None = None) -> list[dict[str, Any]]:
    """Seconds and rows of each relation of pipelines.replies, and of all of them together."""
    rows: list[dict[str, Any]] = []
    with DuckDBEngine(threads=threads) as engine:
        build.write_reference(engine)
        frame = polars.DataFrame({"inbound_id": [str(number) for number in range(len(texts))], "body": texts})
        frame = frame.with_columns(source=polars.lit("texts"), button=polars.lit(None, dtype=polars.String))
        engine.create_from_frame("core.inbound_messages", frame)
        for relation in RELATIONS:
            begun, begun_cpu = time.perf_counter(), time.process_time()
            count = engine.create(relation, sqlfiles.read(relation).text)
            seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - begun_cpu
            rows.append({"name": relation, "seconds": seconds, "cpu_seconds": cpu_seconds, "rows": count})
    total = {name: sum(row[name] for row in rows) for name in ("seconds", "cpu_seconds")}
    rows.append({"name": "all"} | total | {"rows": len(texts)})
    return [row | {name: round(row[name], 3) for name in ("seconds", "cpu_seconds")} for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description="Times the reading of inbound texts.")
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows = measure(distinct_texts(options.texts), options.threads)
    for row in rows:
        print(f"{row['name']:<24} {row['seconds']:>8.3f} s {row['cpu_seconds']:>8.3f} s CPU {row['rows']:>12,} rows")
    options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
