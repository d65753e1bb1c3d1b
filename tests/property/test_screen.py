"""Screening is held to the audits: whoever may be sent to is sent to in fact, and the next run judges the messages."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.home import Home, source, without_validation

# 21:30 in New York and 18:30 in Los Angeles, on a Friday; the other instants lie around it.
_AT = datetime(2026, 3, 14, 1, 30, tzinfo=UTC)
_NEAR = (timedelta(0), timedelta(microseconds=1), timedelta(minutes=40), timedelta(hours=5), timedelta(hours=25))
_AREAS = ("202", "305", "512", "415", "850", "503", "208")
_PHONE = ("sms", "whatsapp")
#: The findings that a sendable contact must not give, by the reason for which others are refused.
_WRONGS = {
    "opted_out": ("message_after_opt_out", None, None),
    "pending_confirmation": ("message_before_confirmation", None, None),
    "no_consent": ("message_without_consent", None, "high"),
    "quiet_hours": ("message_in_quiet_hours", ("certain", "possible"), None),
    "over_cap": ("message_over_frequency_cap", None, None),
}
Row = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """One message to everybody: on one channel, so that several plans do not count for each other's caps."""

    channel: str
    program: str
    at: datetime


def written(rows: list[Row]) -> str:
    """Rows of equal columns as CSV."""
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(rows[0]))
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def addresses(random: Random) -> list[str]:
    """Phones of many places, e-mail addresses, each once; half of them are in the record."""
    phones = [f"+1{area}5550{number:03d}" for area in _AREAS for number in random.sample(range(100, 200), 9)]
    others = [f"+4477009{number:05d}" for number in range(6)] + [f"+9198765{number:05d}" for number in range(6)]
    return [*phones, *others, *(f"anna{number}@example.com" for number in range(24))]


def near(random: Random) -> datetime:
    return _AT + random.choice([-1, -1, 1]) * random.choice(_NEAR) - random.choice([0, 0, 1]) * timedelta(days=9)


def made_home(path: Path, random: Random, scope: str) -> tuple[Home, list[str]]:
    """A home whose record is full of acts and messages around one instant, and every address it might know."""
    everybody = addresses(random)
    known = random.sample(everybody, len(everybody) * 2 // 3)
    channels = {address: ("email",) if "@" in address else _PHONE for address in everybody}
    events, messages, listed = [], [], []
    for number in range(260):
        address = random.choice(known)
        event_type = random.choices(
            ["opt_in", "opt_in_confirmed", "opt_in_requested", "opt_out", "complaint", "block", "unblock"],
            [9, 3, 5, 5, 1, 2, 1],
        )[0]
        event = {
            "event_id": f"e{number}",
            "channel": random.choice(["*", *channels[address], *channels[address]]),
            "contact": address,
            "person_id": random.choice(["", "", f"p{random.randrange(40)}"]),
            "program": random.choice(["", "*", "news", "sale"]),
            "event_type": event_type,
            "requested_at": near(random).isoformat(),
            "method": random.choice(["", "keyword", "one_click"]),
            "actor": "contact",
        }
        events.append(event)
        if random.random() < 0.1:
            events.append(event | {"requested_at": near(random).isoformat(), "program": "sale"})
    for number in range(400):
        address = random.choice(known)
        message = {
            "message_id": f"m{number}",
            "channel": random.choice(channels[address]),
            "contact": address,
            "program": random.choice(["", "news", "sale"]),
            "message_class": random.choice(["", "marketing", "marketing", "transactional"]),
            "sent_at": near(random).isoformat(),
            "status": random.choice(["", "sent", "delivered", "delivered", "failed"]),
        }
        messages.append(message)
        if random.random() < 0.1:
            messages.append(message | {"status": "delivered", "sent_at": near(random).isoformat()})
    for address in random.sample(known, 12):
        if "@" not in address:
            zone = random.choice(["America/New_York", "America/Los_Angeles", ""])
            region = random.choice(["US-FL", "US-OR", ""])
            listed.append({"contact": address, "country": "US", "region": region, "timezone": zone})
    policy = [
        f'scope = "{scope}"',
        f'rules = "{random.choice(["default", "strict", "strict", "none"])}"',
        f"double_opt_in = {random.choice(['true', 'false'])}",
        f'frequency_cap = "{random.choice(["1/24h", "2/24h", "2/2d", "3/30h"])}"',
        f'report_timezone = "{random.choice(["UTC", "Europe/Berlin"])}"',
    ]
    sources = source("crm", "consent_events", "inbox/events*") + source("tool", "messages", "inbox/messages*")
    home = Home(path).configure(sources + source("list", "contacts", "inbox/listed*"), "\n".join(policy))
    home.deliver({"events.csv": written(events), "messages.csv": written(messages), "listed.csv": written(listed)})
    return home, everybody


def screened(home: Home, plan: Plan, everybody: list[str]) -> tuple[list[str], dict[str, str]]:
    """Who may be sent to, and who not and for which reason."""
    home.deliver({"../list.csv": written([{"number": str(n), "contact": one} for n, one in enumerate(everybody)])})
    out, refused = home.path / "clean.csv", home.path / "refused.jsonl"
    said = home.heed(
        "screen", str(home.path / "list.csv"), "--channel", plan.channel, "--program", plan.program,
        "--at", plan.at.isoformat(), "--out", str(out), "--refused", str(refused), "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    sendable = [row["contact"] for row in csv.DictReader(io.StringIO(out.read_text(encoding="utf-8")))]
    rows = [json.loads(line) for line in refused.read_text(encoding="utf-8").splitlines()]
    reasons = {everybody[row["row_number"] - 1]: row["reason"] for row in rows}
    assert all(
        row["evidence"] and (row["rule"] or row["reason"] in ("unreadable_address", "duplicate")) for row in rows
    )
    assert sorted([*sendable, *reasons]) == sorted(everybody)
    return sendable, reasons


def is_wrong(finding: Row, reason: str) -> bool:
    """Whether a finding is of the kind that `reason` stands for."""
    rule, classes, severity = _WRONGS[reason]
    return bool(
        finding["rule"] == rule
        and (classes is None or finding["finding_class"] in classes)
        and (severity is None or finding["severity"] == severity)
    )


# Among them are homes with every reason, each policy of rules and both of double opt-in.
@pytest.mark.parametrize(
    ("scope", "seed"),
    [
        ("program", 0),
        pytest.param("person", 1, marks=pytest.mark.slow),
        pytest.param("channel", 1, marks=pytest.mark.thorough),
        *(pytest.param(scope, seed, marks=pytest.mark.thorough) for scope, seed in [("channel", 2), ("program", 2)]),
    ],
)
def test_screening_refuses_whom_the_audits_would_find(
    scope: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_validation(monkeypatch)
    random = Random(f"{scope} {seed}")
    home, everybody = made_home(tmp_path / "home", random, scope)
    home.run()
    plans = [
        # A program and, for most contacts, a channel that the record does not know.
        Plan(channel, random.choice(["news", "sale", "autumn"]), near(random))
        for channel in (*_PHONE, "email")
    ]
    verdicts: dict[str, tuple[Plan, str | None]] = {}
    sent: list[Row] = []
    for plan in plans:
        fitting = [one for one in everybody if ("@" in one) == (plan.channel == "email")]
        sendable, reasons = screened(home, plan, fitting)
        for number, address in enumerate(fitting):
            message_id = f"planned-{plan.channel}-{number}"
            verdicts[message_id] = (plan, None if address in sendable else reasons[address])
            sent.append(
                {"message_id": message_id, "channel": plan.channel, "contact": address, "program": plan.program}
                | {"message_class": "marketing", "sent_at": plan.at.isoformat(), "status": "sent"}
            )
    home.deliver({"messages-planned.csv": written(sent)})
    home.run()
    findings: dict[str, list[Row]] = {}
    for finding in home.heed("findings", "--format", "json").json():
        if (finding["message_id"] or "").startswith("planned-"):
            findings.setdefault(finding["message_id"], []).append(finding)
    different = []
    for message_id, (plan, reason) in verdicts.items():
        found = findings.get(message_id, [])
        wrongs = [one for one in _WRONGS if any(is_wrong(finding, one) for finding in found)]
        if (reason is None and wrongs) or (reason is not None and reason not in wrongs):
            different.append(f"{plan}: screened as {reason}, found {wrongs}")
    assert not different, "\n".join([f"{len(different)} of {len(verdicts)}", *different[:20]])
    assert len(Counter(reason for _, reason in verdicts.values())) >= 3
