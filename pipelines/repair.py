"""Takes what is damaged out of a home, where a run can make it anew from the delivered files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipelines import chain, verify
from pipelines.errors import BeyondRepairError
from pipelines.ledger import NAME, Ledger, Load, sha256_of
from pipelines.lock import home_lock
from pipelines.publish import POINTER, read_pointer


def repair(home: Path, narrate: Callable[[str], None]) -> int:
    """Retire loads with damaged parts whose delivered file is still there, remove damaged snapshots; returns how many.

    The next run loads those files again and publishes. Raises BeyondRepairError, having changed nothing, where the
    ledger is damaged or a delivered file is gone: only a backup has them.
    """
    with home_lock(home, "repair"):
        for line in chain.lines(home / "history" / NAME):
            if line.problem:
                raise BeyondRepairError(
                    f"{home / 'history' / NAME} {line.problem} (line {line.number}).",
                    "Restore history/ from a backup: the ledger cannot be made from anything else.",
                )
        damaged = {check.path for check in verify.checks(home) if check.problem}
        history = home / "history"
        loads = {load.load_id: load for load, part in verify.parts(history) if f"history/{part.path}" in damaged}
        lost = sorted(load.file for load in loads.values() if not _is_delivered(home, load))
        if lost:
            raise BeyondRepairError(
                f"Parts of {', '.join(lost[:5])} are damaged, and the inbox does not hold the files as loaded.",
                "Put the files back, or restore history/ from a backup; nothing was changed.",
            )
        if loads:
            Ledger(history).retire(sorted(loads), "parts of them were damaged")
            for load in loads.values():
                narrate(f"{load.file} will be loaded again: parts of it were damaged.")
        is_lost = f"published/{POINTER}" in damaged
        pointer = None if is_lost else read_pointer(home / "published")
        snapshots = [home / path for path in sorted(damaged) if path.endswith(".duckdb")]
        for path in snapshots:
            path.unlink(missing_ok=True)
            narrate(f"{path.name} was removed: it is not what was published.")
        if is_lost or (pointer and pointer["snapshot"] in {one.name for one in snapshots}):
            (home / "published" / POINTER).unlink(missing_ok=True)
            narrate(f"{POINTER} was removed: the next run writes it.")
        done = len(loads) + len(snapshots) + is_lost
        narrate(f"Next: heed -C {home} run" if done else "Nothing to repair.")
        return done


def _is_delivered(home: Path, load: Load) -> bool:
    path = home / load.file
    return path.is_file() and sha256_of(path) == load.sha256
