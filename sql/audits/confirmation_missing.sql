-- One row per opt-out by text message that no confirmation followed although one was to be expected.
-- Rule: an opt-out by keyword on sms or rcs is confirmed with one message. Expected where a legal rule about confirmations
--   holds for the contact, or where the record has confirmations on that channel.
-- Why: CTIA Messaging Principles 5.1.3: one final confirmation; 47 CFR 64.1200(a)(12) permits one within five minutes.
--   Without it the contact cannot know that the request arrived, and asks again.
-- Remedy: switch the provider's opt-out confirmation on, or deliver confirmations with message_class confirmation.
-- Severity: notice.
with
asked as (
    select distinct
        e.source, e.event_id, e.contact_key, e.channel, e.program, e.campaign_id, e.requested_at,
        s.processed_at, s.deadline_at
    from core.opt_out_spans as s
    join core.consent_events as e on e.source = s.source and e.event_id = s.event_id
    where
        s.kind = 'opt_out'
        and e.event_type = 'opt_out'
        and e.channel in ('sms', 'rcs')
        and (e.method is null or e.method = 'keyword')
        and (e.actor is null or e.actor = 'contact')
),
expected as (
    select a.*, row_number() over (partition by a.source, a.event_id order by a.deadline_at, a.processed_at) as repetition
    from asked as a
    join core.contacts as c on c.contact_key = a.contact_key
    left join core.confirmation_channels as h on h.channel = a.channel
    where
        h.channel is not null
        or exists (
            select 1 from core.place_rules as r
            where
                r.place_id = c.place_id
                and r.channel = a.channel
                and r.kind = 'confirmation'
                and (r.from_at is null or a.requested_at >= r.from_at)
                and (r.until_at is null or a.requested_at < r.until_at)
        )
)
select
    'confirmation_missing' as rule,
    'no_confirmation' as finding_class,
    'notice' as severity,
    a.source,
    a.event_id,
    a.contact_key,
    a.channel,
    a.program,
    a.campaign_id,
    a.requested_at as occurred_at,
    a.requested_at as begins_at,
    a.processed_at,
    'No confirmation was sent' as details
from expected as a
cross join run.parameters as p
where
    a.repetition = 1
    and p.as_of > a.requested_at + p.confirmation_window_seconds * interval '1 second'
    and not exists (
        select 1 from core.confirmations as c
        where
            c.contact_key = a.contact_key
            and c.channel = a.channel
            and c.event_type = 'opt_out'
            and c.requested_at = a.requested_at
    )
