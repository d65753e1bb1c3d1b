-- One row per channel (`*` = all): how many pairs were reached in the days of the rule, and how many of them are inactive.
-- reached_count: reached in the last days. long_reached_count: those of them reached for longer than these days before.
-- unknown_count: those of the long-reached on channels of which nothing can be known. inactive_count: of the others, those
-- without a sign of life; null where there are no others. inactive_days: the days of the rule.
-- reports_reads: the channel reports reads; where it does not, only people who write or act on their own show a sign of life.
with
reached as (
    select
        s.channel,
        unix_micros(p.as_of) - unix_micros(s.first_reached_at) > r.days * 86400000000 as is_long,
        s.is_known,
        n.contact_key is not null as is_inactive
    from metrics.signs_of_life as s
    cross join run.parameters as p
    join reference.audience_rules as r on r.rule = 'inactive'
    left join metrics.inactive_pairs as n on n.contact_key = s.contact_key and n.channel = s.channel
    where unix_micros(p.as_of) - unix_micros(s.last_reached_at) <= r.days * 86400000000
),
counted as (
    select
        channel,
        count(*) as reached_count,
        sum(case when is_long then 1 else 0 end) as long_reached_count,
        sum(case when is_long and not is_known then 1 else 0 end) as unknown_count,
        sum(case when is_inactive then 1 else 0 end) as inactive_count
    from reached
    group by channel
),
reading as (
    select distinct channel
    from core.written_pairs
    where last_read_at is not null
),
every as (
    select * from counted
    union all
    select
        '*' as channel,
        sum(reached_count) as reached_count,
        sum(long_reached_count) as long_reached_count,
        sum(unknown_count) as unknown_count,
        sum(inactive_count) as inactive_count
    from counted
    having count(*) > 0
)
select
    e.channel,
    cast(reached_count as bigint) as reached_count,
    cast(long_reached_count as bigint) as long_reached_count,
    cast(unknown_count as bigint) as unknown_count,
    cast(case when unknown_count < long_reached_count or long_reached_count = 0 then inactive_count end as bigint)
        as inactive_count,
    cast(r.days as bigint) as inactive_days,
    s.channel is not null as reports_reads
from every as e
left join reading as s on s.channel = e.channel
join reference.audience_rules as r on r.rule = 'inactive'
