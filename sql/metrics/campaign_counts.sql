-- One row per channel, campaign (null: of none) and month in which its messages were sent: messages, and the opt-outs attributed to them.
-- An opt-out counts in the month in which the message that it is attributed to was sent; where only the campaign is known,
-- in the month in which it began. One on every channel counts on the campaign's own channel, if the campaign has one alone.
with
sent as (
    select
        channel,
        campaign_id,
        cast(date_trunc('month', sent_on) as date) as month_start,
        cast(sum(delivered_count) as bigint) as delivered_count,
        min(program) as program,
        count(distinct program) as program_count
    from metrics.message_counts
    where delivered_count > 0
    group by channel, campaign_id, cast(date_trunc('month', sent_on) as date)
),
single_channels as (
    select campaign_id, min(channel) as channel
    from metrics.message_counts
    where campaign_id is not null
    group by campaign_id
    having count(distinct channel) = 1
),
dated as (
    select
        case when a.channel = '*' then s.channel else a.channel end as channel,
        a.campaign_id,
        case
            when a.sent_at is null then a.begins_on
            else local_date(a.sent_at, o.offset_seconds)
        end as counts_on
    from core.attributions as a
    left join run.report_offsets as o on a.sent_at >= o.from_at and a.sent_at < o.until_at
    left join single_channels as s on s.campaign_id = a.campaign_id
    where a.attributed_by <> 'none'
),
lost as (
    select channel, campaign_id, cast(date_trunc('month', counts_on) as date) as month_start, count(*) as opt_out_count
    from dated
    where channel is not null
    group by channel, campaign_id, cast(date_trunc('month', counts_on) as date)
),
listed as (
    select
        campaign_id,
        channel,
        min(name) as name,
        min(program) as program,
        min(language) as language
    from core.campaigns
    group by campaign_id, channel
),
counted as (
    select channel, campaign_id, month_start from sent
    union
    select channel, campaign_id, month_start from lost
)
select
    c.channel,
    c.campaign_id,
    c.month_start,
    coalesce(own.name, any_channel.name) as name,
    coalesce(case when s.program_count = 1 then s.program end, own.program, any_channel.program) as program,
    coalesce(own.language, any_channel.language) as language,
    coalesce(s.delivered_count, 0) as delivered_count,
    coalesce(l.opt_out_count, 0) as opt_out_count
from counted as c
left join sent as s
    on s.channel = c.channel
    and s.campaign_id is not distinct from c.campaign_id
    and s.month_start = c.month_start
left join lost as l
    on l.channel = c.channel
    and l.campaign_id is not distinct from c.campaign_id
    and l.month_start = c.month_start
left join listed as own on own.campaign_id = c.campaign_id and own.channel = c.channel
left join listed as any_channel on any_channel.campaign_id = c.campaign_id and any_channel.channel = '*'
