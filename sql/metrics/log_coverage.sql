-- One row per log: from when to when it holds records, on how many days, its longest gap, and what would be a silence of it.
-- Empty days lie between its first day with records and its last. Without a rhythm to judge by, nothing is a silence (null).
with logs as (
    select
        log,
        channel,
        source,
        min(on_date) as first_on,
        max(on_date) as last_on,
        count(*) as day_count,
        cast(sum(record_count) as bigint) as record_count
    from metrics.log_days
    group by log, channel, source
),

ranked_gaps as (
    select
        log,
        channel,
        source,
        gap_days,
        last_on,
        resumes_on,
        row_number() over (
            partition by log, channel, source
            order by gap_days desc, last_on desc
        ) as place
    from metrics.log_gaps
    where resumes_on is not null and not is_late_start
),

longest_gaps as (
    select
        log,
        channel,
        source,
        gap_days,
        last_on,
        resumes_on
    from ranked_gaps
    where place = 1
),

silence_counts as (
    select
        log,
        channel,
        source,
        count(*) as silence_count
    from metrics.silences
    group by log, channel, source
)

select
    logs.log,
    logs.channel,
    logs.source,
    logs.first_on,
    logs.last_on,
    logs.day_count,
    logs.record_count,
    cast(
        (unix_seconds(cast(logs.last_on as timestamp)) - unix_seconds(cast(logs.first_on as timestamp))) / 86400 + 1 as bigint
    ) - logs.day_count as empty_day_count,
    longest_gaps.gap_days as longest_gap_days,
    longest_gaps.last_on as longest_gap_from,
    longest_gaps.resumes_on as longest_gap_to,
    case
        when log_rhythms.gap_count >= silence_rules.fewest_gaps
            then
                greatest(
                    cast(silence_rules.silence_factor * log_rhythms.usual_gap_days as double),
                    cast(silence_rules.shortest_silence_days as double)
                )
    end as silent_above_days,
    coalesce(silence_counts.silence_count, 0) as silence_count
from logs
inner join metrics.silence_rules on logs.log = silence_rules.log
left join metrics.log_rhythms
    on logs.log = log_rhythms.log and logs.channel = log_rhythms.channel and logs.source = log_rhythms.source
left join longest_gaps
    on logs.log = longest_gaps.log and logs.channel = longest_gaps.channel and logs.source = longest_gaps.source
left join silence_counts
    on logs.log = silence_counts.log and logs.channel = silence_counts.channel and logs.source = silence_counts.source
