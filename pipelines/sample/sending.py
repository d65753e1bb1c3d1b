"""One sending: who gets it, what becomes of each message, which of them are findings, and who answers."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.sample import incidents, places, texts
from pipelines.sample.campaigns import Campaign
from pipelines.sample.clock import DAY, HORIZON, HOUR, NEVER, month_of, near_deadline, week_of
from pipelines.sample.draws import choose, choose_weighted
from pipelines.sample.identifiers import MESSAGE_IDS
from pipelines.sample.key import FINDING_CLASSES, classify
from pipelines.sample.other_wrongs import SOURCES, blame_others
from pipelines.sample.people import CHANNEL_NAMES, SMS, WHATSAPP
from pipelines.sample.reactions import react
from pipelines.sample.records import (
    DELIVERED,
    FAILED,
    MAIL_ROW,
    OUTBOUND,
    SENT,
    TWILIO_ROW,
    UNDELIVERED,
    WA_DELIVERED,
    WA_FAILED,
    WA_READ,
    WA_SENT,
    WHATSAPP_ROW,
    Rows,
    rows_of,
)
from pipelines.sample.state import BY_WHATSAPP, ChannelState, Index, Seconds
from pipelines.sample.world import World

# Twilio: blocked by an opt-out; not delivered by the carrier.
_SMS_BLOCKED = 21610
_SMS_UNDELIVERED = [30003, 30005, 30006, 30008]
# WhatsApp: stopped by the user; kept back by the provider; part of an experiment.
_WHATSAPP_BLOCKED, _WHATSAPP_KEPT_BACK, _WHATSAPP_EXPERIMENT = 131050, 131049, 130472
_SHARE_REPEATED_WEBHOOK = 0.012
_SHARE_LATE_WEBHOOK = 0.02
_LATEST_WEBHOOK = 3 * DAY
_EVIDENCE_NOTICED_AFTER = 12 * DAY


def _recipients(world: World, campaign: Campaign, state: ChannelState) -> Index:
    """The people chosen for a sending, by the sender's own view of who may get it."""
    joined = state.joined_by(campaign.starts_at)
    wanted = campaign.size + world.owed[campaign.channel]
    if not campaign.is_marketing:
        chosen = choose(world.rng, np.arange(joined), wanted)
    else:
        allowed = state.sender_stop[:joined] > campaign.ends_at
        asked = np.flatnonzero(allowed & (state.begins[:joined] < campaign.ends_at))
        undecided = asked[state.processed[asked] >= campaign.starts_at]
        allowed[undecided[near_deadline(state.begins[undecided], campaign.starts_at, campaign.ends_at)]] = False
        if campaign.incident == incidents.SUPPRESSION_OFF.name:
            allowed |= state.processed[:joined] < campaign.starts_at
        candidates = np.flatnonzero(allowed)
        if campaign.repeats:
            candidates = np.intersect1d(candidates, state.blasted, assume_unique=True)
        chosen = choose_weighted(world.rng, candidates, state.weight[candidates], wanted)
        if campaign.incident == incidents.SUPPRESSION_OFF.name:
            chosen = _with_one_of(chosen, np.flatnonzero(state.processed[:joined] < campaign.starts_at))
    world.owed[campaign.channel] = wanted - len(chosen)
    if campaign.incident in (incidents.FLASH_SALE.name, incidents.RETRY_LOOP.name):
        state.blasted = chosen
    return chosen


def _with_one_of(chosen: Index, wanted: Index) -> Index:
    """The chosen, one of them exchanged where none is among those wanted: the smallest sample shows its wrong too."""
    if not len(chosen) or not len(wanted) or np.isin(chosen, wanted).any():
        return chosen
    return np.sort(np.append(chosen[1:], wanted[0]))


def send(world: World, number: int, campaign: Campaign) -> int:
    """Sends one campaign, the `number`th of the plan; returns how many messages it had."""
    state = world.states[campaign.channel]
    pairs = _recipients(world, campaign, state)
    count = len(pairs)
    if not count:
        return 0
    latest = min(campaign.seconds, HORIZON - campaign.starts_at)
    sent_at = (campaign.starts_at + world.rng.integers(0, latest, count)).astype(np.int32)
    begins = state.begins[pairs]
    inside = (begins < sent_at) & (sent_at < state.ends[pairs]) & campaign.is_marketing
    blocked = (state.provider_block[pairs] < sent_at) & (sent_at < state.ends[pairs]) & campaign.is_marketing
    mail_rows = np.zeros(0, dtype=MAIL_ROW)
    if campaign.channel == SMS:
        serials, arrived = _by_sms(world, number, state.person[pairs], sent_at, blocked)
    elif campaign.channel == WHATSAPP:
        serials, arrived = _by_whatsapp(world, number, campaign, state.person[pairs], sent_at, blocked)
    else:
        mail_rows, arrived = _by_mail(world, number, state, pairs, sent_at)
        serials = mail_rows["serial"]
    if inside.any():
        _blame(world, campaign, state, pairs[inside], sent_at[inside], blocked[inside], serials[inside])
    if campaign.is_marketing:
        blame_others(world, campaign, state, pairs, sent_at, serials, ~inside, arrived)
        _remember_reached(state, pairs[arrived], sent_at[arrived])
        if campaign.channel == WHATSAPP:
            _evidence(world, state, pairs, sent_at, blocked & (begins == NEVER))
        answered = mail_rows[arrived] if len(mail_rows) else mail_rows
        react(world, number, campaign, state, pairs[arrived], sent_at[arrived], answered)
        if len(mail_rows):
            mail_rows[arrived] = answered
    world.outbox.mail.add(mail_rows)
    return count


def _blame(
    world: World,
    campaign: Campaign,
    state: ChannelState,
    pairs: Index,
    sent_at: Seconds,
    suppressed: NDArray[np.bool_],
    serials: NDArray[np.int64],
) -> None:
    due = places.deadlines(world.people, state.person[pairs], state.channel, state.begins[pairs])
    classes = classify(sent_at, suppressed, state.processed[pairs], due)
    cause = state.cause[pairs]
    if campaign.incident == incidents.SUPPRESSION_OFF.name:
        # Who was never processed would have got it anyway.
        cause = np.where(state.processed[pairs] < campaign.starts_at, incidents.NUMBER_OF[campaign.incident], cause)
    source = SOURCES[campaign.channel]
    ids = MESSAGE_IDS[source](serials, world.seed)
    for number, finding_class in enumerate(FINDING_CLASSES):
        for incident in np.unique(cause[classes == number]).tolist():
            which = (classes == number) & (cause == incident)
            planted = incidents.INCIDENTS[incident - 1] if incident else incidents.NATURAL
            world.key.add(
                "message_after_opt_out", source, "message_id", ids.filter(pl.Series(which)), finding_class, planted
            )


def _remember_reached(state: ChannelState, pairs: Index, sent_at: Seconds) -> None:
    state.reached_months[pairs] |= (1 << month_of(sent_at)).astype(np.uint8)
    state.reached_weeks[pairs] |= (1 << week_of(sent_at)).astype(np.uint32)


def _evidence(world: World, state: ChannelState, pairs: Index, sent_at: Seconds, first: NDArray[np.bool_]) -> None:
    """A refusal whose webhook was lost is the first trace of the opt-out: the span begins with it."""
    who, when = pairs[first], sent_at[first]
    noticed = np.minimum(when.astype(np.int64) + _EVIDENCE_NOTICED_AFTER, NEVER).astype(np.int32)
    nothing = np.zeros(len(who), dtype=np.int64)
    state.open_spans(world.spans, who, when, when, noticed, state.cause[who], (BY_WHATSAPP, nothing))


def _by_sms(
    world: World, number: int, person: NDArray[np.int32], sent_at: Seconds, blocked: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    count = len(person)
    luck = world.rng.random(count)
    status = np.select(
        [blocked, luck < 0.006, luck < 0.028, luck < 0.043], [FAILED, FAILED, UNDELIVERED, SENT], DELIVERED
    )
    carrier = np.asarray(_SMS_UNDELIVERED)[world.rng.integers(0, len(_SMS_UNDELIVERED), count)]
    error = np.select([blocked, status == FAILED, status == UNDELIVERED], [_SMS_BLOCKED, 30007, carrier], 0)
    buffer = world.outbox.twilio
    serials = buffer.serials(count)
    rows = rows_of(TWILIO_ROW, count, at=sent_at, person=person, kind=OUTBOUND, error=error, status=status)
    rows["text"] = len(texts.REPLIES) + number
    rows["serial"] = serials
    buffer.add(rows)
    return serials, (status == DELIVERED) | (status == SENT)


def _by_whatsapp(
    world: World,
    number: int,
    campaign: Campaign,
    person: NDArray[np.int32],
    sent_at: Seconds,
    blocked: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    count = len(person)
    rng = world.rng
    luck = rng.random(count)
    # Transactional messages never fail here: a failure carries no price category, so nothing would tell what it was.
    unlucky = luck < (0.016 if campaign.is_marketing else 0.0)
    error = np.select(
        [blocked, unlucky & (luck < 0.012), unlucky], [_WHATSAPP_BLOCKED, _WHATSAPP_KEPT_BACK, _WHATSAPP_EXPERIMENT], 0
    )
    failed = error > 0
    delivered = ~failed & (rng.random(count) < 0.96)
    is_read = delivered & (rng.random(count) < 0.68)
    delivered_at = sent_at + rng.integers(1, 90, count)
    read_at = delivered_at + np.exp(np.log(1_500) + 1.4 * rng.standard_normal(count)).clip(2, 4 * DAY).astype(np.int64)
    buffer = world.outbox.whatsapp
    serials = buffer.serials(count)
    for kind, which, stamp in (
        (WA_FAILED, failed, sent_at),
        (WA_SENT, ~failed, sent_at),
        (WA_DELIVERED, delivered, delivered_at),
        (WA_READ, is_read, read_at),
    ):
        rows = rows_of(
            WHATSAPP_ROW, count, stamp=stamp, person=person, kind=kind, campaign=number, error=error, serial=serials
        )
        _arrive(world, rows[which])
    return serials, ~failed


def _arrive(world: World, rows: Rows) -> None:
    """Webhooks arrive within seconds, a few of them hours late, a few of them twice; none during the outage."""
    rng = world.rng
    count = len(rows)
    outage = incidents.PROVIDER_OUTAGE
    held = (rows["stamp"] >= outage.starts_at) & (rows["stamp"] < outage.ends_at)
    rows["stamp"][held] = [incidents.after_outage(second) for second in rows["stamp"][held].tolist()]
    late = (rng.random(count) < _SHARE_LATE_WEBHOOK) & (rows["stamp"] < HORIZON - _LATEST_WEBHOOK)
    rows["at"] = rows["stamp"] + np.where(late, rng.integers(600, _LATEST_WEBHOOK, count), rng.integers(0, 4, count))
    repeated = rows[rng.random(count) < _SHARE_REPEATED_WEBHOOK]
    repeated["repeat"] = True
    repeated["at"] += rng.integers(5, 6 * HOUR, len(repeated))
    for some in (rows, repeated):
        held = (some["at"] >= outage.starts_at) & (some["at"] < outage.ends_at)
        some["at"][held] = outage.ends_at + 300
        world.outbox.whatsapp.add(some[some["at"] < HORIZON])


def _by_mail(
    world: World, number: int, state: ChannelState, pairs: Index, sent_at: Seconds
) -> tuple[Rows, NDArray[np.bool_]]:
    count = len(pairs)
    is_email = CHANNEL_NAMES[state.channel] == "email"
    delivered = world.rng.random(count) < (0.98 if is_email else 0.93)
    rows = rows_of(
        MAIL_ROW,
        count,
        at=sent_at,
        person=state.person[pairs],
        channel=state.channel,
        campaign=number,
        delivered=delivered,
        unsubscribed_at=-1,
        complained_at=-1,
        suppressed_at=-1,
        serial=world.outbox.mail.serials(count),
    )
    return rows, delivered
