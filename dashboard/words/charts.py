"""English text inside charts: names of what is drawn, and of axes."""

from __future__ import annotations

OPT_OUT_RATE = "Opt-out rate"
NOT_OVER = "Not over yet"
INTERVAL = "95 % interval"

MESSAGE = "Message"
EVENT_OR_REPLY = "Consent event or reply"
VIOLATION = "Violation"

CAMPAIGNS_998 = "99.8 % of campaigns"
CAMPAIGNS_95 = "95 % of campaigns"
CHANNEL = "Channel"
CAMPAIGN = "Campaign"
STANDS_OUT = "Stands out"
MESSAGES_DELIVERED = "Messages delivered, logarithmic"

MEDIAN = "Median"
NINE_OF_TEN = "9 of 10 within"

OPTED_IN, OPTED_OUT, NET_GROWTH = "Opted in", "Opted out", "Net growth"
LEVEL = "Level"
