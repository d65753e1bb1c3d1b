-- One row per month (null = whole record), channel (`*` = all), rule and class (`*` = all of the rule) with a finding.
-- Months are those of the report time zone. A finding about every channel is one of each channel. contact_count is of all
-- classes together (null for one of them): a contact of several months, channels or classes counts once wherever it is in.
with
ranked_severities as (
    select
        severity,
        severity_rank
    from (values ('critical', 1), ('high', 2), ('warning', 3), ('notice', 4)) as listed (severity, severity_rank)
),

dated as (
    select
        report_months.period_start as month_start,
        coalesce(findings.channel, '*') as found_channel,
        findings.rule,
        findings.finding_class,
        findings.severity,
        findings.waived_by,
        findings.contact_key
    from audits.findings
    inner join metrics.report_months
        on findings.occurred_at >= report_months.starts_at and findings.occurred_at < report_months.ends_at
),

-- Findings are many: they are counted once, and the sums are small.
counted as (
    select
        dated.month_start,
        dated.found_channel,
        dated.rule,
        dated.finding_class,
        min(ranked_severities.severity_rank) as severity_rank,
        count(*) as finding_count,
        count(*) filter (where dated.severity in ('critical', 'high') and dated.waived_by is null) as violation_count,
        count(dated.waived_by) as waived_count
    from dated
    inner join ranked_severities on dated.severity = ranked_severities.severity
    group by dated.month_start, dated.found_channel, dated.rule, dated.finding_class
),

concerned as (
    select
        month_start,
        found_channel,
        rule,
        contact_key
    from dated
    where contact_key is not null
    group by month_start, found_channel, rule, contact_key
),

channels as (
    select channel
    from metrics.log_days
    where log = 'messages'
    union
    select found_channel as channel
    from counted
),

-- In which months and channels of the result a finding is counted.
placed_channels as (
    select
        found.channel as found_channel,
        counting.channel
    from channels as found
    inner join channels as counting on found.channel = counting.channel or found.channel = '*'
    where counting.channel <> '*'
    union all
    select
        channel as found_channel,
        '*' as channel
    from channels
),

placed_months as (
    select
        period_start as month_start,
        period_start
    from metrics.report_months
    union all
    select
        period_start as month_start,
        cast(null as date) as period_start
    from metrics.report_months
),

concerned_once as (
    select
        placed_months.period_start,
        placed_channels.channel,
        concerned.rule,
        concerned.contact_key
    from concerned
    inner join placed_months on concerned.month_start = placed_months.month_start
    inner join placed_channels on concerned.found_channel = placed_channels.found_channel
    group by placed_months.period_start, placed_channels.channel, concerned.rule, concerned.contact_key
),

contacts as (
    select
        period_start,
        channel,
        rule,
        count(*) as contact_count
    from concerned_once
    group by period_start, channel, rule
),

classes as (
    select
        finding_class as found_class,
        finding_class
    from counted
    union
    select
        finding_class as found_class,
        '*' as finding_class
    from counted
),

summed as (
    select
        placed_months.period_start,
        placed_channels.channel,
        counted.rule,
        classes.finding_class,
        min(counted.severity_rank) as severity_rank,
        cast(sum(counted.finding_count) as bigint) as finding_count,
        cast(sum(counted.violation_count) as bigint) as violation_count,
        cast(sum(counted.waived_count) as bigint) as waived_count
    from counted
    inner join placed_months on counted.month_start = placed_months.month_start
    inner join placed_channels on counted.found_channel = placed_channels.found_channel
    inner join classes on counted.finding_class = classes.found_class
    group by placed_months.period_start, placed_channels.channel, counted.rule, classes.finding_class
)

select
    summed.period_start,
    summed.channel,
    summed.rule,
    summed.finding_class,
    ranked_severities.severity,
    summed.finding_count,
    summed.violation_count,
    summed.waived_count,
    case when summed.finding_class = '*' then coalesce(contacts.contact_count, 0) end as contact_count
from summed
inner join ranked_severities on summed.severity_rank = ranked_severities.severity_rank
left join contacts
    on
        summed.period_start is not distinct from contacts.period_start
        and summed.channel = contacts.channel
        and summed.rule = contacts.rule
