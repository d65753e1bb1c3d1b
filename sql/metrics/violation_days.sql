-- One row per day and channel (`*` = all) with a message or a finding: how many of each, and how many violations.
-- Days are those of the report time zone. A finding about every channel is one of each channel. A day without a row has no
-- message on record, which says nothing about violations: whether messages should have been there, metrics.silences tells.
with
dated as (
    select
        coalesce(findings.channel, '*') as channel,
        local_date(findings.occurred_at, report_offsets.offset_seconds) as on_date,
        findings.severity,
        findings.waived_by
    from audits.findings
    inner join run.report_offsets
        on findings.occurred_at >= report_offsets.from_at and findings.occurred_at < report_offsets.until_at
),

counted as (
    select
        channel,
        on_date,
        sum(record_count) as message_count,
        0 as finding_count,
        0 as violation_count,
        0 as waived_count
    from metrics.log_days
    where log = 'messages'
    group by channel, on_date
    union all
    select
        channel,
        on_date,
        0 as message_count,
        count(*) as finding_count,
        count(*) filter (where severity in ('critical', 'high') and waived_by is null) as violation_count,
        count(waived_by) as waived_count
    from dated
    group by channel, on_date
),

channels as (
    select distinct channel
    from counted
    where channel <> '*'
),

spread as (
    select
        '*' as channel,
        on_date,
        message_count,
        finding_count,
        violation_count,
        waived_count
    from counted
    union all
    select
        channels.channel,
        counted.on_date,
        counted.message_count,
        counted.finding_count,
        counted.violation_count,
        counted.waived_count
    from counted
    inner join channels on counted.channel in ('*', channels.channel)
)

select
    on_date,
    channel,
    cast(sum(message_count) as bigint) as message_count,
    cast(sum(finding_count) as bigint) as finding_count,
    cast(sum(violation_count) as bigint) as violation_count,
    cast(sum(waived_count) as bigint) as waived_count
from spread
group by on_date, channel
