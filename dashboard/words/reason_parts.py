"""English text of the parts below the reasons: campaigns, time since the opt-in, what leavers say."""

from __future__ import annotations

from dashboard.words import formats

LANGUAGES = {"en": "English", "es": "Spanish", "fr": "French", "de": "German", "pt": "Portuguese", "it": "Italian",
             "nl": "Dutch"}  # fmt: skip
CAMPAIGNS = "Is a campaign left for another reason?"
NO_CAMPAIGN = "No opt-out here is attributed to a campaign."
CAMPAIGNS_DIFFER = "**Yes: {campaigns:campaign|campaigns} of {tested}.** Most of all {member}: {differs}."
NO_CAMPAIGN_DIFFERS = (
    "**None stands out**: no campaign's reasons differ from the rest of its channel by more than chance explains "
    "({campaigns:campaign|campaigns} compared)."
)
CAMPAIGNS_TOO_FEW = "**Not enough data**: no campaign has enough opt-outs with a reason to compare."
CAMPAIGNS_ALT = "Campaigns and the reasons of their opt-outs"
CAMPAIGNS_SHOWN = " {shown} of {all} are shown."
CAMPAIGNS_TEST = (
    "Opt-outs attributed to the campaign, against all other opt-outs of its channel, of those who gave a reason. "
    "Compared where at least 10 did. Whole record. Chi-square or exact test; q holds the false-discovery rate over the "
    "campaigns.{more}"
)

TENURE = "Do early leavers have other reasons than late ones?"
TENURE_DIFFERS = "**Yes.** Those who leave {tenure}: {differs}."
NO_TENURE_DIFFERS = "**Not by more than chance explains**, whatever the time since the opt-in."
TENURE_TOO_FEW = "**Not enough data** to tell."
SHARES_ALT = "Share of opt-outs for the reason {reason} by the time since the opt-in"
TENURE_ALT = "Opt-outs by time since the opt-in, and their reasons"
TENURE_TEST = (
    "Time since the opt-in that the opt-out ended. Each group against the others, of those who gave a reason. Whole "
    "record. q holds the false-discovery rate over the groups."
)

DIFFERS = "{reason} {value} of reasons given, in the rest {rest}"

SAID = "What do leavers say?"
NOT_PUBLISHED = "Texts are not published: `[policy] publish_reason_texts` is off."
NOTHING_SAID = "No text was given by enough people to be shown here."
QUOTE = "- “{text}” :small[{people:person|people}{language}]"
SAID_MASKED = (
    "All channels, whole record. Addresses, links, numbers and names are masked; a text is shown if several people "
    "gave it, or if it holds everyday words only."
)


def chance(value: float | None) -> str:
    """A p or q value: 0.032, under 0.001."""
    if value is None:
        return formats.MISSING
    return f"under{formats.GAP}0.001" if value < 0.001 else f"{value:.3f}"
