-- One row per kind of log: what makes a gap in it a silence.
-- A gap is a silence if it is longer than silence_factor times the log's usual longest gap and than shortest_silence_days.
-- The usual longest gap leaves out the gaps whose percent rank is above usual_rank; with fewer gaps than fewest_gaps a log
-- has no rhythm to judge by. What people do comes less evenly than what a sender does: their logs need more gaps, and a
-- silence of theirs is longer.
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
