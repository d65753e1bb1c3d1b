"""WhatsApp Cloud API webhooks as they were posted: one envelope a line, or one list of envelopes.

Reads `value.statuses` as messages, `value.messages` as inbound messages and `value.user_preferences` as consent
events. A webhook tells when a status began, not when the message was handed over: every status is a version of its
message with its own time as sent_at, and the earliest version counts.

stop and resume of marketing messages are an opt-out and an opt-in; requested_at is the webhook's time, and
processed_at the same, because WhatsApp itself holds back marketing messages from then on. A message that fails with
131050 (the contact stopped marketing messages) is suppressed and also shows an opt-out, known from that time at the
latest. 131049 and 130472 are WhatsApp's own limits and neither. A text such as STOP is an inbound message and no more:
WhatsApp does nothing about it, the sender has to.

Phone numbers come without +, which is added; business-scoped user ids and group ids stay as written. Where a webhook
shows both a number and a user id of one contact, person_id is the user id, so that the two are one person.
A line, a change or an item that says nothing of this is refused as unsupported_event.
"""

from __future__ import annotations

from pipelines import readers
from pipelines.connectors import Delivery, Reading, Records
from pipelines.engines.duckdb import quoted
from pipelines.errors import UnreadableInputError

VERSION = 1
LIMITS = (
    "WhatsApp's webhooks show when a status began and not when a message was handed over (one whose sent webhook is"
    " missing seems to be sent when it was delivered or read), not what was sent, no opt-out made elsewhere than in"
    " WhatsApp's own settings, and nothing that was posted while no one recorded it."
)

_STOPPED_MARKETING = "131050"
_PHONE = "^[1-9][0-9]{6,14}$"
_USER_ID = "^[A-Z]{2}[.][0-9A-Za-z.]+$"

# What is taken from an item of messages, statuses or user_preferences; of several paths the first that is filled.
_ITEM = {
    "id": ["id"],
    "epoch": ["timestamp"],
    "item_type": ["type"],
    "system_type": ["system.type"],
    "status_text": ["status"],
    "recipient_type": ["recipient_type"],
    "recipient": ["recipient_id", "recipient_user_id", "recipient_participant_id", "recipient_participant_user_id"],
    "writer": ["from", "from_user_id"],
    "person": ["wa_id", "user_id"],
    "user_id": ["recipient_user_id", "from_user_id", "user_id"],
    "category": ["pricing.category"],
    "preference_category": ["category"],
    "preference": ["value", "system.marketing"],
    "detail": ["detail", "system.body"],
    "body": [
        "text.body",
        "button.text",
        "interactive.button_reply.title",
        "interactive.list_reply.title",
        "interactive.nfm_reply.body",
        "reaction.emoji",
        "image.caption",
        "video.caption",
        "document.caption",
        "edit.message.text.body",
    ],
    "button": ["button.payload", "interactive.button_reply.id", "interactive.list_reply.id"],
}


def _changes(objects: str) -> str:
    """One row per change of each line's envelope, and one for a line without any."""
    return f"""
        select row_number, reject_reason, has_entry,
            unnest(case when len(changes) > 0 then changes else [cast(null as json)] end) as change
        from (
            select row_number, reject_reason, json_exists(envelope, '$.entry') as has_entry,
                case
                    when coalesce(json_extract_string(envelope, '$.object'), 'whatsapp_business_account')
                        = 'whatsapp_business_account'
                    then json_extract(envelope, '$.entry[*].changes[*]')
                end as changes
            from (select *, case when reject_reason is null then cast(raw as json) end as envelope from ({objects}))
        )"""


def _items(changes: str) -> str:
    """One row per message, status and preference, and one for a change without any."""
    several = []
    for position, (field, kind) in enumerate(
        (("messages", "inbound_message"), ("messages", "status"), ("user_preferences", "preference")), start=1
    ):
        listed = f"json_extract(found[{position}], '$[*]')"
        tagged = f"list_transform({listed}, lambda item: {{'kind': '{kind}', 'item': item}})"
        several.append(f"case when coalesce(field, '{field}') = '{field}' then {tagged} else [] end")
    paths = ["value.messages", "value.statuses", "value.user_preferences", "value.contacts", "value.metadata", "field"]
    return f"""
        select row_number, reject_reason, has_entry, contacts, sender,
            unnest(case when len(items) > 0 then items else [null] end, recursive := true)
        from (
            select *, list_concat({", ".join(several)}) as items
            from (
                select *, json_extract(found[4], '$[*]') as contacts,
                    json_extract_string(found[5], '$.phone_number_id') as sender, found[6] ->> '$' as field
                from (
                    select *, json_extract(change, [{", ".join(quoted(f"$.{path}") for path in paths)}]) as found
                    from ({changes})
                )
            )
        )"""


def _taken() -> tuple[str, str]:
    """All paths as one list, so that an item is parsed once, and each name's part of what they give."""
    paths = [path for several in _ITEM.values() for path in several]
    names = []
    for name, several in _ITEM.items():
        values = [f"nullif(found[{paths.index(path) + 1}], '')" for path in several]
        names.append(f"coalesce({', '.join(values)}) as {name}" if len(values) > 1 else f"{values[0]} as {name}")
    return "[" + ", ".join(quoted(f"$.{path}") for path in paths) + "]", ", ".join(names)


def _scalar(name: str) -> str:
    """A text that an identifier can be: no object or list where a text should stand."""
    return f"case when not regexp_matches({name}, '^[{{\\[]') then {name} end"


def _facts(items: str) -> str:
    """One row per item, with everything the three tables take from it."""
    paths, taken = _taken()
    return f"""
        with
        extracted as (
            select row_number, reject_reason as unreadable, has_entry, kind, contacts, sender,
                json_type(item) = 'OBJECT' as is_object, json_extract_string(item, {paths}) as found,
                json_extract_string(item, '$.errors[*].code') as error_codes
            from ({items})
        ),
        named as (select * exclude (found), {taken} from extracted),
        told as (
            select * replace (
                case when system_type = 'user_preference_changed' then 'preference' else kind end as kind,
                lower(status_text) as status_text, lower(category) as category, lower(preference) as preference,
                {_scalar("id")} as id
            )
            from named
        ),
        addressed as (
            select *,
                case
                    when kind = 'status' then {_scalar("recipient")}
                    when kind = 'inbound_message' then {_scalar("writer")}
                    when kind = 'preference' then coalesce({_scalar("person")}, {_scalar("writer")})
                end as address,
                kind = 'status' and coalesce(lower(recipient_type) = 'group', false) as is_group,
                kind = 'status' and coalesce(
                    status_text = 'failed' and list_contains(error_codes, '{_STOPPED_MARKETING}'), false
                ) as is_stopped
            from told
        )
        select
            row_number, cast(null as varchar) as raw, has_entry, kind, id, sender, body, button, detail, is_stopped,
            case
                when unreadable is not null then unreadable
                when kind is null or not is_object then 'unsupported_event'
                when kind = 'inbound_message' and item_type = 'system' then 'unsupported_event'
                when kind = 'preference' and (
                    coalesce(preference, '') not in ('stop', 'resume')
                    or coalesce(preference_category, 'marketing_messages') <> 'marketing_messages'
                ) then 'unsupported_event'
                when kind = 'status' and (
                    status_text in ('deleted', 'warning') or coalesce(item_type, 'message') <> 'message'
                ) then 'unsupported_event'
                when kind = 'status' and status_text is null then 'required_value_missing'
            end as reject_reason,
            case when reject_reason = 'required_value_missing' then 'status' end as reject_column,
            case when not is_group and regexp_matches(address, '{_PHONE}') then '+' else '' end || address as contact,
            case when not is_group then coalesce(
                user_id,
                json_extract_string(
                    list_filter(contacts, lambda one: json_extract_string(one, '$.wa_id') = address)[1], '$.user_id'
                ),
                case when regexp_matches(address, '{_USER_ID}') then address end
            ) end as person_id,
            {readers.epoch_text("epoch", "s")} as happened_at,
            case
                when is_stopped then 'suppressed' when status_text = 'played' then 'read' else status_text
            end as status,
            case when is_stopped then '{_STOPPED_MARKETING}' else error_codes[1] end as error_code,
            case
                when category in ('marketing', 'marketing_lite') then 'marketing'
                when category in (
                    'utility', 'authentication', 'authentication_international', 'authentication-international',
                    'service', 'referral_conversion'
                ) then 'transactional'
            end as message_class,
            case
                when is_stopped or kind = 'preference' and preference = 'stop' then 'opt_out'
                when kind = 'preference' and preference = 'resume' then 'opt_in'
            end as event_type
        from addressed"""


def _records(facts: str) -> tuple[Records, ...]:
    """What each table takes from the facts; what is refused stands with the messages."""
    lineage = "row_number, raw, reject_reason, reject_column, 'whatsapp' as channel, contact"
    return (
        Records(
            "messages",
            f"""
            select {lineage}, id as message_id, person_id, sender, message_class, happened_at as sent_at, status,
                happened_at as status_at, error_code
            from ({facts}) where kind = 'status' or reject_reason is not null""",
        ),
        Records(
            "inbound_messages",
            f"""
            select {lineage}, id as inbound_id, happened_at as received_at, sender, body, button
            from ({facts}) where kind = 'inbound_message' and reject_reason is null""",
        ),
        Records(
            "consent_events",
            f"""
            select {lineage}, person_id, event_type, happened_at as requested_at, happened_at as processed_at,
                case when is_stopped then id || ':{_STOPPED_MARKETING}' end as event_id,
                case when is_stopped then 'provider' else 'preference_center' end as method, 'contact' as actor,
                case when is_stopped then id end as message_id,
                case when event_type = 'opt_out' and not is_stopped then detail end as reason_text
            from ({facts}) where event_type is not null and reject_reason is null""",
        ),
    )


def read(delivery: Delivery) -> Reading:
    """Message statuses, inbound messages and marketing preferences of one file.

    Raises UnreadableInputError when it holds objects, but no webhook envelope.
    """
    objects = readers.json_objects(delivery.engine, delivery.path, delivery.limits)
    select = _facts(_items(_changes(objects.select)))
    rows = readers.RawRows(select, (), objects.rejects)
    facts = readers.kept(delivery.engine, rows, delivery.label).select
    count = "select count(*) filter (has_entry), count(*) filter (has_entry is not null)"
    ((envelopes, read_objects),) = delivery.engine.rows(f"{count} from ({facts})")
    if read_objects and not envelopes:
        raise UnreadableInputError(
            f"{delivery.label} holds no WhatsApp Cloud API webhook: none of its {read_objects} objects has an entry.",
            'Deliver the posted bodies, one a line: {"object": "whatsapp_business_account", "entry": [...]}.',
        )
    raws = f"select row_number, raw from ({objects.select})"
    return Reading(_records(facts), objects.rejects, raws)
