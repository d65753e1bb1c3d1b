-- One row per marketing message that went to an opted-out contact, by this reckoning (is_inside) or the audit's (is_found).
-- Engine: duckdb
-- Why: the audit joins messages to opt-out spans. This knows no spans: it asks, for every marketing message, which act
-- was the last before it, over all consent events (an ASOF join). Both must agree to the row.
with

parameters as (
    select scope from run.parameters
),

acts_by_event_type as (
    select *
    from (
        values
            ('opt_out', 'opt_out', true),
            ('opt_out', 'complaint', true),
            ('opt_out', 'opt_in', false),
            ('opt_out', 'opt_in_confirmed', false),
            ('block', 'block', true),
            ('block', 'unblock', false),
            ('block', 'opt_in', false),
            ('block', 'opt_in_confirmed', false)
    ) as acts (kind, event_type, is_opening)
),

-- The least contact_key of a person stands for the person; in the other scopes each contact stands for itself.
subjects as (
    select
        contacts.contact_key,
        min(contacts.contact_key) over (
            partition by coalesce(contacts.person_key, cast(contacts.contact_key as string))
        ) as subject_key
    from core.contacts as contacts
    cross join parameters
    where parameters.scope = 'person'
),

-- Instants are counted in half microseconds: an ending act takes effect at its own instant and an opening act half a
-- microsecond later. So at equal times the opening act is the later one, a message at the instant of an opening act is
-- not yet inside, and a message at the instant of an ending act no longer is.
acts as (
    select
        coalesce(subjects.subject_key, events.contact_key) as subject_key,
        case when parameters.scope = 'person' then '*' else events.channel end as channel,
        case when parameters.scope = 'program' then events.program else '*' end as program,
        acts_by_event_type.kind,
        acts_by_event_type.is_opening,
        2 * unix_micros(events.requested_at) + cast(acts_by_event_type.is_opening as bigint) as takes_effect
    from core.consent_events as events
    join acts_by_event_type on events.event_type = acts_by_event_type.event_type
    left join subjects on events.contact_key = subjects.contact_key
    cross join parameters
),

-- Whoever never opted out is never inside.
relevant_acts as (
    select *
    from acts
    qualify bool_or(is_opening) over (partition by subject_key, kind)
),

relevant_kinds as (
    select distinct subject_key, kind
    from relevant_acts
),

messages as (
    select
        messages.source,
        messages.message_id,
        coalesce(subjects.subject_key, messages.contact_key) as subject_key,
        case when parameters.scope = 'person' then '*' else messages.channel end as channel,
        case when parameters.scope = 'program' then messages.program else '*' end as program,
        2 * unix_micros(messages.sent_at) as handed_over
    from core.messages as messages
    left join subjects on messages.contact_key = subjects.contact_key
    cross join parameters
    where messages.message_class in ('marketing', 'unknown')
),

questions as (
    select
        messages.source,
        messages.message_id,
        messages.subject_key,
        messages.channel,
        messages.program,
        messages.handed_over,
        relevant_kinds.kind
    from messages
    join relevant_kinds on messages.subject_key = relevant_kinds.subject_key
),

question_keys as (
    select distinct subject_key, channel, program, kind
    from questions
),

-- What is said of every channel or every program is said of each one that is written to.
acts_by_key as (
    select
        question_keys.subject_key,
        question_keys.channel,
        question_keys.program,
        question_keys.kind,
        relevant_acts.is_opening,
        relevant_acts.takes_effect
    from question_keys
    join relevant_acts
        on
            question_keys.subject_key = relevant_acts.subject_key
            and question_keys.kind = relevant_acts.kind
            and (relevant_acts.channel = question_keys.channel or relevant_acts.channel = '*')
            and (relevant_acts.program = question_keys.program or relevant_acts.program = '*')
),

messages_inside as (
    select distinct questions.source, questions.message_id
    from questions
    asof join acts_by_key
        on
            questions.subject_key = acts_by_key.subject_key
            and questions.channel = acts_by_key.channel
            and questions.program = acts_by_key.program
            and questions.kind = acts_by_key.kind
            and questions.handed_over >= acts_by_key.takes_effect
    where acts_by_key.is_opening
),

messages_found as (
    select distinct source, message_id
    from audits.findings
    where rule = 'message_after_opt_out'
)

select
    coalesce(messages_inside.source, messages_found.source) as source,
    coalesce(messages_inside.message_id, messages_found.message_id) as message_id,
    messages_inside.message_id is not null as is_inside,
    messages_found.source is not null or messages_found.message_id is not null as is_found
from messages_inside
full join messages_found
    on messages_inside.source = messages_found.source and messages_inside.message_id = messages_found.message_id
