-- One row per confirmation that follows an opt-out and whose text holds marketing: the first phrase that shows it.
with
texts as (
    select c.source, c.message_id, lower(min_by(h.body, struct(h.sent_at, h.body))) as said
    from core.confirmations as c
    join history.messages as h on h.source = c.source and h.message_id = c.message_id
    where c.event_type = 'opt_out' and h.body is not null
    group by c.source, c.message_id
)
select t.source, t.message_id, min(p.phrase) as phrase
from texts as t
join reference.marketing_phrases as p on contains(t.said, p.phrase)
group by t.source, t.message_id
