-- One row per silence of a log: a gap between its days with records that its own rhythm does not explain.
-- What is too long for a log is in metrics.silence_rules; the time from the last record to as_of is a gap too.
select
    log_gaps.log,
    log_gaps.channel,
    log_gaps.source,
    log_gaps.last_on,
    log_gaps.resumes_on,
    log_gaps.gap_days
from metrics.log_gaps
inner join metrics.log_rhythms
    on
        log_gaps.log = log_rhythms.log
        and log_gaps.channel = log_rhythms.channel
        and log_gaps.source = log_rhythms.source
inner join metrics.silence_rules on log_gaps.log = silence_rules.log
where
    log_rhythms.gap_count >= silence_rules.fewest_gaps
    and log_gaps.gap_days > silence_rules.silence_factor * log_rhythms.usual_gap_days
    and log_gaps.gap_days > silence_rules.shortest_silence_days
