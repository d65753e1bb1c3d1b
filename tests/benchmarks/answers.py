"""Whether answers agree: `python -m tests.benchmarks.answers FILE ...` prints how many ids each holds and their sum.

The sum is of the ids' hashes, so it is the same whatever their order. FILE is a Parquet file or a folder of them, or a
home, of which the findings of message_after_opt_out in its published snapshot are taken.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb


def told(path: Path) -> tuple[int, int]:
    """How many message ids an answer has, and the sum of their hashes."""
    pointer = path / "published" / "CURRENT.json"
    if pointer.exists():
        snapshot = path / "published" / json.loads(pointer.read_text(encoding="utf-8"))["snapshot"]
        connection = duckdb.connect(str(snapshot), read_only=True)
        source = "audits.findings where rule = 'message_after_opt_out'"
    else:
        connection = duckdb.connect()
        source = f"read_parquet('{path}{'/*.parquet' if path.is_dir() else ''}')"
    query = f"select count(*), coalesce(sum(hash(cast(message_id as varchar))), 0) from {source}"
    count, total = connection.execute(query).fetchall()[0]
    return int(count), int(total)


if __name__ == "__main__":
    print(json.dumps([told(Path(name)) for name in sys.argv[1:]]))
