"""How people answer a sending: some ask to stop, some ask again, some chat; most do nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.sample import opt_outs, replies, texts
from pipelines.sample.campaigns import Campaign
from pipelines.sample.clock import DAY, HORIZON, HOUR, MINUTE, NEVER, WEEK, at
from pipelines.sample.draws import choose
from pipelines.sample.identifiers import twilio_sids
from pipelines.sample.incidents import LINKS_SCANNED, REPLIES_MISSED, after_outage
from pipelines.sample.people import EMAIL, PUSH, SIBLING, SMS, WHATSAPP
from pipelines.sample.records import AGENT, PREFERENCE_CENTER, WA_INBOUND, WEB_FORM, WHATSAPP_ROW, Rows, rows_of
from pipelines.sample.state import ChannelState, Index, Seconds
from pipelines.sample.world import World

# Opt-outs per marketing message that arrives, before the sender learned to write less (see _mood).
RATES = {SMS: 0.0100, WHATSAPP: 0.0105, EMAIL: 0.0050, PUSH: 0.0022}
_ASKING_AGAIN = 0.12
_A_DAY_AND_MORE = DAY + HOUR
_MISSPELLED = 0.05  # replies nobody records, as a share of the opt-outs
_DOUBTFUL = 0.25  # of those replies, the share that only may be a request
_CHATTER = {SMS: 0.002, WHATSAPP: 0.004}
# Of e-mails that arrive while a gateway opens links, the share whose link to unsubscribe it opens, and how soon.
_SCANNED = 0.004
_SCAN_SECONDS = (2, 8)
# The sender wrote better and less from August on; the rate falls evenly for the last thirteen weeks.
_BETTER_FROM = at("2026-08-10")
_BETTER_WEEKS = 13
_BEST_MOOD = 0.67
# How people ask, by channel; the shares add up to one.
_WAYS = {
    SMS: {
        "keyword": 0.43,
        "punctuated": 0.04,
        "misspelled": 0.04,
        "web_form": 0.23,
        "preference_center": 0.17,
        "agent": 0.06,
        "all": 0.03,
    },
    WHATSAPP: {"stop": 0.50, "preference_center": 0.46, "all": 0.04},
    EMAIL: {"link": 0.78, "complaint": 0.04, "preference_center": 0.15, "all": 0.03},
    PUSH: {"link": 0.85, "preference_center": 0.15},
}
_WAYS_AGAIN = {
    SMS: {"keyword": 0.4, "web_form": 0.6},
    WHATSAPP: {"stop": 1.0},
    EMAIL: {"link": 0.7, "preference_center": 0.3},
    PUSH: {"link": 1.0},
}
_CRM_METHODS = {
    "web_form": WEB_FORM,
    "preference_center": PREFERENCE_CENTER,
    "agent": AGENT,
    "misspelled": AGENT,
    "punctuated": AGENT,
    "all": PREFERENCE_CENTER,
}


def _mood(second: int) -> float:
    weeks = (second - _BETTER_FROM) // WEEK
    return 1.0 - (1.0 - _BEST_MOOD) * min(max(weeks, 0), _BETTER_WEEKS - 1) / (_BETTER_WEEKS - 1)


def _reaction_times(world: World, sent_at: Seconds) -> Seconds:
    count = len(sent_at)
    soon = np.exp(np.log(25 * MINUTE) + 1.1 * world.rng.standard_normal(count))
    slow = world.rng.random(count) * 30 * HOUR
    delay = np.where(world.rng.random(count) < 0.7, soon, slow)
    return np.asarray(sent_at + np.clip(delay, 20, 60 * HOUR), dtype=np.int32)


def react(
    world: World,
    number: int,
    campaign: Campaign,
    state: ChannelState,
    pairs: Index,
    sent_at: Seconds,
    mail_rows: Rows,
) -> None:
    """Lets the people reached by a marketing campaign answer it; `mail_rows` get their unsubscribes filled in."""
    channel = state.channel
    # Who was not heard does not ask again within a day: what nobody recorded stays unrecorded.
    unheard = state.unheard_at[pairs] >= sent_at - _A_DAY_AND_MORE
    fresh = np.flatnonzero((state.begins[pairs] == NEVER) & (state.provider_block[pairs] == NEVER) & ~unheard)
    expected = RATES[channel] * _mood(campaign.starts_at) * campaign.appeal * len(fresh)
    leaving = choose(world.rng, fresh, world.quota(f"leaving {channel}").take(expected, len(fresh)))
    _leave(world, number, state, pairs, sent_at, mail_rows, leaving, again=False)
    if channel == EMAIL and LINKS_SCANNED.starts_at <= campaign.starts_at < LINKS_SCANNED.ends_at:
        _scan(world, state, pairs, sent_at, mail_rows)
    open_now = (state.begins[pairs] < sent_at) & (state.ends[pairs] == NEVER) & ~state.every_channel[pairs]
    # The answer to one request is there before the next is made.
    open_now &= state.last_act[pairs] < sent_at - HOUR
    annoyed = np.flatnonzero(open_now)
    count = world.quota(f"again {channel}").take(_ASKING_AGAIN * len(annoyed), len(annoyed))
    _leave(world, number, state, pairs, sent_at, mail_rows, choose(world.rng, annoyed, count), again=True)
    if channel in _CHATTER:
        _chat(world, state, pairs, sent_at, expected)


def _scan(world: World, state: ChannelState, pairs: Index, sent_at: Seconds, mail_rows: Rows) -> None:
    """A machine opens the links of some mails as they arrive: to every record, an unsubscribe like any other."""
    fresh = np.flatnonzero((state.begins[pairs] == NEVER) & (state.provider_block[pairs] == NEVER))
    count = world.quota("scanned").take(_SCANNED * len(fresh), len(fresh))
    chosen = choose(world.rng, fresh, count)
    low, high = _SCAN_SECONDS
    requested = np.asarray(sent_at[chosen] + world.rng.integers(low, high + 1, len(chosen)), dtype=np.int32)
    _mark(world, state, mail_rows, chosen, pairs[chosen], requested, complains=False, again=False)


def _leave(
    world: World,
    number: int,
    state: ChannelState,
    pairs: Index,
    sent_at: Seconds,
    mail_rows: Rows,
    chosen: Index,
    again: bool,
) -> None:
    requested = _reaction_times(world, sent_at[chosen])
    on_record = requested < HORIZON
    chosen, requested = chosen[on_record], requested[on_record]
    who = pairs[chosen]
    way = _way(world, state, who, requested, again)
    for name in np.unique(way).tolist():
        which = way == name
        if name == "keyword":
            opt_outs.by_keyword(world, state, who[which], requested[which], again)
        elif name == "stop":
            opt_outs.by_whatsapp_stop(world, state, who[which], requested[which], again)
        elif name in ("link", "complaint"):
            _mark(world, state, mail_rows, chosen[which], who[which], requested[which], name == "complaint", again)
        else:
            person = state.person[who[which]]
            if name == "misspelled":
                replies.reply(world, person, requested[which], texts.MISSPELLED_AT, len(texts.MISSPELLED))
            if name == "punctuated":
                replies.reply(world, person, requested[which], texts.PUNCTUATED_AT, len(texts.PUNCTUATED))
            opt_outs.by_crm(
                world,
                state,
                who[which],
                requested[which],
                _CRM_METHODS[name],
                number,
                again,
                every_channel=name == "all",
                # Whether the provider acts on such a reply is not for sure: nothing is sent before the CRM's own date.
                at_once=name == "punctuated",
            )


def _way(world: World, state: ChannelState, who: Index, requested: Seconds, again: bool) -> NDArray[np.str_]:
    """How each of them asks; people without an address the CRM knows use what their channel offers."""
    ways = (_WAYS_AGAIN if again else _WAYS)[state.channel]
    names = np.array(list(ways))
    name = f"way {state.channel} {again}"
    way = names[np.searchsorted(np.cumsum(list(ways.values()))[:-1], world.spread(name, len(who)), side="right")]
    person = state.person[who]
    if state.channel == WHATSAPP:
        way = np.where(world.people.without_phone_number[person], "stop", way)
    if state.channel == PUSH:
        way = np.where(world.people.device_token[person], "link", way)
    everything = way == "all"
    if everything.any():
        position, found = opt_outs.sibling_pairs(world, state, who)
        sibling = world.states[SIBLING[state.channel]]
        free = ~found | (
            (sibling.begins[position] == NEVER)
            & (sibling.provider_block[position] == NEVER)
            & (sibling.ends[position] == NEVER)
            & (sibling.unheard_at[position] < requested - _A_DAY_AND_MORE)
        )
        free &= (state.unheard_at[who] < requested - _A_DAY_AND_MORE) & ~world.people.unrecorded[person]
        way = np.where(everything & ~free, "preference_center", way)
    return way


def _mark(
    world: World,
    state: ChannelState,
    mail_rows: Rows,
    chosen: Index,
    who: Index,
    requested: Seconds,
    complains: bool,
    again: bool,
) -> None:
    mail_rows["complained_at" if complains else "unsubscribed_at"][chosen] = requested
    mail_rows["suppressed_at"][chosen] = opt_outs.by_mail_tool(world, state, who, requested, again)
    if not complains:
        mail_rows["reason"][chosen] = opt_outs.reasons(world, "mail", len(chosen))


def _chat(world: World, state: ChannelState, pairs: Index, sent_at: Seconds, expected_opt_outs: float) -> None:
    channel = state.channel
    count = world.quota(f"chatter {channel}").take(_CHATTER[channel] * len(pairs), len(pairs))
    chosen = choose(world.rng, np.arange(len(pairs)), count)
    received = _reaction_times(world, sent_at[chosen])
    chosen, received = chosen[received < HORIZON], received[received < HORIZON]
    person = state.person[pairs[chosen]]
    if channel == WHATSAPP:
        stamp = np.array([after_outage(second) for second in received.tolist()], dtype=np.int32)
        buffer = world.outbox.whatsapp
        buffer.add(
            rows_of(
                WHATSAPP_ROW,
                len(person),
                at=stamp + 1,
                stamp=stamp,
                person=person,
                kind=WA_INBOUND,
                text=texts.CHATTER_AT + world.rng.integers(0, len(texts.CHATTER), len(person)),
                serial=buffer.serials(len(person)),
            )
        )
        return
    replies.reply(world, person, received, texts.CHATTER_AT, len(texts.CHATTER))
    fresh = np.flatnonzero(state.begins[pairs] == NEVER)
    count = world.quota("misspelled").take(_MISSPELLED * expected_opt_outs, len(fresh))
    missed = choose(world.rng, fresh, count)
    received = _reaction_times(world, sent_at[missed])
    missed, received = missed[received < HORIZON], received[received < HORIZON]
    state.unheard_at[pairs[missed]] = np.maximum(state.unheard_at[pairs[missed]], received)
    doubtful = world.spread("doubtful", len(missed)) < _DOUBTFUL
    for which, first_text, count, finding_class in (
        (~doubtful, texts.MISSPELLED_AT, len(texts.MISSPELLED), "certain"),
        (doubtful, texts.DOUBTFUL_AT, len(texts.DOUBTFUL), "possible"),
    ):
        serials = replies.reply(world, state.person[pairs[missed[which]]], received[which], first_text, count)
        ids = twilio_sids(serials, world.seed)
        world.key.add("opt_out_request_missed", "twilio", "message_id", ids, finding_class, REPLIES_MISSED)
