"""Times the dashboard's pages over a published snapshot: `python -m tests.benchmarks.pages HOME --out pages.json`.

Server time is what a reader waits for the server: from asking over Streamlit's own WebSocket until the page's script
has ended and everything it shows has arrived. The server is warm (it has drawn every page once); each of a page's
views has filters that nobody asked for before, where the page has filters, so its queries are not in the cache. The
processor time of the server for the same views, all threads together, tells a slow page from a busy machine. The
first view is that of a new browser, from typing the address until the page stands still, with an empty browser cache.
Memory is the server's resident memory beyond what one session needs, shared among the other sessions.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import duckdb
from playwright.sync_api import sync_playwright

from dashboard.words import formats, texts
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.test_pages import settled
from tests.support.dashboard_server import REPOSITORY, free_port, wait_until_served
from tests.support.page_reader import PageReader

VIEWS = 24
SESSIONS = 20
MONTHS = "select distinct period_start from metrics.verdicts where period_start is not null order by period_start"
VALUES = "select distinct {column} from metrics.measurements where {column} <> '*' order by {column}"
#: What pages offer beyond the filters of the sidebar, as their addresses name it.
CHOICES: dict[str, dict[str, list[str]]] = {
    "trends": {"grain": ["Day", "Week", "Month"], "split": ["Total", "Channel", "Program", "Campaign"]},
}


@contextmanager
def server(home: Path, log: Path) -> Iterator[tuple[str, int]]:
    """The address and the process of a dashboard that shows `home`; its output goes to `log`."""
    port = free_port()
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=REPOSITORY / "dashboard", env=os.environ | {"HEED_HOME": str(home.resolve())},
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            wait_until_served(port, process, log)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait(timeout=30)


def resident_mb(process: int) -> float:
    """Resident memory of a process in megabytes."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def processor_ms(process: int) -> float:
    """Milliseconds of processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def views(home: Path) -> dict[str, list[dict[str, str]]]:
    """For every page as many different filters as VIEWS asks for, or as there are."""
    pointer = json.loads((home / "published" / "CURRENT.json").read_text(encoding="utf-8"))
    chance = random.Random(7)
    with duckdb.connect(str(home / "published" / pointer["snapshot"]), read_only=True) as snapshot:
        offered = {
            "period": [formats.month(month) for (month,) in snapshot.execute(MONTHS).fetchall()],
            **{
                column: [row[0] for row in snapshot.execute(VALUES.format(column=column)).fetchall()]
                for column in ("channel", "program", "campaign_id")
            },
        }
        offered["channel"] = [texts.channel(channel) for channel in offered["channel"]]
        offered["campaign"] = offered.pop("campaign_id")
        sample = f"select distinct contact_key from audits.findings limit {VIEWS}"
        contacts = [f"{key & (2**64 - 1):016x}" for (key,) in snapshot.execute(sample).fetchall()]
    found = {}
    for name, page in texts.PAGES.items():
        choices = {key: ["", *offered[key]] for key in page.filters} | CHOICES.get(name, {})
        different = {
            tuple((key, value) for key, values in choices.items() if (value := chance.choice(values)))
            for _ in range(VIEWS * 20)
        }
        chosen = [dict(pairs) for pairs in sorted(different)]
        chance.shuffle(chosen)
        found[name] = chosen[:VIEWS]
    found["contact"] = [{"contact": contact} for contact in contacts]
    return found


def server_times(address: str, process: int, asked: dict[str, list[dict[str, str]]]) -> list[dict[str, Any]]:
    """One row for each page: milliseconds of its first view on this server, and of the views after it."""
    rows = []
    with PageReader(address) as reader:
        first = {name: reader.read(name, **each[0]).seconds for name, each in asked.items()}
        for name, each in asked.items():
            before = processor_ms(process)
            runs = [reader.read(name, **(each[number % len(each)])) for number in range(1, VIEWS + 1)]
            used = processor_ms(process) - before
            assert all(run.succeeded for run in runs), name
            milliseconds = sorted(run.seconds * 1000 for run in runs)
            rows.append(
                {
                    "page": name,
                    "first_ms": round(first[name] * 1000),
                    "median_ms": round(statistics.median(milliseconds)),
                    # The smallest time that at least 95 % of the views kept.
                    "p95_ms": round(milliseconds[-(-len(milliseconds) * 95 // 100) - 1]),
                    "processor_ms": round(used / VIEWS),
                    "longest_ms": round(milliseconds[-1]),
                    "views": VIEWS,
                    "different": len(each),
                    "sent_kb": round(statistics.median(run.sent_bytes for run in runs) / 1024),
                }
            )
    return rows


def first_views(address: str) -> dict[str, int]:
    """Milliseconds from the address to the finished page in a new browser, by page."""
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name in texts.PAGES:
            with browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce") as context:
                page = context.new_page()
                begun = time.perf_counter()
                page.goto(f"{address}/{'' if name == 'overview' else name}")
                settled(page)
                found[name] = round((time.perf_counter() - begun) * 1000)
        browser.close()
    return found


def memory(address: str, process: int, asked: dict[str, list[dict[str, str]]]) -> dict[str, float]:
    """Resident megabytes of the server with one session that has seen every page, with twenty, and for each more."""

    def see_all(reader: PageReader) -> None:
        for name, each in asked.items():
            reader.read(name, **each[0])

    with ExitStack() as sessions:
        see_all(sessions.enter_context(PageReader(address)))
        alone = resident_mb(process)
        for _ in range(SESSIONS - 1):
            see_all(sessions.enter_context(PageReader(address)))
        together = resident_mb(process)
    return {
        "one_session_mb": round(alone),
        f"{SESSIONS}_sessions_mb": round(together),
        "per_session_mb": round((together - alone) / (SESSIONS - 1), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Times the dashboard's pages over a home's published snapshot.")
    parser.add_argument("home", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    asked = views(options.home)
    log = options.out.with_suffix(".log")
    with server(options.home, log) as (address, process):
        rows = server_times(address, process, asked)
        browser = first_views(address)
    with server(options.home, log) as (address, process):
        used = memory(address, process, asked)
    columns = {
        "first_ms": "first", "median_ms": "median", "p95_ms": "p95", "longest_ms": "longest",
        "processor_ms": "processor", "first_view_in_chromium_ms": "in Chromium", "sent_kb": "sent, kB",
    }  # fmt: skip
    print(f"{'page, ms':<12}" + "".join(f"{name:>13}" for name in columns.values()))
    for row in rows:
        row["first_view_in_chromium_ms"] = browser[row["page"]]
        print(f"{row['page']:<12}" + "".join(f"{row[name]:>13}" for name in columns))
    print(", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in used.items()))
    options.out.write_text(json.dumps({"pages": rows, "memory": used}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
