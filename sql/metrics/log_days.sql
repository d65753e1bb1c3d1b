-- One row per kind of log, channel, source and day with records: how many there are, and when the last of them was made.
-- Days are those of the report time zone. A consent log is one log whatever channels its events are about (`*`).
-- Unmatched is a message to an id in place of a phone number or an e-mail address: it may hide a person whose opt-out is
-- on record under the address. A push token is its channel's own address.
with
unmatched_contacts as (
    select
        contacts.contact_key,
        channels.channel
    from core.contacts
    inner join reference.channels on channels.address_kind <> 'other'
    where contacts.address_kind = 'other'
),

inbound_days as (
    select
        inbound_messages.channel,
        inbound_messages.source,
        inbound_messages.received_at,
        local_date(inbound_messages.received_at, report_offsets.offset_seconds) as received_on
    from core.inbound_messages
    inner join run.report_offsets
        on
            inbound_messages.received_at >= report_offsets.from_at
            and inbound_messages.received_at < report_offsets.until_at
)

select
    'messages' as log,
    messages.channel,
    messages.source,
    messages.sent_on as on_date,
    max(messages.sent_at) as last_at,
    count(*) as record_count,
    count(unmatched_contacts.contact_key) as unmatched_count
from core.messages
left join unmatched_contacts
    on messages.contact_key = unmatched_contacts.contact_key and messages.channel = unmatched_contacts.channel
group by messages.channel, messages.source, messages.sent_on
union all
select
    'consent_events' as log,
    '*' as channel,
    source,
    requested_on as on_date,
    max(requested_at) as last_at,
    count(*) as record_count,
    cast(0 as bigint) as unmatched_count
from core.consent_events
group by source, requested_on
union all
select
    'inbound_messages' as log,
    channel,
    source,
    received_on as on_date,
    max(received_at) as last_at,
    count(*) as record_count,
    cast(0 as bigint) as unmatched_count
from inbound_days
group by channel, source, received_on
