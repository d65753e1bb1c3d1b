-- One row per pair whose every message that reached it recorded consent covered, all of them by one opt-in: how many.
-- Most pairs are like this, and their messages need not be looked up one by one.
select
    w.contact_key,
    w.channel,
    f.origin_id,
    w.reached_count
from core.written_pairs as w
join core.consent_phases as f on f.contact_key = w.contact_key
where
    (f.channel = '*' or f.channel = w.channel)
    and f.program = '*'
    and f.phase = 'opted_in'
    and f.from_at <= w.first_reached_at
    and f.until_at > w.last_reached_at
