-- One row per channel and day of the report zone at whose beginning more or fewer pairs are opted in than the day before.
-- A pair (contact and channel) is opted in from its first opt-in on, but for the stretches that a span covers. Under
-- scope program, as long as it is for any program; under scope person, every pair on record of a person is as the person
-- is, and is counted under channel `*` alone, since spans then have no channel. change: so many more or fewer pairs.
with
parameters as (
    select scope, report_timezone
    from run.parameters
),
keys as (
    select scope_key, min(begins_at) as started_at, max(contact_key) as contact_key, max(channel) as channel
    from core.consent_spans
    group by scope_key
),
-- What a span covers before the first opt-in takes nobody off the list.
stretches as (
    select
        k.scope_key,
        k.contact_key,
        k.channel,
        case when c.after_at > k.started_at then c.after_at else k.started_at end as after_at,
        c.until_at,
        s.ends_at is not null as has_ended
    from core.opt_out_spans as s
    join core.citable_spans as c on c.span_id = s.span_id and c.contact_key = s.contact_key
    join keys as k on k.scope_key = s.scope_key
    where c.until_at > k.started_at
),
instants as (
    select scope_key, contact_key, channel, started_at as happened_at, 1 as change from keys
    union all
    select scope_key, contact_key, channel, after_at as happened_at, -1 as change from stretches
),
midnights as (
    select d.begins_at, d.on_date
    from run.local_days as d
    join parameters as p on p.report_timezone = d.timezone
),
-- What happens at midnight itself shows at the next one; but a span that ends at midnight no longer covers it.
changes as (
    select
        i.scope_key,
        i.contact_key,
        i.channel,
        date '1970-01-02'
            + cast(floor(cast(unix_seconds(i.happened_at) + o.offset_seconds as double) / 86400) as int) as day_on,
        i.change
    from instants as i
    join run.report_offsets as o on i.happened_at >= o.from_at and i.happened_at < o.until_at
    union all
    select
        s.scope_key,
        s.contact_key,
        s.channel,
        coalesce(
            m.on_date,
            date '1970-01-02'
            + cast(floor(cast(unix_seconds(s.until_at) + o.offset_seconds as double) / 86400) as int)
        ) as day_on,
        1 as change
    from stretches as s
    join run.report_offsets as o on s.until_at >= o.from_at and s.until_at < o.until_at
    left join midnights as m on m.begins_at = s.until_at
    where s.has_ended
),
-- Pairs of several programs: on the list while any of them is.
several as (
    select k.contact_key, k.channel
    from keys as k
    cross join parameters as p
    where p.scope = 'program'
    group by k.contact_key, k.channel
    having count(*) > 1
),
several_changes as (
    select c.contact_key, c.channel, c.day_on, sum(c.change) as change
    from changes as c
    join several as s on s.contact_key = c.contact_key and s.channel = c.channel
    group by c.contact_key, c.channel, c.day_on
),
several_states as (
    select
        contact_key,
        channel,
        day_on,
        sum(change) over (partition by contact_key, channel order by day_on rows unbounded preceding) as key_count
    from several_changes
),
several_turns as (
    select
        channel,
        day_on,
        case when key_count > 0 then 1 else 0 end as is_in,
        lag(case when key_count > 0 then 1 else 0 end) over (
            partition by contact_key, channel order by day_on
        ) as was_in
    from several_states
),
-- The pairs of a person: those ever sent to, and those of the person's own acts.
known as (
    select m.contact_key, m.channel
    from core.messages as m
    cross join parameters as p
    where p.scope = 'person'
    group by m.contact_key, m.channel
    union
    select e.contact_key, e.channel
    from core.consent_events as e
    cross join parameters as p
    where p.scope = 'person' and e.channel <> '*'
),
person_contacts as (
    select e.contact_key
    from core.consent_events as e
    cross join parameters as p
    where p.scope = 'person' and e.channel = '*'
),
pairs as (
    select contact_key, channel from known
    union
    select contact_key, '*' as channel
    from person_contacts
    where contact_key not in (select contact_key from known)
),
persons as (
    select c.person_key, count(*) as pair_count
    from pairs as p
    join core.contacts as c on c.contact_key = p.contact_key
    group by c.person_key
),
counted as (
    select c.channel, c.day_on, c.change
    from changes as c
    cross join parameters as p
    left join several as s on s.contact_key = c.contact_key and s.channel = c.channel
    where p.scope <> 'person' and s.contact_key is null
    union all
    select channel, day_on, is_in - coalesce(was_in, 0) as change
    from several_turns
    union all
    select '*' as channel, c.day_on, c.change * p.pair_count as change
    from changes as c
    join persons as p on p.person_key = c.scope_key
)
select channel, day_on, cast(sum(change) as bigint) as change
from counted
group by channel, day_on
having sum(change) <> 0
