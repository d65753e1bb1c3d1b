-- One row per opt-out span and rule by which a machine is suspected to have begun it: a scanner that opened the link.
-- The rules are rows of reference.machine_rules. seconds: from the delivery of the message it answers (its status_at where
-- the status is delivered, else its sent_at) to the opt-out. Who asked again after within_seconds meant it, and is no
-- suspect. For the audit and every legal rule a suspected opt-out is an opt-out like any other.
with
rules as (
    select rule, channel, method, within_seconds, together_seconds, fewest_contacts
    from reference.machine_rules
),
-- The message that the opt-out answers: the one attributed, or the last of the campaign it names.
answered as (
    select
        a.span_id,
        a.contact_key,
        a.begins_at,
        a.method,
        a.opt_out_channel,
        a.campaign_id,
        case when a.message_id is not null then a.source else a.touch_source end as source,
        case when a.message_id is not null then a.message_id else a.touch_message_id end as message_id,
        case when a.message_id is not null then a.sent_at else a.touch_sent_at end as sent_at
    from core.attributions as a
    where
        a.method in (select method from rules)
        and (a.message_id is not null or (a.attributed_by = 'campaign' and a.touch_campaign_id = a.campaign_id))
),
delivered as (
    select
        n.span_id,
        n.contact_key,
        n.begins_at,
        n.method,
        m.channel,
        n.campaign_id,
        s.source,
        s.scope_key,
        s.ends_at,
        cast(
            unix_micros(n.begins_at)
            - unix_micros(case when m.status = 'delivered' and m.status_at >= m.sent_at then m.status_at else m.sent_at end)
            as double
        ) / cast(1000000 as double) as seconds
    from answered as n
    join core.messages as m
        on m.contact_key = n.contact_key and m.source = n.source and m.message_id = n.message_id and m.sent_at = n.sent_at
    join core.opt_out_spans as s on s.span_id = n.span_id
),
fast as (
    select d.*, r.rule, r.within_seconds, r.together_seconds, r.fewest_contacts
    from delivered as d
    join rules as r on r.channel = d.channel and r.method = d.method
    where d.seconds >= 0 and d.seconds <= r.within_seconds
),
asked_again as (
    select distinct f.span_id, f.rule
    from fast as f
    join core.scoped_acts as a on a.scope_key = f.scope_key
    where
        a.kind = 'opt_out'
        and a.role = 'opens'
        and a.requested_at > f.begins_at
        and (f.ends_at is null or a.requested_at < f.ends_at)
        and unix_micros(a.requested_at) - unix_micros(f.begins_at) > (f.within_seconds - f.seconds) * 1000000
),
suspects as (
    select f.*
    from fast as f
    anti join asked_again as a on a.span_id = f.span_id and a.rule = f.rule
),
together as (
    select s.span_id, s.rule, count(distinct o.contact_key) as contact_count
    from suspects as s
    join suspects as o
        on o.rule = s.rule and o.method = s.method and o.source = s.source and o.campaign_id = s.campaign_id
        and unix_micros(o.begins_at) - unix_micros(s.begins_at) <= s.together_seconds * 1000000
        and unix_micros(s.begins_at) - unix_micros(o.begins_at) <= s.together_seconds * 1000000
    where s.together_seconds is not null
    group by s.span_id, s.rule
)
select s.span_id, s.rule, s.seconds
from suspects as s
left join together as t on t.span_id = s.span_id and t.rule = s.rule
where s.together_seconds is null or t.contact_count >= s.fewest_contacts
