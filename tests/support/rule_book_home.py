"""The hand-written sample in data/samples/rule_book, in which every rule finds something, as a home after its run."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.deliveries import SAMPLES
from tests.support.home import Home

FOLDER = SAMPLES / "rule_book"
#: Of the home itself; the other tables are its logs.
_HOME_FILES = ("heed.toml", "rules.csv", "waivers.csv")
_LOGS = ("messages.csv", "consent_events.csv", "inbound_messages.csv", "campaigns.csv", "contacts.csv")


def rule_book_home(folder: Path) -> Path:
    """A home made of the sample in `folder`, after its run."""
    (folder / "inbox").mkdir(parents=True)
    for name in _HOME_FILES:
        shutil.copy(FOLDER / name, folder / name)
    for name in _LOGS:
        shutil.copy(FOLDER / name, folder / "inbox" / name)
    Home(folder).run()
    return folder
