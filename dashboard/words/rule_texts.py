"""The words for rules: what each audit looks for, its classes of findings, and the codes of the rule book."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dashboard.words import texts
from dashboard.words.place_names import PLACES


@dataclass(frozen=True)
class Audit:
    """One wrong that heed looks for: its name, what it is in one sentence, and its classes with a name each."""

    name: str
    sentence: str
    classes: dict[str, str]


# In the order of a contact's life with a sender: leaving, joining, when and how often, confirming, listening.
AUDITS = {
    "message_after_opt_out": Audit(
        "Message after opt-out", "A marketing message went to someone who had opted out.",
        {
            "sent_after_processing": "Sent after processing", "sent_past_deadline": "Sent past the deadline",
            "sent_in_flight": "Sent in flight", "suppressed_by_provider": "Suppressed by the provider",
        },
    ),
    "opt_out_not_honoured_in_time": Audit(
        "Opt-out not honoured in time", "An opt-out was applied after its deadline, or nothing shows that it ever was.",
        {"processed_late": "Opt-out applied late", "not_processed": "No proof that the opt-out was applied"},
    ),
    "contact_still_listed": Audit(
        "Contact still listed", "Someone who opted out is still on the audience list.",
        {"still_listed": "Still listed"},
    ),
    "campaign_ignores_opt_outs": Audit(
        "Campaign ignores opt-outs", "A campaign is set up to send to those who opted out.",
        {"suppression_off": "Suppression switched off"},
    ),
    "message_without_consent": Audit(
        "Message without consent", "A marketing message went out without any opt-in before it.",
        {"no_consent_on_record": "No consent on record", "no_consent_log": "No log of consent at all"},
    ),
    "message_before_confirmation": Audit(
        "Message before confirmation", "A marketing message followed a request to join that nobody had confirmed.",
        {"only_requested": "Consent only requested"},
    ),
    "consent_from_forbidden_source": Audit(
        "Consent from a forbidden source", "An opt-in came from a source that your policy forbids.",
        {
            "prechecked_box": "Consent by a box ticked beforehand", "purchased": "Consent bought",
            "scraped": "Consent scraped", "ad_campaign": "Consent from an ad campaign",
            "offline": "Consent collected offline", "referral": "Consent by referral",
            "own_web": "Consent from your own site", "unknown": "Consent of unknown origin",
        },
    ),
    "opt_in_without_act": Audit(
        "Opt-in without an act", "An opt-out was undone, and not by the contact.",
        {
            "import": "Opt-out undone by an import", "operator": "Opt-out undone by an operator",
            "system": "Opt-out undone by a system", "provider": "Opt-out undone by a provider",
        },
    ),
    "message_in_quiet_hours": Audit(
        "Message in quiet hours", "A marketing message was sent at a time of day when none may be.",
        {
            "certain": "In quiet hours, local time certain", "possible": "In quiet hours, local time likely",
            "unknown": "In quiet hours, local time unknown",
        },
    ),
    "message_over_frequency_cap": Audit(
        "Message over the cap", "One contact got more marketing messages than the law or your policy allows.",
        {"over_legal_cap": "Over a legal cap", "over_policy_cap": "Over your own cap"},
    ),
    "confirmation_missing": Audit(
        "Confirmation missing", "An opt-out was not confirmed to the contact.",
        {"no_confirmation": "No confirmation"},
    ),
    "confirmation_late": Audit(
        "Confirmation late", "An opt-out was confirmed later than allowed.", {"late": "Late confirmation"},
    ),
    "confirmation_repeated": Audit(
        "Confirmation repeated", "An opt-out was confirmed more than once.", {"repeated": "Repeated confirmation"},
    ),
    "confirmation_with_marketing": Audit(
        "Confirmation with marketing", "A confirmation also advertised.",
        {"marketing_text": "Marketing in a confirmation"},
    ),
    "opt_out_request_missed": Audit(
        "Opt-out request missed", "A reply asked to stop, and no opt-out was recorded within a day.",
        {"certain": "Clear request missed", "possible": "Possible request missed"},
    ),
    "message_without_opt_out_instructions": Audit(
        "No opt-out instructions", "A marketing message did not say how to opt out.",
        {"no_instructions": "No way out told"},
    ),
}  # fmt: skip

# What the classes of message_after_opt_out mean: the others say it in their names.
CLASS_SENTENCES = {
    "sent_after_processing": "it went out after the opt-out had been applied",
    "sent_past_deadline": "it went out after the deadline for applying the opt-out",
    "sent_in_flight": "it went out after the request, before it was applied and before the deadline",
    "suppressed_by_provider": "the provider stopped it: your own list is out of date",
}

# What rows of law call several channels, with the channels.
_APPS = ("whatsapp", "messenger", "instagram", "telegram", "line", "viber")
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "all": ("every channel", tuple(code for code in texts.CHANNELS if code != "*")),
    "*": ("every channel", tuple(code for code in texts.CHANNELS if code != "*")),
    "im": ("messaging apps", _APPS), "ott": ("messaging apps", _APPS),
    "social_dm": ("Messenger, Instagram", ("messenger", "instagram")), "mms": ("SMS", ("sms",)),
    "voice_auto": ("automated calls", ("voice",)),
}  # fmt: skip

# Kinds of rows of law, in reading order: those that heed judges by come first.
KINDS = {
    "optout_deadline": "Deadlines for opt-outs", "consent_required": "Consent", "quiet_hours": "Quiet hours",
    "frequency_cap": "Frequency caps", "confirmation": "Confirmations", "penalty": "Penalties",
    "keyword": "Words that opt out", "revocation_means": "Ways to opt out",
    "revocation_scope": "What an opt-out covers", "retention": "Records to keep", "platform_signal": "Platform signals",
}  # fmt: skip

GRADES = {
    "P": "official text", "Q": "legal text, quoted by others", "S": "a summary by others", "S1": "one weak source",
    "unverified": "not confirmed", "preset": "heed's own preset, not law", "home": "your own row",
}  # fmt: skip

CERTAINTY = {"certain": "certain", "possible": "likely, not certain", "unknown": "unknown"}

# How heed knows where a contact is.
ORIGINS = {
    "contacts table": "the contacts table", "phone number": "the phone number", "source": "the source's settings",
}  # fmt: skip

REGIMES = {
    "exact_keyword": ("Exact keyword", "a system that knows the providers' keywords alone"),
    "legal_list": ("Legal word list", "a system that knows the words the law lists"),
    "reasonable_person": ("Reasonable person", "somebody who reads what the contact wrote"),
    "reasonable_person_possible": ("Cautious person", "somebody who also counts what may be meant as a request"),
}

WAIVER_STATES = {
    "applied": "in force", "expired": "expired", "unknown_subject": "names nothing on record",
    "unknown_rule": "names no rule",
}  # fmt: skip

NOT_ADVICE = (
    "heed reports facts and cites texts. It is not legal advice: which of these texts bind you, your counsel says."
)
STRICT = (
    "**The strict preset is on.** It is a preset of heed's, stricter than most laws, and not the law: a finding under "
    "it may break no law."
)

_ADDRESS = re.compile(r"\+\d[\d\s().-]{5,}\d|[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+")
_WEB_PAGE = re.compile(r"https?://[^\s<>\"'`\\]+")


def audit_name(rule: str) -> str:
    """The name of a rule that heed looks for."""
    return AUDITS[rule].name if rule in AUDITS else texts.humanise(rule)


def audit_sentence(rule: str) -> str:
    """What a finding of this rule means, in one sentence; empty if unknown."""
    return AUDITS[rule].sentence if rule in AUDITS else ""


def class_name(rule: str, finding_class: str) -> str:
    """The name of a class of findings, the same for no two rules that heed knows."""
    known = AUDITS[rule].classes.get(finding_class) if rule in AUDITS else None
    return known or texts.humanise(finding_class if finding_class == rule else f"{rule}: {finding_class}")


def class_name_of(code: str) -> str:
    """The name of a class given as rule/class."""
    rule, _, finding_class = code.partition("/")
    return class_name(rule, finding_class)


def place_name(code: str) -> str:
    """The name of a country, state or region alone: Florida; its code where it has no name here."""
    return PLACES.get(code, code)


def place(code: str | None) -> str:
    """The name of a country, state or region: Florida (US-FL); the code alone where it has no name here."""
    if not code:
        return "unknown"
    name = PLACES.get(code, "")
    return f"{name} ({code})" if name and len(code) in (2, 5) else name or code


def channels(codes: str) -> str:
    """The channels of a row of law as words: SMS, Voice; `all` is every channel."""
    names = [GROUPS[code][0] if code in GROUPS else texts.channel(code) for code in codes.split("|")]
    return ", ".join(dict.fromkeys(names))


def channel_codes(codes: str) -> set[str]:
    """The channels that a row of law reaches, groups of them taken apart."""
    return {one for code in codes.split("|") for one in (GROUPS[code][1] if code in GROUPS else (code,))}


def kind(code: str) -> str:
    """The name of a kind of row."""
    return KINDS.get(code, texts.humanise(code))


def grade(code: str | None) -> str:
    """How good a row's source is, in words."""
    return GRADES.get(code or "", code or "not graded")


def regime(code: str) -> tuple[str, str]:
    """The name of a way of reading replies, and who reads like that."""
    return REGIMES.get(code, (texts.humanise(code), f"the way called {texts.humanise(code).lower()}"))


def without_addresses(text: str | None) -> str:
    """A home's own words with e-mail addresses and telephone numbers left out: pages show no contact's address."""
    return _ADDRESS.sub("(address not shown)", text or "")


def link(label: str, address: str | None) -> str:
    """A Markdown link to a web page; the label alone where the address is none."""
    if not address or not _WEB_PAGE.fullmatch(address):
        return texts.plain(label)
    return f"[{texts.plain(label)}]({address.replace('(', '%28').replace(')', '%29')})"
