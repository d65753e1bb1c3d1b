-- One row per channel, source type and method of opt-ins: the marketing messages that they covered, over the whole record.
-- A message is covered by the opt-in that began the phase in which it was sent.
with
covered as (
    select channel, origin_id, sum(reached_count) as message_count
    from metrics.covered_pairs
    group by channel, origin_id
    union all
    select channel, origin_id, sum(message_count) as message_count
    from metrics.looked_up_messages
    where phase = 'opted_in'
    group by channel, origin_id
)
select
    c.channel,
    o.source_type,
    o.method,
    cast(sum(c.message_count) as bigint) as message_count
from covered as c
join core.consent_origins as o on o.origin_id = c.origin_id
group by c.channel, o.source_type, o.method
