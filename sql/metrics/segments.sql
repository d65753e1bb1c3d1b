-- One row per channel (`*` = all) and segment: the pairs in it.
-- Every pair on record is in exactly one segment. Contacts of which no channel is known count in the rows of all channels
-- alone. blocked_count: those of them for whom a block is open.
with
counted as (
    select channel, segment, count(*) as pair_count, sum(case when is_blocked then 1 else 0 end) as blocked_count
    from metrics.segment_pairs
    group by channel, segment
)
select '*' as channel, segment, cast(sum(pair_count) as bigint) as pair_count, cast(sum(blocked_count) as bigint) as blocked_count
from counted
group by segment
union all
select channel, segment, cast(pair_count as bigint) as pair_count, cast(blocked_count as bigint) as blocked_count
from counted
where channel <> '*'
