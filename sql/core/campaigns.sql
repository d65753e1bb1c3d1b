-- One row per source, campaign and channel (`*` where the list names none), its delivered versions merged.
-- Versions carry no time: the smallest text counts, the earliest start, and one that ignores opt-outs says so for all.
select
    source,
    campaign_id,
    coalesce(channel, '*') as channel,
    min(program) as program,
    min(name) as name,
    min(language) as language,
    min(template_text) as template_text,
    min(case when respects_opt_outs then 1 else 0 end) filter (where respects_opt_outs is not null) as respects_opt_outs,
    min(started_at) as started_at
from history.campaigns
group by source, campaign_id, coalesce(channel, '*')
