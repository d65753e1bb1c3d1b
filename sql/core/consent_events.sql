-- One row per consent event, its delivered versions merged, with the reason for leaving read from code or text (null: none).
-- Of several versions of a key: the earliest requested_at, the earliest processed_at, and of every other column the
-- non-empty value of the version with the earliest requested_at, then the smallest text.
with
delivered as (
    select * from history.consent_events
),
merged as (
    select
        source,
        event_id,
        min_by(channel, struct(requested_at, channel)) as channel,
        min_by(contact_key, struct(requested_at, contact_key)) as contact_key,
        min_by(person_id, struct(requested_at, person_id)) filter (where person_id is not null) as person_id,
        min_by(program, struct(requested_at, program)) filter (where program is not null) as program,
        min_by(event_type, struct(requested_at, event_type)) as event_type,
        min(requested_at) as requested_at,
        min(processed_at) as processed_at,
        min_by(method, struct(requested_at, method)) filter (where method is not null) as method,
        min_by(actor, struct(requested_at, actor)) filter (where actor is not null) as actor,
        min_by(source_type, struct(requested_at, source_type)) filter (where source_type is not null) as source_type,
        min_by(consent_source, struct(requested_at, consent_source)) filter (where consent_source is not null)
            as consent_source,
        min_by(consent_text, struct(requested_at, consent_text)) filter (where consent_text is not null)
            as consent_text,
        min_by(prechecked, struct(requested_at, prechecked)) filter (where prechecked is not null) as prechecked,
        min_by(proof, struct(requested_at, proof)) filter (where proof is not null) as proof,
        min_by(reason_code, struct(requested_at, reason_code)) filter (where reason_code is not null) as reason_code,
        min_by(reason_text, struct(requested_at, reason_text)) filter (where reason_text is not null) as reason_text,
        min_by(campaign_id, struct(requested_at, campaign_id)) filter (where campaign_id is not null) as campaign_id,
        min_by(message_id, struct(requested_at, message_id)) filter (where message_id is not null) as message_id,
        min_by(load_id, struct(load_id, row_number)) as load_id,
        min_by(row_number, struct(load_id, row_number)) as row_number
    from delivered
    group by source, event_id
),
understood as (
    select
        m.source,
        m.event_id,
        -- A code that no list has is read as words, like a text.
        coalesce(c.reason, w.reason) as code_reason,
        t.reason as text_reason
    from merged as m
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
from merged as m
cross join run.parameters as p
join run.report_offsets as o on m.requested_at >= o.from_at and m.requested_at < o.until_at
left join reasons as r on r.source = m.source and r.event_id = m.event_id
where m.requested_at <= p.as_of
