"""How people who left come back: by START, in WhatsApp, or on the web."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.sample import incidents
from pipelines.sample.clock import DAY, HORIZON
from pipelines.sample.records import (
    BY_CONTACT,
    CRM_ROW,
    EMPTY_BOX,
    NO_BOX,
    OPT_IN,
    OWN_WEB,
    UNKNOWN_SOURCE,
    WEB_FORM,
    rows_of,
)
from pipelines.sample.state import ChannelState, Index, Seconds
from pipelines.sample.world import World

_SHARE_COMING_BACK = 0.04


def coming_back(world: World, state: ChannelState, name: str, pairs: Index, after: Seconds) -> tuple[Index, Seconds]:
    """Which of the pairs return by an act of their own, and when; their spans' ends are scheduled."""
    chosen = (world.spread(f"{name} back", len(pairs)) < _SHARE_COMING_BACK) & (after < HORIZON - 60 * DAY)
    returning = pairs[chosen]
    back_at = (after[chosen] + DAY + world.rng.integers(0, 30 * DAY, len(returning))).astype(np.int32)
    if name == "whatsapp":
        back_at = np.array([incidents.after_outage(second) for second in back_at.tolist()], dtype=np.int32)
    world.endings.schedule(state, returning, back_at)
    return returning, back_at


def back_through_crm(world: World, state: ChannelState, pairs: Index, after: Seconds) -> None:
    """Lets some of those who left by e-mail or the CRM subscribe again on the web."""
    known = ~world.people.device_token[state.person[pairs]]
    returning, back_at = coming_back(world, state, "crm", pairs[known], after[known])
    record_opt_in(world, state, returning, back_at, WEB_FORM, BY_CONTACT)


def record_opt_in(
    world: World, state: ChannelState, pairs: Index, opted_in: Seconds, method: int, actor: int
) -> NDArray[np.int64]:
    """CRM rows that subscribe these pairs again; returns their serial numbers."""
    buffer = world.outbox.crm
    serials = buffer.serials(len(pairs))
    buffer.add(
        rows_of(
            CRM_ROW,
            len(pairs),
            at=opted_in,
            person=state.person[pairs],
            channel=state.channel,
            address=state.channel,
            event=OPT_IN,
            processed_at=opted_in,
            method=method,
            actor=actor,
            source_type=OWN_WEB if actor == BY_CONTACT else UNKNOWN_SOURCE,
            box=EMPTY_BOX if actor == BY_CONTACT else NO_BOX,
            campaign=-1,
            serial=serials,
        )
    )
    return serials
