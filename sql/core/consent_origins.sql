-- One row per way in which opt-ins on record were collected: a source type and a method, `unknown` where none is named.
select
    row_number() over (order by source_type, method) as origin_id,
    source_type,
    method
from (
    select distinct coalesce(source_type, 'unknown') as source_type, coalesce(method, 'unknown') as method
    from core.consent_events
    where event_type in ('opt_in', 'opt_in_confirmed', 'opt_in_requested')
) as found
