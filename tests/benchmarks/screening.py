"""Times `heed screen` as a whole process: `python -m tests.benchmarks.screening --rows 1000000 --out bench.json`.

The home is the one of `main_job`. Of the list's contacts one in ten is in its record, half are in the United States and
half in Great Britain, and a quarter is written in a national spelling. Prints and writes a list of
{name, seconds, peak_mb, rows}.
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

_AT = "2026-11-10T16:00:00Z"
_AREAS = "[202, 212, 305, 312, 503, 602, 808, 904]"


def write_list(home: Path, rows: int, messages: int, form: str) -> Path:
    """A list of `rows` addressees beside the home, as CSV, JSON Lines or Parquet."""
    path = home.parent / f"list.{form}"
    contacts = max(1, messages // 20)
    options = {"csv": "header", "jsonl": "format json", "parquet": "format parquet"}[form]
    digits = f"{_AREAS}[cast(who % 8 as int) + 1] || lpad(cast(2000000 + who as varchar), 7, '0')"
    with DuckDBEngine() as engine:
        engine.execute(
            f"""
            copy (
                select i as id, 'Anna ' || i as first_name,
                    case
                        when i % 10 > 0 and i % 2 = 0 then '+4477' || lpad(cast(i as varchar), 8, '0')
                        when i % 4 = 1 then '(' || left(digits, 3) || ') ' || digits[4:6] || '-' || digits[7:]
                        else '+1' || digits
                    end as phone,
                    'Springfield, IL' as city, 'said "hello"' as note
                from (
                    select i, who, {digits} as digits
                    from (
                        select i, case when i % 10 = 0 then hash(i * 7) % {contacts}
                            else {contacts} + hash(i * 7) % 7000000 end as who
                        from range({rows}) as r (i)
                    )
                ) order by i
            ) to {quoted(str(path))} ({options})"""
        )
    return path


def _process(*command: str) -> tuple[float, float]:
    """Seconds and peak resident megabytes of one process; raises RuntimeError unless it exits with 0."""
    begun = time.perf_counter()
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "pipelines.cli", *command],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_WRONLY, 0) for descriptor in (1, 2)],
    )
    _, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def measure(folder: Path, rows: int, messages: int) -> list[dict[str, Any]]:
    """Run the home once, then screen the same list in every format."""
    home = folder / "home"
    deliver(home, messages)
    _process("-C", str(home), "run")
    found = []
    for form in ("csv", "jsonl", "parquet"):
        listed = write_list(home, rows, messages, form)
        arguments = ["--channel", "sms", "--program", "p1", "--at", _AT, "--out", str(folder / f"clean.{form}")]
        seconds, peak = _process(
            "-C", str(home), "screen", str(listed), *arguments, "--refused", str(folder / "no.csv")
        )
        found.append(
            {"name": f"heed screen {form}", "seconds": round(seconds, 2), "peak_mb": round(peak), "rows": rows}
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Times the screening of a list.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--messages", type=int, default=200_000, help="how many the home's record holds")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), options.rows, options.messages)
    for row in found:
        print(f"{row['name']:<24} {row['seconds']:>8.2f} s {row['peak_mb']:>6} MB {row['rows']:>12,} rows")
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
