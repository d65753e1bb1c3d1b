-- One row per inbound message that says something: how each regime reads it.
-- reading is what a reasonable person reads: certain, possible or not; exact_keyword: the text is a provider's keyword
-- to the letter; legal_list: the text is a word of a law's or an industry's list, marks aside. Of body and button the
-- stronger counts. reply_rule says by which rule of reference.reply_rules; texts themselves are not here.
with
readings as (
    select
        t.text,
        r.reading,
        r.reply_rule,
        r.exact_keyword,
        r.legal_list,
        case r.reading when 'certain' then 1 when 'possible' then 2 else 3 end as weakness
    from core.reply_texts as t
    join core.reply_readings as r on r.text_id = t.text_id
),
buttons as (
    select i.source, i.inbound_id, r.*
    from core.inbound_messages as i
    join readings as r on r.text = regexp_replace(lower(trim(i.button)), '[0-9]{3,}', '000')
    where i.body is null or i.body <> i.button
),
bodies as (
    select i.source, i.inbound_id, r.*
    from core.inbound_messages as i
    join readings as r on r.text = regexp_replace(lower(trim(i.body)), '[0-9]{3,}', '000')
)
select
    coalesce(b.source, k.source) as source,
    coalesce(b.inbound_id, k.inbound_id) as inbound_id,
    case when b.weakness is null or k.weakness < b.weakness then k.reading else b.reading end as reading,
    case when b.weakness is null or k.weakness < b.weakness then k.reply_rule else b.reply_rule end as reply_rule,
    coalesce(b.exact_keyword, false) or coalesce(k.exact_keyword, false) as exact_keyword,
    coalesce(b.legal_list, false) or coalesce(k.legal_list, false) as legal_list
from bodies as b
full join buttons as k on k.source = b.source and k.inbound_id = b.inbound_id
