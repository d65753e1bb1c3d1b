-- One row per distinct text that says why somebody left: what they wrote, and codes that no list has, read as words.
with
given as (
    select reason_text as said from history.consent_events where reason_text is not null
    union
    -- MailChimp's "Too many emails" and our own "too_many_emails" are both words.
    select translate(reason_code, '_-', '  ')
    from history.consent_events
    where
        reason_code is not null
        and lower(trim(reason_code)) not in (select code from reference.reason_codes)
),
texts as (
    select distinct lower(trim(said)) as text from given
)
select
    row_number() over (order by text) as text_id,
    text
from texts
where text <> ''
