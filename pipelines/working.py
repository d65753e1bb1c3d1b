"""The disposable database that work is done in: where it lies, and what it may take of this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.ledger import Ledger
from pipelines.settings import Settings
from pipelines.settings_table import memory_bytes

#: Bytes of memory that a run's working database takes for each record, at the most.
_BYTES_PER_RECORD = 400
#: With fewer records, or a smaller file to load, sharing the work among threads costs more than it saves.
_RECORDS_FOR_ONE_THREAD, BYTES_FOR_ONE_THREAD = 20_000, 2_000_000


def _memory_limit(settings: Settings) -> int:
    """Bytes that DuckDB may hold: what the configuration says, or half of this machine's memory."""
    if settings.policy.memory_limit:
        return memory_bytes(settings.policy.memory_limit)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _fits_in_memory(settings: Settings, ledger: Ledger) -> bool:
    """Whether the working database needs no file: packing relations for the disk costs as much as computing them."""
    return _records(ledger) * _BYTES_PER_RECORD < _memory_limit(settings) // 2


def _records(ledger: Ledger) -> int:
    return sum(one.accepted_count for one in ledger.loads)


@contextmanager
def work_folder(settings: Settings) -> Iterator[Path]:
    """A disposable folder below private/ (staged rows hold addresses), gone afterwards."""
    work = settings.private / "work"
    shutil.rmtree(work, ignore_errors=True)  # what a killed run left behind
    settings.private.mkdir(mode=0o700, exist_ok=True)
    work.mkdir(mode=0o700)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def options_of(settings: Settings, work: Path, name: str, *, is_small: bool = False) -> dict[str, Any]:
    """What DuckDB may take of this machine for the database `name`, and where it spills."""
    return {
        "memory_limit": f"{_memory_limit(settings) // 1024}KiB",
        "threads": settings.policy.threads or (1 if is_small else None),
        "temporary_folder": work / f"{name}.spill",
    }


@contextmanager
def engine_of(settings: Settings, ledger: Ledger, work: Path, name: str) -> Iterator[DuckDBEngine]:
    """A disposable database to build in, with a cluster for what is heavy where [engine] says so."""
    path = None if _fits_in_memory(settings, ledger) else work / f"{name}.duckdb"
    is_small = _records(ledger) < _RECORDS_FOR_ONE_THREAD
    options = options_of(settings, work, name, is_small=is_small) | {"in_memory": ("audits",)}
    if settings.engine.name != "spark":
        with DuckDBEngine(path, **options) as engine:
            yield engine
        return
    from pipelines.engines.spark import SparkEngine, shared_folder

    with (
        shared_folder(settings.engine, settings.home, work) as folder,
        SparkEngine(path, told=settings.engine, folder=folder, home_history=settings.history, **options) as engine,
    ):
        yield engine
