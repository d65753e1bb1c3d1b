-- One row per (source, event_id) that more than one row of core.consent_events carries.
select source, event_id
from core.consent_events
group by source, event_id
having count(*) > 1
