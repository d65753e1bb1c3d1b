-- One row per consent event, its delivered versions merged, with the reason for leaving read from code or text (null: none).
-- Of several versions of a key: the earliest requested_at, the earliest processed_at, and of every other column the
-- non-empty value of the version with the earliest requested_at, then the smallest text.
with
delivered as (
    select * from history.consent_events
),
several as (
    select source, event_id from delivered group by source, event_id having count(*) > 1
),
merged as (
    select
        d.source,
        d.event_id,
        min_by(d.channel, struct(d.requested_at, d.channel)) as channel,
        min_by(d.contact_key, struct(d.requested_at, d.contact_key)) as contact_key,
        min_by(d.person_id, struct(d.requested_at, d.person_id)) filter (where d.person_id is not null) as person_id,
        min_by(d.program, struct(d.requested_at, d.program)) filter (where d.program is not null) as program,
        min_by(d.event_type, struct(d.requested_at, d.event_type)) as event_type,
        min(d.requested_at) as requested_at,
        min(d.processed_at) as processed_at,
        min_by(d.method, struct(d.requested_at, d.method)) filter (where d.method is not null) as method,
        min_by(d.actor, struct(d.requested_at, d.actor)) filter (where d.actor is not null) as actor,
        min_by(d.source_type, struct(d.requested_at, d.source_type)) filter (where d.source_type is not null) as source_type,
        min_by(d.consent_source, struct(d.requested_at, d.consent_source)) filter (where d.consent_source is not null)
            as consent_source,
        min_by(d.consent_text, struct(d.requested_at, d.consent_text)) filter (where d.consent_text is not null)
            as consent_text,
        min_by(d.prechecked, struct(d.requested_at, d.prechecked)) filter (where d.prechecked is not null) as prechecked,
        min_by(d.proof, struct(d.requested_at, d.proof)) filter (where d.proof is not null) as proof,
        min_by(d.reason_code, struct(d.requested_at, d.reason_code)) filter (where d.reason_code is not null) as reason_code,
        min_by(d.reason_text, struct(d.requested_at, d.reason_text)) filter (where d.reason_text is not null) as reason_text,
        min_by(d.campaign_id, struct(d.requested_at, d.campaign_id)) filter (where d.campaign_id is not null) as campaign_id,
        min_by(d.message_id, struct(d.requested_at, d.message_id)) filter (where d.message_id is not null) as message_id,
        min_by(d.load_id, struct(d.load_id, d.row_number)) as load_id,
        min_by(d.row_number, struct(d.load_id, d.row_number)) as row_number
    from delivered as d
    join several as v on v.source = d.source and v.event_id = d.event_id
    group by d.source, d.event_id
),
single as (
    select
        d.source, d.event_id, d.channel, d.contact_key, d.person_id, d.program, d.event_type, d.requested_at,
        d.processed_at, d.method, d.actor, d.source_type, d.consent_source, d.consent_text, d.prechecked, d.proof,
        d.reason_code, d.reason_text, d.campaign_id, d.message_id, d.load_id, d.row_number
    from delivered as d
    where not exists (select 1 from several as v where v.source = d.source and v.event_id = d.event_id)
),
complete as (
    select * from single
    union all
    select * from merged
),
understood as (
    select
        m.source,
        m.event_id,
        -- A code that no list has is read as words, like a text.
        coalesce(c.reason, w.reason) as code_reason,
        t.reason as text_reason
    from complete as m
    left join reference.reason_codes as c on c.code = lower(trim(m.reason_code))
    left join core.reason_readings as w on w.text = lower(trim(translate(m.reason_code, '_-', '  '))) and c.code is null
    left join core.reason_readings as t on t.text = lower(trim(m.reason_text))
    where m.reason_code is not null or m.reason_text is not null
),
-- The code decides, unless it says nothing and the text says more.
reasons as (
    select
        source,
        event_id,
        case
            when code_reason not in ('other', 'unspecified') then code_reason
            when text_reason not in ('other', 'unspecified') then text_reason
            when code_reason = 'other' or text_reason = 'other' then 'other'
        end as reason
    from understood
)
select
    m.source,
    m.event_id,
    m.channel,
    m.contact_key,
    m.person_id,
    coalesce(m.program, '*') as program,
    m.event_type,
    m.requested_at,
    local_date(m.requested_at, o.offset_seconds)
        as requested_on,
    m.processed_at,
    m.method,
    m.actor,
    m.source_type,
    m.consent_source,
    m.consent_text,
    m.prechecked,
    m.proof,
    m.reason_code,
    m.reason_text,
    r.reason,
    m.campaign_id,
    m.message_id,
    m.load_id,
    m.row_number
from complete as m
cross join run.parameters as p
join run.report_offsets as o on m.requested_at >= o.from_at and m.requested_at < o.until_at
left join reasons as r on r.source = m.source and r.event_id = m.event_id
where m.requested_at <= p.as_of
