"""The inbox: which delivered files there are, which source claims them, and which of them are new."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from pipelines.errors import ConfigurationError, UnreadableInputError
from pipelines.ledger import Ledger, Load
from pipelines.limits import Unpacked, beyond, check_file
from pipelines.settings import Settings, Source
from pipelines.settings_limits import Limits


@dataclass(frozen=True)
class InboxFile:
    """A file in the inbox, the source that claims it, and a digest of its bytes."""

    path: Path
    source: Source
    sha256: str
    size_bytes: int
    modified_ns: int

    def file(self, home: Path) -> str:
        """Its path below the home."""
        return self.path.relative_to(home).as_posix()

    def check_unchanged(self) -> None:
        """Raise UnreadableInputError if the file is not what it was when it was listed."""
        try:
            status = self.path.stat()
        except OSError as error:
            raise UnreadableInputError(
                f"{self.path.name} vanished while it was read.", "Nothing of it was loaded; run again."
            ) from error
        if (status.st_size, status.st_mtime_ns) != (self.size_bytes, self.modified_ns):
            raise UnreadableInputError(
                f"{self.path.name} changed while it was read.",
                "Nothing of it was loaded; run again once it is complete.",
            )


def reading_digest(source: Source, settings: Settings) -> str:
    """A digest of every setting that decides what a file's bytes mean."""
    content = asdict(source) | {"default_country": settings.policy.default_country, "path": None, "name": None}
    content |= settings.limits.changed_reading
    for name in ("limits", "country", "region", "contacts_timezone"):
        del content[name]  # what the files lack, and where contacts are: not how they are read
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _digest(path: Path, limits: Limits) -> str:
    """SHA-256 of the bytes, having checked that a .gz is whole: a cut-off one would load in part and look complete."""
    digest = hashlib.sha256()
    unpacked = Unpacked(path, limits) if path.suffix.lower() == ".gz" else None
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
                if unpacked:
                    unpacked.take(block)
    except zlib.error as error:
        raise UnreadableInputError(
            f"{path.name} is not a gzip file, or is damaged ({error}).", "Deliver it again; nothing of it was loaded."
        ) from error
    except OSError as error:
        raise UnreadableInputError(
            f"{path.name} cannot be read: {error.strerror}.", "Check its permissions, or deliver it again."
        ) from error
    if unpacked and not unpacked.is_whole:
        raise UnreadableInputError(
            f"{path.name} is cut off: its gzip data have no end.", "Deliver it again; nothing of it was loaded."
        )
    return digest.hexdigest()


def inbox_files(settings: Settings, known: Ledger, narrate: Callable[[str], None]) -> list[InboxFile]:
    """Every file that a source's path matches, in order of source and name; hidden ones only where the path says so.

    A plain path (no wildcard) that is absent and was never loaded is a ConfigurationError; a pattern that matches
    nothing is narrated.
    """
    found: list[InboxFile] = []
    loaded_files = {(load.source, load.file) for load in known.loads}
    for source in settings.sources:
        wants_hidden = PurePosixPath(source.path).name.startswith(".")
        paths = sorted(
            path
            for path in settings.home.glob(source.path)
            if not path.is_dir() and (wants_hidden or not path.name.startswith("."))
        )
        has_wildcard = any(sign in source.path for sign in "*?[")
        plain_path = PurePosixPath(source.path).as_posix()
        if not paths and not has_wildcard and (source.name, plain_path) not in loaded_files:
            problem = "is a folder" if (settings.home / source.path).is_dir() else "does not exist"
            raise ConfigurationError(
                f"{settings.home / source.path} {problem}, and [[source]] {source.name!r} reads it.",
                f"Deliver the file, or correct path in {settings.home / 'heed.toml'}.",
            )
        if not paths and has_wildcard:
            narrate(f"No file matches {source.path} (source {source.name}).")
        if len(found) + len(paths) > settings.limits.file_count:
            told = f"is more than {settings.limits.file_count:,} files"
            raise beyond(f"What {source.path} (source {source.name}) matches", told, "file_count")
        for path in paths:
            try:
                check_file(settings.home, path, settings.limits)
                status = path.stat()
            except OSError as error:
                raise UnreadableInputError(
                    f"{path.name} cannot be read: {error.strerror}.", "Deliver it again, or remove it."
                ) from error
            found.append(InboxFile(path, source, _digest(path, settings.limits), status.st_size, status.st_mtime_ns))
    return found


def _covers(source: Source, load: Load) -> bool:
    return source.name == load.source and PurePosixPath(load.file).match(source.path)


def _lives_on(load: Load, file: InboxFile, home: Path) -> bool:
    """Whether the file begins with the bytes that were loaded: it grew since."""
    if file.file(home) != load.file or file.size_bytes < load.size_bytes:
        return False
    digest, left = hashlib.sha256(), load.size_bytes
    with file.path.open("rb") as opened:
        while block := opened.read(min(left, 1 << 20)):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest() == load.sha256


def retire_reread(settings: Settings, known: Ledger, files: list[InboxFile]) -> list[str]:
    """Take a source's loads out of the record when its settings would now read their bytes differently.

    All of the source's files are then read anew. Raises ConfigurationError if one of them is no longer in the inbox:
    a mixture of two readings would be worse than either. Returns one sentence per source.
    """
    told = []
    for name in sorted({source.name for source in settings.sources}):
        loads = [load for load in known.loads if load.source == name]
        # How bytes would be read now; those of a file that is gone, by the sources whose path it still matches.
        readings = {(file.sha256, reading_digest(file.source, settings)) for file in files if file.source.name == name}
        bytes_present = {sha256 for sha256, _ in readings}
        readings |= {
            (load.sha256, reading_digest(source, settings))
            for load in loads
            for source in settings.sources
            if load.sha256 not in bytes_present and _covers(source, load)
        }
        judged = {sha256 for sha256, _ in readings}
        if all(load.sha256 not in judged or (load.sha256, load.reading) in readings for load in loads):
            continue
        gone = sorted(
            {
                load.file
                for load in loads
                if load.sha256 not in bytes_present and not any(_lives_on(load, file, settings.home) for file in files)
            }
        )
        if gone:
            raise ConfigurationError(
                f"heed.toml: the settings of source {name!r} changed, so its files must be read anew,"
                f" but {', '.join(gone[:5])} {'is' if len(gone) == 1 else 'are'} no longer in the inbox as loaded.",
                "Put them back or undo the change; for new files alone, add a second [[source]] of that name.",
            )
        known.retire([load.load_id for load in loads], f"the settings of source {name} changed")
        told.append(f"The settings of source {name} changed: {len(loads)} loads of it are read anew.")
    return told


def new_files(
    settings: Settings, known: Ledger, files: list[InboxFile], narrate: Callable[[str], None] = lambda _: None
) -> Iterator[InboxFile]:
    """The files whose bytes this source has not loaded yet, each once; of a copy under another name it is said."""
    done = {(load.source, load.sha256, load.reading): load.file for load in known.loads}
    configured = {source.name for source in settings.sources}
    orphans = {load.sha256: load.source for load in known.loads if load.source not in configured}
    for file in files:
        name = file.file(settings.home)
        identifying = (file.source.name, file.sha256, reading_digest(file.source, settings))
        if identifying not in done:
            done[identifying] = name
            if file.sha256 in orphans:
                narrate(
                    f"{name} is loaded as source {orphans[file.sha256]} already, which heed.toml no longer names:"
                    f" as {file.source.name} its rows count a second time."
                )
            yield file
        elif done[identifying] != name:
            narrate(f"{name} holds the same bytes as {done[identifying]}, which is loaded: nothing in it is new.")
