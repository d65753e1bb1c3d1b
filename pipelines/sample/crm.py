"""Writes the CRM's exports: consent events by month with their overlaps and corrections, and the list of campaigns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.sample import draws
from pipelines.sample.campaigns import Campaign, campaign_rows
from pipelines.sample.clock import DAY, HORIZON, MONTH_STARTS, MONTHS, NEVER, START_EPOCH
from pipelines.sample.files import ROWS_AT_ONCE, Delivery, csv_bytes, header, looked_up
from pipelines.sample.identifiers import crm_event_ids
from pipelines.sample.opt_outs import REASONS
from pipelines.sample.people import (
    CHANNEL_NAMES,
    EMAIL,
    PUSH,
    WHATSAPP,
    People,
    business_scoped_id,
    device_tokens,
    person_ids,
    spelled_email,
    spelled_phone,
)
from pipelines.sample.records import (
    BY_CONTACT,
    CRM_ROW,
    EMPTY_BOX,
    IMPORT,
    OPT_IN,
    OPT_OUT,
    OWN_WEB,
    WEB_FORM,
    Rows,
    rows_of,
)

EVENTS_HEADER = (
    "event_id,channel,contact,person_id,program,event_type,requested_at,processed_at,method,actor,source_type,"
    "consent_source,consent_text,prechecked,proof,reason_code,reason_text,campaign_id,message_id"
)
CAMPAIGNS_HEADER = "campaign_id,channel,program,name,language,template_text,respects_opt_outs,started_at"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_EVENTS = ["opt_in", "opt_in_requested", "opt_in_confirmed", "opt_out"]
_METHODS = ["web_form", "preference_center", "agent", "import", "button"]
_ACTORS = ["contact", "operator", "import"]
_SOURCE_TYPES = ["own_web", "ad_campaign", "offline", "referral", "unknown", "purchased", "scraped"]
_CONSENT_SOURCES = ["checkout", "autumn ad", "store in Salem", "friend", "", "list of 2025", "fair directory"]
_BOXES = ["", "false", "true"]
_CONSENT_TEXT = "I want to hear from Marlow & Finch and can stop at any time."
_REASON_TEXTS = {
    "too_frequent": "way too many messages",
    "not_relevant": "not interested in these offers",
    "never_signed_up": "I never signed up for this",
    "content": "I do not like the content",
    "privacy": "worried about my privacy",
    "found_alternative": "I buy from another shop now",
    "temporary": "just a break, I am on holiday",
    "wrong_recipient": "wrong number, I am not the one you mean",
    "technical": "the pictures do not load",
    "other": "it is complicated",
}
_REASON_TABLE = [_REASON_TEXTS.get(reason, "") for reason in REASONS]
_OVERLAP = 2 * DAY


@dataclass
class Exports:
    """What the next monthly export repeats: recent rows, and rows whose processing was not known yet."""

    recent: Rows = field(default_factory=lambda: np.zeros(0, dtype=CRM_ROW))
    unprocessed: Rows = field(default_factory=lambda: np.zeros(0, dtype=CRM_ROW))


def _instant(seconds: NDArray[np.int64], happened: NDArray[np.bool_]) -> pl.Series:
    texts = pl.from_epoch(pl.Series(seconds + START_EPOCH), "s").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return pl.select(pl.when(pl.Series(happened)).then(texts)).to_series()


def _contacts(people: People, rows: Rows) -> pl.Series:
    person = rows["person"].astype(np.int64)
    spelling = draws.fraction(rows["serial"], people.seed, 150)
    on_whatsapp = rows["address"] == WHATSAPP
    spellings = (spelling * np.where(on_whatsapp, 5, 4)).astype(np.int64)
    by_email = rows["address"] >= EMAIL
    # Numbers of people beyond the population (the export's last row) have no phone.
    known = np.where(person < people.count, person, 0)
    phones = spelled_phone(people, np.where(by_email, 0, person), spellings)
    emails = spelled_email(person, np.where(spelling < 0.06, 1, np.where(spelling < 0.08, 2, 0)))
    by_token = (rows["address"] == PUSH) & people.device_token[known]
    by_id = on_whatsapp & people.without_phone_number[known]
    return pl.select(
        pl.when(pl.Series(by_token))
        .then(device_tokens(people, known))
        .when(pl.Series(by_id))
        .then(business_scoped_id(people, known))
        .when(pl.Series(by_email))
        .then(emails)
        .otherwise(phones)
    ).to_series()


def _as_csv(people: People, rows: Rows, processed_at: NDArray[np.int64], plan: list[Campaign]) -> bytes:
    serial = rows["serial"]
    opt_in = rows["event"] != OPT_OUT
    imported = rows["method"] == IMPORT
    way = draws.fraction(serial, people.seed, 153)
    says_code = ~opt_in & (way < 0.85)
    says_text = ~opt_in & (way > 0.60)
    names_campaign = ~opt_in & (rows["campaign"] >= 0) & (draws.fraction(serial, people.seed, 154) < 0.6)
    campaign_ids = looked_up([campaign.campaign_id for campaign in plan], np.maximum(rows["campaign"], 0))
    nothing = pl.lit(None, dtype=pl.String)

    def only(condition: NDArray[np.bool_], texts: pl.Series | str) -> pl.Expr:
        value = pl.lit(texts) if isinstance(texts, str) else texts
        return pl.when(pl.Series(condition)).then(value).otherwise(nothing)

    frame = pl.select(
        event_id=crm_event_ids(serial),
        channel=looked_up([*CHANNEL_NAMES, "*"], rows["channel"]),
        contact=_contacts(people, rows),
        person_id=person_ids(rows["person"].astype(np.int64)),
        program=nothing,
        event_type=looked_up(_EVENTS, rows["event"]),
        requested_at=_instant(rows["at"].astype(np.int64), np.ones(len(rows), dtype=np.bool_)),
        processed_at=_instant(processed_at, processed_at < NEVER),
        method=looked_up(_METHODS, rows["method"]),
        actor=looked_up(_ACTORS, rows["actor"]),
        source_type=only(opt_in, looked_up(_SOURCE_TYPES, rows["source_type"])),
        consent_source=only(opt_in, looked_up(_CONSENT_SOURCES, rows["source_type"])),
        consent_text=only(opt_in & ~imported, _CONSENT_TEXT),
        prechecked=only(opt_in, looked_up(_BOXES, rows["box"])),
        proof=only(opt_in & ~imported, "form-" + pl.Series(serial).cast(pl.String)),
        reason_code=only(says_code, looked_up(REASONS, rows["reason"])),
        reason_text=only(says_text, looked_up(_REASON_TABLE, rows["reason"])),
        campaign_id=only(names_campaign, campaign_ids),
        message_id=nothing,
    )
    return csv_bytes(frame.with_columns(pl.col(pl.String).replace("", None)))


def _bad_rows(month: str) -> bytes:
    """A time without zone, an event about nobody, a channel nobody knows, a time before there were text messages."""
    rows = [
        f"BAD1{month},sms,+15005550006,,,opt_in,{month}-07 10:15:00,,web_form,contact,own_web,,,,,,,,",
        f"BAD2{month},sms,,,,opt_out,{month}-07T10:16:00Z,,agent,operator,,,,,,,,,",
        f"BAD3{month},fax,+15005550006,,,opt_in,{month}-07T10:17:00Z,,web_form,contact,own_web,,,,,,,,",
        f"BAD4{month},sms,+15005550006,,,opt_in,1970-01-01T00:00:00Z,,web_form,contact,own_web,,,,,,,,",
    ]
    return "".join(f"{row}\n" for row in rows).encode()


def write_history(delivery: Delivery, people: People, rows: Rows, plan: list[Campaign]) -> None:
    """Appends opt-ins from before the record to the CRM's first export."""
    target = delivery.file("inbox/crm/consent_events-history.csv", _BYTE_ORDER_MARK + header(EVENTS_HEADER))
    for first in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[first : first + ROWS_AT_ONCE]
        target.write(_as_csv(people, part, part["processed_at"].astype(np.int64), plan), len(part))


def write_month(
    delivery: Delivery, people: People, rows: Rows, month: str, plan: list[Campaign], exports: Exports
) -> None:
    """Writes one month's export: the month's events, the last two days of the month before once more, and the
    events whose processing has become known since."""
    ends = min(MONTH_STARTS[MONTHS.index(month) + 1], HORIZON)
    starts = MONTH_STARTS[MONTHS.index(month)]
    known_now = exports.unprocessed["processed_at"] < ends
    corrected = exports.unprocessed[known_now]
    recent = exports.recent[~np.isin(exports.recent["serial"], corrected["serial"])]
    shown = np.concatenate([recent, corrected, rows])
    processed_at = np.where(shown["processed_at"] < ends, shown["processed_at"], NEVER).astype(np.int64)
    target = delivery.file(f"inbox/crm/consent_events-{month}.csv", _BYTE_ORDER_MARK + header(EVENTS_HEADER))
    target.write(_bad_rows(month), 4, quarantined=4)
    # A repeated row is a duplicate if it tells what the export before told.
    before = np.where(recent["processed_at"] < starts, recent["processed_at"], NEVER)
    duplicate = int(np.count_nonzero(before == processed_at[: len(recent)]))
    for first in range(0, len(shown), ROWS_AT_ONCE):
        part = slice(first, first + ROWS_AT_ONCE)
        target.write(_as_csv(people, shown[part], processed_at[part], plan), len(shown[part]))
    target.duplicate += duplicate
    exports.recent = rows[rows["at"] >= ends - _OVERLAP]
    waiting = rows[(rows["processed_at"] >= ends) & (rows["processed_at"] < NEVER)]
    exports.unprocessed = np.concatenate([exports.unprocessed[~known_now], waiting])


def last_row(people: People, serial: int) -> Rows:
    """The event that ends the record: a new customer subscribes while the last export runs."""
    return rows_of(
        CRM_ROW,
        1,
        at=HORIZON,
        person=people.count,
        channel=EMAIL,
        address=EMAIL,
        event=OPT_IN,
        processed_at=HORIZON,
        method=WEB_FORM,
        actor=BY_CONTACT,
        source_type=OWN_WEB,
        box=EMPTY_BOX,
        campaign=-1,
        serial=serial,
    )


def write_campaigns(delivery: Delivery, plan: list[Campaign]) -> None:
    """Writes the list of campaigns."""
    frame = pl.DataFrame(campaign_rows(plan), schema=CAMPAIGNS_HEADER.split(","), orient="row")
    target = delivery.file("inbox/crm/campaigns.csv", header(CAMPAIGNS_HEADER))
    target.write(csv_bytes(frame), len(frame))
