-- One row per penalty in force by the message, and currency: what the violations on record would cost at its lowest and highest.
-- Rows are alternatives: one message may fall under several penalties, and no two amounts may be added.
-- A message counts once per penalty, however many rules it broke; only delivered messages, and no waived finding, count.
-- Where a penalty holds in a region only and the contact's region is a guess, its messages are counted apart, in no amount.
with
penalised_rules as (
    select rule
    from (
        values
        ('message_after_opt_out'), ('message_without_consent'), ('message_before_confirmation'),
        ('message_in_quiet_hours'), ('message_over_frequency_cap'), ('confirmation_repeated'),
        ('confirmation_with_marketing')
    ) as listed (rule)
),

-- A penalty by the message, the violation or the e-mail; others do not grow with the messages sent.
penalties as (
    select
        rule_id,
        low,
        high,
        currency,
        unit
    from run.penalties
    where unit like 'per %'
),

messages as (
    select
        findings.source,
        findings.message_id,
        min(findings.contact_key) as contact_key,
        min(findings.channel) as channel,
        min(findings.occurred_at) as sent_at
    from audits.findings
    inner join penalised_rules on findings.rule = penalised_rules.rule
    where
        findings.severity in ('critical', 'high')
        and findings.waived_by is null
        and findings.delivered
        and findings.message_id is not null
    group by findings.source, findings.message_id
),

placed as (
    select
        messages.channel,
        contacts.country,
        contacts.region,
        contacts.region_certainty,
        local_date(messages.sent_at, report_offsets.offset_seconds) as sent_on
    from messages
    inner join core.contacts on messages.contact_key = contacts.contact_key
    inner join run.report_offsets
        on messages.sent_at >= report_offsets.from_at and messages.sent_at < report_offsets.until_at
),

groups as (
    select
        row_number() over (
            order by channel, country, region, region_certainty, sent_on
        ) as group_id,
        channel,
        country,
        region,
        region_certainty,
        sent_on,
        count(*) as message_count
    from placed
    group by channel, country, region, region_certainty, sent_on
),

reached as (
    select
        rule_reach.rule_id,
        groups.group_id,
        max(groups.message_count) as message_count,
        max(case when rule_reach.region = '*' or groups.region_certainty = 'certain' then 1 else 0 end) as is_certain
    from groups
    inner join run.rule_reach
        on
            rule_reach.kind = 'penalty'
            and (rule_reach.country = '*' or rule_reach.country = groups.country)
            and (rule_reach.region = '*' or rule_reach.region = groups.region)
            and (rule_reach.channel = '*' or rule_reach.channel = groups.channel)
            and (rule_reach.from_on is null or rule_reach.from_on <= groups.sent_on)
            and (rule_reach.until_on is null or groups.sent_on <= rule_reach.until_on)
    group by rule_reach.rule_id, groups.group_id
),

counted as (
    select
        penalties.rule_id,
        penalties.currency,
        penalties.unit,
        penalties.low,
        penalties.high,
        cast(coalesce(sum(case when reached.is_certain = 1 then reached.message_count end), 0) as bigint)
            as violation_count,
        cast(coalesce(sum(case when reached.is_certain = 0 then reached.message_count end), 0) as bigint)
            as possible_count
    from penalties
    left join reached on penalties.rule_id = reached.rule_id
    group by penalties.rule_id, penalties.currency, penalties.unit, penalties.low, penalties.high
)

select
    rule_id as legal_rule_id,
    currency,
    unit,
    violation_count,
    possible_count,
    violation_count * low as low_amount,
    violation_count * high as high_amount
from counted
order by legal_rule_id
