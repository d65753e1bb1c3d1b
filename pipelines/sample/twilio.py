"""Writes the SMS log as Twilio delivers it: console CSV for the first months, bulk export as gzip JSON Lines after."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import polars as pl

from pipelines.sample import draws, texts
from pipelines.sample.campaigns import Campaign
from pipelines.sample.clock import DAY, HORIZON, HOUR, MONTHS, START_EPOCH, at, iso
from pipelines.sample.files import ROWS_AT_ONCE, Delivery, csv_bytes, header, line_bytes, looked_up
from pipelines.sample.identifiers import twilio_sids
from pipelines.sample.people import People, e164
from pipelines.sample.records import CONFIRMATION, FAILED, INBOUND, Rows

CSV_HEADER = "From,To,Body,Status,SentDate,ApiVersion,NumSegments,ErrorCode,AccountSid,Sid,Direction,Price,PriceUnit"
ACCOUNT = "AC" + "5ca1ab1e" * 4
SERVICE = "MG" + "0ddba11c" * 4
SENDER = "+18335550142"
STATUSES = ["delivered", "sent", "undelivered", "failed", "received"]
_DIRECTIONS = ["outbound-api", "inbound", "outbound-reply"]
_FIRST_BULK_MONTH = "2026-08"
_RERUN_FROM, _RERUN_TO = at("2026-06-30"), at("2026-07-01")
_RERUN = "inbox/twilio/sms-log-2026-06_rerun.csv"
_SHARE_REPEATED_ROW = 0.0005
# The console shows the account's time zone; until August that is four hours behind UTC.
_CONSOLE_BEHIND = 4 * HOUR


def _columns(people: People, rows: Rows, bodies: list[str]) -> pl.DataFrame:
    person = rows["person"].astype(np.int64)
    inbound = pl.Series(rows["kind"] == INBOUND)
    phone = e164(people, person)
    segments = looked_up([str(-(-len(body) // 160)) for body in bodies], rows["text"])
    price = pl.Series(np.where(rows["kind"] == INBOUND, "-0.0075", "-0.0079"))
    return pl.DataFrame(
        {
            "sid": twilio_sids(rows["serial"], people.seed),
            "inbound": inbound,
            "phone": phone,
            "text": pl.Series(rows["text"]),
            "status": looked_up(STATUSES, rows["status"]),
            "at": pl.Series(rows["at"].astype(np.int64)),
            "segments": segments,
            "error": pl.Series(rows["error"]),
            "direction": looked_up(_DIRECTIONS, rows["kind"]),
            "price": pl.select(pl.when(pl.Series(rows["status"] == FAILED)).then(None).otherwise(price)).to_series(),
            "confirmation": pl.Series(rows["kind"] == CONFIRMATION),
        }
    ).with_columns(
        sender=pl.when("inbound").then("phone").otherwise(pl.lit(SENDER)),
        recipient=pl.when("inbound").then(pl.lit(SENDER)).otherwise("phone"),
        error=pl.when(pl.col("error") > 0).then("error"),
    )


def _as_csv(people: People, rows: Rows, bodies: list[str]) -> bytes:
    frame = _columns(people, rows, bodies)
    local = pl.from_epoch(pl.col("at") + (START_EPOCH - _CONSOLE_BEHIND), "s")
    return csv_bytes(
        frame.select(
            "sender",
            "recipient",
            looked_up(bodies, rows["text"]).alias("body"),
            "status",
            local.dt.strftime("%Y-%m-%dT%H:%M:%S-04:00"),
            pl.lit("2010-04-01").alias("version"),
            "segments",
            "error",
            pl.lit(ACCOUNT).alias("account"),
            "sid",
            "direction",
            "price",
            pl.lit("USD").alias("unit"),
        )
    )


def _as_json(people: People, rows: Rows, bodies: list[str]) -> bytes:
    slowness = pl.Series(draws.fraction(rows["serial"], people.seed, 130) ** 6 * 3 * HOUR).cast(pl.Int64)
    frame = _columns(people, rows, bodies).with_columns(
        body=looked_up([json.dumps(body) for body in bodies], rows["text"]),
        updated=pl.min_horizontal(pl.col("at") + 2 + slowness, pl.lit(HORIZON - 1)),
    )

    def instant(column: str) -> pl.Expr:
        return pl.from_epoch(pl.col(column) + START_EPOCH, "s").dt.strftime('"%Y-%m-%dT%H:%M:%SZ"')

    line = pl.concat_str(
        pl.lit(f'{{"account_sid":"{ACCOUNT}","messaging_service_sid":"{SERVICE}","sid":"'),
        "sid",
        pl.lit('","from":"'),
        "sender",
        pl.lit('","to":"'),
        "recipient",
        pl.lit('","body":'),
        "body",
        pl.lit(',"direction":"'),
        "direction",
        pl.lit('","status":"'),
        "status",
        pl.lit('","date_created":'),
        instant("at"),
        pl.lit(',"date_sent":'),
        instant("at"),
        pl.lit(',"date_updated":'),
        instant("updated"),
        pl.lit(',"num_segments":"'),
        "segments",
        pl.lit('","num_media":"0","price":'),
        pl.concat_str(pl.lit('"'), "price", pl.lit('"')).fill_null("null"),
        pl.lit(',"error_code":'),
        pl.col("error").cast(pl.String).fill_null("null"),
        pl.lit("}"),
    )
    return line_bytes(frame.select(line).to_series())


def _bad_row(month: str) -> bytes:
    """A row without recipient, as a deleted number leaves it."""
    sid = f"SM{'0' * 24}{month.replace('-', '')}00"
    if month >= _FIRST_BULK_MONTH:
        record = {
            "account_sid": ACCOUNT,
            "messaging_service_sid": SERVICE,
            "sid": sid,
            "from": SENDER,
            "to": "",
            "body": "Marlow & Finch: test",
            "direction": "outbound-api",
            "status": "failed",
            "date_created": f"{month}-05T15:00:00Z",
            "date_sent": f"{month}-05T15:00:00Z",
            "date_updated": f"{month}-05T15:00:00Z",
            "num_segments": "1",
            "num_media": "0",
            "price": None,
            "error_code": 21211,
        }
        return json.dumps(record, separators=(",", ":")).encode() + b"\n"
    return (
        f"{SENDER},,Marlow & Finch: test,failed,{month}-05T11:00:00-04:00,2010-04-01,1,21211,{ACCOUNT},{sid},"
        "outbound-api,,USD\n"
    ).encode()


def bodies_of(plan: list[Campaign]) -> list[str]:
    """Every text an SMS row can have: replies first, then one per campaign of the plan."""
    return [*texts.REPLIES, *(campaign.text for campaign in plan)]


def _slices(rows: Rows, by_day: bool) -> Iterator[Rows]:
    days = rows["at"] // DAY
    cuts = np.flatnonzero(np.diff(days)) + 1 if by_day else np.zeros(0, dtype=np.int64)
    for part in np.split(rows, cuts):
        for first in range(0, len(part), ROWS_AT_ONCE):
            yield part[first : first + ROWS_AT_ONCE]


def _derived(rows: Rows) -> int:
    """How many of the rows are keywords, each a consent event too."""
    return int(np.count_nonzero((rows["kind"] == INBOUND) & (rows["text"] < texts.MISSPELLED_AT)))


def write(delivery: Delivery, people: People, bodies: list[str], rows: Rows, month: str, by_day: bool) -> None:
    """Appends rows, all of one month and in time order, to that month's file (or to one per day of the bulk export)."""
    if month >= _FIRST_BULK_MONTH:
        _write_bulk(delivery, people, bodies, rows, month, by_day)
        return
    target = delivery.file(f"inbox/twilio/sms-log-{month}.csv", header(CSV_HEADER))
    if not target.read:
        target.write(_bad_row(month), 1, quarantined=1)
    for part in _slices(rows, by_day=False):
        repeated = draws.fraction(part["serial"], people.seed, 131) < _SHARE_REPEATED_ROW
        written = np.repeat(part, 1 + repeated)
        twice = int(repeated.sum()) + _derived(part[repeated])
        target.write(_as_csv(people, written, bodies), len(written), _derived(written), duplicate=twice)
        again = part[(part["at"] >= _RERUN_FROM) & (part["at"] < _RERUN_TO)]
        if len(again):
            rerun = delivery.file(_RERUN, header(CSV_HEADER))
            derived = _derived(again)
            rerun.write(_as_csv(people, again, bodies), len(again), derived, duplicate=len(again) + derived)


def _write_bulk(delivery: Delivery, people: People, bodies: list[str], rows: Rows, month: str, by_day: bool) -> None:
    assert month in MONTHS
    for part in _slices(rows, by_day):
        label = iso(int(part["at"][0]))[:10] if by_day else month
        name = f"inbox/twilio/messages-{label}.json.gz"
        if by_day and name not in delivery.files:
            delivery.close("inbox/twilio/messages-")
        target = delivery.file(name)
        if not target.read and (not by_day or label.endswith("-05")):
            target.write(_bad_row(month), 1, quarantined=1)
        target.write(_as_json(people, part, bodies), len(part), _derived(part))
