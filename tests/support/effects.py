"""Deliveries with one planted effect, or with none: canonical files of a seeded world in which chance is all there is.

The world: 28 ISO weeks from Monday 6 April 2026, two channels (email and push) with a campaign each on every day, each
to a fresh random choice of the contacts who have not left. Every message drives its reader away with the same chance;
who leaves does so after a delay that knows nothing of clocks, and is taken off the list within hours. An effect changes
one thing of this, and `planted` gives its truth with the delivery.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars
from numpy.typing import NDArray

from tests.support.home import Home, source

FIRST_DAY = date(2026, 4, 6)
WEEKS = 28
DAYS = WEEKS * 7
CHANNELS = ("email", "push")
_START = datetime(2026, 4, 6, tzinfo=UTC)
_DAY, _HOUR = 86_400.0, 3_600.0
_SENDING_HOURS = (9, 12, 15, 18)
_METHODS = {"email": ("link", "preference_center", "agent"), "push": ("preference_center", "api", "agent")}
_REASONS = ("too_frequent", "not_relevant", "never_signed_up", "content", "")
_SOURCES = ("own_web", "ad_campaign", "offline")

Floats = NDArray[np.float64]
Indexes = NDArray[np.int64]
#: The chance with which each of some messages drives its reader away: of their day, the messages each contact got in
#: the seven days before, and the campaign's place (channel, day).
Hazard = Callable[[int, Floats, str], Floats]


@dataclass(frozen=True)
class Effect:
    """What differs from a world of chance.

    `hazard`: chance by message. `hour`: share of leavers who wait until this hour of the day. `slow`: days on which
    opt-outs are asked for that are processed four days late. `scanned`: share of email mailboxes behind a scanner, and
    the chance with which it opens the link of a message. `uneven`: a quarter of the contacts get most messages.
    """

    name: str
    hazard: Hazard
    hour: tuple[int, float] | None = None
    slow: tuple[int, int] | None = None
    scanned: tuple[float, float] | None = None
    uneven: bool = False


BASE = 0.008
BAD_DAY = 101  # Thursday of the fifteenth week
STEP_WEEK = 16
SLOW_DAYS = (18 * 7, 20 * 7)
HOUR = 21
SATURDAY = 5


def _constant(chance: float) -> Hazard:
    return lambda _day, recent, _channel: np.full(len(recent), chance)


def _by_day(chance: Callable[[int, str], float]) -> Hazard:
    return lambda day, recent, channel: np.full(len(recent), chance(day, channel))


#: Every effect by its name.
EFFECTS = {
    effect.name: effect
    for effect in (
        Effect("noise", _constant(BASE)),
        Effect("bad_campaign", _by_day(lambda day, one: 0.2 if (day, one) == (BAD_DAY, "email") else BASE)),
        Effect("step", _by_day(lambda day, _: BASE * (3 if day >= STEP_WEEK * 7 else 1))),
        Effect("weekday", _by_day(lambda day, _: BASE * (4 if day % 7 == SATURDAY else 1))),
        Effect("hour", _constant(BASE), hour=(HOUR, 0.5)),
        Effect("slow_fortnight", _constant(BASE), slow=SLOW_DAYS),
        Effect("pressure", lambda _day, recent, _channel: 0.003 + 0.006 * recent, uneven=True),
        Effect("scanners", _constant(BASE), scanned=(0.2, 0.03)),
        Effect("trend", _by_day(lambda day, _: 0.002 * 20 ** (day / DAYS))),
    )
}


@dataclass
class _Log:
    """Columns of rows in the making, a list of arrays each."""

    columns: dict[str, list[NDArray[np.generic]]] = field(default_factory=dict)

    def add(self, **columns: NDArray[np.generic]) -> None:
        for name, values in columns.items():
            self.columns.setdefault(name, []).append(values)

    def frame(self) -> polars.DataFrame:
        return polars.DataFrame({name: np.concatenate(parts) for name, parts in self.columns.items()})


@dataclass(frozen=True)
class Planted:
    """A delivery: its tables, and the effect in it."""

    effect: Effect
    messages: polars.DataFrame
    consent_events: polars.DataFrame
    campaigns: polars.DataFrame

    def home(self, path: Path) -> Home:
        """A home with these files, ready to run."""
        sources = "".join(
            source(name, name, f"inbox/{name}.parquet") for name in ("messages", "consent_events", "campaigns")
        )
        home = Home(path).configure(sources=sources, policy='rules = "none"\ndefault_deadline = "10d"')
        (path / "inbox").mkdir()
        for name in ("messages", "consent_events", "campaigns"):
            frame: polars.DataFrame = getattr(self, name)
            frame.write_parquet(path / "inbox" / f"{name}.parquet")
        return home


def planted(name: str, seed: int, *, messages: int = 40_000, contacts: int = 2_000) -> Planted:
    """A delivery of about so many messages with the effect of that name in it; the same seed gives the same rows."""
    effect = EFFECTS[name]
    draw = np.random.default_rng([seed, messages])
    sent, events = _Log(), _Log()
    for channel in CHANNELS:
        _simulate(effect, channel, draw, sent, events, contacts, messages // (DAYS * len(CHANNELS)))
    return Planted(effect, _messages(sent.frame()), _events(events.frame()), _campaigns())


def with_chance(name: str, chance: float) -> Effect:
    """An effect of another base chance, for weaker worlds."""
    return replace(EFFECTS[name], hazard=_constant(chance))


def _simulate(
    effect: Effect, channel: str, draw: np.random.Generator, sent: _Log, events: _Log, contacts: int, per_day: int
) -> None:
    """All days of one channel: who gets a message, who leaves and when."""
    everyone = np.arange(contacts)
    weights = np.where(everyone % 4 == 0, 6.0, 1.0) if effect.uneven else np.ones(contacts)
    scanned = everyone % 100 < 100 * effect.scanned[0] if effect.scanned and channel == "email" else everyone < 0
    leaves_at = np.full(contacts, np.inf)
    history = np.zeros((DAYS + 7, contacts))
    joined = draw.uniform(-120 * _DAY, -1 * _DAY, contacts)
    events.add(
        contact=everyone, channel=np.full(contacts, channel), event_type=np.full(contacts, "opt_in"), at=joined,
        processed=joined, method=np.full(contacts, "web_form"), source_type=draw.choice(_SOURCES, contacts),
        reason=np.full(contacts, ""), message=np.full(contacts, ""),
    )  # fmt: skip
    for day in range(DAYS):
        hour = draw.choice(_SENDING_HOURS) * _HOUR
        listed = everyone[leaves_at > day * _DAY + hour]
        chance = weights[listed] / weights[listed].sum()
        chosen = draw.choice(listed, min(per_day, len(listed)), replace=False, p=chance)
        at = day * _DAY + hour + draw.uniform(0, 1_800, len(chosen))
        numbers = np.array([f"{channel}-{day:03d}-{one:04d}" for one in chosen])
        sent.add(
            message=numbers, contact=chosen, channel=np.full(len(chosen), channel), at=at,
            day=np.full(len(chosen), day),
        )  # fmt: skip
        # Those who left between the start of the sending and their turn would be findings, not numbers.
        recent = history[day : day + 7, chosen].sum(axis=0)
        history[day + 7, chosen] += 1
        leaving = draw.uniform(size=len(chosen)) < effect.hazard(day, recent, channel)
        wait = 90.0 + draw.exponential(3 * _HOUR, len(chosen))
        asked = at + np.minimum(wait, 2 * _DAY)
        if effect.hour:
            until = np.floor(asked / _DAY) * _DAY + effect.hour[0] * _HOUR + draw.uniform(0, _HOUR, len(chosen))
            until += np.where(until < asked, _DAY, 0)
            asked = np.where(draw.uniform(size=len(chosen)) < effect.hour[1], until, asked)
        opened = scanned[chosen] & (draw.uniform(size=len(chosen)) < (effect.scanned or (0, 0))[1])
        asked = np.where(opened, at + draw.uniform(2.5, 8, len(chosen)), asked)
        who = leaving | opened
        # Somebody who is about to leave may get a second message before; the first request counts.
        first = who & (asked < leaves_at[chosen])
        methods = np.where(opened, "link", draw.choice(_METHODS[channel], len(chosen), p=(0.6, 0.3, 0.1)))
        is_slow = (
            (asked >= effect.slow[0] * _DAY) & (asked < effect.slow[1] * _DAY)
            if effect.slow
            else np.zeros(len(chosen), dtype=bool)
        )
        took = draw.lognormal(np.log(_HOUR), 0.5, len(chosen)) + np.where(is_slow, 4 * _DAY, 0)
        events.add(
            contact=chosen[first], channel=np.full(first.sum(), channel), event_type=np.full(first.sum(), "opt_out"),
            at=asked[first], processed=(asked + took)[first], method=methods[first],
            source_type=np.full(first.sum(), ""), reason=draw.choice(_REASONS, len(chosen))[first],
            message=numbers[first],
        )  # fmt: skip
        leaves_at[chosen] = np.where(first, asked, leaves_at[chosen])


def _instants(column: str) -> polars.Expr:
    start = polars.lit(_START).cast(polars.Datetime("us", "UTC"))
    return start + polars.duration(microseconds=(polars.col(column) * 1_000_000).round().cast(polars.Int64))


def _address() -> polars.Expr:
    number = polars.col("contact").cast(polars.String)
    return (
        polars.when(polars.col("channel") == "email")
        .then(polars.format("anna{}@example.com", number))
        .otherwise(polars.format("token-{}", number))
    )


def _campaign_id() -> polars.Expr:
    return polars.format("{}-{}", polars.col("channel"), polars.col("day").cast(polars.String).str.zfill(3))


def _messages(sent: polars.DataFrame) -> polars.DataFrame:
    rows = sent.select(
        message_id=polars.col("message"), channel=polars.col("channel"), contact=_address(),
        campaign_id=_campaign_id(), message_class=polars.lit("marketing"), sent_at=_instants("at"),
        status=polars.lit("delivered"), status_at=_instants("at") + timedelta(seconds=2),
    )  # fmt: skip
    # One message on the Monday after: the last week is over by then.
    last = _START + timedelta(days=DAYS, hours=12)
    end = rows.head(1).with_columns(
        message_id=polars.lit("last"), contact=polars.lit("berta@example.com"), channel=polars.lit("email"),
        campaign_id=polars.lit(None, dtype=polars.String), message_class=polars.lit("transactional"),
        sent_at=polars.lit(last).cast(polars.Datetime("us", "UTC")),
        status_at=polars.lit(last).cast(polars.Datetime("us", "UTC")),
    )  # fmt: skip
    return polars.concat([rows, end])


def _events(events: polars.DataFrame) -> polars.DataFrame:
    # What is asked for after the record ends is not in it.
    within = events.filter(polars.col("at") < DAYS * _DAY + 12 * _HOUR).sort("at", "channel", "contact")
    end = DAYS * _DAY + 12 * _HOUR
    return within.with_row_index("number").select(
        event_id=polars.format("e{}", "number"), channel=polars.col("channel"), contact=_address(),
        event_type=polars.col("event_type"), requested_at=_instants("at"),
        processed_at=polars.when(polars.col("processed") <= end).then(_instants("processed")),
        method=polars.col("method"), actor=polars.lit("contact"),
        source_type=polars.col("source_type").replace("", None), reason_code=polars.col("reason").replace("", None),
        message_id=polars.col("message").replace("", None),
    )  # fmt: skip


def _campaigns() -> polars.DataFrame:
    days = polars.DataFrame({"day": range(DAYS)}).join(polars.DataFrame({"channel": CHANNELS}), how="cross")
    return days.with_columns(started=polars.col("day") * _DAY).select(
        campaign_id=_campaign_id(), channel=polars.col("channel"),
        name=polars.format("{} of day {}", "channel", "day"), language=polars.lit("en"),
        started_at=_instants("started"),
    )  # fmt: skip
