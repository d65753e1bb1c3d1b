"""What people write back by SMS, and what the provider answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.sample import texts
from pipelines.sample.clock import HORIZON
from pipelines.sample.records import CONFIRMATION, DELIVERED, INBOUND, RECEIVED, TWILIO_ROW, rows_of
from pipelines.sample.state import Seconds
from pipelines.sample.world import World

_SHARE_CONFIRMED_LATE = 0.03
_SHARE_CONFIRMED_TWICE = 0.015


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


def confirm(world: World, person: NDArray[np.int32], requested: Seconds) -> None:
    """The provider's answer to STOP: one within seconds, a few minutes late, a few twice."""
    count = len(person)
    late = world.spread("confirmed late", count) < _SHARE_CONFIRMED_LATE
    sent_at = requested + np.where(late, world.rng.integers(400, 900, count), world.rng.integers(2, 9, count))
    twice = world.spread("confirmed twice", count) < _SHARE_CONFIRMED_TWICE
    person = np.concatenate([person, person[twice]])
    sent_at = np.concatenate([sent_at, sent_at[twice] + 60])
    on_record = sent_at < HORIZON
    person, sent_at = person[on_record], sent_at[on_record]
    buffer = world.outbox.twilio
    buffer.add(
        rows_of(
            TWILIO_ROW,
            len(person),
            at=sent_at,
            person=person,
            kind=CONFIRMATION,
            text=texts.CONFIRMATION_AT,
            status=DELIVERED,
            serial=buffer.serials(len(person)),
        )
    )
