-- One row per text that somebody gave as a reason, the reason it was counted as and the contact who gave it.
-- Holds what people wrote, word by word: it stays in the working database.
select
    trim(e.reason_text) as said,
    coalesce(e.reason, 'unspecified') as reason,
    max(r.language) as language,
    e.contact_key,
    max(case when r.unknown_count > 0 then 1 else 0 end) as has_unknown_words,
    min(e.requested_on) as first_on,
    max(e.requested_on) as last_on
from core.consent_events as e
join core.reason_readings as r on r.text = lower(trim(e.reason_text))
join reference.span_acts as a on a.event_type = e.event_type
where a.kind = 'opt_out' and a.role = 'opens'
group by trim(e.reason_text), coalesce(e.reason, 'unspecified'), e.contact_key
