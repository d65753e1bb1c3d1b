-- One row per opt-out span: how long its processing took, or how long it has been waiting at as_of.
-- A span that was not processed by as_of is open: its duration is right-censored at as_of. A span is due when it was
-- processed or when its deadline has passed; the share within the deadline is taken of the spans that are due.
-- method and source are those of the act that began it. Blocks are not requests to the sender: no response time.
with parameters as (
    select as_of
    from run.parameters
),

spans as (
    select
        opt_out_spans.span_id,
        opt_out_spans.channel,
        opt_out_spans.method,
        opt_out_spans.source,
        opt_out_spans.repeat_count,
        opt_out_spans.begins_on,
        opt_out_spans.begins_at,
        opt_out_spans.processed_at,
        opt_out_spans.deadline_at,
        parameters.as_of,
        opt_out_spans.processed_at is not null and opt_out_spans.processed_at <= parameters.as_of as is_processed
    from core.opt_out_spans
    cross join parameters
    where opt_out_spans.kind = 'opt_out' and opt_out_spans.begins_at <= parameters.as_of
)

select
    span_id,
    channel,
    coalesce(method, 'unknown') as method,
    source,
    cast(date_trunc('month', begins_on) as date) as month_start,
    cast(unix_micros(case when is_processed then processed_at else as_of end) - unix_micros(begins_at) as double)
    / cast(1000000 as double) as duration_seconds,
    is_processed,
    deadline_at is not null and (is_processed or deadline_at < as_of) as is_due,
    deadline_at is not null and is_processed and processed_at <= deadline_at as is_within_deadline,
    repeat_count > 0 as is_asked_again
from spans
