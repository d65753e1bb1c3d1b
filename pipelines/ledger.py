"""The ledger of a home's history: one JSON line per load, appended and never edited, chained to the line before.

A load is committed by its line: parts on disk that no line names do not exist for heed.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipelines import chain
from pipelines.errors import ConfigurationError, DamagedHistoryError

NAME = "ledger.jsonl"
_REMEDY = "Restore it from a backup, or try: heed repair; the last snapshot stays published."


@dataclass(frozen=True)
class Part:
    """One immutable Parquet file of history."""

    table: str
    path: str  # below history/
    row_count: int
    size_bytes: int
    sha256: str
    month: str | None = None  # YYYY-MM (UTC) of its rows; None for tables that are not cut by month


@dataclass(frozen=True)
class Load:
    """One delivered file as it was read: what it was, what became of its rows, and where they are."""

    load_id: str
    source: str
    connector: str
    connector_version: int
    reading: str  # digest of the settings that decide how its bytes are read
    file: str  # below the home
    size_bytes: int
    sha256: str
    read_count: int
    accepted_count: int
    duplicate_count: int
    quarantined_count: int
    loaded_at: str  # ISO 8601, UTC
    first_record_at: str | None
    last_record_at: str | None
    key_check: str = ""  # tells whether two loads were keyed with the same secret, and nothing about it
    tables: dict[str, int] = field(default_factory=dict)  # accepted rows by canonical table
    parts: tuple[Part, ...] = ()


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Ledger:
    """The loads of one home, in order; `append` and `retire` are the only ways to change it."""

    def __init__(self, history: Path) -> None:
        self.history = history
        self.path = history / NAME
        self.entry_count = 0
        self.retired_parts: set[str] = set()  # of loads that are no longer in the record
        self._loads: dict[str, Load] = {}
        chain.refuse_newer(self.path)
        for line in chain.lines(self.path):
            damaged = DamagedHistoryError(
                f"{self.path} is damaged at line {line.number}.", "Restore it from a backup: nothing was changed."
            )
            if line.entry is None or line.problem:
                raise damaged
            try:
                self._apply(line.entry)
            except (KeyError, TypeError, AttributeError) as error:
                raise damaged from error

    def _apply(self, entry: dict[str, Any]) -> None:
        self.entry_count += 1
        if "retired" in entry:
            for load_id in entry["retired"]:
                retired = self._loads.pop(load_id, None)
                self.retired_parts |= {part.path for part in retired.parts} if retired else set()
            return
        content = dict(entry["load"])
        content["parts"] = tuple(Part(**part) for part in content["parts"])
        load = Load(**content)
        if any(Path(part.path).is_absolute() or ".." in Path(part.path).parts for part in load.parts):
            raise TypeError(f"a part of {load.load_id} lies outside history")
        self._loads[load.load_id] = load

    @property
    def loads(self) -> list[Load]:
        """The loads that count, oldest first."""
        return list(self._loads.values())

    def parts(self, table: str, source: str | None = None, months: set[str] | None = None) -> list[Path]:
        """The part files of a table, optionally of one source and some months only."""
        return [
            self.history / part.path
            for load in self._loads.values()
            if source is None or load.source == source
            for part in load.parts
            if part.table == table and (months is None or part.month is None or part.month in months)
        ]

    def check_key(self, key_check: str) -> None:
        """Raise ConfigurationError when history was keyed with another secret: no contact would be recognised in it."""
        if any(load.key_check != key_check for load in self._loads.values()):
            raise ConfigurationError(
                "HEED_KEY or private/key is not the secret that this home's history was keyed with.",
                "Set it as it was. To begin anew with this one, remove history/ and deliver every file again.",
            )

    def append(self, load: Load) -> None:
        """Commit a load whose parts are already on disk."""
        self._write({"load": asdict(load)})

    def retire(self, load_ids: list[str], reason: str) -> None:
        """Take loads out of the record because their files are about to be read anew, and say why."""
        self._write({"retired": load_ids, "reason": reason})

    def _write(self, entry: dict[str, Any]) -> None:
        chain.append(self.path, entry)
        self._apply(entry)

    def check_parts(self) -> None:
        """Raise DamagedHistoryError when a part is missing or has not the size that was written."""
        for load in self._loads.values():
            for part in load.parts:
                path = self.history / part.path
                size = path.stat().st_size if path.exists() else None
                if size != part.size_bytes:
                    found = "is missing" if size is None else f"has {size} bytes instead of {part.size_bytes}"
                    raise DamagedHistoryError(f"{path} {found}.", _REMEDY)

    def check_contents(self) -> None:
        """Raise DamagedHistoryError when a part is not what was written, to the byte.

        Parquet has no checksum of its own: one changed byte of a packed page can read as other numbers.
        """
        parts = [part for load in self._loads.values() for part in load.parts]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = pool.map(lambda part: sha256_of(self.history / part.path), parts)
            for part, sha256 in zip(parts, found, strict=True):
                if sha256 != part.sha256:
                    raise DamagedHistoryError(f"{self.history / part.path} is not what was written.", _REMEDY)
