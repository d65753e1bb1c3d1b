"""The snapshots that a home still keeps, found by the ids of their runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines import chain
from pipelines.errors import NoSnapshotError, UsageError
from pipelines.publish import RUNS, read_pointer

CURRENT, PREVIOUS = "current", "previous"


def snapshots(home: Path) -> list[Path]:
    """The snapshot files of a home, oldest first: a file is named by its run, and a run's id begins with its time."""
    return sorted((home / "published").glob("*.duckdb"), key=lambda path: path.name)


def find(home: Path, name: str) -> Path:
    """The kept snapshot of a run: its id, the beginning of it, `current` or `previous` (the one before the current).

    Raises NoSnapshotError where nothing is published; UsageError for a run that was never published, is not kept any
    more, or is one of several.
    """
    pointer = read_pointer(home / "published")
    if pointer is None:
        raise NoSnapshotError(f"Nothing is published in {home}.", f"Make a snapshot first: heed -C {home} run")
    paths = snapshots(home)
    current = next(path for path in paths if path.name == pointer["snapshot"])
    if name == CURRENT:
        return current
    if name == PREVIOUS:
        earlier = [path for path in paths if path.name < current.name]
        if not earlier:
            raise UsageError(
                f"No snapshot before the current one ({current.stem}) is kept.",
                "The next run leaves it beside its own.",
            )
        return earlier[-1]
    found = [path for path in paths if path.stem == name] or [path for path in paths if path.stem.startswith(name)]
    if not name or not found:
        raise UsageError(_unknown(home, name), remedy(home))
    if len(found) > 1:
        raise UsageError(
            f"The ids of {len(found)} kept runs begin with {name!r}.",
            "Write more of one: " + ", ".join(path.stem for path in found),
        )
    return found[0]


def remedy(home: Path) -> str:
    """Which runs can be named."""
    return "Kept: " + ", ".join(path.stem for path in snapshots(home)) + "."


def _unknown(home: Path, name: str) -> str:
    published = [run for run in _published(home) if name and str(run.get("run_id", "")).startswith(name)]
    if published:
        return (
            f"The snapshot of run {published[-1]['run_id']} is not kept any more ([policy] keep_snapshots says how many"
            " are)."
        )
    return f"No published run has an id that begins with {name!r}."


def _published(home: Path) -> list[dict[str, Any]]:
    """Every run that was ever published, from runs.jsonl; a line torn by a crash is left out."""
    return [line.entry for line in chain.lines(home / "published" / RUNS) if line.entry]
