"""The simulated world: people, channel states, what waits to be written, and every source of chance."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipelines.sample.draws import EvenSequence, Quota
from pipelines.sample.key import Key
from pipelines.sample.people import CHANNELS, People, populate
from pipelines.sample.records import Outbox
from pipelines.sample.state import ChannelState, Endings, SpanLog, channel_states

_GOLDEN = 0.6180339887498949
_ROOT_OF_TWO = 0.4142135623730951
_ROOT_OF_THREE = 0.7320508075688772


@dataclass
class World:
    """Everything the day loop needs."""

    seed: int
    people: People
    states: dict[int, ChannelState]
    key: Key
    rng: np.random.Generator
    outbox: Outbox = field(default_factory=Outbox)
    spans: SpanLog = field(default_factory=SpanLog)
    endings: Endings = field(init=False)
    quotas: dict[str, Quota] = field(default_factory=dict)
    sequences: dict[str, EvenSequence] = field(default_factory=dict)
    owed: dict[int, int] = field(default_factory=dict)  # messages a too small list could not take, by channel

    def __post_init__(self) -> None:
        self.endings = Endings(self.spans)

    def quota(self, name: str) -> Quota:
        """The running account of one rate."""
        return self.quotas.setdefault(name, Quota())

    def spread(self, name: str, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """`count` numbers that fill [0, 1) evenly, from the sequence of that name."""
        if name not in self.sequences:
            step = (_GOLDEN, _ROOT_OF_TWO, _ROOT_OF_THREE)[len(self.sequences) % 3]
            self.sequences[name] = EvenSequence(step, (self.seed * _GOLDEN + len(self.sequences) * 0.37) % 1.0)
        return self.sequences[name].take(count)


def create(messages: int, seed: int, key: Key) -> World:
    """A world on its first morning, sized for this many messages."""
    people = populate(messages, seed)
    return World(
        seed,
        people,
        channel_states(people),
        key,
        np.random.default_rng([seed, 20_260_504]),
        owed=dict.fromkeys(CHANNELS, 0),
    )
