-- One row per month and for the whole record (grain all), and channel (`*` = all): messages that recorded consent covered.
-- denominator: marketing or unknown messages that reached their contact; numerator: those of them sent while an opt-in held.
with
counted as (
    select
        period_start,
        channel,
        sum(case when phase = 'opted_in' then message_count else 0 end) as covered_count,
        sum(message_count) as message_count
    from metrics.consent_coverage
    group by grouping sets ((period_start, channel), (period_start), (channel), ())
)
select
    case when period_start is null then 'all' else 'month' end as grain,
    period_start,
    coalesce(channel, '*') as channel,
    cast(covered_count as bigint) as numerator,
    cast(message_count as bigint) as denominator
from counted
where message_count > 0
