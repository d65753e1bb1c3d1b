-- One row per grain, period and dimension set in which at least one pair was reached.
-- A pair is a contact and a channel; it is reached by a marketing or unknown message that was accepted, sent,
-- delivered or read. denominator = pairs reached in the period; numerator = those of them for which a span of
-- either kind began in the same period. Dimension sets: none, channel, program, campaign_id, (channel, program),
-- (channel, campaign_id); `*` means all of them. In a row by program the span must cover that program; in every
-- other row a span on any program of the pair counts, since the pair has no program.
with grains as (
    select grain
    from (values ('day'), ('week'), ('month'), ('all')) as listed (grain)
),

-- A pair counts on the first of its days in the period.
reached_days as (
    select
        grains.grain,
        period_start(grains.grain, reach_days.sent_on) as period_start,
        period_start(grains.grain, reach_days.previous_sent_on) as previous_start,
        reach_days.previous_sent_on,
        reach_days.channel,
        reach_days.program,
        reach_days.campaign_id,
        reach_days.pair_count
    from core.reach_days
    cross join grains
),

campaign_reach as (
    select
        messages.channel,
        messages.campaign_id,
        span_reach.begins_on,
        span_reach.previous_begins_on,
        max(case when messages.sent_on <= span_reach.begins_on then messages.sent_on end) as reached_before_on,
        min(case when messages.sent_on > span_reach.begins_on then messages.sent_on end) as reached_after_on
    from metrics.span_reach
    inner join core.messages
        on span_reach.contact_key = messages.contact_key and span_reach.channel = messages.channel
    where span_reach.program = '*' and messages.is_reached and messages.campaign_id is not null
    group by
        messages.contact_key, messages.channel, messages.campaign_id, span_reach.begins_on, span_reach.previous_begins_on
),

-- A pair that began a span counts if a day of the span's own period reached it, once in the period.
-- A campaign that reached the pair at all has every day of the pair's spans, so what began before is the pair's.
span_days as (
    select
        channel,
        program,
        '*' as campaign_id,
        begins_on,
        previous_begins_on,
        reached_before_on,
        reached_after_on,
        count(*) as pair_count
    from metrics.span_reach
    group by channel, program, begins_on, previous_begins_on, reached_before_on, reached_after_on
    union all
    select
        channel,
        '*' as program,
        campaign_id,
        begins_on,
        previous_begins_on,
        reached_before_on,
        reached_after_on,
        count(*) as pair_count
    from campaign_reach
    group by channel, campaign_id, begins_on, previous_begins_on, reached_before_on, reached_after_on
),

span_periods as (
    select
        grains.grain,
        period_start(grains.grain, span_days.begins_on) as period_start,
        period_start(grains.grain, span_days.previous_begins_on) as previous_start,
        period_start(grains.grain, span_days.reached_before_on) as before_start,
        period_start(grains.grain, span_days.reached_after_on) as after_start,
        span_days.previous_begins_on,
        span_days.channel,
        span_days.program,
        span_days.campaign_id,
        span_days.pair_count
    from span_days
    cross join grains
),

counts as (
    select
        grain,
        period_start,
        channel,
        program,
        campaign_id,
        pair_count as reached_count,
        0 as opted_out_count
    from reached_days
    where previous_sent_on is null or previous_start <> period_start
    union all
    select
        grain,
        period_start,
        channel,
        program,
        campaign_id,
        0 as reached_count,
        pair_count as opted_out_count
    from span_periods
    where
        (grain = 'all' or before_start = period_start or after_start = period_start)
        and (previous_begins_on is null or previous_start <> period_start)
)

-- A pair belongs to one channel, so the pairs of all channels are the sum of each channel's.
select
    grain,
    period_start,
    coalesce(channel, '*') as channel,
    program,
    campaign_id,
    cast(sum(opted_out_count) as bigint) as numerator,
    cast(sum(reached_count) as bigint) as denominator
from counts
group by grouping sets (
    (grain, period_start, program, campaign_id),
    (grain, period_start, channel, program, campaign_id)
)
