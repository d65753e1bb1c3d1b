"""The ledger of a home's history: one JSON line per load, appended and never edited, chained to the line before.

A load is committed by its line: parts on disk that no line names do not exist for heed.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
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
    textless_count: int = 0  # accepted rows whose texts were left out: of forgotten contacts, or past their time


def _replacement(load_id: str, old: Part, new: Part) -> dict[str, Any]:
    return {"load_id": load_id, "path": old.path, "sha256": old.sha256, "part": asdict(new)}


def _check_place(part: Part) -> None:
    if Path(part.path).is_absolute() or ".." in Path(part.path).parts:
        raise ValueError(f"{part.path} lies outside history")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Ledger:
    """The loads of one home, in order, and what was taken out of them since; only its methods add lines to it.

    `forgotten` holds the keys of contacts whose address and texts may not come back, `unfinished` those of them whose
    erasure has begun and is not known to have ended, as 16 hexadecimal digits. History has no text of before
    `texts_before`. `replaced` are the paths of parts that others have taken the place of.
    """

    def __init__(self, history: Path) -> None:
        self.history = history
        self.path = history / NAME
        self.entry_count = 0
        self.retired_parts: set[str] = set()  # of loads that are no longer in the record
        self.forgotten: set[str] = set()
        self.unfinished: set[str] = set()
        self.texts_before: datetime | None = None
        self.replaced: list[Path] = []
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
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise damaged from error

    def _apply(self, entry: dict[str, Any]) -> None:
        self.entry_count += 1
        if "retired" in entry:
            for load_id in entry["retired"]:
                retired = self._loads.pop(load_id, None)
                self.retired_parts |= {part.path for part in retired.parts} if retired else set()
            return
        if "replaced" in entry:
            self._apply_replaced(entry)
            return
        if "forgotten" in entry:
            self.forgotten |= set(entry["forgotten"])
            self.unfinished |= set(entry["forgotten"])
            return
        if "erased" in entry:
            self.unfinished -= set(entry["erased"])
            return
        if "texts_before" in entry:
            self.texts_before = datetime.fromisoformat(entry["texts_before"])
            return
        content = dict(entry["load"])
        content["parts"] = tuple(Part(**part) for part in content["parts"])
        load = Load(**content)
        for part in load.parts:
            _check_place(part)
        self._loads[load.load_id] = load

    def _apply_replaced(self, entry: dict[str, Any]) -> None:
        """Parts that others take the place of; with another key where the line names its check value."""
        for one in entry["replaced"]:
            load, new = self._loads[one["load_id"]], Part(**one["part"])
            if (one["path"], one["sha256"]) not in {(part.path, part.sha256) for part in load.parts}:
                raise ValueError("a part is replaced that the load does not have")
            _check_place(new)
            parts = tuple(new if part.path == one["path"] else part for part in load.parts)
            self._loads[load.load_id] = replace(load, parts=parts)
            self.replaced.append(self.history / one["path"])
        if "key_check" in entry:
            self._loads = {name: replace(one, key_check=entry["key_check"]) for name, one in self._loads.items()}
            renamed = entry["forgotten_as"]
            self.forgotten = {renamed[key] for key in self.forgotten}
            self.unfinished = {renamed[key] for key in self.unfinished}

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

    def replace_part(self, load_id: str, old: Part, new: Part, reason: str) -> None:
        """Let a new part, which is on disk already, take the place of another one, and say why."""
        self._write({"replaced": [_replacement(load_id, old, new)], "reason": reason})

    def rekey(
        self, parts: list[tuple[str, Part, Part]], key_check: str, forgotten_as: dict[str, str], reason: str
    ) -> None:
        """Let parts that are keyed otherwise take the place of all that hold keys: load_id, old part and new part."""
        replaced = [_replacement(*one) for one in parts]
        self._write({"replaced": replaced, "key_check": key_check, "forgotten_as": forgotten_as, "reason": reason})

    def forget(self, keys: list[str]) -> None:
        """Say that contacts are to be forgotten, by their keys: nothing of them comes in from now on."""
        self._write({"forgotten": keys})

    def erased(self, keys: list[str]) -> None:
        """Say that the erasure of contacts ended."""
        self._write({"erased": keys})

    def let_texts_end(self, before: datetime) -> None:
        """Say that history has no text of before an instant any more."""
        self._write({"texts_before": before.isoformat()})

    def _write(self, entry: dict[str, Any]) -> None:
        chain.append(self.path, entry)
        self._apply(entry)

    def check_parts(self) -> None:
        """Raise DamagedHistoryError when a part is missing or is not what was written, to the byte.

        Parquet has no checksum of its own: one changed byte of a packed page can read as other numbers.
        """
        parts = [part for load in self._loads.values() for part in load.parts]
        for part in parts:
            path = self.history / part.path
            size = path.stat().st_size if path.exists() else None
            if size != part.size_bytes:
                found = "is missing" if size is None else f"has {size} bytes instead of {part.size_bytes}"
                raise DamagedHistoryError(f"{path} {found}.", _REMEDY)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found_digests = pool.map(lambda part: sha256_of(self.history / part.path), parts)
            for part, sha256 in zip(parts, found_digests, strict=True):
                if sha256 != part.sha256:
                    raise DamagedHistoryError(f"{self.history / part.path} is not what was written.", _REMEDY)
