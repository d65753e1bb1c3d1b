"""English text that every page has: when its numbers are from, at its head and at its foot."""

from __future__ import annotations

STALE = "**These numbers are {age} old.** Nothing newer has been published. To read what arrived since:\n\n`{command}`"
BEFORE = "before: {value}"
OLDER = "This snapshot has no {what}"


def up_to(instant: str, yours: str) -> str:
    """The instant up to which the data reach, with the reader's own time where it is another."""
    return f"Data up to {instant}" + (f" ({yours})" if yours else "")


def your_time(written: str, zone: str) -> str:
    """A time in the reader's zone: 19 Nov 2026 01:05 your time, Europe/Vienna."""
    return f"{written} your time, {zone}"


def published(age: str) -> str:
    """How long ago the snapshot was published."""
    return f"published {age} ago"


def origin(*, run_id: str, version: str, rules: str, scope: str, zone: str, fingerprint: str) -> list[str]:
    """Where the numbers come from, for the foot of a page."""
    return [
        f"Run `{run_id}`",
        f"heed {version}",
        f"rules {rules}, opt-outs apply per {scope}",
        f"months and weeks in {zone}, times in UTC",
        f"fingerprint `{fingerprint}`",
    ]
