-- One row per contact and person_id that some record gives it.
select contact_key, person_id from core.messages where person_id is not null
union
select contact_key, person_id from core.consent_events where person_id is not null
union
select contact_key, person_id from history.contacts where person_id is not null
