-- One row per channel of which the record holds an opt-in (`*`: one that covers every channel).
select distinct channel
from core.consent_events
where event_type in ('opt_in', 'opt_in_confirmed')
