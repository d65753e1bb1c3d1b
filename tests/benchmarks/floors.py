"""What DuckDB needs at the least: `python -m tests.benchmarks.floors read HOME`, `... copy HOME OUT [--ordered]`.

`read` prints F, the seconds to read the four key columns of the delivered messages once, as Parquet: the least of
several readings. `copy` turns the delivered CSV of both tables into Parquet, whose order is that of history if
`--ordered`. DuckDB is told no more than a user would tell it.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import duckdb

from tests.benchmarks.deliveries import TABLES, csv_file, parquet_file
from tests.benchmarks.peers.duckdb_sql import EVENT_TYPES, MESSAGE_TYPES

READINGS = 7
_KEY_COLUMNS = "max(message_id), max(channel), max(contact), max(sent_at)"
_ORDER = {"messages": "contact, sent_at", "consent_events": "contact, requested_at"}
_TYPES = {"messages": MESSAGE_TYPES, "consent_events": EVENT_TYPES}


Seconds = list[tuple[float, float]]  # from begin to end, and of the processors


def read(home: Path) -> Seconds:
    """Seconds of each reading, the first of a cold process included."""
    connection = duckdb.connect()
    seconds = []
    for _ in range(READINGS):
        begun, used = time.perf_counter(), time.process_time()
        connection.execute(f"select {_KEY_COLUMNS} from read_parquet('{parquet_file(home, 'messages')}')").fetchall()
        seconds.append((time.perf_counter() - begun, time.process_time() - used))
    return seconds


def copy(home: Path, out: Path, ordered: bool) -> Seconds:
    """Seconds to turn both tables into Parquet below `out`."""
    out.mkdir(exist_ok=True)
    connection = duckdb.connect()
    begun, used = time.perf_counter(), time.process_time()
    for table in TABLES:
        order = f"order by {_ORDER[table]}" if ordered else ""
        connection.execute(
            f"copy (from read_csv('{csv_file(home, table)}', types={_TYPES[table]}) {order})"
            f" to '{out / table}.parquet' (format parquet, compression zstd)"
        )
    return [(time.perf_counter() - begun, time.process_time() - used)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("floor", choices=("read", "copy"))
    parser.add_argument("home", type=Path)
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--ordered", action="store_true")
    options = parser.parse_args()
    seconds = read(options.home) if options.floor == "read" else copy(options.home, options.out, options.ordered)
    print(json.dumps({"seconds": [pair[0] for pair in seconds], "processor": [pair[1] for pair in seconds]}))


if __name__ == "__main__":
    main()
