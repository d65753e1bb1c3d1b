"""The small homes of every format that heed ever wrote, which tests/formats keeps."""

from __future__ import annotations

import tarfile
from pathlib import Path

from tests.support.home import Home

FOLDER = Path(__file__).resolve().parents[1] / "formats"
FORMATS = sorted(int(path.name.partition(".")[0]) for path in FOLDER.glob("*.tar.xz"))


def kept_home(number: int, folder: Path) -> Home:
    """A copy, below `folder`, of the home that a heed of format `number` left behind."""
    with tarfile.open(FOLDER / f"{number}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    # The filter gives every file the modes of an ordinary one.
    (folder / "home" / "private" / "key").chmod(0o600)
    return Home(folder / "home")
