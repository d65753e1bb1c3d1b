-- One row per definition of opt-outs per message, grain, period and channel (`*` = all) in which an opt-out began.
-- denominator: opt-outs begun in the period; numerator: those of them that the definition attributes to no message, and
-- so counts in no rate. A row by channel is of the channel opted out of; opt-outs on every channel are in no such row.
with
definitions as (
    select definition
    from metrics.definitions
    where metric = 'opt_out_rate_per_message'
),
grains as (
    select grain
    from (values ('day'), ('week'), ('month'), ('all')) as listed (grain)
),
begun as (
    select begins_on, opt_out_channel, count(*) as opt_out_count
    from core.attributions
    group by begins_on, opt_out_channel
),
attributed as (
    select definition, begins_on, opt_out_channel, count(*) as opt_out_count
    from metrics.counted_opt_outs
    group by definition, begins_on, opt_out_channel
),
days as (
    select
        d.definition, b.begins_on, b.opt_out_channel as channel, b.opt_out_count,
        coalesce(a.opt_out_count, 0) as attributed_count
    from begun as b
    cross join definitions as d
    left join attributed as a
        on a.definition = d.definition and a.begins_on = b.begins_on and a.opt_out_channel = b.opt_out_channel
),
places as (
    select
        d.definition,
        g.grain,
        period_start(g.grain, d.begins_on) as period_start,
        d.channel,
        d.opt_out_count,
        d.attributed_count
    from days as d
    cross join grains as g
),
counted as (
    select
        definition, grain, period_start, channel,
        sum(opt_out_count - attributed_count) as unattributed_count,
        sum(opt_out_count) as opt_out_count
    from places
    group by grouping sets ((definition, grain, period_start), (definition, grain, period_start, channel))
)
select
    definition,
    grain,
    period_start,
    coalesce(channel, '*') as channel,
    cast(unattributed_count as bigint) as numerator,
    cast(opt_out_count as bigint) as denominator
from counted
where channel is null or channel <> '*'
