-- One row per month (null = whole record), channel and source of messages, `*` = all: was every opt-out heeded?
-- Fail: at least one violation. Cannot attest: no violation, but the evidence has holes. Pass: neither. The holes are
-- no message, no consent log, no opt-in where the law demands one, a source of which nothing is held, quarantined rows,
-- opt-outs without proof of processing, contacts that cannot be matched, silences, and sources that do not log every event.
-- A route (channel and source) answers for every month from its first message on; a source without messages has a row
-- where a violation names it.
with
evidence as (
    select
        kind,
        first_month,
        last_month,
        channel,
        source,
        amount,
        gap_days,
        named
    from metrics.evidence
),

consent_logs as (
    select count(*) as consent_event_count
    from core.consent_events
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
    from metrics.report_months
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
    from run.parameters
),

-- Of every kind of evidence on a cell: how much, by how many sources, which they are, and the longest silence.
known as (
    select
        cells.period_start,
        cells.channel,
        cells.source,
        evidence.kind,
        cast(sum(evidence.amount) as bigint) as amount,
        cast(max(evidence.gap_days) as bigint) as longest_days,
        count(distinct evidence.named) as named_count,
        min(evidence.named) as first_named,
        max(evidence.named) as last_named
    from cells
    inner join evidence
        on
            (cells.period_start is null or evidence.first_month is null or evidence.first_month <= cells.period_start)
            and (cells.period_start is null or evidence.last_month is null or cells.period_start <= evidence.last_month)
            and (cells.channel = '*' or evidence.channel = '*' or evidence.channel = cells.channel)
            and (cells.source = '*' or evidence.source = '*' or evidence.source = cells.source)
    group by cells.period_start, cells.channel, cells.source, evidence.kind
),

told as (
    select
        period_start,
        channel,
        source,
        kind,
        amount,
        case kind
            when 'no_opt_in'
                then concat('No opt-in is on record for messages that by law need one: ', cast(amount as string), '.')
            when 'absent'
                then
                    case named_count
                        when 1 then concat('Source ', first_named, ' is configured, and nothing of it is on record.')
                        when 2 then concat('Sources are configured of which nothing is on record: ', first_named, ', ', last_named, '.')
                        else
                            concat(
                                'Sources are configured of which nothing is on record: ',
                                cast(named_count as string),
                                ', among them ',
                                first_named,
                                ' and ',
                                last_named,
                                '.'
                            )
                    end
            when 'quarantined'
                then concat('Rows quarantined, any of which may be a lost opt-out: ', cast(amount as string), '.')
            when 'unprocessed'
                then concat('Opt-outs without proof of processing: ', cast(amount as string), '.')
            when 'unmatched'
                then
                    concat(
                        'Messages to addresses that are neither a phone number nor an e-mail address: ',
                        cast(amount as string),
                        '.'
                    )
            when 'unmatched_act'
                then
                    concat(
                        'Opt-outs of ids that are neither a phone number nor an e-mail address: ', cast(amount as string), '.'
                    )
            when 'message_silence'
                then
                    concat(
                        'Silences longer than the rhythm of their source explains: ',
                        cast(amount as string),
                        ', the longest of ',
                        cast(longest_days as string),
                        ' days.'
                    )
            when 'consent_silence'
                then
                    concat(
                        'Silences of a consent log longer than its rhythm explains: ',
                        cast(amount as string),
                        ', the longest of ',
                        cast(longest_days as string),
                        ' days.'
                    )
            when 'inbound_silence'
                then
                    concat(
                        'Silences of a log of inbound messages longer than its rhythm explains: ',
                        cast(amount as string),
                        ', the longest of ',
                        cast(longest_days as string),
                        ' days.'
                    )
            when 'limited'
                then
                    case named_count
                        when 1 then concat('Source ', first_named, ' is known not to log every event.')
                        when 2 then concat('Sources are known not to log every event: ', first_named, ', ', last_named, '.')
                        else
                            concat(
                                'Sources are known not to log every event: ',
                                cast(named_count as string),
                                ', among them ',
                                first_named,
                                ' and ',
                                last_named,
                                '.'
                            )
                    end
        end as hole
    from known
),

judged as (
    select
        cells.period_start,
        cells.channel,
        cells.source,
        cast(coalesce(max(told.amount) filter (where told.kind = 'violation'), 0) as bigint) as violation_count,
        cast(coalesce(max(told.amount) filter (where told.kind = 'waived'), 0) as bigint) as waived_count,
        cast(coalesce(max(told.amount) filter (where told.kind = 'message'), 0) as bigint) as message_count,
        max(told.hole) filter (where told.kind = 'no_opt_in') as no_opt_in,
        max(told.hole) filter (where told.kind = 'absent') as absent,
        max(told.hole) filter (where told.kind = 'quarantined') as quarantined,
        max(told.hole) filter (where told.kind = 'unprocessed') as unprocessed,
        max(told.hole) filter (where told.kind = 'unmatched') as unmatched,
        max(told.hole) filter (where told.kind = 'unmatched_act') as unmatched_act,
        max(told.hole) filter (where told.kind = 'message_silence') as message_silence,
        max(told.hole) filter (where told.kind = 'consent_silence') as consent_silence,
        max(told.hole) filter (where told.kind = 'inbound_silence') as inbound_silence,
        max(told.hole) filter (where told.kind = 'limited') as limited
    from cells
    left join told
        on
            cells.period_start is not distinct from told.period_start
            and cells.channel = told.channel
            and cells.source = told.source
    group by cells.period_start, cells.channel, cells.source
),

-- An empty text where there is no hole.
holes as (
    select
        judged.period_start,
        judged.channel,
        judged.source,
        judged.violation_count,
        judged.waived_count,
        judged.message_count,
        concat_ws(
            chr(10),
            case when judged.message_count = 0 then 'No message is on record.' end,
            case
                when consent_logs.consent_event_count = 0 then 'No consent event is on record: opt-outs cannot be checked.'
            end,
            judged.no_opt_in,
            judged.absent,
            judged.quarantined,
            judged.unprocessed,
            judged.unmatched,
            judged.unmatched_act,
            judged.message_silence,
            judged.consent_silence,
            judged.inbound_silence,
            judged.limited
        ) as hole_text
    from judged
    cross join consent_logs
)

select
    period_start,
    channel,
    source,
    case
        when violation_count > 0 then 'Fail'
        when hole_text <> '' then 'Cannot attest'
        else 'Pass'
    end as verdict,
    violation_count,
    message_count,
    concat_ws(
        chr(10),
        case when violation_count > 0 then concat('Violations: ', cast(violation_count as string), '.') end,
        case when violation_count = 0 and hole_text = '' then 'No violation, and no hole in the evidence.' end,
        case when waived_count > 0 then concat('Waived: ', cast(waived_count as string), '.') end,
        case when hole_text <> '' then hole_text end
    ) as reasons
from holes
order by period_start nulls first, channel, source
