"""What nobody needs any more below a home: files of killed runs, and parts of loads that were read anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pipelines.ledger import Ledger

#: A part or a file of the quarantine, by the load that wrote it.
_OF_A_LOAD = re.compile(r"(?:part-)?(\d{6,})-[0-9a-f]{8}(?:-\d+)?\.parquet")
_OF_A_PROCESS = re.compile(r"\..+\.(\d+)\.partial")


def sweep(ledger: Ledger, home: Path) -> None:
    """Remove them; only to be called once every load that takes a removed one's place is in the ledger.

    A part goes if its load was taken out of the record, or if no line of the ledger ever named it and its load's number
    is another load's now. What no ledger speaks of is left alone: somebody may have restored an older one.
    """
    private = home / "private"
    folders = (ledger.history, private, home / "published", home / "operations")
    unfinished = [path for folder in folders for path in folder.rglob("*.partial") if not _is_being_written(path)]
    for path in (*unfinished, *private.glob(".key-*"), *(home / "published").glob("*.building*")):
        path.unlink(missing_ok=True)
    for relative in ledger.retired_parts:
        (ledger.history / relative).unlink(missing_ok=True)
    told = ledger.path.read_text(encoding="utf-8", errors="replace") if ledger.path.exists() else ""
    for path in [*ledger.history.rglob("*.parquet"), *(private / "quarantine").glob("*.parquet")]:
        match = _OF_A_LOAD.fullmatch(path.name)
        if match and int(match[1]) <= ledger.entry_count and path.stem.removeprefix("part-")[:15] not in told:
            path.unlink(missing_ok=True)


def _is_being_written(path: Path) -> bool:
    """Whether the process that a file's name tells is alive: not everything waits for the home's lock."""
    match = _OF_A_PROCESS.fullmatch(path.name)
    return match is not None and int(match[1]) != os.getpid() and is_alive(int(match[1]))


def is_alive(process: int) -> bool:
    """Whether a process of this number is there, whoever's it is."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
