-- One row per month, channel, campaign (null: attributed to none) and reason that opt-out spans were begun for.
-- Campaign and channel are those of the message that the opt-out is attributed to: see core.attributions.
select
    cast(date_trunc('month', a.begins_on) as date) as month_start,
    a.channel,
    a.campaign_id,
    case when a.reason is null then 'unspecified' else coalesce(l.reason, 'other') end as reason,
    count(*) as opt_out_count
from core.attributions as a
left join reference.reason_list as l on l.reason = a.reason
group by 1, 2, 3, 4
