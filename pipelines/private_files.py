"""Keeps what only its owner may read so: the modes of private/, of everything in it and of history/."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipelines.settings import Settings

_OTHERS = 0o077


def close(settings: Settings, narrate: Callable[[str], None]) -> None:
    """Take from others what they may do with private/ and history/, and say so; also where it cannot be taken."""
    # What lies in history/ is behind its folder, as what lies in private/ is: there every file is closed too.
    paths = [settings.history, settings.private, *settings.private.rglob("*")] if settings.private.is_dir() else []
    wide = [path for path in paths if not path.is_symlink() and path.exists() and path.stat().st_mode & _OTHERS]
    left = [path for path in wide if not _closed(path)]
    if len(wide) > len(left):
        narrate(
            f"{len(wide) - len(left)} files or folders of {settings.home} were open to others:"
            " now to their owner alone."
        )
    if left:
        narrate(
            f"{left[0]} is open to others and its mode cannot be changed: its owner must do it (chmod go= {left[0]})."
        )


def _closed(path: Path) -> bool:
    try:
        path.chmod(path.stat().st_mode & ~_OTHERS & 0o7777)
    except OSError:
        return False
    return True
