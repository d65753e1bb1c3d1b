-- One row per gap of a log: from a day with records to its next one, from the last to as_of, and the one before a late start.
-- A log is what one source says of one kind (messages and inbound messages: on one channel). The time from the first message
-- on record to the first consent event is a gap of the consent log that begins first.
with parameters as (
    select as_of
    from run.parameters
),

active_days as (
    select
        log,
        channel,
        source,
        on_date,
        last_at,
        lead(on_date) over (
            partition by log, channel, source
            order by on_date
        ) as resumes_on
    from metrics.log_days
),

gaps as (
    select
        active_days.log,
        active_days.channel,
        active_days.source,
        active_days.on_date as last_on,
        active_days.resumes_on,
        case
            when active_days.resumes_on is null
                then floor(cast(unix_seconds(parameters.as_of) - unix_seconds(active_days.last_at) as double) / 86400)
            else
                cast(
                    unix_seconds(cast(active_days.resumes_on as timestamp))
                    - unix_seconds(cast(active_days.on_date as timestamp)) as double
                ) / 86400
        end as gap_days,
        false as is_late_start
    from active_days
    cross join parameters
),

first_days as (
    select
        min(on_date) filter (where log = 'messages') as first_message_on,
        min(on_date) filter (where log = 'consent_events') as first_consent_on
    from metrics.log_days
),

late_starts as (
    select
        log_days.log,
        log_days.channel,
        log_days.source,
        cast(first_days.first_message_on - interval '1' day as date) as last_on,
        log_days.on_date as resumes_on,
        cast(
            unix_seconds(cast(log_days.on_date as timestamp))
            - unix_seconds(cast(first_days.first_message_on as timestamp)) as double
        ) / 86400 as gap_days,
        true as is_late_start
    from metrics.log_days
    inner join first_days on log_days.on_date = first_days.first_consent_on
    where log_days.log = 'consent_events' and first_days.first_message_on < first_days.first_consent_on
)

select * from gaps
union all
select * from late_starts
