-- One row per (source, inbound_id) that more than one row of core.inbound_messages carries.
select source, inbound_id
from core.inbound_messages
group by source, inbound_id
having count(*) > 1
