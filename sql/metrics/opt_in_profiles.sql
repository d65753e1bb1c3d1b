-- One row per way in which an opt-in was given: its method, source_type, consent_source and consent_text.
-- incentive says whether source or text promise something (data/reference/incentive_phrases.csv). source_contact_count
-- is how many contacts opted in by that consent_source: what few contacts share may name them.
with
acts as (
    select contact_key, method, source_type, consent_source, consent_text
    from core.consent_events
    where event_type in ('opt_in', 'opt_in_confirmed')
),

profiles as (
    select
        method,
        source_type,
        consent_source,
        consent_text,
        lower(concat_ws(' | ', consent_source, consent_text)) as said
    from (select distinct method, source_type, consent_source, consent_text from acts) as ways
),

promises as (
    select distinct texts.said
    from (select distinct said from profiles) as texts
    join reference.incentive_phrases on contains(texts.said, incentive_phrases.phrase)
),

sources as (
    select consent_source, count(distinct contact_key) as contact_count
    from acts
    where consent_source is not null
    group by consent_source
)

select
    row_number() over (
        order by
            profiles.method nulls first,
            profiles.source_type nulls first,
            profiles.consent_source nulls first,
            profiles.consent_text nulls first
    ) as profile_id,
    profiles.method,
    profiles.source_type,
    profiles.consent_source,
    profiles.consent_text,
    case when profiles.said = '' then 'unknown' when promises.said is not null then 'yes' else 'no' end as incentive,
    coalesce(sources.contact_count, 0) as source_contact_count
from profiles
left join promises on promises.said = profiles.said
left join sources on sources.consent_source = profiles.consent_source
