"""English text of the page of campaigns."""

from __future__ import annotations

from datetime import date
from typing import Any

from dashboard.words import formats, texts

DRAWN_IN_HELP = "The rate drawn towards the mean of the channel's campaigns, the more the smaller it is."
MORE_HELP = "Opt-outs beyond those that the rate of the rest of the channel would give."
Q_HELP = "False-discovery rate at which this campaign is named."

OLDER = "league of campaigns"
PERIOD = "Period"

NOTHING_DELIVERED = "No campaign's message was delivered {when}. {widen}"
NOTHING_TO_COMPARE = (
    "**Nothing to compare {when}:** {listed:campaign|campaigns}, and each is all that its channel sent."
)
NONE_STANDS_OUT = (
    "**No campaign stands out {when}.** Of {listed:campaign|campaigns} none loses more people than chance and the "
    "usual differences between campaigns explain. Highest, allowing for its size: {first} ({channel}), {rate} "
    "({interval}) of its messages led to an opt-out."
)
ONE_DROVE = "One campaign drove"
MANY_DROVE = "{named} campaigns drove"
DROVE = "**{head} people away {when}, beyond chance:**"
AND_MORE = "And {more} more, marked in the league below."

FUNNELS = "Who lies outside the funnel?"
FUNNELS_DRAWN = "{drawn} of {all} channels are drawn; choose one in the side panel to see it."
FUNNELS_READ = (
    "The dashed line is the channel's rate. Chance and the usual differences between campaigns keep 95 % of them in "
    "the inner band and 99.8 % in the outer one, wider for small campaigns. A diamond stands out."
)

FUNNEL_ALT = (
    "{channel}: {campaigns:campaign|campaigns} by messages delivered and opt-outs per message; standing out: {outside}."
)
FUNNEL = "{channel} funnel"

LEAGUE = "League of campaigns"
LEAGUE_ALT = "League of {campaigns:campaign|campaigns}, those that stand out first."
LEAGUE_READ = (
    "Ranked by the rate drawn in by size, so that no campaign leads by a handful of messages. An opt-out counts in the "
    "period in which the message it is attributed to was sent. The table can be sorted and searched."
)

COUNTS_NONE = "This definition counts no campaign {when}. {widen}"
HIGHEST = (
    "**Highest {when} by {name}: {campaign}** ({channel}), {value}{bounds}: {part}. Whether it stands out is judged "
    "under heed's own opt-outs per message."
)

PLAIN_ALT = "The {shown} highest of {campaigns:campaign|campaigns} by {name}."
PLAIN_ORDER = "Ordered by the lower end of the 95 % interval where there is one, else by the rate."

UNATTRIBUTED = "{value} of the opt-outs ({part}) are attributed to no message and no campaign"
WITHOUT_MESSAGE = "{opt_outs:opt-out|opt-outs} name a campaign of which no delivered message is on record then"
BESIDE = "Beside the league: {parts}."

TO_REASONS = "What do leavers say?"
TO_TIMING = "When and how often should we send?"
TO_TRENDS = "How many people opt out?"


def sentence(row: dict[str, Any]) -> str:
    """One campaign that stands out, in words."""
    ratio = f"{row['ratio']:.1f} times the rest of {texts.channel(row['channel'])}"
    if row["ratio_upper"] is not None:
        ratio += f" ({row['ratio_lower']:.1f}–{row['ratio_upper']:.1f} times)"
    opt_outs = formats.count(round(row["excess_opt_outs"]))
    return (
        f"**{name_of(row)}** ({texts.channel(row['channel'])}): {formats.count(row['opt_out_count'])} opt-outs of "
        f"{formats.count(row['delivered_count'])} messages, {formats.share(row['rate'])} "
        f"({formats.interval(row['lower'], row['upper'])}), {ratio}. That is {opt_outs} more than usual; "
        f"false-discovery rate {formats.probability(row['q_value'])}."
    )


def when_of(period: date | None) -> str:
    """A period inside a sentence."""
    return f"in {formats.month(period)}" if period else "in the whole record"


def name_of(row: dict[str, Any]) -> str:
    """A campaign by its name, with its id where it has both."""
    name, identifier = row["name"], row["campaign_id"]
    return texts.plain(identifier if not name or name == identifier else f"{name} ({identifier})")
