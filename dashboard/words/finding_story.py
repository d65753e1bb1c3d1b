"""English text of one finding: what happened, sentence by sentence, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.words import formats, texts

Row = dict[str, Any]

# What is said of the message itself, by its class.
_MESSAGES = {
    "marketing": "A marketing message", "unknown": "A message of unknown class (audited as marketing)",
    "confirmation": "A confirmation of the opt-out", "transactional": "A transactional message",
}  # fmt: skip
# Why it did not arrive, by status.
_NOT_ARRIVED = {
    "suppressed": "The provider refused to send it: it holds the opt-out that your own list does not.",
    "failed": "It failed and did not arrive; it was sent all the same.",
    "undelivered": "It was not delivered; it was sent all the same.",
}
_ACTORS = {"import": "an import", "operator": "an operator", "system": "a system", "provider": "the provider"}


@dataclass(frozen=True)
class Known:
    """What the snapshot knows around a finding; None or empty where there is nothing.

    `message`: what was sent (message_class, status, sent_at), `event`: the consent event that the finding names,
    `span`: the span it cites, `zones`: the time zones that the contact may be in, `opted_in_at`: the contact's first
    opt-in, `window_seconds`: how long a confirmation may take, `as_of`: the end of the record, `law`: the citation.
    """

    message: Row | None = None
    event: Row | None = None
    span: Row | None = None
    zones: Sequence[str] = field(default_factory=tuple)
    opted_in_at: datetime | None = None
    window_seconds: int | None = None
    as_of: datetime | None = None
    law: str | None = None


def happened(finding: Row, known: Known) -> list[str]:
    """What happened, in sentences of Markdown; the first says it all."""
    tell = _TELL.get(finding["rule"])
    sentences = tell(finding, known) if tell else [_sentence(finding["details"])]
    message = known.message
    if message and message["status"] in _NOT_ARRIVED and finding["finding_class"] != "suppressed_by_provider":
        sentences = [*sentences, _NOT_ARRIVED[message["status"]]]
    return [sentence for sentence in sentences if sentence]


def who(finding: Row) -> str:
    """Whom a finding is about, masked, inside a sentence."""
    return texts.plain(finding["contact_masked"]) or "the contact"


def _by(finding: Row) -> str:
    return f"by {texts.channel(finding['channel'])}"


def _of(channel: str) -> str:
    return "every channel" if channel == "*" else texts.channel(channel)


def _sent(finding: Row, known: Known) -> str:
    """A message and where it went: everything up to the full stop."""
    what = _MESSAGES.get((known.message or {}).get("message_class") or "", "A message")
    campaign = f", of campaign {texts.plain(finding['campaign_id'])}" if finding["campaign_id"] else ""
    is_refused = finding["finding_class"] == "suppressed_by_provider"
    went = "was sent off to" if is_refused else "went to"
    return f"{what} {went} {who(finding)} {_by(finding)} on {formats.instant(finding['occurred_at'])}{campaign}"


def _earlier(before: datetime, after: datetime) -> str:
    return f"{formats.duration(max((after - before).total_seconds(), 0))} earlier"


def _opted_out(finding: Row, known: Known) -> str:
    """The contact's opt-out or block: everything up to the full stop."""
    span = known.span or {}
    act = "blocked the sender on" if span.get("kind") == "block" else "opted out of"
    method = f" by {texts.humanise(span['method']).lower()}" if span.get("method") else ""
    channel = span.get("channel") or finding["channel"]
    return f"{act} {_of(channel)} on {formats.instant(finding['begins_at'])}{method}"


def _asked_again(known: Known) -> str:
    repeats = (known.span or {}).get("repeat_count")
    return f"It had to be asked for {repeats + 1} times." if repeats else ""


def _due(finding: Row, known: Known) -> str:
    if not finding["deadline_at"]:
        return ""
    law = f" by {texts.plain(known.law)}" if known.law else " by your own policy"
    return f"It was due until {formats.instant(finding['deadline_at'])}{law}"


def _applied(finding: Row) -> str:
    took = (finding["processed_at"] - finding["begins_at"]).total_seconds()
    return f"on {formats.instant(finding['processed_at'])}, {formats.duration(max(took, 0))} after the request"


def _after_opt_out(finding: Row, known: Known) -> list[str]:
    gap = _earlier(finding["begins_at"], finding["occurred_at"])
    first = f"{_sent(finding, known)}. The contact had {_opted_out(finding, known)}, {gap}."
    due = _due(finding, known)
    then = ""
    if finding["finding_class"] == "sent_after_processing":
        then = f"The opt-out had been applied {_applied(finding)}, so the message should have been stopped."
    elif finding["finding_class"] == "sent_past_deadline":
        over = formats.duration((finding["occurred_at"] - finding["deadline_at"]).total_seconds())
        then = f"{due}; the message went out {over} later. " + (
            f"It was applied only {_applied(finding)}."
            if finding["processed_at"]
            else "Nothing shows that it was ever applied."
        )
    elif finding["finding_class"] == "sent_in_flight":
        then = "The opt-out had not been applied yet, and there was still time to: a notice, no violation."
        then += f" {due}." if due else ""
    elif finding["finding_class"] == "suppressed_by_provider":
        then = _NOT_ARRIVED["suppressed"]
    return [first, then, _asked_again(known)]


def _not_honoured(finding: Row, known: Known) -> list[str]:
    first = f"{who(finding)} {_opted_out(finding, known)}. {_due(finding, known)}."
    if finding["processed_at"]:
        late = (finding["processed_at"] - finding["deadline_at"]).total_seconds()
        return [first, f"It was applied {_applied(finding)}: {formats.duration(late)} too late.", _asked_again(known)]
    over = (known.as_of - finding["deadline_at"]).total_seconds() if known.as_of else 0
    since = f", {formats.duration(over)} after the deadline" if over > 0 else ""
    return [
        first,
        f"Nothing shows that it was ever applied, up to the end of the record{since}. No proof is not proof of the "
        "contrary, so this is a warning.",
        _asked_again(known),
    ]


def _still_listed(finding: Row, known: Known) -> list[str]:
    done = f"It was applied {_applied(finding)}." if finding["processed_at"] else f"{_due(finding, known)}."
    return [
        f"{who(finding)} {_opted_out(finding, known)}. {done}",
        f"On {formats.instant(finding['occurred_at'])} it was still there: {_sentence(finding['details'])}",
    ]


def _ignores(finding: Row, known: Known) -> list[str]:
    return [
        f"Campaign {texts.plain(finding['campaign_id'])} ({_of(finding['channel'])}) is set up to ignore opt-outs: "
        "the suppression box of its settings is off.",
        f"It counts from {formats.instant(finding['occurred_at'])} on. The finding is about the setting, whether or "
        "not anybody was harmed by it.",
    ]


def _without_consent(finding: Row, known: Known) -> list[str]:
    if finding["finding_class"] == "no_consent_log":
        then = (
            f"The record holds no opt-in of anybody for {_of(finding['channel'])}: more likely the log is missing than "
            "every consent."
        )
    elif known.opted_in_at:
        gap = formats.duration((known.opted_in_at - finding["occurred_at"]).total_seconds())
        then = f"Its first opt-in on record came {gap} later, on {formats.instant(known.opted_in_at)}."
    else:
        then = "No opt-in of this contact is on record, neither before it nor after."
    law = (
        f"{texts.plain(known.law)} asks for one." if known.law else "No law on file asks for one where the contact is."
    )
    return [f"{_sent(finding, known)}, without an opt-in before it.", then, law]


def _before_confirmation(finding: Row, known: Known) -> list[str]:
    return [
        f"{_sent(finding, known)}. The contact had asked to join and had not confirmed it yet.",
        "Your policy asks for double opt-in: a request alone is no consent.",
    ]


def _forbidden_source(finding: Row, known: Known) -> list[str]:
    when = formats.instant(finding["occurred_at"])
    return [
        f"An opt-in of {who(finding)} for {_of(finding['channel'])} was recorded on {when}.",
        _sentence(finding["details"]),
    ]


def _without_act(finding: Row, known: Known) -> list[str]:
    when = formats.instant(finding["occurred_at"])
    return [
        f"{who(finding)} {_opted_out(finding, known)}.",
        f"On {when} {_ACTORS.get(finding['finding_class'], 'somebody else')} recorded an opt-in, and took the opt-out "
        "back by it. Nothing shows that the contact asked for that.",
    ]


def _quiet_hours(finding: Row, known: Known) -> list[str]:
    clocks = [
        f"{finding['occurred_at'].astimezone(ZoneInfo(zone)):%H:%M} in {texts.plain(zone)}" for zone in known.zones
    ]
    how_sure = {
        "certain": "The contact's clock is known.",
        "possible": "Its area code suggests that clock: likely, not certain.",
        "unknown": "Only its country is known, and that has several clocks.",
    }.get(finding["finding_class"], "")  # fmt: skip
    shown = f"{', '.join(clocks[:3])}{' and elsewhere' if len(clocks) > 3 else ''}"
    law = f"{texts.plain(known.law)} forbids marketing at that time." if known.law else ""
    return [f"{_sent(finding, known)}. There it was {shown}." if clocks else f"{_sent(finding, known)}.", how_sure, law]


def _over_cap(finding: Row, known: Known) -> list[str]:
    whose = f"the cap of {texts.plain(known.law)}" if known.law else "the cap of your policy"
    return [f"{_sent(finding, known)}. It was one too many by {whose}: {_lower(finding['details'])}."]


def _act_confirmed(known: Known) -> str:
    if not known.event:
        return "an opt-out"
    act = texts.what_happened(known.event["event_type"]).lower()
    return f"the {act} of {formats.instant(known.event['requested_at'])}"


def _late(finding: Row, known: Known) -> list[str]:
    took = ""
    if known.event:
        took = f", {formats.duration((finding['occurred_at'] - known.event['requested_at']).total_seconds())} after it"
    allowed = f"Allowed are {formats.duration(known.window_seconds)}." if known.window_seconds else ""
    return [f"{_sent(finding, known)}. It confirms {_act_confirmed(known)}{took}.", allowed]


def _repeated(finding: Row, known: Known) -> list[str]:
    return [f"{_sent(finding, known)}. It confirms {_act_confirmed(known)}, which had been confirmed before."]


def _with_marketing(finding: Row, known: Known) -> list[str]:
    return [
        f"{_sent(finding, known)}. It confirms {_act_confirmed(known)}, and it also sells.",
        _sentence(finding["details"]),
    ]


def _missing(finding: Row, known: Known) -> list[str]:
    return [
        f"{who(finding)} {_opted_out(finding, known)}, and no confirmation followed.",
        "Without one the contact cannot know that the request arrived.",
    ]


def _missed(finding: Row, known: Known) -> list[str]:
    when = formats.instant(finding["occurred_at"])
    sure = "asks to stop" if finding["finding_class"] == "certain" else "may ask to stop"
    inside = " The contact was opted out already." if finding["begins_at"] else ""
    return [
        f"{who(finding)} wrote {_by(finding)} on {when} what {sure}, and no opt-out was recorded within 24 hours.",
        f"How it was read: {_sentence(finding['details'])}{inside} heed publishes no message texts: your own system "
        "holds the words.",
    ]


def _no_instructions(finding: Row, known: Known) -> list[str]:
    return [f"{_sent(finding, known)}, and it did not say how to opt out.", _sentence(finding["details"])]


def _sentence(details: str | None) -> str:
    text = texts.plain(details).strip()
    return text if not text or text.endswith((".", ")")) else f"{text}."


def _lower(details: str | None) -> str:
    text = texts.plain(details)
    return text[:1].lower() + text[1:]


_TELL: dict[str, Callable[[Row, Known], list[str]]] = {
    "message_after_opt_out": _after_opt_out,
    "opt_out_not_honoured_in_time": _not_honoured,
    "contact_still_listed": _still_listed,
    "campaign_ignores_opt_outs": _ignores,
    "message_without_consent": _without_consent,
    "message_before_confirmation": _before_confirmation,
    "consent_from_forbidden_source": _forbidden_source,
    "opt_in_without_act": _without_act,
    "message_in_quiet_hours": _quiet_hours,
    "message_over_frequency_cap": _over_cap,
    "confirmation_missing": _missing,
    "confirmation_late": _late,
    "confirmation_repeated": _repeated,
    "confirmation_with_marketing": _with_marketing,
    "opt_out_request_missed": _missed,
    "message_without_opt_out_instructions": _no_instructions,
}


def span_told(span: Row, cited: dict[str, str]) -> list[str]:
    """The span that a finding cites, as facts of Markdown: from, applied, deadline, end."""
    kind = "Block" if span["kind"] == "block" else "Opt-out"
    law = cited.get(span["law"], span["law"]) if span["law"] else None
    deadline = f"{formats.instant(span['deadline_at'])}, by {texts.plain(law) if law else 'your own policy'}"
    applied = formats.instant(span["processed_at"]) if span["processed_at"] else "never, as far as is on record"
    return [
        f"**{kind}** of {_of(span['channel'])}"
        + (f", program {texts.plain(span['program'])}" if span["program"] not in ("*", None) else ""),
        f"**Began** {formats.instant(span['begins_at'])}"
        + (f", by {texts.humanise(span['method']).lower()}" if span["method"] else "")
        + (f", asked {span['repeat_count'] + 1} times" if span["repeat_count"] else ""),
        f"**Applied** {applied}",
        *([f"**Deadline** {deadline}"] if span["deadline_at"] else []),
        f"**Ended** {formats.instant(span['ends_at']) if span['ends_at'] else 'not up to the end of the record'}",
    ]
