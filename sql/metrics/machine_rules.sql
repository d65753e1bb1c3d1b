-- One row per rule for suspecting a machine and method it holds for: its thresholds, and the opt-out spans it points at.
select
    r.rule,
    r.channel,
    r.method,
    r.within_seconds,
    r.together_seconds,
    r.fewest_contacts,
    r.in_words,
    r.source,
    count(m.span_id) as span_count
from reference.machine_rules as r
left join core.opt_out_spans as s on s.method = r.method
left join core.suspected_machines as m on m.span_id = s.span_id and m.rule = r.rule
group by
    r.rule, r.channel, r.method, r.within_seconds, r.together_seconds, r.fewest_contacts, r.in_words, r.source
