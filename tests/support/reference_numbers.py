"""The headline numbers, by counting and by exact fractions, in plain Python.

Part of the slow, obvious twin of the pipeline (see `tests.support.reference`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from statistics import median
from zoneinfo import ZoneInfo

from tests.support.reference_reading import words
from tests.support.reference_spans import Event, Message, Policy, Span, covers_pair, keyed_events

GRAINS = ("day", "week", "month", "all")
RATE_DIMENSIONS: tuple[tuple[str, ...], ...] = (
    (),
    ("channel",),
    ("program",),
    ("campaign_id",),
    ("channel", "program"),
    ("channel", "campaign_id"),
)
REASONS = frozenset(
    words(
        "too_frequent not_relevant never_signed_up content privacy found_alternative temporary wrong_recipient "
        "technical other unspecified"
    )
)

Place = tuple[str, date | None, str, str, str]
"""(grain, first day of the period, channel, program, campaign_id), `*` for all of them"""
Rates = dict[Place, tuple[int, int]]
"""numerator and denominator"""
Reasons = dict[tuple[str, date | None, str, str], tuple[int, int]]
"""by (grain, first day of the period, channel, reason)"""


@dataclass(frozen=True)
class Survival:
    """What can be said of durations in seconds of which some were still running when last seen."""

    median: float | None
    p90: float | None
    p95: float | None
    restricted_mean: float
    mean_completed: float | None
    open_count: int
    oldest_open_age: float | None


ResponseTimes = dict[tuple[str, date | None, str], Survival]
"""by (grain, first day of the period, channel)"""


@dataclass(frozen=True)
class Trend:
    """A direction (Increasing, Decreasing, No clear trend, Not enough data) and its slope in points a week."""

    direction: str
    slope: float | None
    weeks_used: int


def local_date(instant: datetime, policy: Policy) -> date:
    """The date of an instant in the reporting time zone."""
    return instant.astimezone(ZoneInfo(policy.report_timezone)).date()


def period_start(day: date, grain: str) -> date | None:
    """The first day of the period that `day` falls in; None for the whole record."""
    if grain == "all":
        return None
    if grain == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.isoweekday() - 1) if grain == "week" else day


def opt_out_rates(
    messages: Iterable[Message], spans: Iterable[Span], person_of: Mapping[str, str], policy: Policy
) -> Rates:
    """Of the (contact, channel) pairs reached in each place, how many began a span in its period.

    In a place of one program, a span must cover that program.
    """
    reached: dict[Place, set[tuple[str, str]]] = {}
    for message in messages:
        if not message.is_reached:
            continue
        for grain in GRAINS:
            start = period_start(local_date(message.sent_at, policy), grain)
            for dimensions in RATE_DIMENSIONS:
                if "campaign_id" in dimensions and message.campaign_id is None:
                    continue
                place = (
                    grain,
                    start,
                    message.channel if "channel" in dimensions else "*",
                    message.program if "program" in dimensions else "*",
                    (message.campaign_id or "") if "campaign_id" in dimensions else "*",
                )
                reached.setdefault(place, set()).add((message.contact, message.channel))

    spans = list(spans)
    pairs = {pair for members in reached.values() for pair in members}
    began = {
        (pair, program): _periods_begun(pair, spans, person_of, policy, program)
        for pair in pairs
        for program in {place[3] for place in reached}
    }
    return {
        place: (sum(place[:2] in began[pair, place[3]] for pair in members), len(members))
        for place, members in reached.items()
    }


def _periods_begun(
    pair: tuple[str, str], spans: Iterable[Span], person_of: Mapping[str, str], policy: Policy, program: str = "*"
) -> set[tuple[str, date | None]]:
    return {
        (grain, period_start(local_date(span.begins_at, policy), grain))
        for span in spans
        if covers_pair(span, *pair, person_of, policy.scope) and (program == "*" or span.key.program in {program, "*"})
        for grain in GRAINS
    }


def rolling_rates(
    messages: Iterable[Message],
    spans: Iterable[Span],
    person_of: Mapping[str, str],
    as_of: datetime | None,
    policy: Policy,
) -> Rates:
    """The opt-out rates of every window of 7 and 28 days between the first day of reach and as_of; by no campaign."""
    reached = [(message, local_date(message.sent_at, policy)) for message in messages if message.is_reached]
    if not reached or as_of is None:
        return {}
    spans, counts = list(spans), dict[Place, tuple[int, int]]()
    first, last = min(day for _, day in reached), local_date(as_of, policy)
    for length in (7, 28):
        start = first
        while start + timedelta(days=length - 1) <= last:
            window = {start + timedelta(days=day) for day in range(length)}
            members: dict[Place, set[tuple[str, str]]] = {}
            for message, day in reached:
                if day in window:
                    for dimensions in RATE_DIMENSIONS:
                        channel = message.channel if "channel" in dimensions else "*"
                        program = message.program if "program" in dimensions else "*"
                        if "campaign_id" not in dimensions:
                            place = (f"rolling_{length}_days", start, channel, program, "*")
                            members.setdefault(place, set()).add((message.contact, message.channel))
            begun = [span for span in spans if local_date(span.begins_at, policy) in window]
            for place, pairs in members.items():
                left = {
                    pair
                    for pair in pairs
                    for span in begun
                    if covers_pair(span, *pair, person_of, policy.scope)
                    and (place[3] == "*" or span.key.program in {place[3], "*"})
                }
                counts[place] = (len(left), len(pairs))
            start += timedelta(days=1)
    return counts


def opt_outs_not_reached(
    messages: Iterable[Message],
    events: Iterable[Event],
    spans: Iterable[Span],
    person_of: Mapping[str, str],
    policy: Policy,
) -> Rates:
    """How many known (contact, channel) pairs began a span in each period without being reached in it.

    The pairs known are those of messages of any kind and those events are about; the second number is always 0.
    """
    messages, events, spans = list(messages), list(events), list(spans)
    pairs = {(message.contact, message.channel) for message in messages}
    pairs |= {(event.contact, key.channel) for key, event in keyed_events(messages, events, person_of, "channel")}
    reached = {
        (grain, period_start(local_date(message.sent_at, policy), grain), message.contact, message.channel)
        for message in messages
        if message.is_reached
        for grain in GRAINS
    }
    counts: Rates = {}
    for contact, channel in pairs:
        for grain, start in _periods_begun((contact, channel), spans, person_of, policy):
            if (grain, start, contact, channel) not in reached:
                for shown in {"*", channel}:
                    place = (grain, start, shown, "*", "*")
                    counts[place] = (counts.get(place, (0, 0))[0] + 1, 0)
    return counts


def response_times(spans: Iterable[Span], as_of: datetime | None, policy: Policy) -> ResponseTimes:
    """How long opt-out spans begun in each month, and in all of them, took to be applied; per channel and overall."""
    groups: dict[tuple[str, date | None, str], list[Span]] = {}
    for span in spans:
        if span.kind == "opt_out":
            for grain in ("month", "all"):
                for channel in {"*", span.key.channel}:
                    start = period_start(local_date(span.begins_at, policy), grain)
                    groups.setdefault((grain, start, channel), []).append(span)
    return {place: _response_time(members, as_of) for place, members in groups.items()}


def _response_time(spans: Sequence[Span], as_of: datetime | None) -> Survival:
    completed = [span.processed_at - span.begins_at for span in spans if span.processed_at is not None]
    assert as_of is not None
    still_open = [as_of - span.begins_at for span in spans if span.processed_at is None]
    return survival([_seconds(duration) for duration in completed], [_seconds(duration) for duration in still_open])


def _seconds(duration: timedelta) -> Fraction:
    return Fraction(duration // timedelta(microseconds=1), 1_000_000)


def survival(completed: Sequence[Fraction], still_open: Sequence[Fraction]) -> Survival:
    """Kaplan-Meier on completed durations and ones still running; at equal durations completion comes first."""
    share_open = Fraction(1)
    area = Fraction(0)
    previous = Fraction(0)
    steps: list[tuple[Fraction, Fraction]] = []
    for duration in sorted({*completed, *still_open}):
        area += share_open * (duration - previous)
        previous = duration
        at_risk = sum(other >= duration for other in [*completed, *still_open])
        share_open *= 1 - Fraction(sum(other == duration for other in completed), at_risk)
        steps.append((duration, 1 - share_open))

    def quantile(share: Fraction) -> float | None:
        return next((float(duration) for duration, processed in steps if processed >= share), None)

    return Survival(
        median=quantile(Fraction(1, 2)),
        p90=quantile(Fraction(9, 10)),
        p95=quantile(Fraction(95, 100)),
        restricted_mean=float(area),
        mean_completed=float(sum(completed, Fraction(0)) / len(completed)) if completed else None,
        open_count=len(still_open),
        oldest_open_age=float(max(still_open)) if still_open else None,
    )


def opt_out_trend(
    messages: Iterable[Message],
    spans: Iterable[Span],
    person_of: Mapping[str, str],
    as_of: datetime | None,
    policy: Policy,
) -> Trend:
    """The trend of the weekly headline rate over the last 12 complete ISO weeks before as_of."""
    if as_of is None:
        return Trend("Not enough data", None, 0)
    rates = opt_out_rates(messages, spans, person_of, policy)
    current_week = period_start(local_date(as_of, policy), "week")
    assert current_week is not None
    weeks: list[tuple[int, Fraction]] = []
    for position in range(-12, 0):
        place = ("week", current_week + timedelta(weeks=position), "*", "*", "*")
        if place in rates:
            weeks.append((position, Fraction(*rates[place])))
    return trend(weeks)


def trend(weeks: Sequence[tuple[int, Fraction]]) -> Trend:
    """Mann-Kendall (normal approximation, ties, continuity) at 0.05 and Theil-Sen over (week, rate)."""
    count = len(weeks)
    if count < 6:
        return Trend("Not enough data", None, count)
    pairs = [(earlier, later) for index, earlier in enumerate(weeks) for later in weeks[index + 1 :]]
    score = sum((later[1] > earlier[1]) - (later[1] < earlier[1]) for earlier, later in pairs)
    slope = median((later[1] - earlier[1]) / (later[0] - earlier[0]) for earlier, later in pairs)
    rates = [rate for _, rate in weeks]
    ties = [rates.count(rate) for rate in set(rates)]
    variance = Fraction(
        count * (count - 1) * (2 * count + 5) - sum(tied * (tied - 1) * (2 * tied + 5) for tied in ties), 18
    )
    direction = "No clear trend"
    if score and variance:
        deviation = (abs(score) - 1) / math.sqrt(variance)
        if math.erfc(deviation / math.sqrt(2)) < 0.05:
            direction = "Increasing" if score > 0 else "Decreasing"
    return Trend(direction, float(slope * 100), count)


def feedback_reasons(spans: Iterable[Span], policy: Policy) -> Reasons:
    """How many opt-out spans of each place were begun for each reason, of how many; by reason codes of ours only.

    The first opening act that gives a reason counts, of several at once the alphabetically first.
    """
    groups: dict[tuple[str, date | None, str], list[str]] = {}
    for span in spans:
        if span.kind == "opt_out":
            given = [(act.requested_at, act.reason_code) for act in span.acts if act.reason_code in REASONS]
            reason = str(min(given)[1]) if given else "unspecified"
            for grain in ("month", "all"):
                for channel in {"*", span.key.channel}:
                    start = period_start(local_date(span.begins_at, policy), grain)
                    groups.setdefault((grain, start, channel), []).append(reason)
    return {
        (*place, reason): (reasons.count(reason), len(reasons))
        for place, reasons in groups.items()
        for reason in set(reasons)
    }


def iso(instant: datetime | None) -> str | None:
    """An instant in ISO 8601 with Z and microseconds, for comparing; None stays None."""
    return None if instant is None else instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
