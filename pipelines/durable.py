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
