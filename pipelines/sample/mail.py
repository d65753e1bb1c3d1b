"""Writes the mail tool's export: one wide CSV row per e-mail or push message, with what became of it."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.sample import draws
from pipelines.sample.campaigns import Campaign
from pipelines.sample.clock import HORIZON, HOUR, NEVER, START_EPOCH
from pipelines.sample.files import ROWS_AT_ONCE, Delivery, csv_bytes, header, looked_up
from pipelines.sample.identifiers import mail_ids
from pipelines.sample.opt_outs import REASONS
from pipelines.sample.people import PUSH, People, device_tokens, person_ids, spelled_email
from pipelines.sample.records import Rows

CSV_HEADER = (
    "id,message_id,campaign_id,message_type,client_id,email,channel,list,sent_at,is_delivered,is_opened,opened_at,"
    "is_unsubscribed,unsubscribed_at,unsubscribe_reason,is_complained,complained_at,suppressed_at,is_blocked,blocked_at"
)
# The tool wrote NULL for nothing until its update in August.
_NULL_UNTIL = "2026-08"
_FIRST_ID = 7_000_001
_SHARE_OPENED = 0.31
_SHARE_BLOCKED = 0.3  # of the messages not delivered
_SHARE_REPEATED_ROW = 0.0005


def _instant(seconds: NDArray[np.int64], happened: NDArray[np.bool_]) -> pl.Series:
    """Times as the tool writes them: UTC, without saying so; nothing where it did not happen."""
    texts = pl.from_epoch(pl.Series(seconds + START_EPOCH), "s").dt.strftime("%Y-%m-%d %H:%M:%S")
    return pl.select(pl.when(pl.Series(happened)).then(texts)).to_series()


def _flag(values: NDArray[np.bool_]) -> pl.Series:
    return pl.Series(np.where(values, "t", "f"))


def _message_types(plan: list[Campaign]) -> list[str]:
    automatic = {"auto-abandoned-cart": "trigger", "orders": "transactional"}
    return [automatic.get(campaign.campaign_id, "bulk") for campaign in plan]


def _as_csv(people: People, rows: Rows, plan: list[Campaign], null: str) -> bytes:
    person = rows["person"].astype(np.int64)
    sent_at = rows["at"].astype(np.int64)
    serial = rows["serial"]
    spelling = draws.fraction(serial, people.seed, 140)
    is_push = rows["channel"] == PUSH
    by_token = is_push & people.device_token[person]
    address = pl.select(
        pl.when(pl.Series(by_token))
        .then(device_tokens(people, person))
        .otherwise(spelled_email(person, np.where(spelling < 0.05, 1, np.where(spelling < 0.07, 2, 0))))
    ).to_series()
    channel = np.where(is_push, np.where(person % 3 == 0, "web_push", "mobile_push"), "email")
    opened = rows["delivered"] & (draws.fraction(serial, people.seed, 141) < _SHARE_OPENED)
    blocked = ~rows["delivered"] & (draws.fraction(serial, people.seed, 142) < _SHARE_BLOCKED)
    opened_at = sent_at + 20 + (draws.fraction(serial, people.seed, 143) ** 3 * 40 * HOUR).astype(np.int64)
    left = rows["unsubscribed_at"] >= 0
    complained = rows["complained_at"] >= 0
    suppressed_at = rows["suppressed_at"].astype(np.int64)
    opened &= opened_at < HORIZON
    frame = pl.DataFrame(
        {
            "id": pl.Series(serial + _FIRST_ID),
            "message_id": mail_ids(serial, people.seed),
            "campaign_id": looked_up([campaign.campaign_id for campaign in plan], rows["campaign"]),
            "message_type": looked_up(_message_types(plan), rows["campaign"]),
            "client_id": person_ids(person),
            "email": address,
            "channel": pl.Series(channel),
            "list": looked_up([campaign.program for campaign in plan], rows["campaign"]),
            "sent_at": _instant(sent_at, np.ones(len(rows), dtype=np.bool_)),
            "is_delivered": _flag(rows["delivered"]),
            "is_opened": _flag(opened),
            "opened_at": _instant(opened_at, opened),
            "is_unsubscribed": _flag(left),
            "unsubscribed_at": _instant(rows["unsubscribed_at"].astype(np.int64), left),
            "unsubscribe_reason": _reason(rows),
            "is_complained": _flag(complained),
            "complained_at": _instant(rows["complained_at"].astype(np.int64), complained),
            "suppressed_at": _instant(suppressed_at, (suppressed_at >= 0) & (suppressed_at < NEVER)),
            "is_blocked": _flag(blocked),
            "blocked_at": _instant(sent_at + 3, blocked),
        }
    )
    return csv_bytes(frame, null)


def _reason(rows: Rows) -> pl.Series:
    reasons = looked_up(REASONS, rows["reason"])
    return pl.select(pl.when(reasons != "").then(reasons)).to_series()


def _bad_rows(month: str) -> bytes:
    """A row without address, one with a channel nobody knows, one with a time that is none."""
    tail = "t,f,,f,,,f,,,f,"
    rows = [
        f"1,bad-1-{month},mail-test,bulk,C0000001,,email,offers,{month}-06 09:00:00,{tail}",
        f"2,bad-2-{month},mail-test,bulk,C0000002,user2@example.com,carrier_pigeon,offers,{month}-06 09:00:00,{tail}",
        f"3,bad-3-{month},mail-test,bulk,C0000003,user3@example.com,email,offers,0000-00-00 00:00:00,{tail}",
    ]
    return "".join(f"{row}\n" for row in rows).encode()


def _derived(rows: Rows) -> int:
    """How many consent events the rows yield besides their messages."""
    return int(np.count_nonzero(rows["unsubscribed_at"] >= 0) + np.count_nonzero(rows["complained_at"] >= 0))


def write(delivery: Delivery, people: People, plan: list[Campaign], rows: Rows, month: str) -> None:
    """Appends rows, all sent in one month and in time order, to that month's export."""
    target = delivery.file(f"inbox/mail/messages-{month}.csv", header(CSV_HEADER))
    if not target.read:
        target.write(_bad_rows(month), 3, quarantined=3)
    null = "NULL" if month < _NULL_UNTIL else ""
    for first in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[first : first + ROWS_AT_ONCE]
        repeated = draws.fraction(part["serial"], people.seed, 144) < _SHARE_REPEATED_ROW
        written = np.repeat(part, 1 + repeated)
        twice = int(repeated.sum()) + _derived(part[repeated])
        target.write(_as_csv(people, written, plan, null), len(written), _derived(written), duplicate=twice)
