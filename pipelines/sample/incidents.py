"""What went wrong at the retailer: when each planted incident happened and what it should teach."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.sample.clock import at


@dataclass(frozen=True)
class Incident:
    """One planted incident: its name, the rule that sees it, its time and what happened."""

    name: str
    rule: str
    starts_at: int
    ends_at: int
    what: str


NATURAL = Incident("", "", 0, 0, "")
LIST_BOUGHT = Incident(
    "list_bought",
    "consent_from_forbidden_source",
    at("2025-03-10"),
    at("2026-05-04"),
    "Contacts were bought as a list or copied from a directory, and entered as if they had opted in.",
)
OPT_INS_UNRECORDED = Incident(
    "opt_ins_unrecorded",
    "message_without_consent",
    at("2025-03-10"),
    at("2026-11-09"),
    "Customers were taken over with another shop whose opt-ins nobody entered.",
)
FLASH_SALE = Incident(
    "in_flight_flash_sale",
    "message_after_opt_out",
    at("2026-05-26", 17),
    at("2026-05-27", 10),
    "A second blast followed the first by two hours while opt-outs waited for the next morning.",
)
RETRY_LOOP = Incident(
    "retry_loop",
    "message_over_frequency_cap",
    at("2026-06-02", 17),
    at("2026-06-02", 23),
    "A campaign that reported an error was sent again three times that day to some who had got it.",
)
STOPS_NOT_SYNCED = Incident(
    "stop_replies_not_synced",
    "message_after_opt_out",
    at("2026-06-08"),
    at("2026-06-30"),
    "STOP replies did not reach the CRM for three weeks; the provider refused what was sent (error 21610).",
)
WAY_OUT_FORGOTTEN = Incident(
    "way_out_forgotten",
    "message_without_opt_out_instructions",
    at("2026-06-19", 18),
    at("2026-10-09", 20),
    "Three SMS campaigns went out without the line that says how to opt out.",
)
BOX_TICKED = Incident(
    "box_ticked_beforehand",
    "consent_from_forbidden_source",
    at("2026-06-15"),
    at("2026-07-06"),
    "For three weeks the box on the shop's own form was ticked beforehand.",
)
WEBHOOKS_LOST = Incident(
    "whatsapp_preferences_lost",
    "message_after_opt_out",
    at("2026-07-06"),
    at("2026-07-20"),
    "Webhooks of stopped marketing messages were lost; only failures with error 131050 show that people had left.",
)
LINKS_SCANNED = Incident(
    "unsubscribe_links_scanned",
    "",
    at("2026-06-15"),
    at("2026-07-06"),
    "A mail gateway opened every link within seconds of delivery, and so unsubscribed people who had not asked for it.",
)
BAD_NEWSLETTER = Incident(
    "newsletter_drove_people_away",
    "",
    at("2026-07-09", 13),
    at("2026-07-09", 16),
    "A newsletter by e-mail was about something else than people had signed up for: eight times as many left as usual.",
)
QUEUE_STUCK = Incident(
    "opt_out_queue_stuck",
    "message_after_opt_out",
    at("2026-07-13"),
    at("2026-07-25"),
    "Opt-outs entered in the CRM waited in a stuck queue until September, past their deadline.",
)
QUEUE_RELEASED_AT = at("2026-09-01", 12)
PROVIDER_OUTAGE = Incident(
    "whatsapp_outage",
    "silent_source",
    at("2026-08-04", 6),
    at("2026-08-07", 18),
    "The WhatsApp provider was down for three and a half days; the sendings were made up for on the evening after.",
)
IMPORT = Incident(
    "import_resubscribed",
    "opt_in_without_act",
    at("2026-08-24", 11),
    at("2026-08-24", 11),
    "A CRM import switched people who had left back to subscribed, without any act of theirs.",
)
OFFER_IN_CONFIRMATION = Incident(
    "offer_in_confirmation",
    "confirmation_with_marketing",
    at("2026-08-24"),
    at("2026-09-07"),
    "The text that confirms an opt-out by SMS carried a discount for two weeks.",
)
WHATSAPP_STOPS_NOT_SYNCED = Incident(
    "whatsapp_stops_not_synced",
    "message_after_opt_out",
    at("2026-09-14"),
    at("2026-09-29"),
    "Stops in WhatsApp did not reach the CRM for two weeks; the provider refused what was sent (error 131050).",
)
TOO_EARLY = Incident(
    "sent_too_early",
    "message_in_quiet_hours",
    at("2026-09-18", 13),
    at("2026-09-18", 15),
    "An SMS campaign meant for nine in the morning was scheduled by New York's clock and reached the west at six.",
)
CONFIRMATIONS_OFF = Incident(
    "confirmations_off",
    "confirmation_missing",
    at("2026-09-28"),
    at("2026-10-12"),
    "The provider's confirmation of opt-outs by SMS was switched off.",
)
SUPPRESSION_OFF = Incident(
    "suppression_off",
    "campaign_ignores_opt_outs",
    at("2026-10-16", 18),
    at("2026-10-16", 20),
    "An SMS campaign was sent with the suppression list switched off.",
)
REPLIES_MISSED = Incident(
    "misspelled_stops_missed",
    "opt_out_request_missed",
    at("2026-05-04"),
    at("2026-11-09"),
    "Replies that ask to stop, or may, in other words than the keyword, and that nobody recorded.",
)
LIST_NOT_CLEANED = Incident(
    "list_not_cleaned",
    "contact_still_listed",
    at("2026-11-08"),
    at("2026-11-09"),
    "The list of the loyalty programme still held people who had opted out.",
)

INCIDENTS = [
    LIST_BOUGHT,
    OPT_INS_UNRECORDED,
    FLASH_SALE,
    RETRY_LOOP,
    STOPS_NOT_SYNCED,
    BOX_TICKED,
    WAY_OUT_FORGOTTEN,
    LINKS_SCANNED,
    WEBHOOKS_LOST,
    BAD_NEWSLETTER,
    QUEUE_STUCK,
    PROVIDER_OUTAGE,
    IMPORT,
    OFFER_IN_CONFIRMATION,
    WHATSAPP_STOPS_NOT_SYNCED,
    TOO_EARLY,
    CONFIRMATIONS_OFF,
    SUPPRESSION_OFF,
    REPLIES_MISSED,
    LIST_NOT_CLEANED,
]
# A contact's state remembers its incident by this number; 0 is nothing special.
NUMBER_OF = {incident.name: position + 1 for position, incident in enumerate(INCIDENTS)}


def after_outage(second: int) -> int:
    """The same instant, or one on the evening after the outage if it falls inside the outage."""
    if PROVIDER_OUTAGE.starts_at <= second < PROVIDER_OUTAGE.ends_at:
        return PROVIDER_OUTAGE.ends_at + 600 + (second - PROVIDER_OUTAGE.starts_at) // 16
    return second
