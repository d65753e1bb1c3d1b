"""What nobody needs any more below a home: files of killed runs, and parts of loads that were read anew."""

from __future__ import annotations

import re
from pathlib import Path

from pipelines.ledger import Ledger

#: A part or a file of the quarantine, by the load that wrote it.
_OF_A_LOAD = re.compile(r"(?:part-)?(\d{6,})-[0-9a-f]{8}(?:-\d+)?\.parquet")


def sweep(ledger: Ledger, private: Path, published: Path) -> None:
    """Remove them; only to be called once every load that takes a removed one's place is in the ledger.

    A part goes if its load was taken out of the record, or if no line of the ledger ever named it and its load's number
    is another load's now. What no ledger speaks of is left alone: somebody may have restored an older one.
    """
    unfinished = [path for folder in (ledger.history, private, published) for path in folder.rglob("*.partial")]
    for path in (*unfinished, *private.glob(".key-*"), *published.glob("*.building*")):
        path.unlink(missing_ok=True)
    for relative in ledger.retired_parts:
        (ledger.history / relative).unlink(missing_ok=True)
    told = ledger.path.read_text(encoding="utf-8", errors="replace") if ledger.path.exists() else ""
    for path in [*ledger.history.rglob("*.parquet"), *(private / "quarantine").glob("*.parquet")]:
        match = _OF_A_LOAD.fullmatch(path.name)
        if match and int(match[1]) <= ledger.entry_count and path.stem.removeprefix("part-")[:15] not in told:
            path.unlink(missing_ok=True)
