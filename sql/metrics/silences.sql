-- One row per silence of a log: a gap between its days with records that its own rhythm does not explain.
-- A log is what one source says of one kind (messages and inbound messages: on one channel). A gap, or the time from the
-- last record to as_of, is a silence if it is longer than silence_factor times the log's usual longest gap and than
-- shortest_silence_days. The usual longest gap leaves out the gaps whose percent rank is above usual_rank; with fewer gaps
-- than fewest_gaps a log has no rhythm to judge by. What people do comes less evenly than what a sender does: their logs
-- need more gaps, and a silence of theirs is longer. The time from the first message on record to the first consent event
-- is a gap of the consent log that begins first.
with parameters as (
    select as_of
    from run.parameters
),

silence_rules as (
    select
        log,
        silence_factor,
        usual_rank,
        shortest_silence_days,
        fewest_gaps
    from (
        values
            ('messages', 3, 0.95, 3, 5), ('consent_events', 3, 0.95, 7, 20), ('inbound_messages', 3, 0.95, 7, 20)
    ) as listed (log, silence_factor, usual_rank, shortest_silence_days, fewest_gaps)
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
        active_days.on_date,
        active_days.resumes_on,
        case
            when active_days.resumes_on is null
                then floor(cast(unix_seconds(parameters.as_of) - unix_seconds(active_days.last_at) as double) / 86400)
            else
                cast(
                    unix_seconds(cast(active_days.resumes_on as timestamp))
                    - unix_seconds(cast(active_days.on_date as timestamp)) as double
                ) / 86400
        end as gap_days
    from active_days
    cross join parameters
),

ranked_gaps as (
    select
        log,
        channel,
        source,
        gap_days,
        percent_rank() over (
            partition by log, channel, source
            order by gap_days
        ) as gap_rank
    from gaps
    where resumes_on is not null
),

rhythms as (
    select
        ranked_gaps.log,
        ranked_gaps.channel,
        ranked_gaps.source,
        count(*) as gap_count,
        max(case when ranked_gaps.gap_rank <= silence_rules.usual_rank then ranked_gaps.gap_days end) as usual_gap_days
    from ranked_gaps
    inner join silence_rules on ranked_gaps.log = silence_rules.log
    group by ranked_gaps.log, ranked_gaps.channel, ranked_gaps.source
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
        cast(first_days.first_message_on - interval '1' day as date) as on_date,
        log_days.on_date as resumes_on,
        cast(
            unix_seconds(cast(log_days.on_date as timestamp))
            - unix_seconds(cast(first_days.first_message_on as timestamp)) as double
        ) / 86400 as gap_days
    from metrics.log_days
    inner join first_days on log_days.on_date = first_days.first_consent_on
    where log_days.log = 'consent_events' and first_days.first_message_on < first_days.first_consent_on
),

all_gaps as (
    select
        log,
        channel,
        source,
        on_date,
        resumes_on,
        gap_days
    from gaps
    union all
    select
        log,
        channel,
        source,
        on_date,
        resumes_on,
        gap_days
    from late_starts
)

select
    all_gaps.log,
    all_gaps.channel,
    all_gaps.source,
    all_gaps.on_date as last_on,
    all_gaps.resumes_on,
    all_gaps.gap_days
from all_gaps
inner join rhythms
    on all_gaps.log = rhythms.log and all_gaps.channel = rhythms.channel and all_gaps.source = rhythms.source
inner join silence_rules on all_gaps.log = silence_rules.log
where
    rhythms.gap_count >= silence_rules.fewest_gaps
    and all_gaps.gap_days > silence_rules.silence_factor * rhythms.usual_gap_days
    and all_gaps.gap_days > silence_rules.shortest_silence_days
