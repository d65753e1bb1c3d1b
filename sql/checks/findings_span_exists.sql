-- One row per finding that cites a span which does not cover its contact and channel.
with

findings as (
    select rule, source, message_id, event_id, contact_key, channel, begins_at
    from audits.findings
    where begins_at is not null
)

select rule, source, message_id, event_id
from findings
where not exists (
    select 1
    from core.span_coverage as coverage
    where
        coverage.contact_key = findings.contact_key
        and coverage.begins_at = findings.begins_at
        and (coverage.channel = findings.channel or coverage.channel = '*' or findings.channel = '*')
)
