-- One row per source and contact that is still on the source's audience list after its opt-out was due.
-- Rule: once an opt-out is processed, or its deadline has passed, the contact is off the list. The newest delivery of the
--   list counts; the opt-out cited is the open one that began first.
-- Why: a list that still holds the contact is the next wrong: 47 CFR 64.1200(d)(6); 15 USC 7704(a)(4); GDPR Art. 21(3).
-- Remedy: remove or suppress the contact in the source that lists it.
-- Severity: warning.
with
listed as (
    select l.source, l.contact_key, coalesce(l.listed_at, p.as_of) as listed_at
    from core.listings as l
    cross join run.parameters as p
    where l.listed
),
due as (
    select
        l.source as listing_source, l.listed_at, l.contact_key, s.source, s.event_id, s.channel, s.program, s.begins_at,
        s.processed_at, s.deadline_at, s.legal_rule_id,
        row_number() over (partition by l.source, l.contact_key order by s.begins_at, s.span_id) as place
    from listed as l
    join core.span_coverage as s on s.contact_key = l.contact_key
    where
        s.kind = 'opt_out'
        and l.listed_at > coalesce(s.processed_at, s.deadline_at)
        and (s.ends_at is null or l.listed_at < s.ends_at)
)
select
    'contact_still_listed' as rule,
    'still_listed' as finding_class,
    'warning' as severity,
    source,
    event_id,
    contact_key,
    channel,
    program,
    listed_at as occurred_at,
    begins_at,
    processed_at,
    deadline_at,
    legal_rule_id,
    concat('Still on the list of source ', listing_source) as details
from due
where place = 1
