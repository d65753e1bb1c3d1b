-- One row per pair on record: a contact and a channel on which a message was sent to it or a consent event names it.
-- A contact of whom only acts on every channel or a place on the audience list are known stands once under channel `*`.
with
acting as (
    select distinct contact_key, channel from core.consent_events
),
named as (
    select a.contact_key, a.channel
    from acting as a
    anti join core.written_pairs as w on w.contact_key = a.contact_key and w.channel = a.channel
    where a.channel <> '*'
),
unnamed as (
    select contact_key from acting where channel = '*'
    union
    select contact_key from core.listings where listed
)
select contact_key, channel
from core.written_pairs
union all
select contact_key, channel
from named
union all
select u.contact_key, '*' as channel
from unnamed as u
anti join core.written_pairs as w on w.contact_key = u.contact_key
anti join named as n on n.contact_key = u.contact_key
