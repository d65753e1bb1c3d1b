-- One row per audience, channel, day and currency: marketing messages to contacts for whom no message should cost.
-- opted_out: inside an opt-out or block (the findings of message_after_opt_out, waived ones too). inactive: to a pair of
-- metrics.inactive_pairs since it is one. A message may be in both. The sign of a price is left out.
with
-- What makes a finding of one message makes one of every other of the same contact, channel, program and instant.
late as (
    select distinct contact_key, channel, program, occurred_at
    from audits.findings
    where rule = 'message_after_opt_out'
),
chosen as (
    select 'opted_out' as audience, m.channel, m.sent_on, m.currency, m.price
    from core.messages as m
    join late as l
        on l.contact_key = m.contact_key
        and l.occurred_at = m.sent_at
        and l.channel = m.channel
        and l.program = m.program
    where m.is_marketing
    union all
    select 'inactive' as audience, m.channel, m.sent_on, m.currency, m.price
    from core.messages as m
    join metrics.inactive_pairs as i on i.contact_key = m.contact_key and i.channel = m.channel
    where m.is_marketing and m.sent_on >= i.inactive_since_on
)
select
    audience,
    channel,
    sent_on,
    currency,
    count(*) as message_count,
    count(price) as priced_count,
    cast(sum(abs(cast(price as decimal(18, 8)))) as double) as cost
from chosen
group by audience, channel, sent_on, currency
