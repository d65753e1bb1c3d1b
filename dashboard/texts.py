"""English text that several pages use, and the words for what the snapshot says in codes."""

from __future__ import annotations

import re
from dataclasses import dataclass

PRODUCT = "heed"


@dataclass(frozen=True)
class Page:
    """One page: its file, its name in the menu, the question it answers, an icon, and the filters it offers."""

    file: str
    title: str
    question: str
    icon: str
    help: str
    filters: tuple[str, ...] = ()


PAGES = {
    "overview": Page(
        "app_pages/overview.py", "Overview", "Did every opt-out get heeded?", ":material/verified:",
        "The verdict and its reasons, the three headline numbers, and what to look at next.",
        ("period", "channel"),
    ),
    "findings": Page(
        "app_pages/findings.py", "Findings", "What went wrong, and for whom?", ":material/rule:",
        "Every finding, filtered and counted; open one contact's timeline or export the list.",
        ("period", "channel", "program"),
    ),
    "trends": Page(
        "app_pages/trends.py", "Opt-out trends", "How many people opt out?", ":material/show_chart:",
        "The opt-out rate over time by channel, program and campaign, with its uncertainty.",
        ("period", "channel", "program"),
    ),
    "response": Page(
        "app_pages/response.py", "Response time", "How fast is an opt-out applied?", ":material/timer:",
        "How long opt-outs take to be applied, the share within the deadline, and requests still open.",
        ("period", "channel"),
    ),
    "reasons": Page(
        "app_pages/reasons.py", "Reasons", "Why do people leave?", ":material/forum:",
        "The reasons people gave, and how they changed against the month before.",
        ("period", "channel"),
    ),
    "data": Page(
        "app_pages/data.py", "Data", "What do these numbers rest on?", ":material/inventory_2:",
        "What was loaded, what was set aside, what the sources cannot know, and what was checked.",
    ),
    "contact": Page(
        "app_pages/contact.py", "Contact", "What happened to this contact?", ":material/person:",
        "One contact's messages, consent events and opt-out spans in time order.",
    ),
}  # fmt: skip

CHANNELS = {
    "*": "Every channel", "sms": "SMS", "rcs": "RCS", "whatsapp": "WhatsApp", "email": "Email", "push": "Push",
    "voice": "Voice", "messenger": "Messenger", "instagram": "Instagram", "telegram": "Telegram", "line": "LINE",
    "viber": "Viber", "other": "Other",
}  # fmt: skip

VERDICTS = {
    "Pass": "No violation was found, and the evidence is complete.",
    "Fail": "At least one rule was broken, and no waiver covers it.",
    "Cannot attest": "No violation was found, but the record has holes, so nobody can vouch for it.",
}

# Label and plain sentence per finding class; a class not listed here is shown by its own name.
FINDING_CLASSES = {
    "sent_after_processing": (
        "Sent after processing", "A marketing message went out after the opt-out had been applied.",
    ),
    "sent_past_deadline": (
        "Sent past the deadline", "A marketing message went out after the deadline for applying the opt-out.",
    ),
    "sent_in_flight": (
        "Sent in flight", "A message went out after the request, before it was applied and before the deadline.",
    ),
    "suppressed_by_provider": (
        "Suppressed by the provider", "The provider stopped the message: your own list is out of date.",
    ),
    "opt_out_not_honoured_in_time": (
        "Opt-out not honoured in time", "The opt-out was applied after its deadline, or is still open past it.",
    ),
    "message_without_consent": ("Message without consent", "A marketing message without any opt-in before it."),
    "message_before_confirmation": (
        "Message before confirmation", "A marketing message after a request to join that was never confirmed.",
    ),
    "consent_from_forbidden_source": (
        "Consent from a forbidden source", "The opt-in came from a kind of source your policy forbids.",
    ),
    "message_in_quiet_hours": ("Message in quiet hours", "A marketing message at a time when none may be sent."),
    "message_over_frequency_cap": ("Message over the cap", "More marketing messages than your policy allows."),
    "confirmation_missing": ("Confirmation missing", "An opt-out that was not confirmed to the contact."),
    "confirmation_late": ("Confirmation late", "An opt-out confirmed later than allowed."),
    "confirmation_repeated": ("Confirmation repeated", "An opt-out confirmed more than once."),
    "confirmation_with_marketing": ("Confirmation with marketing", "A confirmation that also advertised."),
    "opt_out_request_missed": ("Opt-out request missed", "A reply that reads as an opt-out and was never recorded."),
    "opt_in_without_act": ("Opt-in without an act", "An opt-in after an opt-out that the contact did not make."),
    "message_without_opt_out_instructions": (
        "No opt-out instructions", "A marketing message that did not say how to opt out.",
    ),
    "campaign_ignores_opt_outs": ("Campaign ignores opt-outs", "A campaign set up to send to those who opted out."),
    "contact_still_listed": ("Contact still listed", "A contact who opted out is still on the audience list."),
}  # fmt: skip

SEVERITIES = {"critical": "Critical", "high": "High", "warning": "Warning", "notice": "Notice"}

WHAT_HAPPENED = {
    "opt_in": "Opt-in", "opt_in_requested": "Opt-in requested", "opt_in_confirmed": "Opt-in confirmed",
    "opt_out": "Opt-out", "block": "Block", "unblock": "Unblock", "complaint": "Complaint",
    "marketing": "Marketing message", "transactional": "Transactional message", "confirmation": "Confirmation",
    "unknown": "Message of unknown class", "inbound": "Message from the contact",
}  # fmt: skip

ALL_PERIODS = "Whole record"
ALL_CHANNELS = "All channels"
ALL_PROGRAMS = "All programs"
TABLE_BEHIND = "The numbers behind this chart"
NOTHING_IN_PERIOD = "Nothing in this selection"
WIDEN = "Choose another month, channel or program in the side panel, or the whole record."
FIRST_RUN = "This page fills itself as soon as a run has been published. Put the delivered files in `inbox/`, then run:"
UNREADABLE = "The files it was made from are untouched. A new run publishes a new snapshot beside it:"

_MARKDOWN = re.compile(r"([\\`*_\[\]<>~$|#])")
# An invisible joiner keeps `http://x`, `www.x` and `:name:` from becoming links and emoji.
_AUTOMATIC = re.compile(r"(:(?=[a-z/])|www(?=\.))", re.IGNORECASE)


def plain(text: str | None) -> str:
    """Text from the data as Markdown shows it letter by letter: no links, images or styles out of a delivered file."""
    return _AUTOMATIC.sub("\\1\u2060", _MARKDOWN.sub(r"\\\1", text or ""))


def humanise(code: str) -> str:
    """A code as words: confirmation_late is Confirmation late."""
    return code.replace("_", " ").strip().capitalize() if code else code


def channel(code: str) -> str:
    """The name of a channel."""
    return CHANNELS.get(code, code)


def program(code: str | None) -> str:
    """The name of a program."""
    return "every program" if code == "*" else code or ""


def severity(code: str) -> str:
    """The name of a severity."""
    return SEVERITIES.get(code, humanise(code))


def finding_label(finding_class: str) -> str:
    """The name of a finding class."""
    return FINDING_CLASSES.get(finding_class, (humanise(finding_class), ""))[0]


def finding_sentence(finding_class: str) -> str:
    """What a finding of this class means, in one sentence; empty if unknown."""
    return FINDING_CLASSES.get(finding_class, ("", ""))[1]


def what_happened(code: str) -> str:
    """The name of a message class or consent event."""
    return WHAT_HAPPENED.get(code, humanise(code))
