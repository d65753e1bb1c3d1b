"""Twilio's message logs: Console CSV, REST and BulkExport JSON, a warehouse's message table, inbound webhooks.

The layout is found by the names of columns or keys, without regard to case, underscores or order. Outbound rows are
messages, inbound ones inbound messages. An inbound text that is one of Twilio's opt-out keywords and nothing else
(surrounding space and punctuation aside), or that Twilio marked OptOutType=STOP, is also an opt-out; START and UNSTOP
are opt-ins. YES is not, although Twilio lifts its block on it: it may answer any question, and an opt-out would end.

sent_at is the date sent, or the date created of what never was sent; never the date updated, which moves for days.
requested_at is when the keyword was received. processed_at is the same instant where Twilio's documentation says that
Twilio itself blocks the number at once: a bare keyword to a long code, a toll-free number or a messaging service by
SMS or RCS, or any text with an OptOutType. Elsewhere (a short code of its own, WhatsApp, a keyword with punctuation)
it is empty: the application has to act, and this log does not show whether it did.

A failure with error 21610 is status suppressed: Twilio holds an opt-out, but since when it does not say, so none is
made up. partially_delivered reached someone and is delivered; canceled never left Twilio and is failed.
"""

from __future__ import annotations

import csv
import re

from pipelines import readers
from pipelines.canonical import CHANNELS
from pipelines.connectors import Delivery, Reading, Records
from pipelines.engines.duckdb import quoted
from pipelines.errors import UnreadableInputError
from pipelines.resources import reference_folder
from pipelines.shapes import column_names

VERSION = 1
LIMITS = (
    "Twilio's logs show no opt-out made elsewhere than by keyword to a Twilio number, no custom keyword unless its"
    " webhooks with OptOutType are delivered, not since when a number that fails with error 21610 is opted out, and"
    " no attempt that the API refused before it made a message."
)

# What each fact is called, without case and underscores, best source first.
_NAMES = {
    "sid": ("sid", "messagesid", "smssid", "smsmessagesid", "id"),
    "webhook_sid": ("messagesid", "smssid", "smsmessagesid"),
    "sender_text": ("from",),
    "recipient_text": ("to",),
    "body_text": ("body",),
    "status_text": ("status", "messagestatus", "smsstatus"),
    "direction": ("direction",),
    "sent_text": ("datesent", "sentdate"),
    "created_text": ("datecreated", "createdat"),
    "received_text": ("receivedat", "datereceived", "receiveddate", "timestamp"),
    "error_text": ("errorcode",),
    "price_text": ("price",),
    "currency": ("priceunit",),
    "service": ("messagingservicesid",),
    "opt_out_type": ("optouttype",),
    "button": ("buttontext", "buttonpayload"),
}
_PHONE_PREFIXES = ("", "sms", "mms", "tel", "whatsapp", "rcs")
_DATE_FORMATS = ["%a, %d %b %Y %H:%M:%S %z", "%d %b %Y %H:%M:%S %z"]
_SPACE = r"\s+"
_SPACE_OR_SIGNS = r"[\s\p{P}\p{S}\p{Z}\p{M}\p{Cf}]+"
_EMPTY = "''"
_SHORT_CODE = "^[0-9]{3,6}$"
_DIGEST = "^[A-Za-z0-9+/]{43}=$"
_SENTENCE_START = r"(^|[.:!?\n])\s*"


def _keywords(meaning: str) -> list[str]:
    """Twilio's words with one meaning, from the reference table."""
    with (reference_folder() / "keywords.csv").open(encoding="utf-8", newline="") as file:
        return [
            row["keyword"] for row in csv.DictReader(file) if (row["provider"], row["meaning"]) == ("twilio", meaning)
        ]


def _words(values: list[str] | tuple[str, ...]) -> str:
    return "(" + ", ".join(map(quoted, values)) + ")"


def _plain(name: str) -> str:
    return re.sub("[ _-]", "", name.strip().lower())


def _delivered(delivery: Delivery) -> tuple[readers.RawRows, dict[str, str]] | None:
    """The file's rows, and the expression of each of its columns by name."""
    engine, path = delivery.engine, delivery.path
    if readers.file_format(path) != "jsonl":
        rows = readers.rows_of(engine, path, delivery.work, (), delivery.limits)
        if rows is None:
            return None
        select = f"select *, cast(null as varchar) as reject_reason from ({rows.select})"
        columns = {name: f"cast({readers.column(name)} as varchar)" for name in rows.columns}
        return readers.RawRows(select, rows.columns, rows.rejects, rows.raws), columns
    objects = readers.json_objects(engine, path, delivery.limits, "messages")
    keys = readers.json_keys(engine, objects.select, delivery.label)
    wanted = [key for key in keys if any(_plain(key) in aliases for aliases in _NAMES.values())]
    paths = "[" + ", ".join(quoted(f'$."{key}"') for key in wanted) + "]"
    values = f"case when reject_reason is null then json_extract_string(raw, {paths}) end" if wanted else "null"
    select = (
        f"select row_number, cast(null as varchar) as raw, reject_reason, {values} as found from ({objects.select})"
    )
    raws = f"select row_number, raw from ({objects.select})"
    columns = dict.fromkeys(keys, "") | {key: f"found[{position}]" for position, key in enumerate(wanted, start=1)}
    return readers.RawRows(select, keys, objects.rejects, raws), columns


def _named(columns: dict[str, str]) -> dict[str, str]:
    """The expression of each fact that the file has, empty text as null."""
    spelled: dict[str, list[str]] = {}
    for name, expression in columns.items():
        spelled.setdefault(_plain(name), []).append(expression)
    named = {}
    for fact, aliases in _NAMES.items():
        texts = [text for alias in aliases for text in spelled.get(alias, [])]
        cleaned = [f"nullif({text if fact == 'body_text' else f'trim({text})'}, {_EMPTY})" for text in texts]
        if cleaned:
            named[fact] = f"coalesce({', '.join(cleaned)})"
    return named


def _without(text: str, around: str) -> str:
    """A text in capitals without what is around it."""
    return f"upper(regexp_replace({text}, {quoted(f'^{around}|{around}$')}, {_EMPTY}, 'g'))"


def _instant(text: str) -> str:
    """An RFC 2822 date as ISO 8601; any other text as it is, for load to read."""
    formats = "[" + ", ".join(map(quoted, _DATE_FORMATS)) + "]"
    zoned = f"regexp_replace({text}, ' (GMT|UTC|UT|Z)$', ' +0000')"
    iso = f"strftime(try_strptime({zoned}, {formats}), '%Y-%m-%dT%H:%M:%SZ')"
    return f"coalesce(case when regexp_matches({text}, '[0-9] [A-Za-z]{{3}} [0-9]') then {iso} end, {text})"


def _address(text: str) -> str:
    """A number without its channel prefix and with its +, which every Twilio number has; anything else as it is."""
    bare = f"case when contains({text}, ':') then trim(regexp_replace({text}, '^[A-Za-z_]+:', '')) else {text} end"
    is_phone = f"{_prefix(text)} in {_words(_PHONE_PREFIXES)} and regexp_matches({bare}, '^[1-9][0-9]{{6,14}}$')"
    return f"case when {is_phone} then concat('+', {bare}) else {bare} end"


def _prefix(text: str) -> str:
    return f"case when contains({text}, ':') then lower(regexp_extract({text}, '^([A-Za-z_]+):', 1)) else '' end"


def _facts(select: str, named: dict[str, str], has_digests: bool) -> str:
    """One row per row of the file, with everything the three tables take from it."""
    listed = ", ".join(f"{named.get(fact, 'cast(null as varchar)')} as {fact}" for fact in _NAMES)
    confirmation = "|".join(re.escape(phrase) for phrase in _keywords("opt_out_confirmation"))
    opt_outs, opt_ins = _words(_keywords("opt_out")), _words(_keywords("opt_in"))
    body = (
        f"case when not regexp_matches(body_text, {quoted(_DIGEST)}) then body_text end" if has_digests else "body_text"
    )
    return f"""
        with
        named as (select row_number, raw, reject_reason as unreadable, {listed} from ({select})),
        directed as (
            select * replace (lower(status_text) as status_text, upper(opt_out_type) as opt_out_type),
                case
                    when unreadable is not null then null
                    when lower(direction) like 'in%' then 'inbound'
                    when lower(direction) like 'out%' then 'outbound'
                    when direction is not null or webhook_sid is null then null
                    when coalesce(lower(status_text), 'received') in ('received', 'receiving') then 'inbound'
                    else 'outbound'
                end as kind
            from named
        ),
        addressed as (
            select *,
                {_address("contact_text")} as contact, {_address("own_text")} as sender,
                coalesce(nullif({_prefix("contact_text")}, ''), nullif({_prefix("own_text")}, ''), 'sms') as prefix,
                {_instant("sent_text")} as sent_at, {_instant("created_text")} as created_at,
                {_instant("received_text")} as received_at,
                regexp_replace(error_text, '[.]0+$', '') as error_code,
                {body} as body,
                case when kind = 'inbound' then {_without("body_text", _SPACE_OR_SIGNS)} end as word,
                case when kind = 'inbound' then {_without("body_text", _SPACE)} end as whole_text
            from (
                select *, case when kind = 'inbound' then sender_text else recipient_text end as contact_text,
                    case when kind = 'inbound' then recipient_text else sender_text end as own_text
                from directed
            )
        )
        select
            row_number, raw, kind, contact, sender, sid, service, currency, body, button, error_code,
            case
                when unreadable is not null then unreadable
                when kind is null and direction is null then 'required_value_missing'
                when kind is null then 'unsupported_event'
            end as reject_reason,
            case when unreadable is null and kind is null then 'direction' end as reject_column,
            case
                when prefix in ('sms', 'mms', 'tel') then 'sms'
                when prefix in {_words(CHANNELS)} then prefix
                else 'other'
            end as channel,
            coalesce(sent_at, case when kind = 'inbound' then received_at end, created_at) as happened_at,
            case
                when status_text in ('failed', 'undelivered') and error_code = '21610' then 'suppressed'
                when status_text in ('queued', 'accepted', 'scheduled', 'sending') then 'accepted'
                when status_text = 'partially_delivered' then 'delivered'
                when status_text = 'canceled' then 'failed'
                else status_text
            end as status,
            ltrim(price_text, '-') as price,
            case when regexp_matches(body, {quoted(f"{_SENTENCE_START}({confirmation})")}, 'i') then 'confirmation' end
                as message_class,
            case
                when opt_out_type = 'STOP' then 'opt_out'
                when opt_out_type = 'START' then 'opt_in'
                when opt_out_type is not null then null
                when word in {opt_outs} then 'opt_out'
                when word in {opt_ins} then 'opt_in'
            end as event_type,
            opt_out_type is not null
                or prefix in ('sms', 'mms', 'tel', 'rcs') and whole_text = word
                and (service is not null or not regexp_matches(sender, {quoted(_SHORT_CODE)})) as is_applied_by_twilio
        from addressed"""


def _records(facts: str) -> tuple[Records, ...]:
    """What each table takes from the facts; rows that are refused stand with the messages."""
    lineage = "row_number, raw, reject_reason, reject_column"
    return (
        Records(
            "messages",
            f"""
            select {lineage}, sid as message_id, channel, contact, sender, service as program, message_class,
                happened_at as sent_at, status, error_code, price, currency, body
            from ({facts}) where kind = 'outbound' or reject_reason is not null""",
        ),
        Records(
            "inbound_messages",
            f"""
            select {lineage}, sid as inbound_id, channel, contact, happened_at as received_at, sender,
                service as program, body, button
            from ({facts}) where kind = 'inbound'""",
        ),
        Records(
            "consent_events",
            f"""
            select {lineage}, sid || ':' || event_type as event_id, channel, contact, service as program, event_type,
                happened_at as requested_at, case when is_applied_by_twilio then happened_at end as processed_at,
                'keyword' as method, 'contact' as actor
            from ({facts}) where kind = 'inbound' and event_type is not null""",
        ),
    )


def read(delivery: Delivery) -> Reading:
    """Messages, inbound messages and keyword opt-outs and opt-ins of one file.

    Raises UnreadableInputError when its columns or keys are none of Twilio's message logs.
    """
    found = _delivered(delivery)
    if found is None:
        return Reading(())
    rows, columns = found
    named = _named(columns)
    is_log = {"sid", "sender_text", "recipient_text", "direction", "sent_text"} <= set(named)
    is_webhook = {"webhook_sid", "sender_text", "recipient_text", "body_text"} <= set(named)
    if columns and not is_log and not is_webhook:
        raise UnreadableInputError(
            f"{delivery.label} is none of Twilio's message logs; it has {column_names(columns)}.",
            "heed reads logs with From, To, Direction, a Sid (or id) and SentDate (or date_sent), as the Console, the"
            " API, BulkExport and warehouses give them, and inbound webhooks with MessageSid, From, To and Body.",
        )
    plain = {_plain(name) for name in columns}
    select = _facts(rows.select, named, has_digests="sid" not in plain and "id" in plain)
    facts = readers.kept(delivery.engine, readers.RawRows(select, (), rows.rejects, rows.raws), delivery.label)
    return Reading(_records(facts.select), rows.rejects, rows.raws)
