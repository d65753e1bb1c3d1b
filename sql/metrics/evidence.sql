-- One row per kind of evidence, span of months, channel and source: what verdicts are made of, as amounts.
-- A null month is open on that side, `*` concerns every channel or every source. named is the source that a hole is about.
-- What weakens whom: a quarantined row may be a lost opt-out of anybody; an opt-out without proof of processing weakens
-- every source of its channel in the month in which it began, and one of an id instead of an address from then on; a silent consent log may lack the opt-out of anybody, a
-- silent log of inbound messages the requests made on its channel; a source that does not log every event weakens its own
-- messages, and whatever its consent events and inbound messages answer for; a source of which nothing is held, all.
with months as (
    select
        period_start,
        starts_at,
        ends_at
    from metrics.report_months
),

judged_findings as (
    select
        case
            when finding_class = 'no_consent_log' and severity not in ('critical', 'high') then 'no_opt_in'
            when waived_by is null then 'violation'
            else 'waived'
        end as kind,
        coalesce(channel, '*') as channel,
        coalesce(source, '*') as source,
        occurred_at
    from audits.findings
    where severity in ('critical', 'high') or (finding_class = 'no_consent_log' and severity = 'warning')
),

unprocessed_spans as (
    select
        opt_out_spans.channel,
        opt_out_spans.begins_on
    from core.opt_out_spans
    cross join run.parameters
    where
        opt_out_spans.kind = 'opt_out'
        and (opt_out_spans.processed_at is null or opt_out_spans.processed_at > parameters.as_of)
),

-- An opt-out of an id where messages go to phone numbers or e-mail addresses: whose it is, nobody can tell, unless
-- the id belongs to a person and opt-outs are the person's. One on every channel may be about the id's own channel.
messaged_ids as (
    select distinct messages.contact_key
    from core.messages
    inner join core.contacts on messages.contact_key = contacts.contact_key
    where contacts.address_kind = 'other'
),

unmatched_acts as (
    select
        consent_events.channel,
        consent_events.requested_on
    from core.consent_events
    inner join core.contacts on consent_events.contact_key = contacts.contact_key
    cross join run.parameters
    left join reference.channels on consent_events.channel = channels.channel
    left join messaged_ids on consent_events.contact_key = messaged_ids.contact_key
    where
        contacts.address_kind = 'other'
        and consent_events.event_type in ('opt_out', 'complaint', 'block')
        and (channels.address_kind <> 'other' or (consent_events.channel = '*' and messaged_ids.contact_key is null))
        and not (parameters.scope = 'person' and contacts.person_key like 'person:%')
),

quarantined_files as (
    select
        quarantined_count,
        first_record_at
    from run.inputs
    where quarantined_count > 0
),

limited_sources as (
    select source
    from run.sources
    where limits <> ''
),

limited_records as (
    select
        log_days.channel,
        log_days.source as weakened_source,
        log_days.source,
        log_days.on_date
    from metrics.log_days
    inner join limited_sources on log_days.source = limited_sources.source
    where log_days.log = 'messages'
    union all
    select
        log_days.channel,
        '*' as weakened_source,
        log_days.source,
        log_days.on_date
    from metrics.log_days
    inner join limited_sources on log_days.source = limited_sources.source
    where log_days.log = 'inbound_messages'
    union all
    select
        consent_events.channel,
        '*' as weakened_source,
        consent_events.source,
        consent_events.requested_on as on_date
    from core.consent_events
    inner join limited_sources on consent_events.source = limited_sources.source
),

silent_logs as (
    select
        case log
            when 'messages' then 'message_silence'
            when 'consent_events' then 'consent_silence'
            else 'inbound_silence'
        end as kind,
        cast(date_trunc('month', last_on + interval '1' day) as date) as first_month,
        cast(date_trunc('month', resumes_on - interval '1' day) as date) as last_month,
        channel,
        case log when 'messages' then source else '*' end as source,
        source as silent_source,
        gap_days
    from metrics.silences
)

select
    'message' as kind,
    cast(date_trunc('month', on_date) as date) as first_month,
    cast(date_trunc('month', on_date) as date) as last_month,
    channel,
    source,
    cast(sum(record_count) as bigint) as amount,
    cast(null as double) as gap_days,
    cast(null as string) as named
from metrics.log_days
where log = 'messages'
group by cast(date_trunc('month', on_date) as date), channel, source
union all
select
    'unmatched' as kind,
    cast(date_trunc('month', on_date) as date) as first_month,
    cast(date_trunc('month', on_date) as date) as last_month,
    channel,
    source,
    cast(sum(unmatched_count) as bigint) as amount,
    cast(null as double) as gap_days,
    cast(null as string) as named
from metrics.log_days
where unmatched_count > 0
group by cast(date_trunc('month', on_date) as date), channel, source
union all
select
    judged_findings.kind,
    months.period_start as first_month,
    months.period_start as last_month,
    judged_findings.channel,
    judged_findings.source,
    count(*) as amount,
    cast(null as double) as gap_days,
    cast(null as string) as named
from judged_findings
inner join months on judged_findings.occurred_at >= months.starts_at and judged_findings.occurred_at < months.ends_at
group by judged_findings.kind, months.period_start, judged_findings.channel, judged_findings.source
union all
select
    'unprocessed' as kind,
    cast(date_trunc('month', begins_on) as date) as first_month,
    cast(date_trunc('month', begins_on) as date) as last_month,
    channel,
    '*' as source,
    count(*) as amount,
    cast(null as double) as gap_days,
    cast(null as string) as named
from unprocessed_spans
group by cast(date_trunc('month', begins_on) as date), channel
union all
select
    'unmatched_act' as kind,
    cast(date_trunc('month', requested_on) as date) as first_month,
    cast(null as date) as last_month,
    channel,
    '*' as source,
    count(*) as amount,
    cast(null as double) as gap_days,
    cast(null as string) as named
from unmatched_acts
group by cast(date_trunc('month', requested_on) as date), channel
union all
select
    'quarantined' as kind,
    months.period_start as first_month,
    cast(null as date) as last_month,
    '*' as channel,
    '*' as source,
    cast(sum(quarantined_files.quarantined_count) as bigint) as amount,
    cast(null as double) as gap_days,
    cast(null as string) as named
from quarantined_files
left join months
    on quarantined_files.first_record_at >= months.starts_at and quarantined_files.first_record_at < months.ends_at
group by months.period_start
union all
select
    kind,
    first_month,
    last_month,
    channel,
    source,
    count(*) as amount,
    max(gap_days) as gap_days,
    silent_source as named
from silent_logs
group by kind, first_month, last_month, channel, source, silent_source
union all
select
    'limited' as kind,
    cast(date_trunc('month', min(on_date)) as date) as first_month,
    cast(null as date) as last_month,
    channel,
    weakened_source as source,
    count(*) as amount,
    cast(null as double) as gap_days,
    source as named
from limited_records
group by channel, weakened_source, source
union all
select
    'absent' as kind,
    cast(null as date) as first_month,
    cast(null as date) as last_month,
    '*' as channel,
    '*' as source,
    cast(1 as bigint) as amount,
    cast(null as double) as gap_days,
    source as named
from run.absent_sources
