-- One row per number and definition of it: how it counts, in words and in terms, and where that is written.
-- attributed_by: policy (as core.attributions does), window (the last message within window_seconds), named (the message
-- or campaign that the opt-out names), any (the named one, else the last message, however long ago). method: of which
-- opt-outs count, none recorded included; null: of any. counts: what the numerator counts. messages: what the denominator.
select
    d.position,
    d.metric,
    d.definition,
    d.name,
    d.numerator,
    d.denominator,
    d.attribution,
    d.attributed_by,
    case d.attributed_by when 'policy' then p.attribution_window_seconds else d.window_seconds end as window_seconds,
    d.method,
    d.counts,
    d.messages,
    d.unit,
    d.is_share,
    d.grains,
    d.source,
    d.grade,
    d.checked_on,
    d.note
from reference.definitions as d
cross join run.parameters as p
