"""Says which locked versions have a known advisory, from advisories on disk: nothing is asked of a network.

    python -m tools.advisories /path/to/osv [requirements.lock ...]

The advisories are in the OSV format: a folder of .json files, a .zip of them, or one .json file with one or a list of
them. Exit 0 where none fits, 1 where one does, 2 where one cannot be read: what was not understood is no pass.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from tools import locked


class UnreadableAdvisoryError(Exception):
    """A file holds no advisory, or one whose versions cannot be compared."""


@dataclass(frozen=True)
class Match:
    """A locked version and the advisory that names it; `fixed` are the versions that mend it."""

    pin: locked.Locked
    advisory: str
    summary: str
    fixed: tuple[str, ...]

    def __str__(self) -> str:
        mended = f"fixed in {', '.join(self.fixed)}" if self.fixed else "no fixed version is named"
        return f"{self.pin.name} {self.pin.version}: {self.advisory} ({mended}) {self.summary}".rstrip()


def advisories(path: Path) -> Iterator[dict[str, Any]]:
    """Every advisory below a path that was not withdrawn; raises UnreadableAdvisoryError."""
    for name, text in _texts(path):
        try:
            content = json.loads(text)
            listed = content if isinstance(content, list) else [content]
            yield from (one for one in listed if "withdrawn" not in one and one["id"])
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableAdvisoryError(f"{name} is no advisory in the OSV format.") from error


def _texts(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield str(file), file.read_bytes()
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".json"):
                    yield f"{path}/{name}", archive.read(name)
    else:
        yield str(path), path.read_bytes()


def matches(pins: list[locked.Locked], path: Path) -> Iterator[Match]:
    """Every advisory that fits a pin, in the order of the advisories; raises UnreadableAdvisoryError."""
    by_name: dict[str, list[locked.Locked]] = {}
    for pin in pins:
        by_name.setdefault(pin.name, []).append(pin)
    for advisory in advisories(path):
        for affected in advisory.get("affected", []):
            package = affected.get("package", {})
            if package.get("ecosystem") != "PyPI":
                continue
            for pin in by_name.get(canonicalize_name(package["name"]), []):
                try:
                    is_hit = _is_affected(pin.version, affected)
                except InvalidVersion as error:
                    raise UnreadableAdvisoryError(f"{advisory['id']}, which is about {pin.name}: {error}.") from error
                if is_hit:
                    names = ", ".join([advisory["id"], *advisory.get("aliases", [])])
                    yield Match(pin, names, advisory.get("summary", ""), tuple(_fixed(affected)))


def _is_affected(version: str, affected: dict[str, Any]) -> bool:
    """Whether a version is listed, or lies in a range: after the last event at or below it, it is affected or not."""
    ours = Version(version)
    if any(_is_same(listed, ours) for listed in affected.get("versions", [])):
        return True
    for one in affected.get("ranges", []):
        if one.get("type") == "GIT":  # commits, not versions
            continue
        inside = False
        for at, kind in sorted(_events(one), key=lambda event: (event[0], event[1] != "fixed")):
            if kind == "last_affected":
                inside = inside and ours <= at
            elif at <= ours:
                inside = kind == "introduced"
        if inside:
            return True
    return False


def _is_same(listed: str, ours: Version) -> bool:
    try:
        return Version(listed) == ours
    except InvalidVersion:  # lists name every release there ever was; ours can be read
        return False


def _events(one: dict[str, Any]) -> Iterator[tuple[Version, str]]:
    for event in one.get("events", []):
        for kind, at in event.items():
            if kind != "limit":
                yield Version(at), kind


def _fixed(affected: dict[str, Any]) -> Iterator[str]:
    for one in affected.get("ranges", []):
        if one.get("type") != "GIT":
            yield from (event["fixed"] for event in one.get("events", []) if "fixed" in event)


def main(arguments: list[str]) -> int:
    """Print every match; returns the exit code."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    pins = [pin for lock in map(Path, arguments[1:] or [locked.LOCK, *locked.OTHER_LOCKS]) for pin in locked.read(lock)]
    path = Path(arguments[0])
    try:
        count = sum(1 for _ in advisories(path))
        found = list(matches(pins, path))
        if not count:
            raise UnreadableAdvisoryError(f"{path} holds no advisory.")
    except (UnreadableAdvisoryError, OSError, zipfile.BadZipFile) as error:
        print(f"advisories: {error}", file=sys.stderr)
        return 2
    for match in found:
        print(match)
    print(f"{len(pins)} pins, {count:,} advisories, {len(found)} matches.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
