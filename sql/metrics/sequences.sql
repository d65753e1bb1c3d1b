-- One row per channel, month of the first message and length: how many sequences of that many messages there are.
-- A sequence is what reached one contact on one channel from an opt-in of the contact's own (on the channel, or on
-- all) to the next, or since the record began: marketing and unknown messages. Of n messages, one is each of the 1st to n-th.
with
pairs as (
    select contact_key, channel, first_reached_at, last_reached_at, cast(reached_count as bigint) as reached_count
    from core.written_pairs
    where reached_count > 0
),
-- Only an opt-in between two messages begins a sequence that the pair's first message does not.
restarts as (
    select distinct p.contact_key, p.channel, c.begins_at
    from core.consent_spans as c
    join pairs as p on p.contact_key = c.contact_key and (c.channel = p.channel or c.channel = '*')
    where c.begins_at > p.first_reached_at and c.begins_at <= p.last_reached_at
),
restarted as (
    select distinct contact_key, channel from restarts
),
placed as (
    select m.contact_key, m.channel, m.source, m.message_id, m.sent_at, max(s.begins_at) as begins_at
    from core.messages as m
    join restarted as r on r.contact_key = m.contact_key and r.channel = m.channel
    left join restarts as s on s.contact_key = m.contact_key and s.channel = m.channel and s.begins_at <= m.sent_at
    where m.is_reached
    group by m.contact_key, m.channel, m.source, m.message_id, m.sent_at
),
sequences as (
    select p.channel, p.first_reached_at as first_at, p.reached_count as message_count
    from pairs as p
    anti join restarted as r on r.contact_key = p.contact_key and r.channel = p.channel
    union all
    select channel, min(sent_at) as first_at, count(*) as message_count
    from placed
    group by contact_key, channel, begins_at
)
select
    s.channel,
    cast(
        date_trunc(
            'month',
            local_date(s.first_at, o.offset_seconds)
        ) as date
    ) as first_month,
    s.message_count,
    count(*) as sequence_count
from sequences as s
join run.report_offsets as o on s.first_at >= o.from_at and s.first_at < o.until_at
group by all
