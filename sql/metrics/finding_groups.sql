-- One row per month, rule, class, severity, channel, program, campaign, law and whether waived: how many findings.
-- Months are those of the report time zone. What the list of findings counts by, so that no page counts millions of rows.
select
    period_start('month', local_date(f.occurred_at, o.offset_seconds)) as period_start,
    f.rule,
    f.finding_class,
    f.severity,
    f.channel,
    f.program,
    f.campaign_id,
    f.legal_rule_id,
    f.waived_by is not null as is_waived,
    count(*) as finding_count
from audits.findings as f
join run.report_offsets as o on f.occurred_at >= o.from_at and f.occurred_at < o.until_at
group by all
