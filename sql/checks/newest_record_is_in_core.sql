-- One row if the newest instant delivered is on no record of core, or core is newer than anything delivered.
-- The instant may belong to a version whose record carries an earlier one (the earliest sent_at wins), so its record
-- is looked for by key. Deliveries that go on after as_of are left out of core on purpose and say nothing.
with

delivered as (
    select max(last_record_at) as newest_at
    from run.inputs
),

parameters as (
    select as_of from run.parameters
),

newest_messages as (
    select messages.source, messages.message_id
    from history.messages as messages
    cross join delivered
    where delivered.newest_at = messages.sent_at or delivered.newest_at = messages.status_at
),

newest_inbound_messages as (
    select messages.source, messages.inbound_id
    from history.inbound_messages as messages
    cross join delivered
    where delivered.newest_at = messages.received_at
),

newest_events as (
    select events.source, events.event_id
    from history.consent_events as events
    cross join delivered
    where delivered.newest_at = events.requested_at or delivered.newest_at = events.processed_at
),

newest_contacts as (
    select contacts.contact_key
    from history.contacts as contacts
    cross join delivered
    where delivered.newest_at = contacts.listed_at
),

newest_campaigns as (
    select campaigns.campaign_id
    from history.campaigns as campaigns
    cross join delivered
    where delivered.newest_at = campaigns.started_at
),

found_in_core as (
    select messages.message_id as record_id
    from core.messages as messages
    join newest_messages
        on messages.source = newest_messages.source and messages.message_id = newest_messages.message_id
    union all
    select messages.inbound_id as record_id
    from core.inbound_messages as messages
    join newest_inbound_messages
        on messages.source = newest_inbound_messages.source and messages.inbound_id = newest_inbound_messages.inbound_id
    union all
    select events.event_id as record_id
    from core.consent_events as events
    join newest_events
        on events.source = newest_events.source and events.event_id = newest_events.event_id
    union all
    select cast(contacts.contact_key as string) as record_id
    from core.contacts as contacts
    join newest_contacts on contacts.contact_key = newest_contacts.contact_key
    union all
    -- Campaigns have no relation of their own in core: history is what is read.
    select campaign_id as record_id
    from newest_campaigns
),

found_count as (
    select count(*) as record_count
    from found_in_core
),

core_instants as (
    select max(sent_at) as newest_at from core.messages
    union all
    select max(received_at) as newest_at from core.inbound_messages
    union all
    select max(requested_at) as newest_at from core.consent_events
),

core_newest as (
    select max(newest_at) as newest_at
    from core_instants
)

select
    delivered.newest_at as newest_delivered_at,
    core_newest.newest_at as newest_in_core_at
from delivered
cross join parameters
cross join found_count
cross join core_newest
where
    (delivered.newest_at <= parameters.as_of and found_count.record_count = 0)
    or (
        core_newest.newest_at is not null
        and (delivered.newest_at is null or core_newest.newest_at > delivered.newest_at)
    )
