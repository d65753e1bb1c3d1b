-- One row per span: the time from a contact's opt-out (or block) to the act that ended it, per scope key.
select
    s.span_id,
    s.kind,
    s.scope_key,
    s.contact_key,
    c.contact_masked,
    s.person_key,
    s.source,
    s.event_id,
    s.channel,
    s.program,
    s.begins_at,
    local_date(s.begins_at, o.offset_seconds) as begins_on,
    s.processed_at,
    s.ends_at,
    d.deadline_at,
    d.legal_rule_id,
    e.event_type,
    e.method,
    e.actor,
    e.campaign_id,
    s.repeat_count,
    s.has_clock_skew,
    s.reason
from core.spans as s
join core.span_deadlines as d on d.span_id = s.span_id
join core.contacts as c on c.contact_key = s.contact_key
join core.consent_events as e on e.source = s.source and e.event_id = s.event_id
join run.report_offsets as o on s.begins_at >= o.from_at and s.begins_at < o.until_at
