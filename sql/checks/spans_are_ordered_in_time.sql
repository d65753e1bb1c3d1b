-- One row per span that ends, was processed or was due before it began.
select span_id
from core.opt_out_spans
where
    ends_at < begins_at
    or processed_at < begins_at
    or deadline_at < begins_at
