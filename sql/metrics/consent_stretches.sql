-- One row per stretch of consent: how it began, and how long it lasted or has lasted at as_of.
-- A stretch that nothing has ended is right-censored at as_of. How it began is what its first opt-in says (profile_id).
-- watched_after_seconds: how old it was when the first opt-out, complaint or block of its channel was put on record; 0 if
-- it began later. Who left before that is perhaps not on record at all, so the older ones that are have stayed longer.
with
watches as (
    select channel, min(begins_at) as watched_from
    from core.opt_out_spans
    group by channel
),

-- The four columns are matched before the stretches are: a number is carried along more cheaply than four texts.
openings as (
    select acts.source, acts.event_id, acts.event_type, profiles.profile_id
    from core.consent_events as acts
    join metrics.opt_in_profiles as profiles
        on profiles.method is not distinct from acts.method
        and profiles.source_type is not distinct from acts.source_type
        and profiles.consent_source is not distinct from acts.consent_source
        and profiles.consent_text is not distinct from acts.consent_text
    where acts.event_type in ('opt_in', 'opt_in_confirmed')
),

-- Of an opt-in that was confirmed by a later act: when.
confirmations as (
    select spans.scope_key, spans.begins_at, min(acts.requested_at) as confirmed_at
    from core.scoped_acts as acts
    join core.consent_spans as spans on spans.scope_key = acts.scope_key
    where
        acts.event_type = 'opt_in_confirmed'
        and (acts.source <> spans.source or acts.event_id <> spans.event_id)
        and acts.requested_at >= spans.begins_at
        and (spans.ends_at is null or acts.requested_at <= spans.ends_at)
    group by spans.scope_key, spans.begins_at
)

select
    spans.channel,
    openings.profile_id,
    cast(unix_micros(coalesce(spans.ends_at, parameters.as_of)) - unix_micros(spans.begins_at) as double)
    / cast(1000000 as double) as duration_seconds,
    spans.ends_at is not null as has_left,
    case
        when openings.event_type = 'opt_in_confirmed' then 0
        else
            cast(unix_micros(confirmations.confirmed_at) - unix_micros(spans.begins_at) as double)
            / cast(1000000 as double)
    end as confirmed_after_seconds,
    coalesce(
        cast(greatest(unix_micros(watches.watched_from) - unix_micros(spans.begins_at), 0) as double)
        / cast(1000000 as double),
        0
    ) as watched_after_seconds
from core.consent_spans as spans
cross join run.parameters as parameters
join openings on openings.source = spans.source and openings.event_id = spans.event_id
left join confirmations
    on confirmations.scope_key = spans.scope_key and confirmations.begins_at = spans.begins_at
left join watches on watches.channel = spans.channel
