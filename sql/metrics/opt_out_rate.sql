-- One row per grain, period and dimension set in which at least one pair was reached.
-- A pair is a contact and a channel; it is reached by a marketing or unknown message that was accepted, sent,
-- delivered or read. denominator = pairs reached in the period; numerator = those of them for which a span of
-- either kind began in the same period. Dimension sets: none, channel, program, campaign_id, (channel, program),
-- (channel, campaign_id); `*` means all of them. In a row by program the span must cover that program; in every
-- other row a span on any program of the pair counts, since the pair has no program.
with coverage as (
    select
        contact_key,
        channel,
        program,
        begins_on
    from core.span_coverage
),

grains as (
    select grain
    from (values ('day'), ('week'), ('month'), ('all')) as listed (grain)
),

-- One pass counts the pairs of every day, week and month: a pair is counted where it was not yet reached in the
-- same period, which the day on which it was reached before tells. Far cheaper than one distinct count a grain, and
-- than one input of reached messages for the four steps that need them, which would be held in memory.
pair_days as (
    select
        channel,
        sent_on,
        lag(sent_on) over (
            partition by contact_key, channel
            order by sent_on
        ) as previous_sent_on
    from core.messages
    where is_reached
),

program_days as (
    select
        channel,
        program,
        sent_on,
        lag(sent_on) over (
            partition by contact_key, channel, program
            order by sent_on
        ) as previous_sent_on
    from core.messages
    where is_reached
),

campaign_days as (
    select
        channel,
        campaign_id,
        sent_on,
        lag(sent_on) over (
            partition by contact_key, channel, campaign_id
            order by sent_on
        ) as previous_sent_on
    from core.messages
    where is_reached and campaign_id is not null
),

counted_days as (
    select
        channel,
        '*' as program,
        '*' as campaign_id,
        sent_on,
        previous_sent_on,
        count(*) as message_count
    from pair_days
    group by channel, sent_on, previous_sent_on
    union all
    select
        channel,
        program,
        '*' as campaign_id,
        sent_on,
        previous_sent_on,
        count(*) as message_count
    from program_days
    group by channel, program, sent_on, previous_sent_on
    union all
    select
        channel,
        '*' as program,
        campaign_id,
        sent_on,
        previous_sent_on,
        count(*) as message_count
    from campaign_days
    group by channel, campaign_id, sent_on, previous_sent_on
),

counted_periods as (
    select
        grains.grain,
        case grains.grain
            when 'day' then counted_days.sent_on
            when 'week' then cast(date_trunc('week', counted_days.sent_on) as date)
            when 'month' then cast(date_trunc('month', counted_days.sent_on) as date)
        end as period_start,
        case grains.grain
            when 'day' then counted_days.previous_sent_on
            when 'week' then cast(date_trunc('week', counted_days.previous_sent_on) as date)
            when 'month' then cast(date_trunc('month', counted_days.previous_sent_on) as date)
        end as previous_period_start,
        counted_days.previous_sent_on,
        counted_days.channel,
        counted_days.program,
        counted_days.campaign_id,
        counted_days.message_count
    from counted_days
    cross join grains
),

-- Only pairs of contacts with a span can be in a numerator, and they are few.
covered_reach as (
    select
        grains.grain,
        case grains.grain
            when 'day' then messages.sent_on
            when 'week' then cast(date_trunc('week', messages.sent_on) as date)
            when 'month' then cast(date_trunc('month', messages.sent_on) as date)
        end as period_start,
        messages.contact_key,
        messages.channel,
        messages.program,
        messages.campaign_id
    from core.messages
    cross join grains
    where messages.is_reached and messages.contact_key in (select contact_key from coverage)
),

begun as (
    select distinct
        grains.grain,
        case grains.grain
            when 'day' then coverage.begins_on
            when 'week' then cast(date_trunc('week', coverage.begins_on) as date)
            when 'month' then cast(date_trunc('month', coverage.begins_on) as date)
        end as period_start,
        coverage.contact_key,
        coverage.channel,
        coverage.program
    from coverage
    cross join grains
),

opted_out as (
    select
        covered_reach.grain,
        covered_reach.period_start,
        covered_reach.contact_key,
        covered_reach.channel,
        covered_reach.program,
        covered_reach.campaign_id,
        begun.program in ('*', covered_reach.program) as is_program_covered
    from covered_reach
    inner join begun
        on
            covered_reach.contact_key = begun.contact_key
            and covered_reach.grain = begun.grain
            and covered_reach.period_start is not distinct from begun.period_start
            and (begun.channel = covered_reach.channel or begun.channel = '*')
),

opted_out_pairs as (
    select distinct
        grain,
        period_start,
        contact_key,
        channel,
        '*' as program,
        '*' as campaign_id
    from opted_out
    union all
    select distinct
        grain,
        period_start,
        contact_key,
        channel,
        program,
        '*' as campaign_id
    from opted_out
    where is_program_covered
    union all
    select distinct
        grain,
        period_start,
        contact_key,
        channel,
        '*' as program,
        campaign_id
    from opted_out
    where campaign_id is not null
),

counts as (
    select
        grain,
        period_start,
        channel,
        program,
        campaign_id,
        message_count as reached_count,
        0 as opted_out_count
    from counted_periods
    where previous_sent_on is null or previous_period_start is distinct from period_start
    union all
    select
        grain,
        period_start,
        channel,
        program,
        campaign_id,
        0 as reached_count,
        1 as opted_out_count
    from opted_out_pairs
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
