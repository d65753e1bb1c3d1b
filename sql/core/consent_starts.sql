-- One row per contact, channel and program (`*` = all): the first opt-in on record, and the first request for one.
-- The scope says whom an opt-in covers: under scope channel any program, under scope person every contact of the person.
with
acts as (
    select
        e.contact_key,
        c.person_key,
        case p.scope when 'person' then '*' else e.channel end as channel,
        case p.scope when 'program' then e.program else '*' end as program,
        p.scope,
        e.source,
        e.event_id,
        e.requested_at,
        e.event_type <> 'opt_in_requested' as is_consent
    from core.consent_events as e
    join core.contacts as c on c.contact_key = e.contact_key
    cross join run.parameters as p
    where e.event_type in ('opt_in', 'opt_in_confirmed', 'opt_in_requested')
),
covered as (
    select contact_key, channel, program, source, event_id, requested_at, is_consent
    from acts
    where scope <> 'person'
    union all
    select c.contact_key, a.channel, a.program, a.source, a.event_id, a.requested_at, a.is_consent
    from acts as a
    join core.contacts as c on c.person_key = a.person_key
    where a.scope = 'person'
)
select
    contact_key,
    channel,
    program,
    min(requested_at) filter (where is_consent) as opted_in_at,
    min(requested_at) filter (where not is_consent) as requested_at,
    min_by(source, struct(requested_at, struct(source, event_id))) filter (where is_consent) as source,
    min_by(event_id, struct(requested_at, struct(source, event_id))) filter (where is_consent) as event_id
from covered
group by contact_key, channel, program
