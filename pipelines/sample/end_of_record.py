"""What shows only at the end: opt-outs processed late or never, the contacts' list, the careless campaign."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.sample import incidents, places
from pipelines.sample.campaigns import Campaign
from pipelines.sample.clock import HORIZON, MINUTE, NEVER, iso
from pipelines.sample.files import Delivery, csv_bytes, header, looked_up
from pipelines.sample.identifiers import crm_event_ids, twilio_event_ids
from pipelines.sample.people import (
    CHANNELS,
    EMAIL,
    PUSH,
    SIBLING,
    SMS,
    WHATSAPP,
    People,
    person_ids,
    spelled_email,
    spelled_phone,
)
from pipelines.sample.state import BY_CRM, BY_TWILIO, Index
from pipelines.sample.world import World

LIST_HEADER = "contact,person_id,country,region,timezone,listed,listed_at"
LIST_FILE = "inbox/crm/contacts-2026-11.csv"
_LISTED_AT = HORIZON - 10 * MINUTE
_ONE_IN = 30  # of those who left and were taken off the list, as many as this were not
_PEOPLE_AT_ONCE = 100_000


def blame_campaigns(world: World, plan: list[Campaign]) -> None:
    """Notes the campaigns that were set up to ignore opt-outs."""
    incident = incidents.SUPPRESSION_OFF
    ids = [campaign.campaign_id for campaign in plan if campaign.incident == incident.name]
    world.key.add("campaign_ignores_opt_outs", "crm", "campaign_id", ids, "suppression_off", incident)


def blame_slowness(world: World) -> None:
    """Notes the opt-outs that were processed after their deadline, or that nothing shows as processed by then."""
    spans = world.spans
    due = _due(world, np.arange(spans.count))
    processed, ends, cause = (column[: spans.count] for column in (spans.processed, spans.ends, spans.cause))
    late = (processed < NEVER) & (processed > due)
    never = (processed == NEVER) & (due < HORIZON) & (ends > due)
    for name, which in (("processed_late", late), ("not_processed", never)):
        for number in np.unique(cause[which]).tolist():
            these = np.flatnonzero(which & (cause == number))
            incident = incidents.INCIDENTS[number - 1] if number else incidents.NATURAL
            # Who else records an opt-out applies it at once.
            assert (spans.recorder[these] == BY_CRM).all()
            ids = crm_event_ids(spans.serial[these])
            world.key.add("opt_out_not_honoured_in_time", "crm", "event_id", ids, name, incident)


def _due(world: World, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The deadline of each of these spans."""
    spans = world.spans
    due = np.zeros(len(numbers), dtype=np.int64)
    for channel in CHANNELS:
        which = spans.channel[numbers] == channel
        person = world.states[channel].person[spans.pair[numbers[which]]]
        due[which] = places.deadlines(world.people, person, channel, spans.begins[numbers[which]])
    return due


def _gone(world: World, channel: int) -> tuple[Index, Index]:
    """Persons whose opt-out from the channel should have taken them off the list, and its span's number."""
    state = world.states[channel]
    unlisted = {WHATSAPP: world.people.without_phone_number, PUSH: world.people.device_token}
    is_open = (state.begins < _LISTED_AT) & (state.ends > _LISTED_AT)
    if channel in unlisted:
        is_open &= ~unlisted[channel][state.person]
    open_now = np.flatnonzero(is_open)
    numbers = state.span[open_now].astype(np.int64)
    processed = world.spans.processed[numbers].astype(np.int64)
    over = np.where(processed < NEVER, processed, _due(world, numbers))
    gone = over < _LISTED_AT
    return state.person[open_now[gone]].astype(np.int64), numbers[gone]


def _first_spans(world: World, channel: int) -> NDArray[np.int64]:
    """By person: the number of the span that took the address of this channel off the list first; -1 for none."""
    spans = world.spans
    first = np.full(world.people.count, -1, dtype=np.int64)
    for one in (channel, SIBLING[channel]):
        person, numbers = _gone(world, one)
        before = first[person]
        earlier = (before < 0) | (spans.begins[numbers] < spans.begins[before])
        first[person[earlier]] = numbers[earlier]
    return first


def _blame_listed(world: World, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the people whose span has this number stay on the list all the same; they are noted."""
    spans = world.spans
    stays = np.zeros(len(numbers), dtype=np.bool_)
    gone = np.flatnonzero(numbers >= 0)
    named = gone[np.isin(spans.recorder[numbers[gone]], [BY_CRM, BY_TWILIO])]
    stays[named[::_ONE_IN]] = True
    for recorder, source in ((BY_CRM, "crm"), (BY_TWILIO, "twilio")):
        serials = spans.serial[numbers[stays & (spans.recorder[np.maximum(numbers, 0)] == recorder)]]
        ids = crm_event_ids(serials) if recorder == BY_CRM else twilio_event_ids(serials, world.seed)
        world.key.add("contact_still_listed", source, "event_id", ids, "still_listed", incidents.LIST_NOT_CLEANED)
    return stays


def write_list(world: World, delivery: Delivery) -> None:
    """Writes the list of the loyalty programme: one row per address, with the home of most, and who is still on it."""
    people = world.people
    target = delivery.file(LIST_FILE, header(LIST_HEADER))
    for channel in (SMS, EMAIL):
        first = _first_spans(world, channel)
        has = people.member[channel] | people.member[SIBLING[channel]]
        if channel == SMS:
            has &= ~people.without_phone_number
        everyone = np.flatnonzero(has).astype(np.int64)
        everyone = everyone[places.is_listed(people, everyone)]
        listed = (first[everyone] < 0) | _blame_listed(world, first[everyone])
        for start in range(0, len(everyone), _PEOPLE_AT_ONCE):
            part = slice(start, start + _PEOPLE_AT_ONCE)
            target.write(_as_csv(people, everyone[part], channel, listed[part]), len(everyone[part]))


def _as_csv(people: People, person: NDArray[np.int64], channel: int, listed: NDArray[np.bool_]) -> bytes:
    homes = places.homes()
    home = places.home_of(people, person)
    placed = pl.Series(places.is_placed(people, person))
    contacts = spelled_phone(people, person, person % 4) if channel == SMS else spelled_email(person, person % 40)
    frame = pl.select(
        contact=contacts,
        person_id=person_ids(person),
        country=pl.when(placed).then(looked_up([country for country, _, _ in homes], home)),
        region=pl.when(placed).then(looked_up([region for _, region, _ in homes], home)),
        timezone=pl.when(placed).then(looked_up([zone for _, _, zone in homes], home)),
        listed=pl.Series(np.where(listed, "true", "false")),
        listed_at=pl.lit(iso(_LISTED_AT)),
    )
    return csv_bytes(frame.with_columns(pl.col(pl.String).replace("", None)))
