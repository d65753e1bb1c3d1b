"""Loads what is new in the inbox, file by file, and says what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines import identity, inbox, load, quarantine
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.event_log import Tell
from pipelines.ledger import Ledger, Load
from pipelines.settings import Settings
from pipelines.working import BYTES_FOR_ONE_THREAD, options_of

Narrate = Callable[[str], None]


def _load_time(ledger: Ledger, now: datetime, narrate: Narrate) -> datetime:
    """When what is loaded now is loaded: never before what was loaded already, whatever the clock says.

    Records of later than a day after it are refused, and a clock that was set back must not refuse a year of them.
    """
    last = max((datetime.fromisoformat(one.loaded_at) for one in ledger.loads), default=now)
    if now < last:
        narrate(f"The clock says {now:%Y-%m-%d %H:%M}, before the last load ({last:%Y-%m-%d %H:%M} UTC): set it right.")
    return max(now, last)


def load_new(
    settings: Settings, ledger: Ledger, work: Path, started_at: datetime, narrate: Narrate, tell: Tell
) -> list[Load]:
    """Load every file of the inbox that history does not have yet, each in a database of its own; returns the loads.

    Raises what reading a file raises; the files before it stay loaded.
    """
    if not settings.sources:
        narrate("heed.toml names no source: there is nothing to read.")
    files = inbox.inbox_files(settings, ledger, narrate)
    for sentence in inbox.retire_reread(settings, ledger, files):
        narrate(sentence)
    new = list(inbox.new_files(settings, ledger, files, narrate))
    key = identity.home_key(settings.private, ledger, may_make=not ledger.loads) if new else b""
    loads = []
    loaded_at = _load_time(ledger, started_at, narrate)
    for position, file in enumerate(new, start=1):
        narrate(f"Loading {file.file(settings.home)} ({position} of {len(new)})")
        name, begun = f"load_{position}", time.perf_counter()
        is_small = file.size_bytes < BYTES_FOR_ONE_THREAD
        options = options_of(settings, work, name, is_small=is_small)
        with DuckDBEngine(work / f"{name}.duckdb", **options) as engine:
            one = load.load_file(engine, settings, ledger, file, key, work, loaded_at)
        tell("file_loaded", **_counts(one), seconds=round(time.perf_counter() - begun, 3))
        if one.read_count == 0:
            narrate(f"{one.file} holds no rows.")
        if one.textless_count:
            narrate(
                f"{one.textless_count:,} rows of {one.file} came without their texts: forgotten, or past their time."
            )
        loads.append(one)
    refused = [one for one in loads if one.quarantined_count]
    for sentence in quarantine.beyond_limits(settings.private, refused):
        narrate(sentence)
    if refused:
        worst = max(refused, key=lambda one: one.quarantined_count / one.read_count)
        narrate(
            f"{sum(one.quarantined_count for one in refused):,} of {sum(one.read_count for one in loads):,} rows"
            f" quarantined, in {len(refused)} of {len(loads)} files; most of all in {worst.file}"
            f" ({worst.quarantined_count:,} of {worst.read_count:,})."
        )
    return loads


def _counts(one: Load) -> dict[str, Any]:
    """What the log says of a load: nothing that a delivered file's name or rows could bring in."""
    counts = ("read_count", "accepted_count", "duplicate_count", "quarantined_count")
    return {name: getattr(one, name) for name in ("load_id", "source", "connector", "size_bytes", *counts)}
