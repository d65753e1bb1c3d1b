-- One row per source of messages: whether it ever reports that a message was delivered or read.
select
    source,
    max(case when status in ('delivered', 'read') then 1 else 0 end) as reports_delivery
from core.messages
group by source
