"""Makes a change of files last: what is renamed or made stands after the power went."""

from __future__ import annotations

import os
from pathlib import Path


def replace_durably(partial: Path, path: Path) -> None:
    """Put the whole file `partial` in the place of `path`: its bytes are on disk first, then its name."""
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, text: str, mode: int | None = None) -> None:
    """Put `text` at `path` in one rename, on disk when this returns, with exactly this mode; raises OSError.

    Without a mode it has that of any new file, cut by the umask. The file that is being written is hidden and ends in
    .partial, so that nobody collects it by its ending.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        descriptor = os.open(
            partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666 if mode is None else 0o600
        )
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if mode is not None:
                os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_even_if_full(path: Path, text: str, mode: int | None = None) -> None:
    """The same for what must be known when a disk is full: in the blocks that the file has, where no others are left.

    Only for a text of less than a block, which is written at once. Raises OSError.
    """
    try:
        write_whole(path, text, mode)
    except OSError as no_room:
        content = text.encode()
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
        except OSError:
            raise no_room from None
        try:
            if os.pwrite(descriptor, content, 0) != len(content):
                raise no_room
            os.ftruncate(descriptor, len(content))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
