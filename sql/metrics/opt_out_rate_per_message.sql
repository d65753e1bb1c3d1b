-- One row per definition, grain, period and dimension set in which messages were sent or opt-outs attributed.
-- numerator: attributed opt-outs (or people, or topics, as the definition counts) begun in the period; denominator:
-- marketing messages delivered (or sent) in it. Dimension sets: none, channel, program, campaign_id, (channel, program),
-- (channel, campaign_id); `*` means all of them. Opt-outs on every channel or program are in no row of one. Of campaigns,
-- other products' definitions have months and the whole record alone: nobody compares products by a campaign's day.
with
definitions as (
    select definition, counts, messages
    from metrics.definitions
    where metric = 'opt_out_rate_per_message'
),
grains as (
    select grain
    from (values ('day'), ('week'), ('month'), ('all')) as listed (grain)
),
levels as (
    select by_channel, by_program, by_campaign
    from (
        values (0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1)
    ) as listed (by_channel, by_program, by_campaign)
),
-- People are counted once a period: those with one opt-out on record need no looking at.
repeated as (
    select definition, contact_key
    from metrics.counted_opt_outs
    where counts = 'contacts'
    group by definition, contact_key
    having count(*) > 1
),
opt_out_days as (
    select
        o.definition,
        o.begins_on,
        o.channel,
        o.program,
        o.campaign_id,
        r.contact_key,
        sum(case o.counts when 'topics' then o.topic_count else 1 end) as opt_out_count
    from metrics.counted_opt_outs as o
    left join repeated as r on r.definition = o.definition and r.contact_key = o.contact_key
    group by o.definition, o.begins_on, o.channel, o.program, o.campaign_id, r.contact_key
),
opt_out_places as (
    select
        o.definition,
        g.grain,
        period_start(g.grain, o.begins_on) as period_start,
        case l.by_channel when 1 then o.channel else '*' end as channel,
        case l.by_program when 1 then o.program else '*' end as program,
        case l.by_campaign when 1 then o.campaign_id else '*' end as campaign_id,
        o.contact_key,
        o.opt_out_count
    from opt_out_days as o
    cross join grains as g
    cross join levels as l
    where
        (l.by_channel = 0 or o.channel <> '*')
        and (l.by_program = 0 or o.program <> '*')
        and (l.by_campaign = 0 or o.campaign_id is not null)
        and (l.by_campaign = 0 or o.definition = 'heed' or g.grain in ('month', 'all'))
),
message_days as (
    select channel, program, campaign_id, sent_on, delivered_count, reached_count
    from metrics.message_counts
),
message_places as (
    select
        g.grain,
        period_start(g.grain, m.sent_on) as period_start,
        case l.by_channel when 1 then m.channel else '*' end as channel,
        case l.by_program when 1 then m.program else '*' end as program,
        case l.by_campaign when 1 then m.campaign_id else '*' end as campaign_id,
        sum(m.delivered_count) as delivered_count,
        sum(m.reached_count) as sent_count
    from message_days as m
    cross join grains as g
    cross join levels as l
    where l.by_campaign = 0 or m.campaign_id is not null
    group by all
),
counts as (
    select
        definition, grain, period_start, channel, program, campaign_id,
        sum(opt_out_count) as numerator,
        0 as denominator
    from opt_out_places
    where contact_key is null
    group by definition, grain, period_start, channel, program, campaign_id
    union all
    select
        definition, grain, period_start, channel, program, campaign_id,
        count(distinct contact_key) as numerator,
        0 as denominator
    from opt_out_places
    where contact_key is not null
    group by definition, grain, period_start, channel, program, campaign_id
    union all
    select
        d.definition, m.grain, m.period_start, m.channel, m.program, m.campaign_id,
        0 as numerator,
        case d.messages when 'sent' then m.sent_count else m.delivered_count end as denominator
    from message_places as m
    cross join definitions as d
    where m.campaign_id = '*' or d.definition = 'heed' or m.grain in ('month', 'all')
)
select
    definition,
    grain,
    period_start,
    channel,
    program,
    campaign_id,
    cast(sum(numerator) as bigint) as numerator,
    cast(sum(denominator) as bigint) as denominator
from counts
group by definition, grain, period_start, channel, program, campaign_id
