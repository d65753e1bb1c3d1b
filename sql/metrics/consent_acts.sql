-- One row per day, channel and event type: the consent acts on record, whether or not they changed anything.
-- Beside metrics.audience_changes, which counts changes alone. Channel `*` holds acts on every channel; they count in the
-- sum of all channels alone.
select requested_on, channel, event_type, count(*) as act_count
from core.consent_events
group by requested_on, channel, event_type
