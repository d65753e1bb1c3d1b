-- One row per consent act and scope key it applies to: what the opt-out spans are counted over.
-- An act on channel * applies to every channel known for the contact, an act on program * to every program known
-- for the contact on that channel; where none is known it stands alone under *. Few acts are on all of something:
-- only their contacts are looked up in the record.
with
acts as (
    select
        e.source,
        e.event_id,
        e.contact_key,
        c.person_key,
        e.channel,
        e.program,
        e.event_type,
        e.requested_at,
        e.processed_at,
        p.scope,
        p.scope <> 'person' and (e.channel = '*' or (p.scope = 'program' and e.program = '*')) as is_wide
    from core.consent_events as e
    join core.contacts as c on c.contact_key = e.contact_key
    cross join run.parameters as p
),
acting as (
    select distinct contact_key from acts where is_wide
),
sent as (
    select w.contact_key, w.channel, '*' as program
    from core.written_pairs as w
    join acting as a on a.contact_key = w.contact_key
    join run.parameters as p on p.scope = 'channel'
    union all
    select distinct m.contact_key, m.channel, m.program
    from core.messages as m
    join acting as a on a.contact_key = m.contact_key
    join run.parameters as p on p.scope = 'program'
),
known_channels as (
    select contact_key, channel from sent
    union
    select a.contact_key, a.channel
    from acts as a
    join acting as w on w.contact_key = a.contact_key
    where a.channel <> '*'
),
channels as (
    select contact_key, channel from known_channels
    union all
    select contact_key, '*' from acting where contact_key not in (select contact_key from known_channels)
),
by_channel as (
    select
        source, event_id, contact_key, person_key, channel, program, event_type, requested_at, processed_at, scope
    from acts
    where scope <> 'person' and channel <> '*'
    union all
    select
        a.source, a.event_id, a.contact_key, a.person_key, k.channel, a.program, a.event_type, a.requested_at,
        a.processed_at, a.scope
    from acts as a
    join channels as k on k.contact_key = a.contact_key
    where a.is_wide and a.channel = '*'
),
known_programs as (
    select s.contact_key, s.channel, s.program
    from sent as s
    join run.parameters as p on p.scope = 'program'
    union
    select b.contact_key, b.channel, b.program
    from by_channel as b
    join acting as w on w.contact_key = b.contact_key
    where b.scope = 'program' and b.program <> '*'
),
programs as (
    select contact_key, channel, program from known_programs
    union all
    select distinct b.contact_key, b.channel, '*'
    from by_channel as b
    where b.scope = 'program' and b.program = '*' and not exists (
        select 1 from known_programs as k where k.contact_key = b.contact_key and k.channel = b.channel
    )
),
scoped as (
    select
        concat('contact:', cast(contact_key as string), '|', channel) as scope_key,
        channel, '*' as program, source, event_id, contact_key, person_key, event_type, requested_at, processed_at
    from by_channel
    where scope = 'channel'
    union all
    select
        concat('contact:', cast(contact_key as string), '|', channel, '|', program) as scope_key,
        channel, program, source, event_id, contact_key, person_key, event_type, requested_at, processed_at
    from by_channel
    where scope = 'program' and program <> '*'
    union all
    select
        concat('contact:', cast(b.contact_key as string), '|', b.channel, '|', k.program) as scope_key,
        b.channel, k.program, b.source, b.event_id, b.contact_key, b.person_key, b.event_type, b.requested_at,
        b.processed_at
    from by_channel as b
    join programs as k on k.contact_key = b.contact_key and k.channel = b.channel
    where b.scope = 'program' and b.program = '*'
    union all
    select
        person_key as scope_key,
        '*' as channel, '*' as program, source, event_id, contact_key, person_key, event_type, requested_at, processed_at
    from acts
    where scope = 'person'
)
select
    s.scope_key,
    s.channel,
    s.program,
    s.source,
    s.event_id,
    s.contact_key,
    s.person_key,
    s.event_type,
    r.kind,
    r.role,
    s.requested_at,
    s.processed_at
from scoped as s
join reference.span_acts as r on r.event_type = s.event_type
