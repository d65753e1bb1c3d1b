-- One row per rolling window of 7 or 28 days, channel and program (`*` = all of them) in which at least one pair was reached.
-- The opt-out rate of windows that end on every day on record: period_start is a window's first day. Windows overlap, so
-- two of them side by side are no two observations. Only windows that lie wholly between the first day of reach and as_of.
with windows as (
    select
        grain,
        day_count
    from (values ('rolling_7_days', 7), ('rolling_28_days', 28)) as listed (grain, day_count)
),

bounds as (
    select
        min(local_days.on_date) as first_on,
        max(local_days.on_date) as last_on
    from run.local_days
    cross join run.parameters
    cross join (select min(sent_on) as sent_on from core.reach_days) as firsts
    where
        local_days.timezone = parameters.report_timezone
        and local_days.begins_at <= parameters.as_of
        and local_days.on_date >= firsts.sent_on
),

days as (
    select local_days.on_date
    from run.local_days
    cross join run.parameters
    cross join bounds
    where
        local_days.timezone = parameters.report_timezone
        and local_days.on_date between bounds.first_on and bounds.last_on
),

-- A day of reach counts its pair in the windows that end from that day on, unless a day before it is in them already.
reached_stretches as (
    select
        windows.grain,
        reach_days.channel,
        reach_days.program,
        greatest(reach_days.sent_on, reach_days.previous_sent_on + windows.day_count) as from_on,
        reach_days.sent_on + windows.day_count as until_on,
        reach_days.pair_count
    from core.reach_days
    cross join windows
    where
        reach_days.campaign_id = '*'
        and (
            reach_days.previous_sent_on is null
            or reach_days.previous_sent_on < reach_days.sent_on
        )
),

-- The windows that hold a span's first day and a day of reach: of the days before it the last, of those after it the first.
span_stretches as (
    select
        windows.grain,
        span_reach.contact_key,
        span_reach.channel,
        span_reach.program,
        span_reach.begins_on as from_on,
        span_reach.reached_before_on + windows.day_count as until_on
    from metrics.span_reach
    cross join windows
    where
        span_reach.reached_before_on + windows.day_count > span_reach.begins_on
    union all
    select
        windows.grain,
        span_reach.contact_key,
        span_reach.channel,
        span_reach.program,
        span_reach.reached_after_on as from_on,
        span_reach.begins_on + windows.day_count as until_on
    from metrics.span_reach
    cross join windows
    where
        span_reach.reached_after_on < span_reach.begins_on + windows.day_count
),

-- A pair counts once in a window, however many of its spans do.
disjoint_stretches as (
    select
        grain,
        channel,
        program,
        from_on,
        until_on,
        max(until_on) over (
            partition by grain, contact_key, channel, program
            order by from_on, until_on
            rows between unbounded preceding and 1 preceding
        ) as covered_until_on
    from span_stretches
),

opted_out_stretches as (
    select
        grain,
        channel,
        program,
        case when covered_until_on > from_on then covered_until_on else from_on end as from_on,
        until_on
    from disjoint_stretches
    where covered_until_on is null or covered_until_on < until_on
),

stretches as (
    select
        grain,
        channel,
        program,
        from_on,
        until_on,
        pair_count as reached_count,
        0 as opted_out_count
    from reached_stretches
    where from_on < until_on
    union all
    select
        grain,
        channel,
        program,
        from_on,
        until_on,
        0 as reached_count,
        1 as opted_out_count
    from opted_out_stretches
),

-- A stretch adds to the windows that end from its first day on, and takes it back when it is over.
steps as (
    select
        grain,
        channel,
        program,
        from_on as changed_on,
        reached_count as reached_step,
        opted_out_count as opted_out_step
    from stretches
    union all
    select
        grain,
        channel,
        program,
        until_on as changed_on,
        -reached_count as reached_step,
        -opted_out_count as opted_out_step
    from stretches
),

changes as (
    select
        grain,
        coalesce(channel, '*') as channel,
        program,
        changed_on,
        sum(reached_step) as reached_step,
        sum(opted_out_step) as opted_out_step
    from steps
    group by grouping sets ((grain, program, changed_on), (grain, channel, program, changed_on))
),

series as (
    select distinct
        grain,
        channel,
        program
    from changes
),

-- Every day of every series, so that a day on which nothing changes has its window too.
every_day as (
    select
        series.grain,
        series.channel,
        series.program,
        days.on_date,
        coalesce(changes.reached_step, 0) as reached_step,
        coalesce(changes.opted_out_step, 0) as opted_out_step
    from series
    cross join days
    left join changes
        on
            series.grain = changes.grain
            and series.channel = changes.channel
            and series.program = changes.program
            and days.on_date = changes.changed_on
),

counted as (
    select
        every_day.grain,
        every_day.on_date - (windows.day_count - 1) as period_start,
        every_day.channel,
        every_day.program,
        sum(every_day.opted_out_step) over (
            partition by every_day.grain, every_day.channel, every_day.program
            order by every_day.on_date
            rows unbounded preceding
        ) as opted_out_count,
        sum(every_day.reached_step) over (
            partition by every_day.grain, every_day.channel, every_day.program
            order by every_day.on_date
            rows unbounded preceding
        ) as reached_count
    from every_day
    inner join windows on every_day.grain = windows.grain
)

select
    counted.grain,
    counted.period_start,
    counted.channel,
    counted.program,
    '*' as campaign_id,
    cast(counted.opted_out_count as bigint) as numerator,
    cast(counted.reached_count as bigint) as denominator
from counted
cross join bounds
where counted.reached_count > 0 and counted.period_start >= bounds.first_on
