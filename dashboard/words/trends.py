"""English text of the page of trends."""

from __future__ import annotations

from dashboard.words import texts

DIRECTIONS: dict[float | None, str] = {1: "Increasing", -1: "Decreasing", 0: "No clear trend"}
WHAT_FOLLOWS = "What follows is of the headline opt-out rate in the whole record."

NOT_MEASURED = "Not measured by {split}"
NO_NUMBER = "{name} has no number here. Choose another split, grain or filter."
NOBODY_REACHED = f"Nobody was reached by a marketing message here. {texts.WIDEN}"

TREND_OF_HEADLINE = "The trend is tested on the headline opt-out rate; the chart shows the definition chosen below."
ALL_CAMPAIGNS = "The trend is measured for all campaigns together; what follows shows this campaign alone."
OVER_ALL_PROGRAMS = "A campaign is counted over all programs, so the program chosen has no part in it."
ALL_PROGRAMS = "The trend is measured for all programs together; the charts below show this program alone."
NOT_ENOUGH_DATA = "Not enough data"
TOO_FEW_WEEKS = "**{direction}.** A trend needs at least 6 weeks; there are {weeks:complete week|complete weeks}."
SLOPE = "The weekly rate changes by {slope} percentage points a week"
SLOPE_INTERVAL = " (95 % interval {lower} to {upper})"
TREND = "**{direction}.** {sentence}, from {weeks:complete week|complete weeks}."

WEEKS_USED = "{weeks} weeks used for the trend"
HIGHEST = "Highest: {value}"
LEVEL_CHANGED = " The level changed {times:time|times}."

# What a period is that is not whole: in a legend, in a note.
NOT_OVER = "Not over yet"
NOT_WHOLE = "Not whole"

LARGEST_DRAWN = "The {drawn} largest of {all} are drawn; the table has them all."
BY_SPLIT = "{name} by {split} and {grain}"

HIGHEST_CAMPAIGN = "Highest: {campaign}, {value}, at least {lower}."
HIGHEST_LISTED = (
    "The {listed} highest of {all}, by the lower end of their 95 % interval: a small campaign is listed only where the "
    "evidence is strong."
)
CAMPAIGN_PERIODS = {
    "day": "campaign day", "week": "campaign week", "month": "campaign month", "rolling_7_days": "campaign window",
    "rolling_28_days": "campaign window",
}  # fmt: skip
HIGHEST_BY_CAMPAIGN = "{name} by campaign, the highest"

WINDOW = (
    "A window of {days} days ends on every day. Neighbours share {shared} of their days, so a rise over a few of them "
    "is one observation and not several."
)
BESIDE = "Beside the rate: {opt_outs:opt-out|opt-outs} of contacts that were not reached in the same period."
UNATTRIBUTED = "Unattributed, so in no rate: {value} of opt-outs ({part})."


BEGUN_LATE_SHORT = "begun late"
BEGUN_LATE = "the record begins in it"
STILL_RUNNING = "not over yet"

NO_RATE = "No rate in this selection."
SPAN = "{name} by {grain} from {first} to {last}: between {lowest} and {highest}, last {newest}."

DAYS = "{days} days"
DAYS_TO = "{days} days to {end}"
WEEK_OF = "Week of {start}"
