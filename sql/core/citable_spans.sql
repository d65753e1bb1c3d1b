-- One row per contact, channel, program and stretch of time inside a span: the span that a message then is cited with.
-- Stretches of one contact, channel and program are disjoint: of an opt-out span and a block span that overlap, the one
-- that began first is cited, at equal begins the opt-out span. A message is inside a stretch of its scope key (its
-- channel and program, or * where the scope has it) when it was sent after `after_at` and before `until_at`.
with
earlier as (
    select s.span_id, s.contact_key, e.ends_at
    from core.span_coverage as s
    join core.span_coverage as e
        on e.contact_key = s.contact_key
        and e.channel = s.channel
        and e.program = s.program
        and e.kind <> s.kind
        and (e.begins_at < s.begins_at or (e.begins_at = s.begins_at and e.kind = 'opt_out'))
        and (e.ends_at is null or e.ends_at > s.begins_at)
)
select
    s.span_id,
    s.kind,
    s.contact_key,
    s.channel,
    s.program,
    coalesce(e.ends_at - interval '1 microsecond', s.begins_at) as after_at,
    coalesce(s.ends_at, timestamp '9999-01-01 00:00:00') as until_at,
    s.begins_at,
    s.processed_at,
    s.deadline_at,
    s.legal_rule_id,
    s.event_id
from core.span_coverage as s
left join earlier as e on e.span_id = s.span_id and e.contact_key = s.contact_key
where e.span_id is null or (e.ends_at is not null and (s.ends_at is null or e.ends_at < s.ends_at))
