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
-- What reached a restarted pair from an opt-in on, later opt-ins or not.
since as (
    select s.contact_key, s.channel, s.begins_at, min(m.sent_at) as first_at, count(*) as message_count
    from core.messages as m
    join restarts as s on s.contact_key = m.contact_key and s.channel = m.channel and s.begins_at <= m.sent_at
    where m.is_reached
    group by s.contact_key, s.channel, s.begins_at
),
sequences as (
    select
        channel,
        first_at,
        message_count
        - coalesce(lead(message_count) over (partition by contact_key, channel order by begins_at), 0) as message_count
    from since
    union all
    select p.channel, p.first_reached_at as first_at, p.reached_count - coalesce(max(s.message_count), 0) as message_count
    from pairs as p
    left join since as s on s.contact_key = p.contact_key and s.channel = p.channel
    group by p.contact_key, p.channel, p.first_reached_at, p.reached_count
)
select
    s.channel,
    period_start('month', local_date(s.first_at, o.offset_seconds)) as first_month,
    s.message_count,
    count(*) as sequence_count
from sequences as s
join run.report_offsets as o on s.first_at >= o.from_at and s.first_at < o.until_at
where s.message_count > 0
group by all
