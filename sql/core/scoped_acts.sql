-- One row per consent act and scope key it applies to: what the opt-out spans are counted over.
-- An act on channel * applies to every channel known for the contact, an act on program * to every program known
-- for the contact on that channel; where none is known it stands alone under *.
with
acts as (
    select e.*, c.person_key, p.scope
    from core.consent_events as e
    join core.contacts as c on c.contact_key = e.contact_key
    cross join run.parameters as p
),
acting as (
    select distinct contact_key from acts where scope <> 'person'
),
sent as (
    select distinct m.contact_key, m.channel, m.program
    from core.messages as m
    join acting as a on a.contact_key = m.contact_key
),
known_channels as (
    select contact_key, channel from sent
    union
    select contact_key, channel from acts where channel <> '*' and scope <> 'person'
),
channels as (
    select contact_key, channel from known_channels
    union all
    select contact_key, '*' from acting where contact_key not in (select contact_key from known_channels)
),
by_channel as (
    select a.source, a.event_id, a.contact_key, a.scope, k.channel, a.program
    from acts as a
    join channels as k on k.contact_key = a.contact_key and (a.channel = k.channel or a.channel = '*')
    where a.scope <> 'person'
),
known_programs as (
    select contact_key, channel, program from sent
    union
    select contact_key, channel, program from by_channel where program <> '*'
),
programs as (
    select contact_key, channel, program from known_programs
    union all
    select distinct b.contact_key, b.channel, '*'
    from by_channel as b
    where not exists (
        select 1 from known_programs as k where k.contact_key = b.contact_key and k.channel = b.channel
    )
),
scoped as (
    select
        b.source, b.event_id, b.channel, '*' as program,
        concat('contact:', cast(b.contact_key as string), '|', b.channel) as scope_key
    from by_channel as b
    where b.scope = 'channel'
    union all
    select
        b.source, b.event_id, b.channel, k.program,
        concat('contact:', cast(b.contact_key as string), '|', b.channel, '|', k.program) as scope_key
    from by_channel as b
    join programs as k
        on k.contact_key = b.contact_key and k.channel = b.channel and (b.program = k.program or b.program = '*')
    where b.scope = 'program'
    union all
    select a.source, a.event_id, '*' as channel, '*' as program, a.person_key as scope_key
    from acts as a
    where a.scope = 'person'
)
select
    s.scope_key,
    s.channel,
    s.program,
    a.source,
    a.event_id,
    a.contact_key,
    a.person_key,
    a.event_type,
    r.kind,
    r.role,
    a.requested_at,
    a.processed_at
from scoped as s
join acts as a on a.source = s.source and a.event_id = s.event_id
join reference.span_acts as r on r.event_type = a.event_type
