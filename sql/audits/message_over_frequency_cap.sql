-- One row per marketing message (or message of unknown class) that exceeded how many one contact may get in a time.
-- Rule: of the messages that reached a contact on a channel, no more than the cap within its window, which ends with the
--   message itself and leaves out its own beginning. Messages inside an opt-out span are that rule's.
-- Why: Fla. Stat. 501.616(6)(b), 15 O.S. 775C.4, Md. Com. Law 14-4502, Or. Laws 2025 ch. 580: three in 24 hours (on the
--   same subject: heed knows no subjects and counts all marketing); the home's own frequency_cap.
-- Remedy: let one tool count across campaigns before it sends; lower the pressure on the programs listed.
-- Severity: that of the legal rule (high or warning), warning for the home's own cap or where the region is only
--   suggested.
with
protected as (
    select
        row_number() over (order by c.contact_key, r.channel, r.rule_id) as protection_id,
        c.contact_key, r.channel, r.rule_id, r.severity, r.certainty, r.from_at, r.until_at, k.amount, k.window_seconds
    from core.place_rules as r
    join run.caps as k on k.rule_id = r.rule_id
    join core.contacts as c on c.place_id = r.place_id
    where r.kind = 'frequency_cap' and r.channel <> '*'
),
-- A window lies wholly inside one of two rows of buckets twice as long, the second shifted by half: few contacts fill one.
bucketed as (
    select
        r.protection_id,
        r.amount,
        cast(floor(cast(unix_seconds(m.sent_at) as double) / (2 * r.window_seconds)) as bigint) as bucket,
        cast(floor(cast(unix_seconds(m.sent_at) + r.window_seconds as double) / (2 * r.window_seconds)) as bigint)
            as shifted_bucket
    from core.messages as m
    join protected as r on r.contact_key = m.contact_key and r.channel = m.channel
    where m.is_reached
),
busy as (
    select protection_id
    from bucketed
    group by protection_id, bucket, amount
    having count(*) > amount
    union
    select protection_id
    from bucketed
    group by protection_id, shifted_bucket, amount
    having count(*) > amount
),
capped as (
    select
        m.source, m.message_id, m.contact_key, m.channel, m.program, m.campaign_id, m.sent_at, m.status,
        r.rule_id, r.severity, r.certainty, r.from_at, r.until_at, r.amount, r.window_seconds,
        case p.scope when 'person' then '*' else m.channel end as scope_channel,
        case p.scope when 'program' then m.program else '*' end as scope_program
    from busy as b
    join protected as r on r.protection_id = b.protection_id
    join core.messages as m on m.contact_key = r.contact_key and m.channel = r.channel
    cross join run.parameters as p
    where m.is_reached
),
counted as (
    select c.*
    from capped as c
    anti join core.citable_spans as s
        on s.contact_key = c.contact_key
        and s.channel = c.scope_channel
        and s.program = c.scope_program
        and s.after_at < c.sent_at
        and s.until_at > c.sent_at
),
numbered as (
    select
        *,
        row_number() over (partition by contact_key, channel, rule_id order by sent_at, message_id, source) as place
    from counted
),
exceeding as (
    select
        m.*,
        row_number() over (
            partition by m.source, m.message_id
            order by case m.rule_id when 'policy' then 1 else 0 end, m.severity, m.rule_id
        ) as strength
    from numbered as m
    join numbered as e
        on e.contact_key = m.contact_key
        and e.channel = m.channel
        and e.rule_id = m.rule_id
        and e.place = m.place - m.amount
    where
        e.sent_at > m.sent_at - m.window_seconds * interval '1 second'
        and (m.from_at is null or m.sent_at >= m.from_at)
        and (m.until_at is null or m.sent_at < m.until_at)
)
select
    'message_over_frequency_cap' as rule,
    case rule_id when 'policy' then 'over_policy_cap' else 'over_legal_cap' end as finding_class,
    case when rule_id = 'policy' or certainty <> 'certain' then 'warning' else severity end as severity,
    source,
    message_id,
    contact_key,
    channel,
    program,
    campaign_id,
    sent_at as occurred_at,
    true as delivered,
    rule_id as legal_rule_id,
    concat(
        'More than ', cast(amount as string), ' messages in ', cast(round(window_seconds / 3600.0, 1) as string), ' hours'
    ) as details
from exceeding
where strength = 1
