"""Every sending of the record in time order: what is sent, on which channel, when, and to how many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from pipelines.sample import incidents
from pipelines.sample.clock import DAY, HOUR, MINUTE, WEEK, WEEKS, iso
from pipelines.sample.people import EMAIL, PUSH, SMS, WHATSAPP


@dataclass(frozen=True)
class Campaign:
    """One sending: `size` messages of one text, from `starts_at` for `seconds`."""

    campaign_id: str
    channel: int
    starts_at: int
    seconds: int
    share: float  # of a week's messages
    program: str
    name: str
    text: str
    message_class: str = "marketing"
    size: int = 0
    appeal: float = 1.0  # multiplies the rate of opting out
    incident: str = ""
    repeats: str = ""  # the incident whose first blast chose its recipients

    @property
    def ends_at(self) -> int:
        """When its last message has been handed over."""
        return self.starts_at + self.seconds

    @property
    def is_marketing(self) -> bool:
        """Whether people may ask not to get it."""
        return self.message_class == "marketing"


@dataclass(frozen=True)
class _Slot:
    """A place in the weekly rhythm."""

    code: str
    channel: int
    weekday: int
    hour: int
    seconds: int
    share: float
    program: str


_WEEKLY = [
    _Slot("sms-tue", SMS, 1, 17, 5_400, 0.12, "offers"),
    _Slot("sms-fri", SMS, 4, 18, 5_400, 0.10, "offers"),
    _Slot("mail-mon", EMAIL, 0, 14, 9_000, 0.14, "offers"),
    _Slot("mail-wed", EMAIL, 2, 15, 9_000, 0.14, "offers"),
    _Slot("mail-thu", EMAIL, 3, 13, 9_000, 0.18, "newsletter"),
    _Slot("wa-wed", WHATSAPP, 2, 18, 3_600, 0.045, "offers"),
    _Slot("wa-sat", WHATSAPP, 5, 16, 3_600, 0.045, "offers"),
    _Slot("push-tue", PUSH, 1, 16, 1_800, 0.03, "app"),
    _Slot("push-thu", PUSH, 3, 17, 1_800, 0.03, "app"),
    _Slot("push-sun", PUSH, 6, 17, 1_800, 0.02, "app"),
]
_DAILY = [
    _Slot("auto-abandoned-cart", EMAIL, -1, 20, 2 * HOUR, 0.05 / 7, "reminders"),
    _Slot("orders", EMAIL, -1, 12, 11 * HOUR, 0.06 / 7, "orders"),
    _Slot("delivery-updates", WHATSAPP, -1, 12, 8 * HOUR, 0.04 / 7, "orders"),
]
_TRANSACTIONAL = {"orders", "delivery-updates"}
_WARES = ["boots", "raincoats", "garden chairs", "lamps", "notebooks", "kettles", "scarves", "backpacks", "mugs"]
_OFFERS = [
    "Marlow & Finch: {percent}% off all {ware} until Sunday. Shop: mrlw.example/{code}",
    "New at Marlow & Finch: {ware} from $19, members see them first. mrlw.example/{code}",
    'Marlow & Finch says "thank you": free delivery on {ware} today.\nmrlw.example/{code}',
    "Last call, {percent}% off {ware}! mrlw.example/{code}",
    "Marlow & Finch: your size in {ware} is back, {percent}% off. mrlw.example/{code}",
]
# How each channel tells the way out; inside WhatsApp and on a phone's screen it is the app's own.
_WAYS_OUT = {SMS: [" Reply STOP to opt out", " Text STOP to end"], EMAIL: [" | Unsubscribe: mrlw.example/u"]}
_FORGOTTEN = {("sms-fri", 6), ("sms-tue", 13), ("sms-fri", 22)}
_FIRST_BLAST_APPEAL = 5.0
_FLASH_SALE_APPEAL = 3.0
_BAD_NEWSLETTER_APPEAL = 8.0
_RETRY_SHARE = 0.03


def _written(slot: _Slot, week: int) -> tuple[str, str]:
    ware = _WARES[(week * 2 + slot.weekday) % len(_WARES)]
    percent = 10 + 5 * ((week + slot.weekday) % 5)
    template = _OFFERS[(week + slot.weekday) % len(_OFFERS)]
    code = f"{slot.code.split('-')[0][0]}{week:02d}{slot.weekday}"
    ways_out = _WAYS_OUT.get(slot.channel, [""])
    way_out = "" if (slot.code, week) in _FORGOTTEN else ways_out[week % len(ways_out)]
    return f"{percent}% off {ware}", template.format(percent=percent, ware=ware, code=code) + way_out


def _from_slot(slot: _Slot, week: int) -> Campaign:
    name, text = _written(slot, week)
    starts_at = week * WEEK + slot.weekday * DAY + slot.hour * HOUR
    campaign_id = f"{slot.code}-2026w{18 + week + 1}"
    campaign = Campaign(campaign_id, slot.channel, starts_at, slot.seconds, slot.share, slot.program, name, text)
    if (slot.code, week) in _FORGOTTEN:
        return replace(campaign, incident=incidents.WAY_OUT_FORGOTTEN.name)
    if slot.code == "sms-fri" and starts_at // DAY == incidents.TOO_EARLY.starts_at // DAY:
        return replace(campaign, starts_at=incidents.TOO_EARLY.starts_at, incident=incidents.TOO_EARLY.name)
    if slot.code == "sms-tue" and starts_at == incidents.RETRY_LOOP.starts_at:
        return replace(campaign, incident=incidents.RETRY_LOOP.name)
    if slot.code == "sms-tue" and week == 0:
        return replace(campaign, name="First SMS to everyone", appeal=_FIRST_BLAST_APPEAL)
    if slot.code == "sms-tue" and starts_at == incidents.FLASH_SALE.starts_at:
        first = incidents.FLASH_SALE.name
        return replace(campaign, name="Flash sale, first blast", appeal=_FLASH_SALE_APPEAL, incident=first)
    if slot.code == "sms-fri" and starts_at // WEEK == incidents.FLASH_SALE.starts_at // WEEK:
        second = incidents.FLASH_SALE.starts_at + 2 * HOUR
        return replace(
            campaign,
            name="Flash sale, second blast",
            starts_at=second,
            incident=incidents.FLASH_SALE.name,
            repeats=incidents.FLASH_SALE.name,
        )
    if slot.code == "mail-thu" and starts_at == incidents.BAD_NEWSLETTER.starts_at:
        bad = incidents.BAD_NEWSLETTER.name
        return replace(campaign, name="Win a car", appeal=_BAD_NEWSLETTER_APPEAL, incident=bad)
    if slot.code == "sms-fri" and starts_at == incidents.SUPPRESSION_OFF.starts_at:
        return replace(campaign, name="Autumn clearance", incident=incidents.SUPPRESSION_OFF.name)
    return campaign


def _during_outage(campaign: Campaign) -> Campaign:
    moved = incidents.after_outage(campaign.starts_at)
    if campaign.channel != WHATSAPP or moved == campaign.starts_at:
        return campaign
    # The made-up marketing goes out last, when that evening's SMS campaign is over.
    starts_at = incidents.PROVIDER_OUTAGE.ends_at + (9_000 if campaign.is_marketing else 600)
    return replace(campaign, starts_at=starts_at, seconds=3_600)


def _retries(campaign: Campaign) -> list[Campaign]:
    """The same campaign again, at 18:45, 20:00 and 21:15 UTC, to a part of those who had it."""
    return [
        replace(
            campaign,
            starts_at=campaign.starts_at + seconds,
            seconds=HOUR,
            share=_RETRY_SHARE,
            repeats=incidents.RETRY_LOOP.name,
        )
        for seconds in (105 * MINUTE, 180 * MINUTE, 255 * MINUTE)
        if campaign.incident == incidents.RETRY_LOOP.name
    ]


def _of_day(slot: _Slot, day: int) -> Campaign:
    cart = f"You left something behind.{_WAYS_OUT[EMAIL][0]}"
    text = {"orders": "Your order", "delivery-updates": "Your parcel"}.get(slot.code, cart)
    return Campaign(
        slot.code,
        slot.channel,
        day * DAY + slot.hour * HOUR,
        slot.seconds,
        slot.share,
        slot.program,
        slot.code.replace("-", " ").capitalize(),
        text,
        message_class="transactional" if slot.code in _TRANSACTIONAL else "marketing",
    )


def _check(plan: list[Campaign]) -> None:
    """Marketing that one address can get never overlaps in time: reactions are worked out in order of sending."""
    for group in ((SMS, WHATSAPP), (EMAIL, PUSH)):
        members = [campaign for campaign in plan if campaign.is_marketing and campaign.channel in group]
        for earlier, later in pairwise(members):
            assert earlier.ends_at <= later.starts_at, f"{earlier.campaign_id} overlaps {later.campaign_id}"
    for campaign in plan:
        # Nobody gets a text in the evening: on the east coast, midnight UTC is at seven or eight.
        assert campaign.channel != SMS or campaign.starts_at // DAY == campaign.ends_at // DAY


def plan(messages: int) -> list[Campaign]:
    """Every sending in order of its start; their sizes add up to `messages`."""
    sendings = [_from_slot(slot, week) for week in range(WEEKS) for slot in _WEEKLY]
    sendings += [_of_day(slot, day) for day in range(WEEKS * 7) for slot in _DAILY]
    sendings += [retry for campaign in sendings for retry in _retries(campaign)]
    sendings = [_during_outage(campaign) for campaign in sendings]
    sendings.sort(key=lambda campaign: (campaign.starts_at, campaign.channel, campaign.campaign_id))
    _check(sendings)
    total = sum(campaign.share for campaign in sendings)
    sized: list[Campaign] = []
    share_so_far = 0.0
    messages_so_far = 0
    for campaign in sendings:
        share_so_far += campaign.share
        upto = round(messages * share_so_far / total)
        sized.append(replace(campaign, size=upto - messages_so_far))
        messages_so_far = upto
    return sized


def campaign_rows(sendings: list[Campaign]) -> list[dict[str, str]]:
    """One row per campaign, as the CRM exports them."""
    rows: dict[str, dict[str, str]] = {}
    names = {SMS: "sms", WHATSAPP: "whatsapp", EMAIL: "email", PUSH: "push"}
    for campaign in sendings:
        rows.setdefault(
            campaign.campaign_id,
            {
                "campaign_id": campaign.campaign_id,
                "channel": names[campaign.channel],
                "program": campaign.program,
                "name": campaign.name,
                "language": "en",
                "template_text": campaign.text,
                "respects_opt_outs": "false" if campaign.incident == incidents.SUPPRESSION_OFF.name else "true",
                "started_at": iso(campaign.starts_at),
            },
        )
    return list(rows.values())
