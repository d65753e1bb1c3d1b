-- One row per pair that a marketing message reached: its last sign of life on the channel, and whether it could have shown one.
-- A sign is a message read, an inbound message, or a consent act that is the contact's own (actor contact, or none named).
-- is_known: the record holds at least one message read or one inbound message on the channel; without either nobody on it
-- can be told from somebody inactive.
with
inbound as (
    select contact_key, channel, max(received_at) as last_at
    from core.inbound_messages
    group by contact_key, channel
),
acts as (
    select contact_key, channel, max(requested_at) as last_at
    from core.consent_events
    where coalesce(actor, 'contact') = 'contact'
    group by contact_key, channel
),
reporting as (
    select channel from core.written_pairs where last_read_at is not null
    union
    select channel from inbound
)
select
    w.contact_key,
    w.channel,
    w.first_reached_at,
    w.last_reached_at,
    greatest(w.last_read_at, i.last_at, a.last_at, e.last_at) as last_sign_at,
    r.channel is not null as is_known
from core.written_pairs as w
left join inbound as i on i.contact_key = w.contact_key and i.channel = w.channel
left join acts as a on a.contact_key = w.contact_key and a.channel = w.channel
left join acts as e on e.contact_key = w.contact_key and e.channel = '*'
left join reporting as r on r.channel = w.channel
where w.first_reached_at is not null
