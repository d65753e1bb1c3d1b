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

-- Contacts are many, so where they are counted is numbered: a cell is a month, channel and rule with findings, a place
-- is one of the result.
cells as (
    select
        month_start,
        found_channel,
        rule,
        row_number() over (order by month_start, found_channel, rule) as cell_id
    from (select distinct month_start, found_channel, rule from counted) as found
),

cell_places as (
    select
        cells.cell_id,
        placed_months.period_start,
        placed_channels.channel,
        cells.rule,
        dense_rank() over (order by placed_months.period_start, placed_channels.channel, cells.rule) as place_id
    from cells
    inner join placed_months on cells.month_start = placed_months.month_start
    inner join placed_channels on cells.found_channel = placed_channels.found_channel
),

concerned as (
    select
        cells.cell_id,
        findings.contact_key
    from audits.findings
    inner join run.report_offsets
        on findings.occurred_at >= report_offsets.from_at and findings.occurred_at < report_offsets.until_at
    inner join cells
        on
            period_start('month', local_date(findings.occurred_at, report_offsets.offset_seconds)) = cells.month_start
            and coalesce(findings.channel, '*') = cells.found_channel
            and findings.rule = cells.rule
    where findings.contact_key is not null
    group by cells.cell_id, findings.contact_key
),

concerned_once as (
    select
        cell_places.place_id,
        concerned.contact_key
    from concerned
    inner join cell_places on concerned.cell_id = cell_places.cell_id
    group by cell_places.place_id, concerned.contact_key
),

contacts as (
    select
        places.period_start,
        places.channel,
        places.rule,
        counted_places.contact_count
    from (select distinct place_id, period_start, channel, rule from cell_places) as places
    inner join (select place_id, count(*) as contact_count from concerned_once group by place_id) as counted_places
        on places.place_id = counted_places.place_id
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
