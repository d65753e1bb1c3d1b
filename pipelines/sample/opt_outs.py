"""How a request to stop travels: who records it, when it is processed, when the sender stops, what the logs show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pipelines.sample import incidents, texts
from pipelines.sample.clock import DAY, HORIZON, NEVER
from pipelines.sample.people import EMAIL, SIBLING, SMS
from pipelines.sample.records import (
    AGENT,
    BY_CONTACT,
    BY_OPERATOR,
    CONFIRMATION,
    CRM_ROW,
    DELIVERED,
    EVERY_CHANNEL,
    INBOUND,
    OPT_IN,
    OPT_OUT,
    RECEIVED,
    TWILIO_ROW,
    WA_RESUME,
    WA_STOP,
    WEB_FORM,
    WHATSAPP_ROW,
    rows_of,
)
from pipelines.sample.state import ChannelState, Index, Seconds
from pipelines.sample.world import World

# Of the tool's opt-outs, this share waits for one hour in which it can be undone; the others take as long as their
# queue: log-normal, by median in seconds and spread.
_SHARE_UNDO_HOUR = 0.30
CRM_DELAY = (5_340.0, 1.3)
MAIL_DELAY = (7_560.0, 1.1)
_SHARE_NEVER_PROCESSED = 0.02
_SHARE_CLOCK_SKEW = 0.007
_CLOCK_SKEW_SECONDS = 90
_SHARE_SYNC_FAILS = 0.06
_SHARE_CONFIRMED_LATE = 0.03
_SHARE_CONFIRMED_TWICE = 0.015
_SHARE_COMING_BACK = 0.04
# Shares of the feedback reasons, `unspecified` first.
REASONS = [
    "",
    "too_frequent",
    "not_relevant",
    "never_signed_up",
    "content",
    "privacy",
    "found_alternative",
    "temporary",
    "wrong_recipient",
    "technical",
    "other",
]
_CRM_REASON_SHARES = [0.10, 0.30, 0.18, 0.07, 0.08, 0.05, 0.06, 0.05, 0.03, 0.04, 0.04]
_MAIL_REASON_SHARES = [0.55, 0.18, 0.11, 0.03, 0.03, 0.02, 0.02, 0.02, 0.01, 0.01, 0.02]


def _whole(seconds: NDArray[np.float64]) -> Seconds:
    return np.minimum(seconds, NEVER).astype(np.int32)


def _processing_delay(world: World, name: str, count: int, delay: tuple[float, float]) -> NDArray[np.float64]:
    median, spread = delay
    u = world.spread(name, count)
    queued = np.clip((u - _SHARE_UNDO_HOUR) / (1 - _SHARE_UNDO_HOUR), 1e-9, 1 - 1e-9)
    return np.where(
        u < _SHARE_UNDO_HOUR,
        3_600 + 90 * u / _SHARE_UNDO_HOUR,
        np.maximum(np.exp(np.log(median) + spread * ndtri(queued)), 5.0),
    )


def reasons(world: World, name: str, count: int) -> NDArray[np.uint8]:
    """A feedback reason for each opt-out, as a position in REASONS."""
    shares = _MAIL_REASON_SHARES if name == "mail" else _CRM_REASON_SHARES
    return np.searchsorted(np.cumsum(shares)[:-1], world.spread(f"{name} reason", count), side="right").astype(np.uint8)


def mail_processing(world: World, requested: Seconds) -> Seconds:
    """When the mail tool suppresses the contact; NEVER if that is after the end of the record."""
    processed = requested + _processing_delay(world, "mail delay", len(requested), MAIL_DELAY)
    return _whole(np.where(processed < HORIZON, processed, NEVER))


def _coming_back(world: World, state: ChannelState, name: str, pairs: Index, after: Seconds) -> tuple[Index, Seconds]:
    """Which of the pairs return by an act of their own, and when; their spans' ends are scheduled."""
    chosen = (world.spread(f"{name} back", len(pairs)) < _SHARE_COMING_BACK) & (after < HORIZON - 60 * DAY)
    returning = pairs[chosen]
    back_at = (after[chosen] + DAY + world.rng.integers(0, 30 * DAY, len(returning))).astype(np.int32)
    if name == "whatsapp":
        back_at = np.array([incidents.after_outage(second) for second in back_at.tolist()], dtype=np.int32)
    world.endings.schedule(state, returning, back_at)
    return returning, back_at


def by_keyword(world: World, state: ChannelState, pairs: Index, requested: Seconds, again: bool) -> None:
    """STOP by SMS: the provider blocks at once and confirms; the sender's own list learns of it later."""
    count = len(pairs)
    if not count:
        return
    lag = world.rng.integers(120, 600, count)
    fails = world.spread("sync fails", count) < _SHARE_SYNC_FAILS
    lag = np.where(fails, world.rng.integers(3 * DAY, 25 * DAY, count), lag)
    window = incidents.STOPS_NOT_SYNCED
    unsynced = (requested >= window.starts_at) & (requested < window.ends_at)
    known = np.where(unsynced, window.ends_at + lag % 3_600, requested + lag).astype(np.int32)
    if again:
        state.repeat(world.spans, pairs, requested, known)
        state.provider_block[pairs] = np.minimum(state.provider_block[pairs], requested)
    else:
        cause = np.where(unsynced, incidents.NUMBER_OF[window.name], 0).astype(np.uint8)
        state.open_spans(world.spans, pairs, requested, requested, known, cause)
        state.provider_block[pairs] = requested
        returning, back_at = _coming_back(world, state, "sms", pairs, requested)
        replies(world, state.person[returning], back_at, texts.START_AT, len(texts.STARTS))
    person = state.person[pairs]
    replies(world, person, requested, texts.STOP_AT, len(texts.STOPS))
    _confirm(world, person, requested)


def replies(
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


def _confirm(world: World, person: NDArray[np.int32], requested: Seconds) -> None:
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


def by_whatsapp_stop(world: World, state: ChannelState, pairs: Index, requested: Seconds, again: bool) -> None:
    """Marketing messages stopped inside WhatsApp: the provider blocks at once and sends a webhook, if it arrives."""
    if not len(pairs):
        return
    requested = np.array([incidents.after_outage(second) for second in requested.tolist()], dtype=np.int32)
    lost = (requested >= incidents.WEBHOOKS_LOST.starts_at) & (requested < incidents.WEBHOOKS_LOST.ends_at)
    state.provider_block[pairs] = np.minimum(state.provider_block[pairs], requested)
    if not again:
        state.cause[pairs[lost]] = incidents.NUMBER_OF[incidents.WEBHOOKS_LOST.name]
    pairs, requested = pairs[~lost], requested[~lost]
    count = len(pairs)
    lag = world.rng.integers(60, 600, count)
    fails = world.spread("stop fails", count) < _SHARE_SYNC_FAILS
    lag = np.where(fails, world.rng.integers(3 * DAY, 25 * DAY, count), lag)
    window = incidents.WHATSAPP_STOPS_NOT_SYNCED
    unsynced = (requested >= window.starts_at) & (requested < window.ends_at)
    known = np.where(unsynced, window.ends_at + lag % 3_600, requested + lag).astype(np.int32)
    returning, back_at = pairs[:0], requested[:0]
    if again:
        state.repeat(world.spans, pairs, requested, known)
    else:
        cause = np.where(unsynced, incidents.NUMBER_OF[window.name], 0).astype(np.uint8)
        state.open_spans(world.spans, pairs, requested, requested, known, cause)
        returning, back_at = _coming_back(world, state, "whatsapp", pairs, requested)
    for kind, who, when in ((WA_STOP, pairs, requested), (WA_RESUME, returning, back_at)):
        buffer = world.outbox.whatsapp
        buffer.add(
            rows_of(
                WHATSAPP_ROW,
                len(who),
                at=when + 1,
                stamp=when,
                person=state.person[who],
                kind=kind,
                serial=buffer.serials(len(who)),
            )
        )


def by_mail_tool(world: World, state: ChannelState, pairs: Index, requested: Seconds, again: bool) -> Seconds:
    """An unsubscribe link or a complaint, seen by the mail tool; returns when it is processed."""
    processed = mail_processing(world, requested)
    stop = state.heeded_at(pairs, requested, processed)
    if again:
        state.repeat(world.spans, pairs, processed, stop)
    else:
        state.open_spans(world.spans, pairs, requested, processed, stop, np.zeros(len(pairs), dtype=np.uint8))
        _back_through_crm(world, state, pairs, processed)
    return processed


def by_crm(
    world: World,
    state: ChannelState,
    pairs: Index,
    requested: Seconds,
    method: int,
    campaign: int,
    again: bool,
    every_channel: bool = False,
) -> None:
    """A web form, preference centre or agent: the CRM records it, and its queue tells the sender later."""
    count = len(pairs)
    if not count:
        return
    processed = requested + _processing_delay(world, "crm delay", count, CRM_DELAY)
    skewed = world.spread("clock skew", count) < _SHARE_CLOCK_SKEW
    processed = np.where(skewed, requested.astype(np.float64), processed)
    processed = np.where(world.spread("never processed", count) < _SHARE_NEVER_PROCESSED, NEVER, processed)
    cause = np.zeros(count, dtype=np.uint8)
    if state.channel in (SMS, EMAIL) and not every_channel:
        for incident, until in (
            (incidents.QUEUE_STUCK, incidents.QUEUE_RELEASED_AT),
            (incidents.FLASH_SALE, incidents.FLASH_SALE.ends_at),
        ):
            held = (requested >= incident.starts_at) & (requested < incident.ends_at) & ~state.careful[pairs]
            if incident is incidents.FLASH_SALE and state.channel != SMS:
                continue
            processed = np.where(held, until + world.rng.integers(0, 1_800, count), processed)
            cause[held] = incidents.NUMBER_OF[incident.name]
            skewed &= ~held
    on_record = _whole(np.where(processed < HORIZON, processed, NEVER))
    stop = state.heeded_at(pairs, requested, on_record)
    if again:
        state.repeat(world.spans, pairs, on_record, stop)
    else:
        state.open_spans(world.spans, pairs, requested, on_record, stop, cause)
        if every_channel:
            _cover_sibling(world, state, pairs, requested, on_record)
        else:
            _back_through_crm(world, state, pairs, on_record)
    buffer = world.outbox.crm
    buffer.add(
        rows_of(
            CRM_ROW,
            count,
            at=requested,
            person=state.person[pairs],
            channel=EVERY_CHANNEL if every_channel else state.channel,
            address=state.channel,
            event=OPT_OUT,
            processed_at=np.where(skewed & (on_record < NEVER), requested - _CLOCK_SKEW_SECONDS, on_record),
            method=method,
            actor=BY_OPERATOR if method == AGENT else BY_CONTACT,
            reason=reasons(world, "crm", count),
            campaign=campaign,
            serial=buffer.serials(count),
        )
    )


def sibling_pairs(world: World, state: ChannelState, pairs: Index) -> tuple[Index, NDArray[np.bool_]]:
    """The same people's rows on the channel that shares their address, and whether they have one."""
    sibling = world.states[SIBLING[state.channel]]
    position = np.searchsorted(sibling.person, state.person[pairs])
    position = np.minimum(position, max(len(sibling.person) - 1, 0))
    found = sibling.person[position] == state.person[pairs] if len(sibling.person) else np.zeros(len(pairs), np.bool_)
    return position.astype(np.int64), found


def _cover_sibling(world: World, state: ChannelState, pairs: Index, requested: Seconds, processed: Seconds) -> None:
    state.every_channel[pairs] = True
    sibling = world.states[SIBLING[state.channel]]
    position, found = sibling_pairs(world, state, pairs)
    others, requested, processed = position[found], requested[found], processed[found]
    stop = sibling.heeded_at(others, requested, processed)
    sibling.open_spans(
        world.spans, others, requested, processed, stop, np.zeros(len(others), dtype=np.uint8), is_act=False
    )
    sibling.every_channel[others] = True


def _back_through_crm(world: World, state: ChannelState, pairs: Index, after: Seconds) -> None:
    known = ~world.people.device_token[state.person[pairs]]
    returning, back_at = _coming_back(world, state, "crm", pairs[known], after[known])
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
            campaign=-1,
            serial=serials,
        )
    )
    return serials

