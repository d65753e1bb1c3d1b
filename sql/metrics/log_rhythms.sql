-- One row per log with gaps between its days: how many there are, and the longest that is usual for it.
with ranked_gaps as (
    select
        log,
        channel,
        source,
        gap_days,
        percent_rank() over (
            partition by log, channel, source
            order by gap_days
        ) as gap_rank
    from metrics.log_gaps
    where resumes_on is not null and not is_late_start
)

select
    ranked_gaps.log,
    ranked_gaps.channel,
    ranked_gaps.source,
    count(*) as gap_count,
    max(case when ranked_gaps.gap_rank <= silence_rules.usual_rank then ranked_gaps.gap_days end) as usual_gap_days
from ranked_gaps
inner join metrics.silence_rules on ranked_gaps.log = silence_rules.log
group by ranked_gaps.log, ranked_gaps.channel, ranked_gaps.source
