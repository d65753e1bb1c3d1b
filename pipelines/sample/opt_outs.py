"""How a request to stop travels: who records it, when it is processed, when the sender stops, what the logs show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pipelines.sample import incidents, replies, texts
from pipelines.sample.clock import DAY, HORIZON, NEVER
from pipelines.sample.people import EMAIL, PUSH, SIBLING, SMS
from pipelines.sample.records import (
    AGENT,
    BY_CONTACT,
    BY_OPERATOR,
    CRM_ROW,
    EVERY_CHANNEL,
    OPT_OUT,
    WA_RESUME,
    WA_STOP,
    WHATSAPP_ROW,
    rows_of,
)
from pipelines.sample.returns import back_through_crm, coming_back
from pipelines.sample.state import BY_CRM, BY_MAIL, BY_TWILIO, BY_WHATSAPP, ChannelState, Index, Seconds
from pipelines.sample.world import World

# Of the tool's opt-outs, this share waits for one hour in which it can be undone; the others take as long as their
# queue: log-normal, by median in seconds and spread.
_SHARE_UNDO_HOUR = 0.30
CRM_DELAY = (5_340.0, 1.3)
MAIL_DELAY = (7_560.0, 1.1)
_LONGEST_DELAY = 6 * DAY  # short of every deadline: what is late is planted
_SHARE_NEVER_PROCESSED = 0.02
_SHARE_CLOCK_SKEW = 0.007
_CLOCK_SKEW_SECONDS = 90
_SHARE_SYNC_FAILS = 0.06
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
    processed = requested + np.minimum(
        _processing_delay(world, "mail delay", len(requested), MAIL_DELAY), _LONGEST_DELAY
    )
    return _whole(np.where(processed < HORIZON, processed, NEVER))


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
    person = state.person[pairs]
    serials = replies.reply(world, person, requested, texts.STOP_AT, len(texts.STOPS))
    if again:
        state.repeat(world.spans, pairs, requested, requested, known)
        state.provider_block[pairs] = np.minimum(state.provider_block[pairs], requested)
    else:
        cause = np.where(unsynced, incidents.NUMBER_OF[window.name], 0).astype(np.uint8)
        state.open_spans(world.spans, pairs, requested, requested, known, cause, (BY_TWILIO, serials))
        state.provider_block[pairs] = requested
        returning, back_at = coming_back(world, state, "sms", pairs, requested)
        replies.reply(world, state.person[returning], back_at, texts.START_AT, len(texts.STARTS))
    replies.confirm(world, person, requested, serials, begins_span=not again)


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
        state.repeat(world.spans, pairs, requested, requested, known)
    else:
        cause = np.where(unsynced, incidents.NUMBER_OF[window.name], 0).astype(np.uint8)
        nothing = np.zeros(len(pairs), dtype=np.int64)
        state.open_spans(world.spans, pairs, requested, requested, known, cause, (BY_WHATSAPP, nothing))
        returning, back_at = coming_back(world, state, "whatsapp", pairs, requested)
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
        state.repeat(world.spans, pairs, requested, processed, stop)
    else:
        nothing = np.zeros(len(pairs), dtype=np.int64)
        state.open_spans(world.spans, pairs, requested, processed, stop, nothing.astype(np.uint8), (BY_MAIL, nothing))
        back_through_crm(world, state, pairs, processed)
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
    at_once: bool = False,
) -> None:
    """A web form, preference centre or agent: the CRM records it; its queue tells the sender later, or `at_once`."""
    count = len(pairs)
    if not count:
        return
    processed = requested + np.minimum(_processing_delay(world, "crm delay", count, CRM_DELAY), _LONGEST_DELAY)
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
    stop = requested if at_once else state.heeded_at(pairs, requested, on_record)
    buffer = world.outbox.crm
    serials = buffer.serials(count)
    if again:
        state.repeat(world.spans, pairs, requested, on_record, stop)
    else:
        state.open_spans(world.spans, pairs, requested, on_record, stop, cause, (BY_CRM, serials))
        if every_channel:
            _cover_sibling(world, state, pairs, requested, on_record, serials)
        else:
            back_through_crm(world, state, pairs, on_record)
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
            serial=serials,
        )
    )


def sibling_pairs(world: World, state: ChannelState, pairs: Index) -> tuple[Index, NDArray[np.bool_]]:
    """The same people's rows on the channel that shares their address, and whether they have one."""
    sibling = world.states[SIBLING[state.channel]]
    person = state.person[pairs]
    position = np.searchsorted(sibling.person, person)
    position = np.minimum(position, max(len(sibling.person) - 1, 0))
    found = sibling.person[position] == person if len(sibling.person) else np.zeros(len(pairs), np.bool_)
    # Who is known by an id or a device has another address there.
    found &= ~(world.people.device_token if state.channel in (EMAIL, PUSH) else world.people.without_phone_number)[
        person
    ]
    return position.astype(np.int64), found


def _cover_sibling(
    world: World, state: ChannelState, pairs: Index, requested: Seconds, processed: Seconds, serials: Index
) -> None:
    state.every_channel[pairs] = True
    sibling = world.states[SIBLING[state.channel]]
    position, found = sibling_pairs(world, state, pairs)
    others, requested, processed = position[found], requested[found], processed[found]
    stop = sibling.heeded_at(others, requested, processed)
    cause = np.zeros(len(others), dtype=np.uint8)
    sibling.open_spans(world.spans, others, requested, processed, stop, cause, (BY_CRM, serials[found]))
    sibling.every_channel[others] = True
