"""Makes the small home of a released format, which tests/steps/test_formats.py keeps running.

    PYTHONPATH=/path/to/a/checkout/of/that/version python tests/formats/make_home.py tests/formats/3.tar.xz

Two runs, three files, one refused row; one snapshot is kept.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
from pathlib import Path

from pipelines.cli import main

SETTINGS = """[policy]
default_country = "US"
{more}
[[source]]
name = "shop"
connector = "canonical"
table = "messages"
path = "inbox/messages*.csv"

[[source]]
name = "crm"
connector = "canonical"
table = "consent_events"
path = "inbox/consent*.csv"
"""
MESSAGE = "message_id,channel,contact,sent_at,message_class,status\n"
FIRST = {
    "messages-1.csv": MESSAGE
    + "m1,sms,+12025550101,2026-10-01T12:00:00Z,marketing,delivered\n"
    + "m2,sms,+12025550101,2026-10-05T12:00:00Z,marketing,delivered\n"
    + "m3,email,ann@example.com,2026-10-06T12:00:00Z,marketing,delivered\n"
    + "m4,sms,no number,2026-10-06 12:00,marketing,delivered\n",
    "consent-1.csv": "event_id,channel,contact,event_type,requested_at,processed_at\n"
    "e1,sms,+12025550101,opt_in,2026-09-01T12:00:00Z,2026-09-01T12:00:00Z\n"
    "e2,email,ann@example.com,opt_in,2026-09-01T12:00:00Z,2026-09-01T12:00:00Z\n"
    "e3,sms,+12025550101,opt_out,2026-10-02T12:00:00Z,2026-10-02T13:00:00Z\n",
}
SECOND = {
    "messages-2.csv": MESSAGE
    + "m1,sms,+12025550101,2026-10-01T12:00:00Z,marketing,read\n"
    + "m5,sms,+12025550102,2026-11-02T12:00:00Z,marketing,delivered\n",
}


def make(target: Path) -> None:
    """Write the home as an archive whose one folder is `home`."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        (home / "inbox").mkdir(parents=True)
        for files in (FIRST, SECOND):
            (home / "heed.toml").write_text(SETTINGS.format(more="keep_snapshots = 1\n"))
            for name, content in files.items():
                (home / "inbox" / name).write_text(content)
            code = main(["-C", str(home), "run"])
            if code:
                raise SystemExit(code)
        (home / "heed.toml").write_text(SETTINGS.format(more=""))
        (home / ".lock").unlink()
        with tarfile.open(target, "w:xz", preset=9) as archive:
            archive.add(home, "home")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
