-- One row per channel (`*` = all), bucket of reference.reason_tenures and reason that opt-out spans were begun for.
-- The tenure is the time since the opt-in that the opt-out ended: since the stretch of consent began that ended with it.
with
stretches as (
    select scope_key, ends_at, max(begins_at) as begins_at
    from core.consent_spans
    where ends_at is not null
    group by scope_key, ends_at
),
spans as (
    select
        s.channel,
        case when s.reason is null then 'unspecified' else coalesce(l.reason, 'other') end as reason,
        cast(unix_micros(s.begins_at) - unix_micros(c.begins_at) as double) / cast(86400000000 as double) as days
    from core.opt_out_spans as s
    left join stretches as c on c.scope_key = s.scope_key and c.ends_at = s.begins_at
    left join reference.reason_list as l on l.reason = s.reason
    where s.kind = 'opt_out'
),
placed as (
    select s.channel, s.reason, coalesce(t.tenure, 'unknown') as tenure
    from spans as s
    left join reference.reason_tenures as t on s.days >= t.from_days and (t.until_days is null or s.days < t.until_days)
)
select '*' as channel, tenure, reason, count(*) as opt_out_count
from placed
group by tenure, reason
union all
-- Spans on every channel count in the rows of all channels only.
select channel, tenure, reason, count(*) as opt_out_count
from placed
where channel <> '*'
group by channel, tenure, reason
