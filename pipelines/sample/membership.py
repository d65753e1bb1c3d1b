"""How people came to be subscribed: the CRM's opt-ins, and the import that subscribed some against their will."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipelines.sample import draws, incidents, returns
from pipelines.sample.clock import DAY, NEVER
from pipelines.sample.draws import choose
from pipelines.sample.identifiers import crm_event_ids
from pipelines.sample.people import CHANNELS, EMAIL, PUSH, SMS, WHATSAPP, People
from pipelines.sample.records import (
    AGENT,
    BUTTON,
    BY_CONTACT,
    BY_IMPORT,
    BY_OPERATOR,
    CRM_ROW,
    EMPTY_BOX,
    IMPORT,
    NO_BOX,
    OFFLINE,
    OPT_IN,
    OPT_IN_CONFIRMED,
    OPT_IN_REQUESTED,
    OWN_WEB,
    PURCHASED,
    SCRAPED,
    TICKED_BOX,
    WEB_FORM,
    Rows,
    rows_of,
)
from pipelines.sample.state import opted_in_at
from pipelines.sample.world import World

_SHARE_DOUBLE = 0.08
# Of own web, advertising, store, referral and unknown; the order is that of the source types.
_SOURCE_SHARES = [0.69, 0.14, 0.09, 0.05, 0.03]
_SHARE_PURCHASED, _SHARE_SCRAPED = 0.005, 0.002
_PEOPLE_AT_ONCE = 200_000
_SHARE_IMPORTED = 0.15


def _sources(people: People, person: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each person's opt-ins were collected; the bought and scraped lists are older than the record."""
    own = np.searchsorted(np.cumsum(_SOURCE_SHARES)[:-1], draws.fraction(person, people.seed, 151), side="right")
    draw = draws.fraction(person, people.seed, 152)
    listed = np.where(draw < _SHARE_PURCHASED, PURCHASED, SCRAPED)
    return np.where((people.joined_at[person] < 0) & (draw < _SHARE_PURCHASED + _SHARE_SCRAPED), listed, own)


def _opt_ins(world: World, first: int, last: int) -> Rows:
    people = world.people
    everyone = np.arange(first, last, dtype=np.int64)
    rows: list[Rows] = []
    for channel in CHANNELS:
        person = everyone[people.member[channel][first:last] & ~people.unrecorded[first:last]]
        source = _sources(people, person)
        from_list = (source == PURCHASED) | (source == SCRAPED)
        double = (draws.fraction(person, people.seed, 50 + channel) < _SHARE_DOUBLE) & ~from_list
        joined = opted_in_at(people, person, channel)
        window = incidents.BOX_TICKED
        ticked = (joined >= window.starts_at) & (joined < window.ends_at) & (source == OWN_WEB)
        box = np.where(from_list, NO_BOX, np.where(ticked, TICKED_BOX, EMPTY_BOX))
        usual = BUTTON if channel in (WHATSAPP, PUSH) else WEB_FORM
        method = np.where(from_list, IMPORT, np.where(source == OFFLINE, AGENT, usual))
        actor = np.where(from_list, BY_IMPORT, np.where(source == OFFLINE, BY_OPERATOR, BY_CONTACT))
        for event, which, earlier in (
            (OPT_IN, ~double, 0),
            (OPT_IN_REQUESTED, double, 600),
            (OPT_IN_CONFIRMED, double, 0),
        ):
            buffer = world.outbox.crm
            made = rows_of(
                CRM_ROW,
                int(which.sum()),
                at=joined[which] - earlier,
                person=person[which],
                channel=channel,
                address=channel,
                event=event,
                processed_at=joined[which] - earlier,
                method=method[which],
                actor=actor[which],
                source_type=source[which],
                box=box[which],
                campaign=-1,
                serial=buffer.serials(int(which.sum())),
            )
            rows.append(made)
            if event != OPT_IN_REQUESTED:
                _blame(world, made)
    return np.concatenate(rows)


def _blame(world: World, rows: Rows) -> None:
    """Notes the opt-ins that come from a list or a ticked box."""
    for name, which, incident in (
        ("purchased", rows["source_type"] == PURCHASED, incidents.LIST_BOUGHT),
        ("scraped", rows["source_type"] == SCRAPED, incidents.LIST_BOUGHT),
        ("prechecked_box", rows["box"] == TICKED_BOX, incidents.BOX_TICKED),
    ):
        ids = crm_event_ids(rows["serial"][which])
        world.key.add("consent_from_forbidden_source", "crm", "event_id", ids, name, incident)


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
        ids = crm_event_ids(returns.record_opt_in(world, state, pairs, ends, IMPORT, BY_IMPORT))
        world.key.add("opt_in_without_act", "crm", "event_id", ids, "import", incidents.IMPORT)
