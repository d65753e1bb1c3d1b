-- One row per covered pair and day on which a span began, for the pair and each program: the last day until then on which it was reached, and the first after.
-- Enough to say whether span and reach fall into one period, whatever the period: if any day of it reached the pair,
-- one of these two did. previous_begins_on is the day before on which a span of the same began; null on the first.
-- Program `*` is all of them; of one program only spans that cover it count.
with
reached as (
    select contact_key, channel, program, sent_on
    from core.messages
    where is_reached and contact_key in (select contact_key from core.span_coverage)
),
begun as (
    select distinct r.contact_key, r.channel, r.program, c.begins_on, c.program = '*' or c.program = r.program as is_covered
    from (select distinct contact_key, channel, program from reached) as r
    join core.span_coverage as c on c.contact_key = r.contact_key and (c.channel = '*' or c.channel = r.channel)
),
pair_days as (
    select
        contact_key, channel, begins_on,
        lag(begins_on) over (partition by contact_key, channel order by begins_on) as previous_begins_on
    from (select distinct contact_key, channel, begins_on from begun)
),
program_days as (
    select
        contact_key, channel, program, begins_on,
        lag(begins_on) over (partition by contact_key, channel, program order by begins_on) as previous_begins_on
    from begun
    where is_covered
)
select
    r.contact_key, r.channel, '*' as program, d.begins_on, d.previous_begins_on,
    max(case when r.sent_on <= d.begins_on then r.sent_on end) as reached_before_on,
    min(case when r.sent_on > d.begins_on then r.sent_on end) as reached_after_on
from reached as r
join pair_days as d on d.contact_key = r.contact_key and d.channel = r.channel
group by r.contact_key, r.channel, d.begins_on, d.previous_begins_on
union all
select
    r.contact_key, r.channel, r.program, d.begins_on, d.previous_begins_on,
    max(case when r.sent_on <= d.begins_on then r.sent_on end) as reached_before_on,
    min(case when r.sent_on > d.begins_on then r.sent_on end) as reached_after_on
from reached as r
join program_days as d on d.contact_key = r.contact_key and d.channel = r.channel and d.program = r.program
group by r.contact_key, r.channel, r.program, d.begins_on, d.previous_begins_on
