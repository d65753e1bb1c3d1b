-- One row per consent event, its delivered versions merged, with the reason for leaving read from code or text.
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
phrased as (
    select m.source, m.event_id, min_by(r.reason, r.priority) as reason
    from merged as m
    join reference.reason_phrases as r on contains(lower(m.reason_text), r.phrase)
    where m.reason_text is not null
    group by m.source, m.event_id
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
    date '1970-01-01' + cast(floor(cast(unix_seconds(m.requested_at) + o.offset_seconds as double) / 86400) as int)
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
    coalesce(c.reason, t.reason) as reason,
    m.campaign_id,
    m.message_id,
    m.load_id,
    m.row_number
from merged as m
cross join run.parameters as p
join run.report_offsets as o on m.requested_at >= o.from_at and m.requested_at < o.until_at
left join reference.reason_codes as c on c.code = lower(m.reason_code)
left join phrased as t on t.source = m.source and t.event_id = m.event_id
where m.requested_at <= p.as_of
