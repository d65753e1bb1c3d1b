-- One row per month (null = whole record), channel and source of messages, `*` = all: was every opt-out heeded?
-- Fail: at least one violation. Cannot attest: no violation, but the evidence has holes: no message, no consent log,
-- quarantined rows, opt-outs without proof of processing, contacts that cannot be matched, silences. Pass: neither.
-- A route (channel and source) answers for every month from its first message on; a source without messages has a row
-- where a violation names it.
-- A quarantined row may be a lost opt-out of any contact, so it weakens every row from its file's first month on;
-- an unprocessed opt-out weakens every source of its channel in the month in which it began.
with parameters as (
    select as_of
    from run.parameters
),

months as (
    select
        period_start,
        last_day,
        starts_at,
        ends_at
    from metrics.report_months
),

-- A silence is a gap between a source's days with messages on a channel (or from the last of them to as_of) longer than
-- silence_factor times its usual longest gap and than shortest_silence_days. The usual longest gap leaves out the gaps
-- whose percent rank is above usual_rank; with fewer gaps than fewest_gaps a source has no rhythm to judge by.
silence_rules as (
    select
        silence_factor,
        usual_rank,
        shortest_silence_days,
        fewest_gaps
    from (values (3, 0.95, 3, 5)) as listed (silence_factor, usual_rank, shortest_silence_days, fewest_gaps)
),

-- A push token is its channel's own address; an id in place of a phone number or an e-mail address may hide a person
-- whose opt-out is on record under the address.
unmatched_contacts as (
    select
        contacts.contact_key,
        channels.channel
    from core.contacts
    inner join reference.channels on channels.address_kind <> 'other'
    where contacts.address_kind = 'other'
),

consent_logs as (
    select count(*) as consent_event_count
    from core.consent_events
),

message_days as (
    select
        messages.channel,
        messages.source,
        messages.sent_on,
        max(messages.sent_at) as last_sent_at,
        count(*) as message_count,
        count(unmatched_contacts.contact_key) as unmatched_count
    from core.messages
    left join unmatched_contacts
        on messages.contact_key = unmatched_contacts.contact_key and messages.channel = unmatched_contacts.channel
    group by messages.channel, messages.source, messages.sent_on
),

active_days as (
    select
        channel,
        source,
        sent_on,
        last_sent_at,
        lead(sent_on) over (
            partition by channel, source
            order by sent_on
        ) as resumes_on
    from message_days
),

gaps as (
    select
        active_days.channel,
        active_days.source,
        active_days.sent_on,
        active_days.resumes_on,
        case
            when active_days.resumes_on is null
                then
                    floor(
                        cast(unix_seconds(parameters.as_of) - unix_seconds(active_days.last_sent_at) as double) / 86400
                    )
            else
                cast(
                    unix_seconds(cast(active_days.resumes_on as timestamp))
                    - unix_seconds(cast(active_days.sent_on as timestamp)) as double
                ) / 86400
        end as gap_days
    from active_days
    cross join parameters
),

ranked_gaps as (
    select
        channel,
        source,
        gap_days,
        percent_rank() over (
            partition by channel, source
            order by gap_days
        ) as gap_rank
    from gaps
    where resumes_on is not null
),

rhythms as (
    select
        ranked_gaps.channel,
        ranked_gaps.source,
        count(*) as gap_count,
        max(case when ranked_gaps.gap_rank <= silence_rules.usual_rank then ranked_gaps.gap_days end) as usual_gap_days
    from ranked_gaps
    cross join silence_rules
    group by ranked_gaps.channel, ranked_gaps.source
),

silences as (
    select
        gaps.channel,
        gaps.source,
        gaps.sent_on,
        gaps.resumes_on,
        gaps.gap_days
    from gaps
    inner join rhythms on gaps.channel = rhythms.channel and gaps.source = rhythms.source
    cross join silence_rules
    where
        rhythms.gap_count >= silence_rules.fewest_gaps
        and gaps.gap_days > silence_rules.silence_factor * rhythms.usual_gap_days
        and gaps.gap_days > silence_rules.shortest_silence_days
),

violations as (
    select
        coalesce(channel, '*') as channel,
        coalesce(source, '*') as source,
        occurred_at
    from audits.findings
    where severity in ('critical', 'high') and waived_by is null
),

unprocessed_spans as (
    select
        opt_out_spans.channel,
        opt_out_spans.begins_on
    from core.opt_out_spans
    cross join parameters
    where
        opt_out_spans.kind = 'opt_out'
        and (opt_out_spans.processed_at is null or opt_out_spans.processed_at > parameters.as_of)
),

quarantined_files as (
    select
        quarantined_count,
        first_record_at
    from run.inputs
    where quarantined_count > 0
),

-- What is known, as amounts on (first month to last month, channel, source); null months are open, `*` concerns all.
evidence as (
    select
        'message' as kind,
        cast(date_trunc('month', sent_on) as date) as first_month,
        cast(date_trunc('month', sent_on) as date) as last_month,
        channel,
        source,
        cast(sum(message_count) as bigint) as amount,
        cast(null as double) as gap_days
    from message_days
    group by cast(date_trunc('month', sent_on) as date), channel, source
    union all
    select
        'unmatched' as kind,
        cast(date_trunc('month', sent_on) as date) as first_month,
        cast(date_trunc('month', sent_on) as date) as last_month,
        channel,
        source,
        cast(sum(unmatched_count) as bigint) as amount,
        cast(null as double) as gap_days
    from message_days
    where unmatched_count > 0
    group by cast(date_trunc('month', sent_on) as date), channel, source
    union all
    select
        'violation' as kind,
        months.period_start as first_month,
        months.period_start as last_month,
        violations.channel,
        violations.source,
        count(*) as amount,
        cast(null as double) as gap_days
    from violations
    inner join months on violations.occurred_at >= months.starts_at and violations.occurred_at < months.ends_at
    group by months.period_start, violations.channel, violations.source
    union all
    select
        'unprocessed' as kind,
        cast(date_trunc('month', begins_on) as date) as first_month,
        cast(date_trunc('month', begins_on) as date) as last_month,
        channel,
        '*' as source,
        count(*) as amount,
        cast(null as double) as gap_days
    from unprocessed_spans
    group by cast(date_trunc('month', begins_on) as date), channel
    union all
    select
        'quarantined' as kind,
        months.period_start as first_month,
        cast(null as date) as last_month,
        '*' as channel,
        '*' as source,
        cast(sum(quarantined_files.quarantined_count) as bigint) as amount,
        cast(null as double) as gap_days
    from quarantined_files
    left join months
        on quarantined_files.first_record_at >= months.starts_at and quarantined_files.first_record_at < months.ends_at
    group by months.period_start
    union all
    select
        'silence' as kind,
        cast(date_trunc('month', sent_on + interval '1' day) as date) as first_month,
        cast(date_trunc('month', resumes_on - interval '1' day) as date) as last_month,
        channel,
        source,
        count(*) as amount,
        max(gap_days) as gap_days
    from silences
    group by
        cast(date_trunc('month', sent_on + interval '1' day) as date),
        cast(date_trunc('month', resumes_on - interval '1' day) as date),
        channel,
        source
),

routes as (
    select
        channel,
        source,
        min(first_month) as first_month,
        cast(null as date) as last_month
    from evidence
    where kind = 'message'
    group by channel, source
    union all
    select
        channel,
        source,
        first_month,
        last_month
    from evidence
    where kind = 'violation'
),

periods as (
    select period_start
    from months
    union all
    select cast(null as date) as period_start
),

wildcards as (
    select
        is_every_channel,
        is_every_source
    from (
        values (true, true), (true, false), (false, true), (false, false)
    ) as listed (is_every_channel, is_every_source)
),

cells as (
    select
        periods.period_start,
        case when wildcards.is_every_channel then '*' else routes.channel end as channel,
        case when wildcards.is_every_source then '*' else routes.source end as source
    from routes
    cross join wildcards
    inner join periods
        on
            periods.period_start is null
            or (
                routes.first_month <= periods.period_start
                and (routes.last_month is null or periods.period_start <= routes.last_month)
            )
    union
    select
        cast(null as date) as period_start,
        '*' as channel,
        '*' as source
    from parameters
),

counts as (
    select
        cells.period_start,
        cells.channel,
        cells.source,
        cast(coalesce(sum(amount) filter (where kind = 'message'), 0) as bigint) as message_count,
        cast(coalesce(sum(amount) filter (where kind = 'violation'), 0) as bigint) as violation_count,
        cast(coalesce(sum(amount) filter (where kind = 'quarantined'), 0) as bigint) as quarantined_count,
        cast(coalesce(sum(amount) filter (where kind = 'unprocessed'), 0) as bigint) as unprocessed_count,
        cast(coalesce(sum(amount) filter (where kind = 'unmatched'), 0) as bigint) as unmatched_count,
        cast(coalesce(sum(amount) filter (where kind = 'silence'), 0) as bigint) as silence_count,
        max(gap_days) as longest_gap_days
    from cells
    left join evidence
        on
            (cells.period_start is null or evidence.first_month is null or evidence.first_month <= cells.period_start)
            and (cells.period_start is null or evidence.last_month is null or cells.period_start <= evidence.last_month)
            and (cells.channel = '*' or evidence.channel = '*' or evidence.channel = cells.channel)
            and (cells.source = '*' or evidence.source = '*' or evidence.source = cells.source)
    group by cells.period_start, cells.channel, cells.source
),

holes as (
    select
        period_start,
        channel,
        source,
        message_count,
        violation_count,
        case when message_count = 0 then 'No message is on record.' end as no_message,
        case
            when consent_event_count = 0 then 'No consent event is on record: opt-outs cannot be checked.'
        end as no_consent_log,
        case
            when quarantined_count > 0
                then concat(
                    'Rows quarantined, any of which may be a lost opt-out: ', cast(quarantined_count as string), '.'
                )
        end as quarantined,
        case
            when unprocessed_count > 0
                then concat('Opt-outs without proof of processing: ', cast(unprocessed_count as string), '.')
        end as unprocessed,
        case
            when unmatched_count > 0
                then concat(
                    'Messages to addresses that are neither a phone number nor an e-mail address: ',
                    cast(unmatched_count as string),
                    '.'
                )
        end as unmatched,
        case
            when silence_count > 0
                then concat(
                    'Silences longer than the rhythm of their source explains: ',
                    cast(silence_count as string),
                    ', the longest of ',
                    cast(cast(longest_gap_days as bigint) as string),
                    ' days.'
                )
        end as silent
    from counts
    cross join consent_logs
)

select
    period_start,
    channel,
    source,
    case
        when violation_count > 0 then 'Fail'
        when coalesce(no_message, no_consent_log, quarantined, unprocessed, unmatched, silent) is not null then 'Cannot attest'
        else 'Pass'
    end as verdict,
    violation_count,
    message_count,
    case
        when violation_count = 0 and coalesce(no_message, no_consent_log, quarantined, unprocessed, unmatched, silent) is null
            then 'No violation, and no hole in the evidence.'
        else
            concat_ws(
                chr(10),
                case when violation_count > 0 then concat('Violations: ', cast(violation_count as string), '.') end,
                no_message,
                no_consent_log,
                quarantined,
                unprocessed,
                unmatched,
                silent
            )
    end as reasons
from holes
order by period_start nulls first, channel, source
