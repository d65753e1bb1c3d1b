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
        for member in archive.getmembers():  # how extractall is told what to trust differs among 3.11's releases
            path = folder / member.name
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            packed = archive.extractfile(member)
            assert packed is not None
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(packed.read())
    (folder / "home" / "private" / "key").chmod(0o600)
    return Home(folder / "home")
