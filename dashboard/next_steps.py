"""What to do next: the steps that the published numbers call for, the most pressing first, each with where it leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard.words import formats, texts
from dashboard.words import next_steps as words
from dashboard.words.overview import Row, rule_name

MOST = 5
#: A false-discovery rate below this is beyond chance.
LEVEL = 0.05


@dataclass(frozen=True)
class Step:
    """One step: the page it leads to, what to do with its count, whom it concerns, and the filters of the page."""

    page: str
    label: str
    concerns: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """The published numbers that steps are made of; an empty one calls for nothing."""

    found: tuple[Row, ...] = ()  # rules with their findings, of the whole record
    open_count: int = 0
    late_count: int = 0
    oldest: Any = None  # when the oldest open opt-out was asked for
    broken_waivers: int = 0
    silent_sources: int = 0
    quarantined_rows: int = 0
    limited_sources: int = 0
    campaigns: tuple[Row, ...] = ()  # named beyond chance, the worst first
    rising_reasons: tuple[Row, ...] = ()
    pressure: Row | None = None


def steps(state: State, may_open: Callable[[str], bool]) -> list[Step]:
    """At most five steps that the reader may take, the most pressing first."""
    every = (
        violations(state, may_open("findings")),
        missed(state),
        late(state),
        waiting(state),
        broken_waivers(state),
        silent_sources(state),
        quarantine(state),
        campaigns(state),
        rising_reason(state),
        pressure(state),
        limited_sources(state),
    )
    chosen = [step for step in every if step is not None and may_open(step.page)]
    return (chosen or [Step("trends", words.TRENDS, words.NOTHING_PRESSES)])[:MOST]


def violations(state: State, one_by_one: bool) -> Step | None:
    """The violations: one by one for who may read them so, by channel and month for others."""
    wrong = [row for row in state.found if row["violation_count"]]
    if not wrong:
        return None
    count = sum(row["violation_count"] for row in wrong)
    worst = max(wrong, key=lambda row: row["violation_count"])
    whom = words.CONTACTS.format(contacts=formats.Counted(worst["contact_count"])) if worst["contact_count"] else ""
    concerns = words.MOST_OF_ALL.format(rule=rule_name(worst["rule"]), whom=whom)
    counted = formats.Counted(count)
    if one_by_one:
        return Step("findings", words.READ.format(counted=counted), concerns, {"violations": "true"})
    return Step("audit", words.WHERE.format(counted=counted), concerns)


def missed(state: State) -> Step | None:
    """Requests to stop that no consent event records."""
    row = next((row for row in state.found if row["rule"] == "opt_out_request_missed"), None)
    if row is None:
        return None
    label = words.HEAR.format(asked=formats.Counted(row["finding_count"]))
    return Step("missed", label, words.WHO_WROTE.format(contacts=formats.Counted(row["contact_count"])))


def late(state: State) -> Step | None:
    """Opt-outs past their deadline and not applied."""
    if not state.late_count:
        return None
    oldest = words.OLDEST.format(oldest=formats.day(state.oldest)) if state.oldest else ""
    return Step("response", words.APPLY_NOW.format(opt_outs=formats.Counted(state.late_count)), oldest)


def waiting(state: State) -> Step | None:
    """Open opt-outs that still can be applied in time."""
    count = state.open_count - state.late_count
    if count <= 0:
        return None
    return Step("response", words.APPLY.format(opt_outs=formats.Counted(count)), words.NOT_LATE)


def broken_waivers(state: State) -> Step | None:
    """Waivers that have expired or name nothing."""
    if not state.broken_waivers:
        return None
    return Step("waivers", words.RENEW.format(waivers=formats.Counted(state.broken_waivers)), words.COUNTS_AGAIN)


def silent_sources(state: State) -> Step | None:
    """Sources that went silent."""
    if not state.silent_sources:
        return None
    return Step("data", words.ASK_FOR_LOGS.format(sources=formats.Counted(state.silent_sources)), words.CANNOT_ATTEST)


def quarantine(state: State) -> Step | None:
    """Rows that could not be read."""
    if not state.quarantined_rows:
        return None
    return Step("data", words.REPAIR.format(rows=formats.Counted(state.quarantined_rows)), words.LOST)


def limited_sources(state: State) -> Step | None:
    """Sources that do not log every event."""
    if not state.limited_sources:
        return None
    return Step("data", words.CANNOT_KNOW.format(sources=formats.Counted(state.limited_sources)))


def campaigns(state: State) -> Step | None:
    """The campaign that drives most people away, beyond chance."""
    if not state.campaigns:
        return None
    worst = state.campaigns[0]
    more = len(state.campaigns) - 1
    label = words.LOOK_AT.format(campaign=texts.plain(worst["name"] or worst["campaign_id"])) + (
        words.AND_MORE.format(more=formats.count(more)) if more else ""
    )
    channel = texts.channel(worst["channel"])
    concerns = words.LOSES.format(channel=channel, times=worst["ratio"])
    period = {"period": formats.month(worst["period_start"])} if worst["period_start"] else {}
    return Step("campaigns", label, concerns, period | {"channel": channel})


def rising_reason(state: State) -> Step | None:
    """The reason that is given more and more often, beyond chance."""
    if not state.rising_reasons:
        return None
    first = state.rising_reasons[0]
    label = words.WHY.format(reason=texts.plain(texts.humanise(first["reason"])))
    return Step("reasons", label, words.RISING.format(weeks=formats.Counted(first["weeks_used"])))


def pressure(state: State) -> Step | None:
    """Whether people who get many messages leave more often, beyond chance."""
    test = state.pressure
    if test is None or test["trend_q_value"] is None or test["trend_q_value"] >= LEVEL:
        return None
    if test["ratio_lower"] is None or test["ratio_lower"] <= 1:
        return None
    days = words.SEVEN_DAYS if test["dimension"] == "messages_7_days" else words.THIRTY_DAYS
    concerns = words.PRESSURE.format(messages=test["high_bucket"], days=days, times=test["ratio"])
    return Step("timing", words.SEND_LESS, concerns)
