"""The rule book of a made snapshot: audits, rows of law, places, waivers, exposure, replies and findings under them."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

from pipelines import sqlfiles
from tests.support.snapshot_numbers import AS_OF, CHANNELS, Row

CHECKED_ON = date(2026, 11, 21)
#: What each class of finding weighs.
SEVERITY = {
    ("message_after_opt_out", "sent_after_processing"): "critical",
    ("message_after_opt_out", "sent_past_deadline"): "critical",
    ("message_after_opt_out", "suppressed_by_provider"): "warning",
    ("message_after_opt_out", "sent_in_flight"): "notice",
    ("opt_out_not_honoured_in_time", "processed_late"): "high",
    ("opt_out_not_honoured_in_time", "not_processed"): "warning",
    ("message_without_consent", "no_consent_on_record"): "high",
    ("message_without_consent", "no_consent_log"): "warning",
    ("message_before_confirmation", "only_requested"): "high",
    ("consent_from_forbidden_source", "purchased"): "high",
    ("consent_from_forbidden_source", "prechecked_box"): "high",
    ("message_in_quiet_hours", "certain"): "high",
    ("message_in_quiet_hours", "possible"): "warning",
    ("message_in_quiet_hours", "unknown"): "notice",
    ("message_over_frequency_cap", "over_policy_cap"): "warning",
    ("message_over_frequency_cap", "over_legal_cap"): "high",
    ("confirmation_missing", "no_confirmation"): "notice",
    ("confirmation_late", "late"): "warning",
    ("confirmation_repeated", "repeated"): "high",
    ("confirmation_with_marketing", "marketing_text"): "high",
    ("opt_out_request_missed", "certain"): "high",
    ("opt_out_request_missed", "possible"): "warning",
    ("opt_in_without_act", "import"): "high",
    ("message_without_opt_out_instructions", "no_instructions"): "warning",
    ("campaign_ignores_opt_outs", "suppression_off"): "high",
    ("contact_still_listed", "still_listed"): "warning",
}
#: Rules about consent events; the others but campaign_ignores_opt_outs are about messages.
EVENT_RULES = {
    "opt_out_not_honoured_in_time", "consent_from_forbidden_source", "confirmation_missing", "opt_in_without_act",
    "contact_still_listed",
}  # fmt: skip
LAW = {
    "opt_out_not_honoured_in_time": "us-tcpa-optout-10bd", "message_after_opt_out": "us-tcpa-optout-10bd",
    "message_without_consent": "us-fl-consent", "message_in_quiet_hours": "us-fl-quiet-hours",
}  # fmt: skip


def audit_rules() -> list[Row]:
    """The headers of the sixteen rules."""
    rules = dict.fromkeys(rule for rule, _ in SEVERITY)
    return [
        {"rule": rule, "says": f"No {rule.replace('_', ' ')}: the header says what that means, class by class.",
         "why": "47 CFR 64.1200(a)(10): a revocation is honoured within a reasonable time.",
         "remedy": "Suppress the contact in the tool that sent the message; find out why it did not know.",
         "severity": ", ".join(dict.fromkeys(weight for (name, _), weight in SEVERITY.items() if name == rule)),
         "sql": sqlfiles.read(f"audits.{rule}").text}
        for rule in rules
    ]  # fmt: skip


_BOOK: tuple[tuple[Any, ...], ...] = (
    # rule_id, jurisdiction, regulation, citation, channel, kind, value, unit, from, to, grade, enabled, severity, words
    ("us-tcpa-optout-10bd", "US", "TCPA", "47 CFR 64.1200(a)(10), (d)(3)", "sms|voice", "optout_deadline", "10",
     "business_days", date(2025, 4, 11), None, "Q", "yes", None,
     "An opt-out is applied within ten business days of its receipt."),
    ("us-tcpa-optout-30d-old", "US", "TCPA before 11 April 2025", "47 CFR 64.1200(d)(3) (old text)", "sms|voice",
     "optout_deadline", "30", "calendar_days", None, date(2025, 4, 10), "S", "yes", None,
     "An opt-out is applied within 30 days."),
    ("us-canspam-optout-10bd", "US", "CAN-SPAM", "15 USC 7704(a)(4)(A)(i)", "email", "optout_deadline", "10",
     "business_days", date(2004, 1, 1), None, "Q", "yes", None,
     "No commercial e-mail more than ten business days after the request."),
    ("gb-pecr-optout", "GB", "PECR, ICO", "reg. 22", "email|sms|im", "optout_deadline", "0", "immediate", None, None,
     "S", "strict", None, "An opt-out is applied at once."),
    ("us-package-optout", "US", "TCPA, package delivery", "47 CFR 64.1200(a)(9)(i)(F)", "sms|voice", "optout_deadline",
     "6", "business_days", date(2025, 4, 11), None, "S1", "no", None,
     "An opt-out of delivery notices is applied within six business days."),
    ("us-tcpa-quiet-hours", "US", "TCPA", "47 CFR 64.1200(c)(1)", "sms|voice", "quiet_hours",
     "allow:MO-SU 08:00-21:00", "local_time_called_party", None, None, "Q", "yes", "warning",
     "No marketing before 8:00 or after 21:00, by the contact's clock."),
    ("us-fl-quiet-hours", "US-FL", "Florida Telemarketing Act", "Fla. Stat. 501.616(6)(a)", "sms|voice", "quiet_hours",
     "allow:MO-SU 08:00-20:00", "local_time_called_party", date(2021, 7, 1), None, "Q", "yes", "high",
     "No marketing before 8:00 or after 20:00, by the contact's clock."),
    ("us-fl-frequency", "US-FL", "Florida Telemarketing Act", "Fla. Stat. 501.616(6)(b)", "sms|voice", "frequency_cap",
     "3/24h", "messages", date(2021, 7, 1), None, "Q", "yes", "high", "At most three messages in 24 hours."),
    ("us-fl-consent", "US-FL", "Florida Telephone Solicitation Act", "Fla. Stat. 501.059(8)(a)", "sms|voice",
     "consent_required", "prior_express_written_consent", "consent_level", date(2021, 7, 1), None, "P", "yes",
     "high", "Marketing needs prior express written consent."),
    ("us-tcpa-confirmation", "US", "TCPA", "47 CFR 64.1200(a)(12)", "sms", "confirmation", "max=1;within_minutes=5",
     "message", date(2024, 4, 4), None, "P", "yes", None,
     "One confirmation of an opt-out, within five minutes, without marketing."),
    ("us-tcpa-penalty-227b", "US", "TCPA", "47 USC 227(b)(3)", "sms|voice", "penalty", "500-1500", "USD_per_message",
     None, None, "Q", "yes", None, "$500 a message, up to $1,500 if it was wilful or knowing."),
    ("us-fl-penalty", "US-FL", "Florida Telephone Solicitation Act", "Fla. Stat. 501.059(10)", "sms|voice", "penalty",
     "500-1500", "USD_per_message", date(2021, 7, 1), None, "S", "yes", None,
     "$500 a violation, up to $1,500 if it was wilful."),
    ("us-fcc-keywords", "US", "TCPA", "47 CFR 64.1200(a)(10)", "sms", "keyword",
     "stop|quit|end|revoke|opt out|cancel|unsubscribe", "optout_keyword", date(2025, 4, 11), None, "Q", "yes",
     None, "These seven words end consent."),
    ("house-cap", "ALL", "House rule", "Board paper 12", "all", "frequency_cap", "4/24h", "messages",
     date(2026, 1, 1), None, "P", "yes", "warning", "At most four messages in 24 hours."),
)  # fmt: skip
_JUDGED = {"optout_deadline", "quiet_hours", "frequency_cap", "consent_required", "confirmation", "penalty"}


def rules(preset: str = "default") -> list[Row]:
    """A few rows of law of every kind, one of them the home's own; some are off, some only in the strict preset."""
    names = ("rule_id", "jurisdiction", "regulation", "citation", "channel", "kind", "value", "unit", "effective_from",
             "effective_to", "grade", "enabled", "severity", "in_words")  # fmt: skip
    rows = []
    for values in _BOOK:
        row: Row = dict(zip(names, values, strict=True))
        in_force = row["enabled"] == "yes" or (row["enabled"] == "strict" and preset == "strict")
        first_known = (row["effective_to"] or CHECKED_ON) - timedelta(days=365)
        rows.append(row | {
            "message_class": "marketing", "counting": "day_after", "checked_on": CHECKED_ON.isoformat(),
            "effective_from": str(row["effective_from"] or "") or None,
            "effective_to": str(row["effective_to"] or "") or None, "note": "A note.",
            "source_url": f"https://example.org/law/{row['rule_id']}",
            "origin": "home" if row["rule_id"].startswith("house") else "heed", "is_in_force": in_force,
            "is_judged": row["kind"] in _JUDGED, "judged_until": row["effective_to"],
            "judged_from": row["effective_from"] or first_known,
        })  # fmt: skip
    return rows


def reach() -> list[Row]:
    """Whom the rows in force reach."""
    return [
        {"rule_id": row["rule_id"], "kind": row["kind"], "from_on": row["judged_from"], "until_on": row["judged_until"],
         "country": "*" if row["jurisdiction"] == "ALL" else row["jurisdiction"][:2],
         "region": row["jurisdiction"] if "-" in row["jurisdiction"] else "*", "channel": channel,
         "severity": row["severity"]}
        for row in rules() if row["is_judged"] and row["is_in_force"]
        for channel in ("*" if row["channel"] == "all" else row["channel"]).split("|")
    ]  # fmt: skip


def deadlines() -> list[Row]:
    """The deadlines in force."""
    return [
        {"rule_id": row["rule_id"], "amount": int(row["value"]), "unit": row["unit"], "counting": "day_after"}
        for row in rules() if row["kind"] == "optout_deadline" and row["is_in_force"]
    ]  # fmt: skip


def place_of(masked: str) -> Row:
    """Where a masked address seems to be: Florida by its area code, Britain by its number, or unknown."""
    if masked.startswith("+1305"):
        known = dict.fromkeys(("country_from", "region_from", "timezone_from"), "phone number")
        sure = dict.fromkeys(("jurisdiction_certainty", "region_certainty", "timezone_certainty"), "possible")
        return {"place_id": 1, "country": "US", "region": "US-FL", "jurisdiction": "US-FL"} | known | sure
    if masked.startswith("+1"):
        sure = {"jurisdiction_certainty": "certain", "region_certainty": "unknown", "timezone_certainty": "unknown"}
        return {"place_id": 2, "country": "US", "jurisdiction": "US", "country_from": "phone number"} | sure
    if masked.startswith("+44"):
        known = dict.fromkeys(("country_from", "region_from", "timezone_from"), "contacts table")
        sure = dict.fromkeys(("jurisdiction_certainty", "region_certainty", "timezone_certainty"), "certain")
        where = {"place_id": 3, "country": "GB", "region": "GB-ENG", "jurisdiction": "GB-ENG"}
        return where | {"timezone": "Europe/London"} | known | sure
    sure = dict.fromkeys(("jurisdiction_certainty", "region_certainty", "timezone_certainty"), "unknown")
    return {"place_id": 4} | sure


def places() -> dict[str, list[Row]]:
    """The places of `place_of`, and the time zones each may have."""
    known = [place_of(masked) for masked in ("+1305", "+1202", "+44", "a•••@example.com")]
    zones = {1: ["America/New_York", "America/Chicago"], 2: ["America/New_York", "America/Los_Angeles"],
             3: ["Europe/London"]}  # fmt: skip
    names = ("place_id", "country", "region", "country_certainty", "region_certainty", "timezone_certainty")
    return {
        "core.places": [
            {name: place.get(name, "certain") for name in names if name in place or "country_c" in name}
            for place in known
        ],
        "core.place_zones": [{"place_id": place, "timezone": zone} for place, found in zones.items() for zone in found],
    }


def contacts(rows: list[Row]) -> list[Row]:
    """One row per contact that the rows name."""
    masks = {row["contact_key"]: row["contact_masked"] for row in rows if row.get("contact_key") is not None}
    return [
        place_of(masked) | {"contact_key": key, "contact_masked": masked, "person_key": f"contact:{key}",
                            "address_kind": "email" if "@" in masked else "phone"}
        for key, masked in masks.items()
    ]  # fmt: skip


def with_law(finding: Row) -> Row:
    """A finding with where its contact is, and the row of law it rests on."""
    if finding.get("contact_key") is None:
        return finding
    place = place_of(finding["contact_masked"])
    law = LAW.get(finding["rule"]) if place.get("country") == "US" and finding["channel"] == "sms" else None
    return finding | {name: place.get(name) for name in ("jurisdiction", "jurisdiction_certainty")} | {
        "legal_rule_id": law
    }  # fmt: skip


def findings_of_other_rules() -> tuple[list[Row], list[Row]]:
    """Findings of the rules about consent, caps, confirmations, replies and campaigns, with their timeline."""
    chance = random.Random(16)
    findings: list[Row] = []
    timeline: list[Row] = []
    done = {"message_after_opt_out", "opt_out_not_honoured_in_time", "message_in_quiet_hours"}
    kinds = [pair for pair in SEVERITY if pair[0] not in done and pair[1] != "no_consent_on_record"]
    for position, (rule, finding_class) in enumerate(kinds):
        for number in range(3 + position % 4):
            at = AS_OF - timedelta(days=chance.randrange(400), hours=chance.randrange(24))
            record = f"{rule}-{finding_class}-{number}"
            row: Row = {
                "rule": rule, "finding_class": finding_class, "severity": SEVERITY[(rule, finding_class)],
                "source": CHANNELS["sms"], "channel": "sms", "program": "offers", "campaign_id": "autumn-sale",
                "occurred_at": at, "details": f"what was seen, case {number + 1}",
                "waived_by": "dpo@example.org: agreed with the provider" if rule == "confirmation_late" and not number
                else None,
            }  # fmt: skip
            if rule == "campaign_ignores_opt_outs":
                findings.append(row | {"campaign_id": f"campaign-{number}"})
                continue
            is_event = rule in EVENT_RULES
            masked = f"+44770•••••{number:02d}" if number % 2 else f"+1305•••••{position:02d}"
            row |= {"contact_key": chance.randrange(2**63), "contact_masked": masked,
                    "event_id" if is_event else "message_id": record,
                    "delivered": None if is_event else True}  # fmt: skip
            findings.append(row)
            is_inbound = rule == "opt_out_request_missed"
            kind = "consent_event" if is_event else "inbound_message" if is_inbound else "message"
            what = "opt_in" if is_event else "inbound" if is_inbound else "marketing"
            status = "delivered" if kind == "message" else None
            place = {"load_id": "load-0001", "row_number": number}
            timeline.append(row | place | {"kind": kind, "record_id": record, "what": what, "status": status})
    return findings, timeline


def waivers(findings: list[Row]) -> list[Row]:
    """Two waivers in force, one that excuses nothing, one expired, two that name what is not there."""
    waived = Counter((finding.get("waived_by") or "").partition(":")[0] for finding in findings)
    rows = [
        ("message_after_opt_out", "campaign:autumn-sale", "campaign", "Service recall, told to the authority",
         "accepted", "legal@example.org", date(2026, 12, 31), "applied", waived["legal@example.org"]),
        ("confirmation_late", "period:2026-10", "period", "The provider was down, agreed with it", "accepted",
         "dpo@example.org", None, "applied", waived["dpo@example.org"]),
        ("message_in_quiet_hours", "newsletter", "campaign", "Sent at the contact's wish", "not a wrong",
         "legal@example.org", date(2026, 12, 5), "applied", 0),
        ("message_without_consent", "campaign:store-hours", "campaign", "Consent is on paper, being typed in",
         "accepted", "dpo@example.org", date(2026, 9, 30), "expired", 4),
        ("message_over_frequency_cap", "+12025550117", "contact", "Asked by ann@example.com herself", "accepted",
         "legal@example.org", date(2026, 12, 31), "unknown_subject", 0),
        ("message_after_optout", "m1", "message", "A test message", "not a wrong", "dpo@example.org", None,
         "unknown_rule", 0),
    ]  # fmt: skip
    names = ("rule", "subject", "subject_kind", "reason", "disposition", "who", "until", "status", "finding_count")
    return [{"waiver_number": number + 1} | dict(zip(names, values, strict=True)) for number, values in enumerate(rows)]


def exposure(findings: list[Row]) -> list[Row]:
    """What violations by SMS would cost under two penalties, if a court counted each."""
    violations = [one for one in findings if one["severity"] in ("critical", "high") and not one.get("waived_by")]
    rows = []
    for rule_id, place in (("us-tcpa-penalty-227b", "US"), ("us-fl-penalty", "US-FL")):
        counted = sum(
            1 for one in violations if one.get("message_id") and str(one.get("jurisdiction") or "").startswith(place)
        )
        rows.append({"legal_rule_id": rule_id, "currency": "USD", "unit": "per message", "violation_count": counted,
                     "possible_count": 7 if place == "US" else 0, "low_amount": counted * 500.0,
                     "high_amount": counted * 1500.0})  # fmt: skip
    return rows


def reply_regimes() -> list[Row]:
    """What three ways of reading make of the same 120 replies by SMS and 40 by WhatsApp."""
    seen = {"exact_keyword": (31, 17), "legal_list": (38, 10), "reasonable_person": (48, 0)}
    rows = []
    for regime, (requests, missed) in seen.items():
        for channel, read, share in (("*", 160, 1.0), ("sms", 120, 0.75), ("whatsapp", 40, 0.25)):
            asked, lost = (requests, missed) if channel == "*" else (round(requests * share), round(missed * share))
            rows.append({"regime": regime, "channel": channel, "read_count": read, "request_count": asked,
                         "missed_by_regime_count": lost, "unrecorded_count": asked // 8})  # fmt: skip
    return rows
