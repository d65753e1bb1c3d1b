-- One row per definition of opt-outs per message and opt-out that it attributes to a message: where it counts it.
-- Each definition reads the same attributions: its window is a filter on how long ago the last message was sent.
-- topic_count: how many channels and programs the opt-out's acts name, its repeats included; `*` counts once.
with
definitions as (
    select definition, attributed_by, window_seconds, method, counts
    from metrics.definitions
    where metric = 'opt_out_rate_per_message'
),
-- An opt-out of one act names one topic; the others are few.
topics as (
    select
        s.span_id,
        count(
            distinct struct(
                case s.channel when '*' then e.channel else s.channel end,
                case s.program when '*' then e.program else s.program end
            )
        ) as topic_count
    from core.opt_out_spans as s
    join core.scoped_acts as a
        on a.scope_key = s.scope_key
        and a.kind = s.kind
        and a.requested_at >= s.begins_at
        and (s.ends_at is null or a.requested_at < s.ends_at)
    join core.consent_events as e on e.source = a.source and e.event_id = a.event_id
    where s.kind = 'opt_out' and s.repeat_count > 0 and a.role = 'opens'
    group by s.span_id
),
judged as (
    select
        d.definition,
        d.counts,
        o.*,
        o.attributed_by in ('message', 'campaign') and d.attributed_by in ('policy', 'named', 'any') as is_named,
        case d.attributed_by
            when 'policy' then o.attributed_by = 'last_touch'
            when 'window' then o.touch_seconds <= d.window_seconds
            when 'any' then o.touch_seconds is not null
            else false
        end as is_touched
    from core.attributions as o
    join definitions as d on d.method is null or o.method is null or o.method = d.method
)
select
    j.definition,
    j.counts,
    j.span_id,
    j.contact_key,
    j.begins_on,
    j.opt_out_channel,
    case when j.is_named then j.channel else j.touch_channel end as channel,
    case when j.is_named then j.program else j.touch_program end as program,
    case when j.is_named then j.campaign_id else j.touch_campaign_id end as campaign_id,
    coalesce(t.topic_count, 1) as topic_count
from judged as j
left join topics as t on t.span_id = j.span_id
where j.is_named or j.is_touched
