-- One row per finding whose message, event or campaign is not in core.
-- The subject is the message where there is one (sent or inbound), else the event, else the campaign.
-- An event beside a message is cited, not judged, and may come from another source.
with

findings as (
    select rule, source, message_id, event_id, campaign_id
    from audits.findings
),

records as (
    select 'message' as kind, source, message_id as record_id from core.messages
    union all
    select 'message' as kind, source, inbound_id as record_id from core.inbound_messages
    union all
    select 'event' as kind, source, event_id as record_id from core.consent_events
),

subjects as (
    select
        rule,
        source,
        message_id,
        event_id,
        case when message_id is not null then 'message' else 'event' end as kind,
        coalesce(message_id, event_id) as record_id
    from findings
    where message_id is not null or event_id is not null or campaign_id is null
)

select rule, source, message_id, event_id
from subjects
where not exists (
    select 1
    from records
    where
        records.kind = subjects.kind
        and records.source = subjects.source
        and records.record_id = subjects.record_id
)
