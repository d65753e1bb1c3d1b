"""Makes a home: its folders and a commented heed.toml."""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import UsageError

TEMPLATE = """# heed.toml: where your logs come from and how they are judged. Paths are below this folder.

[policy]
# Whom an opt-out covers: "channel" (same contact and channel), "program" (same contact, channel and program)
# or "person" (every channel and program of the person).
scope = "channel"
# How long your systems may take to apply an opt-out where no rule says: "48h", "30d" or "10bd" (business days).
default_deadline = "10bd"
# The country of phone numbers written without + and country code.
# default_country = "US"
# Which legal rules hold: "default", "strict" (a preset, not the law), "none", or a list of ids. To see them: heed rules
# Your own rows, and changes to heed's, go to rules.csv beside this file; excuses for findings to waivers.csv.
# rules = "default"
# Days, weeks and months are cut in this time zone.
report_timezone = "UTC"

# What operators are told: docs/operations.md.
# [log]
# to = "file"                         # operations/log.jsonl, or "stderr", or "none"
# max_megabytes = 10
#
# [monitoring]
# textfile = "/var/lib/node_exporter/textfile_collector/heed.prom"
# max_age = "26h"                     # how old the last success may be: heed health
#
# [alerts]                            # pip install 'heed[alerts]'
# urls_file = "private/alert_urls"    # one address a line, as Apprise writes it; or set HEED_ALERT_URLS
# on = ["new_violations", "failed_run", "stale_snapshot"]

# How long texts and addresses are kept, counted back from the newest record. Without these lines: for ever.
# [retention]
# texts = "365d"
# addresses = "730d"

# One [[source]] for each log. Files are read from inbox/ and never changed.
# Connectors: canonical (heed's own columns), generic (a column map), twilio, whatsapp_cloud.
#
# [[source]]
# name = "crm"
# connector = "canonical"
# table = "consent_events"            # or messages, inbound_messages, campaigns, contacts
# path = "inbox/consent*.csv"         # CSV, JSON Lines or Parquet; .gz too
# timezone = "America/New_York"       # for times written without an offset
#
# [[source]]
# name = "sms"
# connector = "twilio"
# path = "inbox/twilio/*"
"""

FOLDERS = {"inbox": 0o755, "history": 0o700, "published": 0o755, "private": 0o700, "operations": 0o755}


def make_home(home: Path) -> Path:
    """Write a commented heed.toml and the folders of a home; returns the path of heed.toml.

    Raises UsageError when there is a heed.toml already.
    """
    path = home / "heed.toml"
    if path.exists():
        raise UsageError(f"{path} exists already.", "Edit it, or name another home with -C.")
    home.mkdir(parents=True, exist_ok=True)
    for name, mode in FOLDERS.items():
        (home / name).mkdir(mode=mode, exist_ok=True)
    path.write_text(TEMPLATE, encoding="utf-8")
    return path
