-- One row per definition, grain, period and channel (`*` = all) in which somebody was opted in at its start, or left.
-- numerator: spans of either kind begun in the period (mailchimp: people that began an opt-out in it, months only);
-- denominator: pairs opted in when its first day began. Spans on every channel are in the rows of all channels alone.
with
parameters as (
    select report_timezone, as_of
    from run.parameters
),
grains as (
    select grain
    from (values ('day'), ('week'), ('month')) as listed (grain)
),
days as (
    select d.on_date
    from run.local_days as d
    join parameters as p on p.report_timezone = d.timezone and d.begins_at <= p.as_of
),
channels as (
    select channel from metrics.opted_in_changes
    union
    select channel from core.opt_out_spans
    union
    select '*' as channel from parameters
),
-- A running sum over the days: how many pairs are opted in as each begins.
day_changes as (
    select c.channel, d.on_date, coalesce(sum(o.change), 0) as change
    from days as d
    cross join channels as c
    left join metrics.opted_in_changes as o
        on o.day_on = d.on_date and (o.channel = c.channel or c.channel = '*')
    group by c.channel, d.on_date
),
opted_in as (
    select
        channel,
        on_date,
        sum(change) over (partition by channel order by on_date rows unbounded preceding) as pair_count
    from day_changes
),
starts as (
    select distinct
        g.grain,
        period_start(g.grain, d.on_date) as period_start
    from days as d
    cross join grains as g
),
sizes as (
    select s.grain, s.period_start, o.channel, o.pair_count
    from starts as s
    join opted_in as o on o.on_date = s.period_start
    where o.pair_count > 0
),
begun_days as (
    select begins_on, channel, count(*) as span_count
    from core.opt_out_spans
    group by begins_on, channel
),
begun as (
    select
        g.grain,
        period_start(g.grain, d.begins_on) as period_start,
        d.channel,
        d.span_count
    from begun_days as d
    cross join grains as g
),
people as (
    select distinct cast(date_trunc('month', begins_on) as date) as period_start, channel, contact_key
    from core.opt_out_spans
    where kind = 'opt_out'
),
gone as (
    select period_start, channel, count(*) as people_count
    from people
    group by period_start, channel
),
counts as (
    select 'heed' as definition, grain, period_start, channel, 0 as left_count, pair_count
    from sizes
    union all
    select 'mailchimp' as definition, grain, period_start, channel, 0 as left_count, pair_count
    from sizes
    where grain = 'month'
    union all
    select 'heed' as definition, grain, period_start, '*' as channel, span_count as left_count, 0 as pair_count
    from begun
    union all
    select 'heed' as definition, grain, period_start, channel, span_count as left_count, 0 as pair_count
    from begun
    where channel <> '*'
    union all
    select 'mailchimp' as definition, 'month' as grain, period_start, '*' as channel, people_count as left_count, 0 as pair_count
    from gone
    union all
    select 'mailchimp' as definition, 'month' as grain, period_start, channel, people_count as left_count, 0 as pair_count
    from gone
    where channel <> '*'
)
select
    definition,
    grain,
    period_start,
    channel,
    cast(sum(left_count) as bigint) as numerator,
    cast(sum(pair_count) as bigint) as denominator
from counts
group by definition, grain, period_start, channel
