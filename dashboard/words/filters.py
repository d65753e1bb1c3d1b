"""English text of the filters and of links."""

from __future__ import annotations

MONTH, CHANNEL, PROGRAM, CAMPAIGN = "Month", "Channel", "Program", "Campaign"
OF_PROGRAM, OF_CAMPAIGN = "program {program}", "campaign {campaign}"
#: A scope as a sentence about whom an opt-out silences.
SCOPES = {"channel": "per channel", "program": "per program", "person": "per person"}

LINK = "Link to this view"
LINK_TOLD = (
    "The address bar leads back here too. This link also says which run and which scope you saw, so that whoever opens "
    "it later is told if either has changed."
)
OTHER_SCOPE = (
    "**This link was made when opt-outs applied {then}; these numbers apply them {now}.** The policy has changed "
    "since, so the same opt-out may cover more or fewer messages."
)
OTHER_RUN = (
    "**This link was made on run `{then}`; you see run `{now}`.** Numbers of the same months may have been restated "
    "since."
)
WHAT_CHANGED = "What changed between the two"
NOT_UNDERSTOOD = "**Not all of this link was understood, and what was not is left out:** {items}."


def item(key: str, value: str) -> str:
    """One part of a link: channel = Fax."""
    return f"{key} = {value}" if value else key
