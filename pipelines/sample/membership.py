"""How people came to be subscribed: the CRM's opt-ins, and the import that subscribed some against their will."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipelines.sample import draws, incidents, returns
from pipelines.sample.clock import DAY, NEVER
from pipelines.sample.draws import choose
from pipelines.sample.people import CHANNELS, EMAIL, PUSH, SMS, WHATSAPP
from pipelines.sample.records import (
    BY_CONTACT,
    BY_IMPORT,
    CRM_ROW,
    IMPORT,
    OPT_IN,
    OPT_IN_CONFIRMED,
    OPT_IN_REQUESTED,
    WEB_FORM,
    Rows,
    rows_of,
)
from pipelines.sample.world import World

_SHARE_ON_RECORD = 0.93
_SHARE_DOUBLE = 0.08
_PEOPLE_AT_ONCE = 200_000
_SHARE_IMPORTED = 0.15


def _opt_ins(world: World, first: int, last: int) -> Rows:
    people = world.people
    everyone = np.arange(first, last, dtype=np.int64)
    rows: list[Rows] = []
    for channel in CHANNELS:
        person = everyone[people.member[channel][first:last]]
        known = draws.fraction(person, people.seed, 40 + channel) < _SHARE_ON_RECORD
        if channel == WHATSAPP:
            known &= ~people.without_phone_number[person]
        if channel == PUSH:
            known &= ~people.device_token[person]
        person = person[known]
        double = draws.fraction(person, people.seed, 50 + channel) < _SHARE_DOUBLE
        joined = people.joined_at[person] - 1 - 20 * channel
        for event, who, when in (
            (OPT_IN, person[~double], joined[~double]),
            (OPT_IN_REQUESTED, person[double], joined[double] - 600),
            (OPT_IN_CONFIRMED, person[double], joined[double]),
        ):
            buffer = world.outbox.crm
            rows.append(
                rows_of(
                    CRM_ROW,
                    len(who),
                    at=when,
                    person=who,
                    channel=channel,
                    address=channel,
                    event=event,
                    processed_at=when,
                    method=WEB_FORM,
                    actor=BY_CONTACT,
                    campaign=-1,
                    serial=buffer.serials(len(who)),
                )
            )
    return np.concatenate(rows)


def history(world: World) -> Iterator[Rows]:
    """The opt-ins of everyone who joined before the record starts, in chunks in order of time."""
    before = int(np.searchsorted(world.people.joined_at, 0))
    for first in range(0, before, _PEOPLE_AT_ONCE):
        rows = _opt_ins(world, first, min(first + _PEOPLE_AT_ONCE, before))
        yield rows[np.lexsort((rows["serial"], rows["at"]))]


def add_joiners(world: World) -> None:
    """Puts the opt-ins of everyone who joins during the record in the CRM's buffer."""
    before = int(np.searchsorted(world.people.joined_at, 0))
    if before < world.people.count:
        world.outbox.crm.add(_opt_ins(world, before, world.people.count))


def resubscribe_by_import(world: World) -> None:
    """The planted import: opt-ins by nobody's act for some of the people who had left by SMS or e-mail."""
    moment = incidents.IMPORT.starts_at
    for channel in (SMS, EMAIL):
        state = world.states[channel]
        gone = np.flatnonzero(
            (state.begins < moment - 5 * DAY)
            & (state.last_act < moment - 3 * DAY)
            & (state.processed < moment - DAY)
            & (state.ends == NEVER)
            & (state.provider_block == NEVER)
            & ~state.every_channel
        )
        pairs = choose(world.rng, gone, -(-len(gone) * int(_SHARE_IMPORTED * 100) // 100))
        ends = np.full(len(pairs), moment, dtype=np.int32)
        world.endings.schedule(state, pairs, ends)
        world.key.add_imported(returns.record_opt_in(world, state, pairs, ends, IMPORT, BY_IMPORT))
