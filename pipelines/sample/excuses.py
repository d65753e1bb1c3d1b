"""The waivers.csv of the sample: one that holds, one that has run out, and one about nothing on record."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from pipelines.sample.key import Key

FILE = "waivers.csv"
_COLUMNS = ["rule", "subject", "reason", "who", "until"]
_ROWS = [
    (
        "message_in_quiet_hours",
        "period:2026-09-18",
        "Scheduled by the wrong clock, once. Everybody concerned had agreed to texts; an apology went out.",
        "head of compliance",
        "2027-03-31",
    ),
    (
        "campaign_ignores_opt_outs",
        "campaign:sms-fri-2026w42",
        "The box is to be ticked by the end of October.",
        "head of marketing",
        "2026-10-31",
    ),
    (
        "opt_in_without_act",
        "event:EV999999999",
        "The customer had asked for it by telephone; the recording is kept.",
        "customer service",
        "",
    ),
]


def write(home: Path, key: Key) -> list[dict[str, Any]]:
    """Writes the file; returns what must become of each of its rows, for the key."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_COLUMNS, *_ROWS])
    (home / FILE).write_text(text.getvalue(), encoding="utf-8", newline="\n")
    found = {rule: sum(classes.values()) for rule, classes in key.by_class().items()}
    statuses = ["applied", "expired", "unknown_subject"]
    return [
        {
            "rule": rule,
            "subject": subject,
            "status": status,
            # That of an expired waiver counts again; one about nothing on record is about no finding.
            "finding_count": 0 if status == "unknown_subject" else found.get(rule, 0),
        }
        for (rule, subject, *_), status in zip(_ROWS, statuses, strict=True)
    ]
