-- One row per regime of reading replies (reference.reply_regimes) and channel (`*` = all).
-- read_count: inbound messages that say something; request_count: those this regime takes for requests to stop;
-- missed_by_regime_count: requests that a reasonable person is certain of and this regime does not see;
-- unrecorded_count: of this regime's requests, those that no consent event records in time.
with
readings as (
    select
        i.channel,
        r.source,
        r.inbound_id,
        r.reading,
        r.exact_keyword,
        r.legal_list,
        q.is_recorded
    from core.inbound_readings as r
    join core.inbound_messages as i on i.source = r.source and i.inbound_id = r.inbound_id
    left join core.inbound_requests as q on q.source = r.source and q.inbound_id = r.inbound_id
),

judged as (
    select
        g.regime,
        r.channel,
        r.reading = 'certain' as is_certain,
        r.is_recorded,
        case g.regime
            when 'exact_keyword' then r.exact_keyword
            when 'legal_list' then r.legal_list
            when 'reasonable_person' then r.reading = 'certain'
            else r.reading <> 'not'
        end as is_request
    from readings as r
    cross join reference.reply_regimes as g
),

counted as (
    select
        regime,
        channel,
        count(*) as read_count,
        count(*) filter (where is_request) as request_count,
        count(*) filter (where is_certain and not is_request) as missed_by_regime_count,
        count(*) filter (where is_request and not is_recorded) as unrecorded_count
    from judged
    group by grouping sets ((regime), (regime, channel))
),

listed as (
    select g.regime, '*' as channel from reference.reply_regimes as g
    union all
    select regime, channel from counted where channel is not null
)

select
    l.regime,
    l.channel,
    coalesce(c.read_count, 0) as read_count,
    coalesce(c.request_count, 0) as request_count,
    coalesce(c.missed_by_regime_count, 0) as missed_by_regime_count,
    coalesce(c.unrecorded_count, 0) as unrecorded_count
from listed as l
left join counted as c on c.regime = l.regime and coalesce(c.channel, '*') = l.channel
