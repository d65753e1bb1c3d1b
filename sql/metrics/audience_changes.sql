-- One row per day, channel and act by which pairs became opted in or ceased to be: how many.
-- change is their sum with its sign: the pairs opted in when a day begins are the sum of all changes on the days before.
-- Channel `*` holds contacts of which no channel is known; they count in the sum of all channels alone.
select
    changed_on,
    channel,
    act,
    count(*) as pair_count,
    cast(sum(change) as bigint) as change
from core.pair_changes
group by changed_on, channel, act
