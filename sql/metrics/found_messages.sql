-- One row per month of the report time zone, channel, program and campaign: how many messages have a finding of any rule.
-- Findings about what contacts wrote are about no message of the sender's.
with
found as (
    select distinct source, message_id, channel, program, campaign_id, occurred_at
    from audits.findings
    where message_id is not null and rule <> 'opt_out_request_missed'
)
select
    period_start('month', local_date(f.occurred_at, o.offset_seconds)) as period_start,
    f.channel,
    f.program,
    f.campaign_id,
    count(*) as message_count
from found as f
join run.report_offsets as o on f.occurred_at >= o.from_at and f.occurred_at < o.until_at
group by all
