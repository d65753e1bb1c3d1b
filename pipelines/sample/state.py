"""What the simulated world knows of every (person, channel): who left when, who knows of it, and who was reached."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipelines.sample import draws
from pipelines.sample.clock import DAY, NEVER
from pipelines.sample.people import CHANNELS, SMS, WHATSAPP, People

Index = NDArray[np.int64]
Seconds = NDArray[np.int32]
# Who recorded acts, and their serial numbers there.
Act = tuple[int, Index]
BY_CRM, BY_TWILIO, BY_MAIL, BY_WHATSAPP = range(4)
_LONG_AGO = -(2**30)


@dataclass
class SpanLog:
    """Every opt-out span of the record in the order in which it became known; grows by doubling."""

    count: int = 0
    channel: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(256, dtype=np.uint8))
    pair: NDArray[np.int32] = field(default_factory=lambda: np.zeros(256, dtype=np.int32))
    begins: Seconds = field(default_factory=lambda: np.zeros(256, dtype=np.int32))
    processed: Seconds = field(default_factory=lambda: np.zeros(256, dtype=np.int32))
    ends: Seconds = field(default_factory=lambda: np.zeros(256, dtype=np.int32))
    cause: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(256, dtype=np.uint8))
    # The act that began it: who recorded it, and its serial number there.
    recorder: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(256, dtype=np.uint8))
    serial: Index = field(default_factory=lambda: np.zeros(256, dtype=np.int64))

    def append(
        self,
        channel: int,
        pairs: Index,
        begins: Seconds,
        processed: Seconds,
        cause: NDArray[np.uint8],
        act: Act,
    ) -> NDArray[np.int32]:
        """Adds spans and returns their positions."""
        first, last = self.count, self.count + len(pairs)
        if last > len(self.pair):
            size = max(last, 2 * len(self.pair))
            for name in ("channel", "pair", "begins", "processed", "ends", "cause", "recorder", "serial"):
                setattr(self, name, np.resize(getattr(self, name), size))
        self.channel[first:last] = channel
        self.pair[first:last] = pairs
        self.begins[first:last] = begins
        self.processed[first:last] = processed
        self.ends[first:last] = NEVER
        self.cause[first:last] = cause
        self.recorder[first:last], self.serial[first:last] = act
        self.count = last
        return np.arange(first, last, dtype=np.int32)


@dataclass
class ChannelState:
    """One row per person who can be reached on the channel; times are NEVER until they happen."""

    channel: int
    person: NDArray[np.int32]
    joined_at: Seconds
    weight: NDArray[np.float32]  # how often the person is chosen for a campaign
    careful: NDArray[np.bool_]  # the sender stops at the request: another law's deadline might apply
    begins: Seconds  # begin of the open (or already decided) opt-out span
    processed: Seconds  # earliest processed_at on record for it
    sender_stop: Seconds  # when the sender stops trying
    provider_block: Seconds  # when the provider starts refusing
    ends: Seconds  # when the span will end
    last_act: Seconds  # the latest act of the span, done or decided
    every_channel: NDArray[np.bool_]  # the span covers every channel
    cause: NDArray[np.uint8]  # the incident behind it, 0 for none
    span: NDArray[np.int32]
    reached_months: NDArray[np.uint8]  # one bit per month
    reached_weeks: NDArray[np.uint32]  # one bit per week
    consented_at: Seconds  # the first opt-in on record
    unheard_at: Seconds  # the latest request to stop that nobody recorded
    recent: NDArray[np.int32]  # when the last three messages reached the pair, latest first
    blasted: Index = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # who got the first of several blasts

    def joined_by(self, second: int) -> int:
        """How many have joined; they are the first rows."""
        return int(np.searchsorted(self.joined_at, second))

    def open_spans(
        self,
        spans: SpanLog,
        pairs: Index,
        begins: Seconds,
        processed: Seconds,
        sender_stop: Seconds,
        cause: NDArray[np.uint8],
        act: Act,
    ) -> None:
        """Begins a span for each pair (none has one yet)."""
        self.begins[pairs] = begins
        self.last_act[pairs] = begins
        self.processed[pairs] = processed
        self.sender_stop[pairs] = sender_stop
        self.cause[pairs] = cause
        self.span[pairs] = spans.append(self.channel, pairs, begins, processed, cause, act)

    def heeded_at(self, pairs: Index, begins: Seconds, processed: Seconds) -> Seconds:
        """When the sender stops: once processed, or at once where it is careful."""
        return np.where(self.careful[pairs], begins, processed).astype(np.int32)

    def repeat(
        self, spans: SpanLog, pairs: Index, requested: Seconds, processed: Seconds, sender_stop: Seconds
    ) -> None:
        """Asks again inside an open span: the earliest processing of all acts counts."""
        self.last_act[pairs] = np.maximum(self.last_act[pairs], requested)
        self.processed[pairs] = np.minimum(self.processed[pairs], processed)
        self.sender_stop[pairs] = np.minimum(self.sender_stop[pairs], sender_stop)
        rows = self.span[pairs]
        spans.processed[rows] = np.minimum(spans.processed[rows], processed)

    def close(self, pairs: Index) -> None:
        """Forgets spans that have ended."""
        for column in (self.begins, self.processed, self.sender_stop, self.provider_block, self.ends, self.last_act):
            column[pairs] = NEVER
        self.cause[pairs] = 0
        self.every_channel[pairs] = False


@dataclass
class Endings:
    """Spans that will end on a known day."""

    spans: SpanLog
    by_day: dict[int, list[tuple[int, Index]]] = field(default_factory=dict)

    def schedule(self, state: ChannelState, pairs: Index, ends: Seconds) -> None:
        """Sets when the spans end; the pairs are free again from the following day."""
        state.ends[pairs] = ends
        state.consented_at[pairs] = np.minimum(state.consented_at[pairs], ends)
        self.spans.ends[state.span[pairs]] = ends
        days = ends // DAY + 1
        for day in np.unique(days):
            self.by_day.setdefault(int(day), []).append((state.channel, pairs[days == day]))

    def apply(self, states: dict[int, ChannelState], day: int) -> None:
        """Closes the spans that ended before this day."""
        for channel, pairs in self.by_day.pop(day, []):
            states[channel].close(pairs)


def opted_in_at(people: People, person: Index, channel: int) -> Index:
    """When each person's opt-in to the channel is recorded: just before the sender counts them in."""
    return people.joined_at[person].astype(np.int64) - 1 - 20 * channel


def channel_states(people: People) -> dict[int, ChannelState]:
    """The state of every channel on the first day: nobody has left."""
    states = {}
    for channel in CHANNELS:
        person = np.flatnonzero(people.member[channel]).astype(np.int32)
        count = len(person)
        habit = draws.fraction(person.astype(np.int64), people.seed, 30 + channel)
        weight = np.where(habit < 0.25, 0.6, np.where(habit < 0.8, 1.0, 1.5)).astype(np.float32)

        def never(size: int = count) -> Seconds:
            return np.full(size, NEVER, dtype=np.int32)

        states[channel] = ChannelState(
            channel=channel,
            person=person,
            joined_at=people.joined_at[person],
            weight=weight,
            careful=(people.british[person] >= 0) | (channel == WHATSAPP),
            begins=never(),
            processed=never(),
            sender_stop=never(),
            provider_block=never(),
            ends=never(),
            last_act=never(),
            every_channel=np.zeros(count, dtype=np.bool_),
            cause=np.zeros(count, dtype=np.uint8),
            span=np.full(count, -1, dtype=np.int32),
            reached_months=np.zeros(count, dtype=np.uint8),
            reached_weeks=np.zeros(count, dtype=np.uint32),
            consented_at=np.where(
                people.unrecorded[person], NEVER, opted_in_at(people, person.astype(np.int64), channel)
            ).astype(np.int32),
            unheard_at=np.full(count, _LONG_AGO, dtype=np.int32),
            recent=np.full((3, count if channel == SMS else 0), _LONG_AGO, dtype=np.int32),
        )
    return states
