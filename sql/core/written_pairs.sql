-- One row per pair (contact and channel) that a message was sent to: when the first and the last one reached it, how many, the last read.
-- The one pass over the messages that everything about pairs rests on. The times are null where no message reached the
-- pair, or none was read.
select
    contact_key,
    channel,
    min(case when is_reached then sent_at end) as first_reached_at,
    max(case when is_reached then sent_at end) as last_reached_at,
    sum(case when is_reached then 1 else 0 end) as reached_count,
    max(case when status = 'read' then coalesce(status_at, sent_at) end) as last_read_at
from core.messages
group by contact_key, channel
