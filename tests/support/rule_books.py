"""Made-up rule books: rows for every kind that judges, in the countries that the histories play in.

Part of `rule_histories`.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from tests.support.reference_deadlines import RuleRow


def random_book(random: Random, first: date, days: int) -> list[RuleRow]:
    """A dozen or two made-up rows of any weight, some of them in force from or until one of so many days."""
    quiet_clock = ["local_time_called_party", "local_time_recipient"]
    drafts: list[tuple[str, str, str, str, str, str]] = [
        (place, channel, "optout_deadline", value, unit, counting)
        for place, channel, value, unit, counting in [
            ("US", "sms|voice", "3", "business_days", "day_after"),
            ("US", "sms|voice", "4", "calendar_days", "instant"),
            ("US-FL", "sms", "1", "business_days", "same_day"),
            ("US", "email", "10", "business_days", ""),
            ("CA", "email|sms|im", "2", "business_days", "day_after"),
            ("AU", "email|sms|im", "5", "business_days", "same_day"),
            ("AU", "sms", "1", "business_days", "same_day"),
            ("NZ", "email|sms|im", "5", "working_days", "day_after"),
            ("GB", "email|sms", "0", "immediate", "instant"),
            ("GB", "all", "2", "working_days", "day_after"),
            ("EU", "all", "1", "calendar_days", "instant"),
            ("FR", "sms", "1", "business_days", "day_after"),
            ("IN", "mms|voice_auto", "3", "business_days", "day_after"),
            ("EG", "all", "1", "business_days", "same_day"),
            ("LB", "all", "1", "business_days", "day_after"),
            ("PLATFORM", "email", "48", "hours", "instant"),
            ("ALL", "whatsapp", "6", "hours", ""),
        ]
    ]
    drafts += [
        (place, channel, "quiet_hours", value, random.choice(quiet_clock), "")
        for place, channel, value in [
            ("US", "sms|voice", "allow:MO-SU 08:00-21:00"),
            ("US-FL", "voice|sms", "allow:MO-SU 08:00-20:00"),
            ("US-TX", "voice|sms|ott", "allow:MO-SA 09:00-21:00;SU 12:00-21:00"),
            ("CA", "all", "allow:MO-FR 09:00-12:00,13:00-22:00;deny:SA,SU"),
            ("FR", "sms", "allow:MO-SA 08:00-22:00;deny:SU,PUBLIC_HOLIDAY"),
            ("FR", "voice", "allow:MO-FR 10:00-13:00,14:00-20:00;deny:SA,SU,PUBLIC_HOLIDAY"),
            ("GB", "sms|email", "allow:MO-SU 08:00-21:00;PUBLIC_HOLIDAY 10:00-12:00"),
            ("AU", "sms|rcs", "allow:MO-SU 09:00-20:00;deny:SU"),
            ("NZ", "all", "allow:MO-SU 00:00-24:00;deny:PUBLIC_HOLIDAY"),
            ("ALL", "email|rcs", "allow:MO-SA 09:00-20:00;SU 12:00-20:00"),
        ]
    ]
    drafts += [
        ("IN", "sms|voice", "quiet_hours", "allow:MO-SU 10:00-21:00", "Asia/Kolkata", ""),
        ("US", "whatsapp", "quiet_hours", "allow:MO-SU 08:00-22:00", "America/Chicago", ""),
        ("US", "sms", "frequency_cap", "2/24h", "messages", ""),
        ("US-FL", "sms|voice", "frequency_cap", "1/6h", "messages", ""),
        ("GB", "all", "frequency_cap", "1/2d", "messages", ""),
        ("ALL", "email|sms", "frequency_cap", "3/24h", "messages", ""),
        ("US", "sms|voice", "consent_required", "written", "consent_level", ""),
        ("US-FL", "sms", "consent_required", "written", "consent_level", ""),
        ("EU", "email|sms", "consent_required", "prior", "consent_level", ""),
        ("GB", "email|sms|social_dm", "consent_required", "prior", "consent_level", ""),
        ("AU", "im|sms", "consent_required", "inferred", "consent_level", ""),
        ("PLATFORM", "whatsapp", "consent_required", "opt_in", "consent_level", ""),
        ("US", "sms", "confirmation", "max=1", "message", ""),
        ("ALL", "rcs", "confirmation", "max=1", "message", ""),
        ("US", "sms", "penalty", "500-1500", "USD_per_message", ""),
        ("US", "sms", "keyword", "STOP", "optout_keyword", ""),
    ]
    return [
        {
            "rule_id": f"made-up-{number:02d}",
            "jurisdiction": place,
            "channel": channel,
            "message_class": random.choice(["marketing"] * 4 + ["any", "marketing|informational", "exempt"]),
            "kind": kind,
            "value": value,
            "unit": unit,
            "counting": counting,
            **_dates(random, first, days),
            "grade": "P",
            "source_url": "https://example.com/law",
            "enabled": random.choice(["yes"] * 5 + ["strict", "no"]),
            "severity": random.choice(["high", "warning"]),
        }
        for number, (place, channel, kind, value, unit, counting) in enumerate(drafts)
        if random.random() < 0.85
    ]


def _dates(random: Random, first: date, days: int) -> dict[str, str]:
    """When a row is in force: often throughout, often from or until one of the days."""
    inside = first + timedelta(days=random.randrange(days))
    long_ago = "2019-01-01"
    effective_from, effective_to, checked_on = random.choice(
        [
            *[(long_ago, "", "2026-11-21")] * 4,
            (inside.isoformat(), "", "2026-11-21"),
            (long_ago, inside.isoformat(), "2026-11-21"),
            # Without a start: from one year before the day on which it is known to be in force.
            ("", "", (inside + timedelta(days=365)).isoformat()),
            ("", inside.isoformat(), "2026-11-21"),
            ("9999-12-31", "", "2026-11-21"),
        ]
    )
    return {"effective_from": effective_from, "effective_to": effective_to, "checked_on": checked_on}
