"""Writes WhatsApp Cloud API webhooks as a receiver dumps them: JSON Lines of envelopes, one change each."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl

from pipelines.sample import texts
from pipelines.sample.campaigns import Campaign
from pipelines.sample.clock import START_EPOCH, at
from pipelines.sample.files import ROWS_AT_ONCE, Delivery, line_bytes, looked_up
from pipelines.sample.identifiers import wamids
from pipelines.sample.people import People, business_scoped_id, phone_digits
from pipelines.sample.records import WA_DELIVERED, WA_FAILED, WA_INBOUND, WA_READ, WA_RESUME, WA_SENT, WA_STOP, Rows

_ACCOUNT = "109876543210987"
_NUMBER = '"metadata":{"display_phone_number":"18335550142","phone_number_id":"105555501420142"}'
_VALUE = f'{{"messaging_product":"whatsapp",{_NUMBER},"contacts":['
_OPEN = f'{{"object":"whatsapp_business_account","entry":[{{"id":"{_ACCOUNT}","changes":[{{"value":{_VALUE}'
_CLOSE_MESSAGES = ']},"field":"messages"}]}]}'
_CLOSE_PREFERENCES = ']},"field":"user_preferences"}]}]}'
_STOPPED = 131050  # also evidence of an opt-out
_ERRORS = {
    _STOPPED: "Recipient has chosen to stop receiving marketing messages from this business",
    131049: "This message was not delivered to maintain healthy ecosystem engagement",
    130472: "User's number is part of an experiment",
}
# From then on webhooks name the business-scoped id beside the phone number.
_BOTH_IDS_FROM = at("2026-09-01")
_STATUS_KINDS = {WA_SENT: "sent", WA_DELIVERED: "delivered", WA_READ: "read"}


def _error(code: int) -> str:
    error = {"code": code, "title": _ERRORS[code], "message": _ERRORS[code], "error_data": {"details": _ERRORS[code]}}
    return json.dumps([error], separators=(",", ":"))


def _base(people: People, rows: Rows) -> pl.DataFrame:
    person = rows["person"].astype(np.int64)
    return pl.DataFrame(
        {
            "id": wamids(rows["serial"], people.seed),
            "stamp": pl.Series(rows["stamp"].astype(np.int64) + START_EPOCH).cast(pl.String),
            "phone": pl.Series(phone_digits(people, person)).cast(pl.String),
            "scoped": business_scoped_id(people, person),
            "name": "Customer " + pl.Series(person + 1_001).cast(pl.String),
            "has_phone": ~people.without_phone_number[person],
            "has_scoped": people.without_phone_number[person] | (rows["stamp"] >= _BOTH_IDS_FROM),
        }
    )


def _ids(phone_name: str, scoped_name: str) -> pl.Expr:
    """The fields that say who it is: phone number, business-scoped id, or both, each with its comma."""
    phone = pl.concat_str(pl.lit(f'"{phone_name}":"'), "phone", pl.lit('",'))
    scoped = pl.concat_str(pl.lit(f'"{scoped_name}":"'), "scoped", pl.lit('",'))
    return pl.concat_str(
        pl.when("has_phone").then(phone).otherwise(pl.lit("")), pl.when("has_scoped").then(scoped).otherwise(pl.lit(""))
    )


def _envelope(*change: pl.Expr | str, close: str = _CLOSE_MESSAGES) -> pl.Expr:
    contact = pl.concat_str(
        pl.lit("{"), _ids("wa_id", "user_id"), pl.lit('"profile":{"name":"'), pl.col("name"), pl.lit('"}}],')
    )
    parts = [pl.lit(part) if isinstance(part, str) else part for part in change]
    return pl.concat_str(pl.lit(_OPEN), contact, *parts, pl.lit(close))


def _lines_of_kind(people: People, rows: Rows, kind: int, plan: list[Campaign]) -> pl.Series:
    frame = _base(people, rows)
    stamp: tuple[pl.Expr | str, ...] = ('"timestamp":"', pl.col("stamp"), '"')
    if kind in _STATUS_KINDS:
        categories = ["marketing" if campaign.is_marketing else "utility" for campaign in plan]
        campaign_ids = [campaign.campaign_id for campaign in plan]
        frame = frame.with_columns(
            category=looked_up(categories, rows["campaign"]), campaign=looked_up(campaign_ids, rows["campaign"])
        )
        pricing: tuple[pl.Expr | str, ...] = (
            ',"biz_opaque_callback_data":"',
            pl.col("campaign"),
            '","pricing":{"billable":true,"pricing_model":"PMP","category":"',
            pl.col("category"),
            '"}}',
        )
        line = _envelope(
            '"statuses":[{"id":"',
            pl.col("id"),
            f'","status":"{_STATUS_KINDS[kind]}",',
            _ids("recipient_id", "recipient_user_id"),
            *stamp,
            *pricing,
        )
    elif kind == WA_FAILED:
        codes = list(_ERRORS)
        errors = looked_up([_error(code) for code in codes], [codes.index(code) for code in rows["error"].tolist()])
        frame = frame.with_columns(errors=errors)
        line = _envelope(
            '"statuses":[{"id":"',
            pl.col("id"),
            '","status":"failed",',
            _ids("recipient_id", "recipient_user_id"),
            *stamp,
            ',"errors":',
            pl.col("errors"),
            "}",
        )
    elif kind == WA_INBOUND:
        frame = frame.with_columns(body=looked_up([json.dumps(text) for text in texts.REPLIES], rows["text"]))
        line = _envelope(
            '"messages":[{',
            _ids("from", "from_user_id"),
            '"id":"',
            pl.col("id"),
            '",',
            *stamp,
            ',"text":{"body":',
            pl.col("body"),
            '},"type":"text"}',
        )
    else:
        value = "stop" if kind == WA_STOP else "resume"
        line = _envelope(
            '"user_preferences":[{',
            _ids("wa_id", "user_id"),
            f'"detail":"User requested to {value} marketing messages","category":"marketing_messages",'
            f'"value":"{value}","timestamp":',
            pl.col("stamp"),
            "}",
            close=_CLOSE_PREFERENCES,
        )
    return frame.select(line).to_series()


def _lines(people: People, rows: Rows, plan: list[Campaign]) -> pl.Series:
    parts: list[pl.Series] = []
    places: list[np.ndarray[Any, np.dtype[np.int64]]] = []
    for kind in (WA_SENT, WA_DELIVERED, WA_READ, WA_FAILED, WA_INBOUND, WA_STOP, WA_RESUME):
        place = np.flatnonzero(rows["kind"] == kind)
        if len(place):
            parts.append(_lines_of_kind(people, rows[place], kind, plan))
            places.append(place)
    back = np.argsort(np.concatenate(places), kind="stable")
    return pl.concat(parts).gather(pl.Series(back))


def _bad_rows(month: str) -> bytes:
    """A time that is a counter instead of a time, and a status that names nobody."""
    status = '"statuses":[{"id":"wamid.HBgM%s","status":"sent",%s"timestamp":"%s","pricing":{"billable":true,'
    status += '"pricing_model":"PMP","category":"marketing"}}'
    digits = month.replace("-", "")
    counter = status % (f"BAD1{digits}", '"recipient_id":"15005550006",', "1")
    nobody = status % (f"BAD2{digits}", "", str(START_EPOCH + 40_000))
    return "".join(f"{_OPEN}],{line}{_CLOSE_MESSAGES}\n" for line in (counter, nobody)).encode()


def write(delivery: Delivery, people: People, plan: list[Campaign], rows: Rows, month: str) -> None:
    """Appends webhooks, all arriving in one month and in order of arrival, to that month's file."""
    target = delivery.file(f"inbox/whatsapp/webhooks-{month}.jsonl")
    if not target.read:
        target.write(_bad_rows(month), 2, quarantined=2)
    for first in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[first : first + ROWS_AT_ONCE]
        refused = part["error"] == _STOPPED
        again = part["repeat"]
        duplicate = int(np.count_nonzero(again) + np.count_nonzero(again & refused))
        target.write(line_bytes(_lines(people, part, plan)), len(part), int(np.count_nonzero(refused)), duplicate)
