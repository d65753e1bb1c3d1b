-- One row per (source, message_id) that more than one row of core.messages carries.
select source, message_id
from core.messages
group by source, message_id
having count(*) > 1
