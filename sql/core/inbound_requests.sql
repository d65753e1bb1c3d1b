-- One row per inbound message that some regime reads as a request to stop: is it on record, and was it one already?
-- is_recorded: an opt_out, complaint or block of that contact and channel (or of every channel) follows within the time
-- of reference.reply_regimes, the instant itself included. is_inside: an open span covered the contact before it.
with
hours as (
    select max(recorded_within_hours) as recorded_within_hours from reference.reply_regimes
),
requests as (
    select
        i.source,
        i.inbound_id,
        i.channel,
        i.contact_key,
        i.program,
        i.received_at,
        i.received_at + h.recorded_within_hours * interval '1 hour' as recorded_until,
        r.reading,
        r.reply_rule,
        r.exact_keyword,
        r.legal_list
    from core.inbound_readings as r
    join core.inbound_messages as i on i.source = r.source and i.inbound_id = r.inbound_id
    cross join hours as h
    where r.reading <> 'not'
),
recorded as (
    select distinct r.source, r.inbound_id
    from requests as r
    join core.consent_events as e
        on e.contact_key = r.contact_key
        and (e.channel = r.channel or e.channel = '*')
        and e.requested_at >= r.received_at
        and e.requested_at <= r.recorded_until
    where e.event_type in ('opt_out', 'complaint', 'block')
),
covered as (
    select r.source, r.inbound_id, min(s.begins_at) as begins_at
    from requests as r
    join core.span_coverage as s
        on s.contact_key = r.contact_key
        and (s.channel = r.channel or s.channel = '*')
        and (s.program = r.program or s.program = '*')
        and s.begins_at < r.received_at
        and (s.ends_at is null or r.received_at < s.ends_at)
    group by r.source, r.inbound_id
)
select
    r.source,
    r.inbound_id,
    r.channel,
    r.contact_key,
    r.program,
    r.received_at,
    r.reading,
    r.reply_rule,
    r.exact_keyword,
    r.legal_list,
    d.inbound_id is not null as is_recorded,
    c.inbound_id is not null as is_inside,
    c.begins_at
from requests as r
left join recorded as d on d.source = r.source and d.inbound_id = r.inbound_id
left join covered as c on c.source = r.source and c.inbound_id = r.inbound_id
