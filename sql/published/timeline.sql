-- One row per message, consent event or inbound message of a contact that has a finding.
-- A view of what is published anyway: it reads the snapshot's own relations.
select
    m.contact_key, c.contact_masked, m.sent_at as occurred_at, 'message' as kind, m.source, m.message_id as record_id,
    m.channel, m.program, m.campaign_id, m.message_class as what, m.status, null as processed_at,
    cast(null as string) as method, cast(null as string) as actor, m.load_id, m.row_number
from core.messages as m
join core.contacts as c on c.contact_key = m.contact_key
union all
select
    e.contact_key, c.contact_masked, e.requested_at, 'consent_event', e.source, e.event_id,
    e.channel, e.program, e.campaign_id, e.event_type, null, e.processed_at, e.method, e.actor, e.load_id, e.row_number
from core.consent_events as e
join core.contacts as c on c.contact_key = e.contact_key
union all
select
    i.contact_key, c.contact_masked, i.received_at, 'inbound_message', i.source, i.inbound_id,
    i.channel, i.program, null, 'inbound', null, null, null, null, i.load_id, i.row_number
from core.inbound_messages as i
join core.contacts as c on c.contact_key = i.contact_key
