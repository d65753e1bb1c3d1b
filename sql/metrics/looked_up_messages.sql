-- One row per month, channel, source, phase and origin of consent: marketing messages that reached pairs not in metrics.covered_pairs.
-- phase is where consent stood when the message was sent (core.consent_phases). Messages of the other pairs were all
-- covered.
with
looked_up as (
    select k.contact_key, k.channel
    from core.written_pairs as k
    anti join metrics.covered_pairs as c on c.contact_key = k.contact_key and c.channel = k.channel
    where k.first_reached_at is not null
),
phases as (
    select l.contact_key, l.channel, f.program, f.phase, f.from_at, f.until_at, f.origin_id
    from looked_up as l
    join core.consent_phases as f on f.contact_key = l.contact_key
    where f.channel = '*' or f.channel = l.channel
),
found as (
    select m.sent_on, m.channel, m.source, f.phase, f.origin_id, count(*) as message_count
    from core.messages as m
    join phases as f
        on f.contact_key = m.contact_key
        and f.channel = m.channel
        and m.sent_at >= f.from_at
        and m.sent_at < f.until_at
    where m.is_reached and (f.program = '*' or f.program = m.program)
    group by m.sent_on, m.channel, m.source, f.phase, f.origin_id
)
select
    cast(date_trunc('month', sent_on) as date) as period_start,
    channel,
    source,
    phase,
    origin_id,
    sum(message_count) as message_count
from found
group by cast(date_trunc('month', sent_on) as date), channel, source, phase, origin_id
