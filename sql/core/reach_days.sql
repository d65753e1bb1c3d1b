-- One row per channel, program, campaign, day and the day before it on which the same pair was reached: how many times.
-- What counts distinct pairs in any period without a pass for each: a pair is counted on the first of its days in the
-- period, which the day before it tells. `*` in program and campaign_id is all of them, and then the day before is that
-- of the pair on any; else on the same program, or the same campaign. previous_sent_on is null on a pair's first day, and
-- 32 days before at the most: what is older is in no month, week or window of 28 days with sent_on either.
with
pair_days as (
    select channel, sent_on, lag(sent_on) over (partition by contact_key, channel order by sent_on) as previous_sent_on
    from core.messages
    where is_reached
),
program_days as (
    select
        channel, program, sent_on,
        lag(sent_on) over (partition by contact_key, channel, program order by sent_on) as previous_sent_on
    from core.messages
    where is_reached
),
campaign_days as (
    select
        channel, campaign_id, sent_on,
        lag(sent_on) over (partition by contact_key, channel, campaign_id order by sent_on) as previous_sent_on
    from core.messages
    where is_reached and campaign_id is not null
)
select
    channel,
    '*' as program,
    '*' as campaign_id,
    sent_on,
    case when previous_sent_on < sent_on - 32 then sent_on - 32 else previous_sent_on end as previous_sent_on,
    count(*) as pair_count
from pair_days
where previous_sent_on is distinct from sent_on
group by channel, sent_on, case when previous_sent_on < sent_on - 32 then sent_on - 32 else previous_sent_on end
union all
select
    channel,
    program,
    '*' as campaign_id,
    sent_on,
    case when previous_sent_on < sent_on - 32 then sent_on - 32 else previous_sent_on end as previous_sent_on,
    count(*) as pair_count
from program_days
where previous_sent_on is distinct from sent_on
group by channel, program, sent_on, case when previous_sent_on < sent_on - 32 then sent_on - 32 else previous_sent_on end
union all
select
    channel,
    '*' as program,
    campaign_id,
    sent_on,
    case when previous_sent_on < sent_on - 32 then sent_on - 32 else previous_sent_on end as previous_sent_on,
    count(*) as pair_count
from campaign_days
where previous_sent_on is distinct from sent_on
group by channel, campaign_id, sent_on, case when previous_sent_on < sent_on - 32 then sent_on - 32 else previous_sent_on end
