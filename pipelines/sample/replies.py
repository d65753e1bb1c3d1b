"""What people write back by SMS, and what the provider answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.sample import incidents, texts
from pipelines.sample.clock import HORIZON, MINUTE
from pipelines.sample.identifiers import twilio_event_ids, twilio_sids
from pipelines.sample.records import CONFIRMATION, DELIVERED, INBOUND, RECEIVED, TWILIO_ROW, rows_of
from pipelines.sample.state import Seconds
from pipelines.sample.world import World

_SHARE_CONFIRMED_LATE = 0.03
_SHARE_CONFIRMED_TWICE = 0.015
_WINDOW = 5 * MINUTE  # later than that, a confirmation is late


def reply(
    world: World, person: NDArray[np.int32], received: Seconds, first_text: int, text_count: int
) -> NDArray[np.int64]:
    """Inbound SMS of these people with one of the texts; returns their serial numbers."""
    buffer = world.outbox.twilio
    serials = buffer.serials(len(person))
    text = first_text + world.rng.integers(0, text_count, len(person))
    buffer.add(
        rows_of(
            TWILIO_ROW,
            len(person),
            at=received,
            person=person,
            kind=INBOUND,
            text=text,
            status=RECEIVED,
            serial=serials,
        )
    )
    return serials


def confirm(
    world: World,
    person: NDArray[np.int32],
    requested: Seconds,
    serials: NDArray[np.int64],
    begins_span: bool,
) -> None:
    """The provider's answer to STOP: one within seconds, a few minutes late, a few twice, some weeks none at all.

    `serials` are those of the replies; `begins_span` says whether they are first requests.
    """
    window = incidents.CONFIRMATIONS_OFF
    answered = (requested < window.starts_at) | (requested >= window.ends_at)
    count = len(person)
    late = world.spread("confirmed late", count) < _SHARE_CONFIRMED_LATE
    sent_at = requested + np.where(late, world.rng.integers(400, 900, count), world.rng.integers(2, 9, count))
    twice = world.spread("confirmed twice", count) < _SHARE_CONFIRMED_TWICE
    first = answered & (sent_at < HORIZON)
    second = answered & twice & (sent_at + 60 < HORIZON)
    if begins_span:
        missing = ~first & (requested + _WINDOW < HORIZON)
        for which, incident in ((missing & ~answered, window), (missing & answered, incidents.NATURAL)):
            ids = twilio_event_ids(serials[which], world.seed)
            world.key.add("confirmation_missing", "twilio", "event_id", ids, "no_confirmation", incident)
    made = _send(world, person[first], sent_at[first])
    _blame(world, made[sent_at[first] > requested[first] + _WINDOW], "confirmation_late", "late")
    made = _send(world, person[second], sent_at[second] + 60)
    _blame(world, made, "confirmation_repeated", "repeated")


def _blame(world: World, serials: NDArray[np.int64], rule: str, finding_class: str) -> None:
    ids = twilio_sids(serials, world.seed)
    world.key.add(rule, "twilio", "message_id", ids, finding_class, incidents.NATURAL)


def _send(world: World, person: NDArray[np.int32], sent_at: Seconds) -> NDArray[np.int64]:
    """Confirmations of these times, two weeks of them with an offer; returns their serial numbers."""
    buffer = world.outbox.twilio
    serials = buffer.serials(len(person))
    window = incidents.OFFER_IN_CONFIRMATION
    sells = (sent_at >= window.starts_at) & (sent_at < window.ends_at)
    buffer.add(
        rows_of(
            TWILIO_ROW,
            len(person),
            at=sent_at,
            person=person,
            kind=CONFIRMATION,
            text=np.where(sells, texts.OFFER_AT, texts.CONFIRMATION_AT),
            status=DELIVERED,
            serial=serials,
        )
    )
    ids = twilio_sids(serials[sells], world.seed)
    world.key.add("confirmation_with_marketing", "twilio", "message_id", ids, "marketing_text", window)
    return serials
