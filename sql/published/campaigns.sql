-- One row per source, campaign and channel, without its texts.
select source, campaign_id, channel, program, name, language, respects_opt_outs, started_at
from core.campaigns
