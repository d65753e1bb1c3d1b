"""A small home with one finding of the worst kind, and what must never be read outside its private folder."""

from __future__ import annotations

from pathlib import Path

from tests.support.home import EVENT, MESSAGE, Home

#: Two contacts, one of whom was written to after an opt-out; a third one's row is refused; one row comes twice.
MESSAGES = (
    MESSAGE
    + "m1,sms,+12025550101,2026-10-05T10:00:00Z,marketing,delivered\n"
    + "m2,sms,+1 (202) 555-0101,2026-10-07T10:00:00Z,marketing,delivered\n"
    + "m3,email,Anna.Canary@example.com,2026-10-07T11:00:00Z,marketing,delivered\n"
    + "m4,sms,+12025550103,not a time,marketing,delivered\n"
    + "m1,sms,+12025550101,2026-10-05T10:00:00Z,marketing,delivered\n"
)
EVENTS = (
    EVENT
    + "e1,sms,whatsapp:+12025550101,opt_out,2026-10-05T12:00:00Z,2026-10-05T13:00:00Z\n"
    + "e2,email,anna.canary@example.com,opt_in,2026-10-06T12:00:00Z,\n"
)
#: However an address is spelled, none of this may leave private/ and the inbox.
CANARIES = ("2025550101", "555-0101", "2025550103", "canary", "Canary")


def example_home(path: Path) -> Home:
    """The home before its first run."""
    return Home(path).configure().deliver({"m.csv": MESSAGES, "e.csv": EVENTS})


def published(home: Home) -> dict[str, bytes]:
    """Everything in a home's published folder, by name."""
    return {path.name: path.read_bytes() for path in (home.path / "published").iterdir()}
