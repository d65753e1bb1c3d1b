-- One row per inbound message that says something: how each regime reads it.
-- reading is what a reasonable person reads: certain, possible or not; exact_keyword: the text is a provider's keyword
-- to the letter; legal_list: the text is a word of a law's or an industry's list, marks aside. Of body and button the
-- stronger counts. reply_rule says by which rule of reference.reply_rules; texts themselves are not here.
with
said as (
    select source, inbound_id, body as text from core.inbound_messages
    union all
    select source, inbound_id, button from core.inbound_messages where button is distinct from body
),
read as (
    select
        s.source,
        s.inbound_id,
        r.text_id,
        r.reading,
        r.reply_rule,
        r.exact_keyword,
        r.legal_list,
        case r.reading when 'certain' then 1 when 'possible' then 2 else 3 end as strength
    from said as s
    join core.reply_texts as t on t.text = s.text
    join core.reply_readings as r on r.text_id = t.text_id
)
select
    source,
    inbound_id,
    min_by(reading, struct(strength, text_id)) as reading,
    min_by(reply_rule, struct(strength, text_id)) as reply_rule,
    max(case when exact_keyword then 1 else 0 end) = 1 as exact_keyword,
    max(case when legal_list then 1 else 0 end) = 1 as legal_list
from read
group by source, inbound_id
