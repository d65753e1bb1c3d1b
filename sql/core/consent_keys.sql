-- One row per contact, channel and program (`*` = all) whose consent stands or falls as one, by the scope.
-- Scope channel: each pair. Scope program: each program known of the pair, `*` where none is. Scope person: each contact.
with
programs as (
    select m.contact_key, m.channel, m.program
    from core.messages as m
    join run.parameters as p on p.scope = 'program'
    group by m.contact_key, m.channel, m.program
    union
    select e.contact_key, k.channel, e.program
    from core.consent_events as e
    join core.pairs as k on k.contact_key = e.contact_key
    join run.parameters as p on p.scope = 'program'
    where (e.channel = '*' or e.channel = k.channel) and e.program <> '*'
)
select k.contact_key, k.channel, '*' as program
from core.pairs as k
join run.parameters as p on p.scope = 'channel'
union all
select k.contact_key, k.channel, coalesce(g.program, '*') as program
from core.pairs as k
join run.parameters as p on p.scope = 'program'
left join programs as g on g.contact_key = k.contact_key and g.channel = k.channel
union all
select distinct k.contact_key, '*' as channel, '*' as program
from core.pairs as k
join run.parameters as p on p.scope = 'person'
