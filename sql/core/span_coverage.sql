-- One row per span and contact it covers: what messages are joined with (channel and program * cover all).
with
parameters as (
    select scope from run.parameters
)
select
    s.span_id, s.kind, s.contact_key, s.channel, s.program, s.begins_at, s.begins_on, s.processed_at, s.ends_at,
    s.deadline_at, s.legal_rule_id, s.source, s.event_id
from core.opt_out_spans as s
cross join parameters as p
where p.scope <> 'person'
union all
select
    s.span_id, s.kind, c.contact_key, s.channel, s.program, s.begins_at, s.begins_on, s.processed_at, s.ends_at,
    s.deadline_at, s.legal_rule_id, s.source, s.event_id
from core.opt_out_spans as s
cross join parameters as p
join core.contacts as c on c.person_key = s.person_key
where p.scope = 'person'
