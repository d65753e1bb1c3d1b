-- One row per place, channel and stretch of time in which a legal rule asks for consent: the gravest rule of it.
-- Stretches of one place and channel are disjoint; `until_at` is not part of one.
with
asked as (
    select
        place_id, channel, rule_id, severity, certainty,
        coalesce(from_at, timestamp '1970-01-01 00:00:00') as from_at,
        coalesce(until_at, timestamp '9999-01-01 00:00:00') as until_at
    from core.place_rules
    where kind = 'consent_required'
),
bounds as (
    select place_id, channel, from_at as bound_at from asked
    union
    select place_id, channel, until_at as bound_at from asked
),
elements as (
    select
        place_id, channel, bound_at as from_at,
        lead(bound_at) over (partition by place_id, channel order by bound_at) as until_at
    from bounds
),
ranked as (
    select
        e.place_id, e.channel, e.from_at, e.until_at, a.rule_id,
        case when a.certainty = 'certain' then a.severity else 'warning' end as severity,
        row_number() over (
            partition by e.place_id, e.channel, e.from_at
            order by case when a.certainty = 'certain' and a.severity = 'high' then 0 else 1 end, a.rule_id
        ) as gravity
    from elements as e
    join asked as a
        on a.place_id = e.place_id and a.channel = e.channel and a.from_at <= e.from_at and a.until_at >= e.until_at
)
select place_id, channel, from_at, until_at, rule_id, severity
from ranked
where gravity = 1
