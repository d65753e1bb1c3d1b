-- One row per span that a later span of the same kind, scope key, channel and program begins inside.
-- Comparing neighbours is enough: a span that reaches any later one reaches the next one.
with

neighbours as (
    select
        span_id,
        ends_at,
        lead(begins_at) over (
            partition by scope_key, channel, program, kind
            order by begins_at, ends_at nulls last, span_id
        ) as next_begins_at
    from core.opt_out_spans
)

select span_id
from neighbours
where
    next_begins_at is not null
    and (ends_at is null or next_begins_at < ends_at)
