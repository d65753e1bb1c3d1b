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

-- Findings are many: they were counted once, and the sums are small.
counted as (
    select
        finding_groups.period_start as month_start,
        coalesce(finding_groups.channel, '*') as found_channel,
        finding_groups.rule,
        finding_groups.finding_class,
        min(ranked_severities.severity_rank) as severity_rank,
        sum(finding_groups.finding_count) as finding_count,
        sum(
            case
                when finding_groups.severity in ('critical', 'high') and not finding_groups.is_waived
                    then finding_groups.finding_count
                else 0
            end
        ) as violation_count,
        sum(case when finding_groups.is_waived then finding_groups.finding_count else 0 end) as waived_count
    from metrics.finding_groups
    inner join ranked_severities on finding_groups.severity = ranked_severities.severity
    group by
        finding_groups.period_start, coalesce(finding_groups.channel, '*'), finding_groups.rule,
        finding_groups.finding_class
),

concerned as (
    select
        report_months.period_start as month_start,
        coalesce(findings.channel, '*') as found_channel,
        findings.rule,
        findings.contact_key
    from audits.findings
    inner join metrics.report_months
        on findings.occurred_at >= report_months.starts_at and findings.occurred_at < report_months.ends_at
    where findings.contact_key is not null
    group by report_months.period_start, coalesce(findings.channel, '*'), findings.rule, findings.contact_key
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
