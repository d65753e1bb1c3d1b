"""What else is wrong with the messages of a sending: no consent, the wrong hour, too many, no way out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.sample import incidents, places
from pipelines.sample.campaigns import Campaign
from pipelines.sample.clock import DAY
from pipelines.sample.identifiers import MESSAGE_IDS
from pipelines.sample.people import EMAIL, PUSH, SMS, WHATSAPP
from pipelines.sample.state import ChannelState, Index, Seconds
from pipelines.sample.world import World

SOURCES = {SMS: "twilio", WHATSAPP: "whatsapp", EMAIL: "mail", PUSH: "mail"}


def blame_others(
    world: World,
    campaign: Campaign,
    state: ChannelState,
    pairs: Index,
    sent_at: Seconds,
    serials: NDArray[np.int64],
    outside: NDArray[np.bool_],
    arrived: NDArray[np.bool_],
) -> None:
    """Notes what is wrong with the messages of a marketing campaign that are `outside` of every opt-out."""
    planted = {incident.name: incident for incident in incidents.INCIDENTS}

    def blame(rule: str, finding_class: str, which: NDArray[np.bool_], incident: incidents.Incident) -> None:
        source = SOURCES[campaign.channel]
        ids = MESSAGE_IDS[source](serials[which], world.seed)
        world.key.add(rule, source, "message_id", ids, finding_class, incident)

    unconsented = outside & (state.consented_at[pairs] > sent_at)
    blame("message_without_consent", "no_consent_on_record", unconsented, incidents.OPT_INS_UNRECORDED)
    if campaign.channel != SMS:
        return
    incident = planted.get(campaign.incident, incidents.NATURAL)
    if campaign.incident == incidents.WAY_OUT_FORGOTTEN.name:
        blame("message_without_opt_out_instructions", "no_instructions", outside, incident)
    person = state.person[pairs]
    night, surely = places.by_night(world.people, person, sent_at)
    blame("message_in_quiet_hours", "certain", outside & night & surely, incident)
    blame("message_in_quiet_hours", "possible", outside & night & ~surely, incident)
    reached = outside & arrived
    over = reached & places.is_capped(world.people, person) & (state.recent[2, pairs] > sent_at - DAY)
    blame("message_over_frequency_cap", "over_legal_cap", over, incident)
    state.recent[1:, pairs[reached]] = state.recent[:2, pairs[reached]]
    state.recent[0, pairs[reached]] = sent_at[reached]
