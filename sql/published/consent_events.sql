-- One row per consent event of a contact that has a finding, with what the rules read of it.
select
    e.source, e.event_id, e.channel, e.contact_key, e.program, e.event_type, e.requested_at, e.processed_at, e.method,
    e.actor, e.source_type, e.prechecked, e.campaign_id, e.load_id, e.row_number
from core.consent_events as e
semi join metrics.found_contacts as f on f.contact_key = e.contact_key
