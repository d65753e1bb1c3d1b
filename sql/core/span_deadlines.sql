-- One row per span: the strictest deadline in force when it began, and the legal rule that sets it.
-- Without a rule it is the policy's own, and the rule is null. A rule of a region that an area code only suggests
-- sets no deadline. Hours and calendar days count from the request; business days end at local midnight, in the last
-- of the time zones the contact may be in.
with
located as (
    select s.span_id, s.channel, s.begins_at, c.place_id, coalesce(p.country, '-') as country, p.timezone_certainty
    from core.spans as s
    join core.contacts as c on c.contact_key = s.contact_key
    join core.places as p on p.place_id = c.place_id
),
clocks as (
    select p.place_id, coalesce(z.timezone, t.report_timezone) as timezone
    from core.places as p
    cross join run.parameters as t
    left join core.place_zones as z on z.place_id = p.place_id and p.timezone_certainty <> 'unknown'
),
-- Where two zones show one time for an hour, the one that is usually behind has the later midnight.
usual as (
    select timezone, min(offset_seconds) as lowest_seconds
    from run.zone_offsets
    group by timezone
),
local_dates as (
    select
        l.span_id,
        min_by(c.timezone, struct(o.offset_seconds, struct(u.lowest_seconds, c.timezone))) as timezone,
        min(
            local_date(l.begins_at, o.offset_seconds)
        ) as local_date
    from located as l
    join clocks as c on c.place_id = l.place_id
    join usual as u on u.timezone = c.timezone
    join run.zone_offsets as o on o.timezone = c.timezone and l.begins_at >= o.from_at and l.begins_at < o.until_at
    group by l.span_id
),
dated as (
    select l.span_id, l.begins_at, l.channel, l.place_id, coalesce(b.calendar, 'weekdays') as calendar, d.timezone, d.local_date
    from located as l
    join local_dates as d on d.span_id = l.span_id
    left join (select distinct calendar from reference.business_days) as b on b.calendar = l.country
),
candidates as (
    select d.*, r.rule_id, u.amount, u.unit, u.counting
    from dated as d
    join core.place_rules as r
        on r.place_id = d.place_id
        and r.channel = d.channel
        and (r.from_at is null or d.begins_at >= r.from_at)
        and (r.until_at is null or d.begins_at < r.until_at)
    join run.deadlines as u on u.rule_id = r.rule_id
    where r.kind = 'optout_deadline' and r.certainty <> 'unknown' and (r.region = '*' or r.certainty = 'certain')
),
every as (
    select * from candidates
    union all
    select
        d.*, cast(null as string) as rule_id, p.deadline_amount as amount, p.deadline_unit as unit, 'day_after' as counting
    from dated as d
    cross join run.parameters as p
    where not exists (select 1 from candidates as c where c.span_id = d.span_id)
),
counted as (
    select
        e.span_id,
        e.rule_id,
        case e.unit
            when 'hours' then e.begins_at + e.amount * interval '1 hour'
            when 'calendar_days' then e.begins_at + e.amount * 24 * interval '1 hour'
            else u.deadline_at
        end as deadline_at
    from every as e
    left join core.business_day_deadlines as u
        on u.calendar = case e.unit when 'business_days' then e.calendar end
        and u.timezone = e.timezone
        and u.requested_on = e.local_date
        and u.amount = e.amount
        and u.counting = e.counting
)
select
    span_id,
    min(deadline_at) as deadline_at,
    min_by(rule_id, struct(deadline_at, rule_id)) as legal_rule_id
from counted
group by span_id
