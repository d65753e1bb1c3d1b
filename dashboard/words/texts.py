"""English text that several pages use, and the words for what the snapshot says in codes."""

from __future__ import annotations

import re
from dataclasses import dataclass

PRODUCT = "heed"


@dataclass(frozen=True)
class Page:
    """One page: its file, its name in the menu, the question it answers, an icon, its filters, its part of the menu."""

    file: str
    title: str
    question: str
    icon: str
    help: str
    filters: tuple[str, ...] = ()
    section: str = ""


PAGES = {
    "overview": Page(
        "app_pages/overview.py", "Overview", "Are we all right?", ":material/home:",
        "The answer in a sentence, what changed since the last run and the month before, and what to do next.",
    ),
    "audit": Page(
        "app_pages/audit.py", "Audit overview", "Did every opt-out get heeded?", ":material/verified:",
        "The verdict of every channel and month with its reasons, day by day, what was found by rule, and exposure.",
        ("period", "channel"),
    ),
    "findings": Page(
        "app_pages/findings.py", "Findings", "What went wrong, and for whom?", ":material/rule:",
        "Every finding, filtered and counted; open one contact's timeline or export the list.",
        ("period", "channel", "program", "campaign"),
    ),
    "missed": Page(
        "app_pages/missed.py", "Missed requests", "Who asked to stop and was not heard?", ":material/hearing:",
        "Replies that ask to stop and were never recorded, and what other ways of reading would have missed.",
        ("channel",),
    ),
    "trends": Page(
        "app_pages/trends.py", "Opt-out trends", "How many people opt out?", ":material/show_chart:",
        "The opt-out rate over time, its trend and changes of level, its days and hours, and a year before.",
        ("period", "channel", "program", "campaign"),
        section="Marketing",
    ),
    "response": Page(
        "app_pages/response.py", "Response time", "How fast is an opt-out applied?", ":material/timer:",
        "How long opt-outs take to be applied, the share within the deadline, and requests still open.",
        ("period", "channel"),
    ),
    "reasons": Page(
        "app_pages/reasons.py", "Reasons", "Why do people leave?", ":material/forum:",
        "The reasons people gave, what changed, which campaigns differ, and what leavers say in their words.",
        ("period", "channel"),
        section="Marketing",
    ),
    "campaigns": Page(
        "app_pages/campaigns.py", "Campaigns", "Which campaign drives people away?", ":material/campaign:",
        "Campaigns that lose more people than chance explains, in a funnel and a league that crowns no small one.",
        ("period", "channel", "campaign"),
        section="Marketing",
    ),
    "timing": Page(
        "app_pages/timing.py", "Timing and pressure", "When and how often should we send?", ":material/schedule_send:",
        "Opt-outs per message by pressure, place in the sequence, hour, weekday, template and language, and the cost.",
        ("period", "channel"),
        section="Marketing",
    ),
    "audience": Page(
        "app_pages/audience.py", "Audience", "Is the audience growing, and may we write to it?", ":material/groups:",
        "Opt-ins against opt-outs, messages covered by consent, segments to export, the inactive, suspected machines.",
        ("channel",),
        section="Marketing",
    ),
    "definitions": Page(
        "app_pages/definitions.py", "Definitions", "Which number is which?", ":material/menu_book:",
        "One month under every definition, heed's and other products', and an example of why they differ.",
        ("period", "channel"),
        section="Marketing",
    ),
    "membership": Page(
        "app_pages/membership.py", "How long people stay", "How long do people stay?", ":material/hourglass_bottom:",
        "The time from opt-in to opt-out, by how people came in: source, method, double or single opt-in, incentive.",
        ("channel",),
        section="Marketing",
    ),
    "screen": Page(
        "app_pages/screen.py", "Screen a list", "Who on this list may be sent to?", ":material/checklist:",
        "Upload a list before a send: who may get it, who may not and why. The file is not kept.",
        section="Before sending",
    ),
    "rules": Page(
        "app_pages/rules.py", "Rules", "Which rules are in force?", ":material/gavel:",
        "What heed looks for, and the rows of law it judges by, each with its citation, grade and date.",
        section="Rule book",
    ),
    "waivers": Page(
        "app_pages/waivers.py", "Waivers", "What is excused, by whom, until when?", ":material/approval:",
        "The written excuses in force, what each excuses, and those that have expired or name nothing.",
        section="Rule book",
    ),
    "data": Page(
        "app_pages/data.py", "Data", "What do these numbers rest on?", ":material/inventory_2:",
        "What was loaded, what was set aside, what the sources cannot know, and what was checked.",
        section="Record",
    ),
    "restated": Page(
        "app_pages/restated.py", "Restated numbers", "What did we report then, and what do we know now?",
        ":material/difference:",
        "Two published runs side by side: which numbers changed, and which loads, rules or settings changed them.",
        ("channel",),
        section="Record",
    ),
    "finding": Page(
        "app_pages/finding.py", "Finding", "What happened here, and how do we know?", ":material/policy:",
        "One finding: what happened, the rule, the records and their files, and its SQL to run again.",
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

SEVERITIES = {"critical": "Critical", "high": "High", "warning": "Warning", "notice": "Notice"}

WHAT_HAPPENED = {
    "opt_in": "Opt-in", "opt_in_requested": "Opt-in requested", "opt_in_confirmed": "Opt-in confirmed",
    "opt_out": "Opt-out", "block": "Block", "unblock": "Unblock", "complaint": "Complaint",
    "marketing": "Marketing message", "transactional": "Transactional message", "confirmation": "Confirmation",
    "unknown": "Message of unknown class", "inbound": "Message from the contact",
}  # fmt: skip

# Pages that are opened from others: they show one of something, and the menu cannot know which.
UNLISTED = ("contact", "finding")

# The sections of the menu in order; pages without one come first.
SECTIONS = ("", "Marketing", "Before sending", "Rule book", "Record")

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

YES, NO, NOT_YET, NONE = "yes", "no", "not yet", "none"
ALL_PERIODS = "Whole record"
ALL_CHANNELS = "All channels"
ALL_PROGRAMS = "All programs"
ALL_CAMPAIGNS = "All campaigns"
TABLE_BEHIND = "The numbers behind this chart"
NOTHING_IN_PERIOD = "Nothing in this selection"
WIDEN = "Choose another month, channel or program in the side panel, or the whole record."
FIRST_RUN = "This page fills itself as soon as a run has been published. Put the delivered files in `inbox/`, then run:"
OLDER = (
    "An earlier version of heed published these numbers, and it did not keep what this page shows. The other pages "
    "work. A new run publishes it:"
)
FAILED = "This page could not be drawn"
FAILED_BODY = (
    "That is a mistake in heed, not in your data, and nothing was changed. The other pages work. Whoever runs this "
    "dashboard finds the cause in the server's log, by the time of day."
)
NEWER = "Nothing is damaged. Start the dashboard of the version that runs this home; to bring this one up to date:"
UNREADABLE = "The files it was made from are untouched. A new run publishes a new snapshot beside it:"

_MARKDOWN = re.compile(r"([\\`*_\[\]<>~$|#])")
# An invisible joiner keeps `http://x`, `www.x` and `:name:` from becoming links and emoji.
_AUTOMATIC = re.compile(r"(:(?=[a-z/])|www(?=\.))", re.IGNORECASE)


def plain(text: str | None) -> str:
    """Text from the data as Markdown shows it letter by letter: no links, images or styles out of a delivered file."""
    return _AUTOMATIC.sub("\\1\u2060", _MARKDOWN.sub(r"\\\1", text or ""))


def code(text: str) -> str:
    """Text from an address as it may stand between backticks: letters, digits and plain marks, no more than 60."""
    return re.sub(r"[^0-9A-Za-z._:+-]", "", text)[:60]


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


def what_happened(code: str) -> str:
    """The name of a message class or consent event."""
    return WHAT_HAPPENED.get(code, humanise(code))
