"""What to do next: the steps that the published numbers call for, the most pressing first, each with where it leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard import formats, texts
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
    return (chosen or [Step("trends", "See how the opt-out rate moves", "Nothing presses")])[:MOST]


def violations(state: State, one_by_one: bool) -> Step | None:
    """The violations: one by one for who may read them so, by channel and month for others."""
    wrong = [row for row in state.found if row["violation_count"]]
    if not wrong:
        return None
    count = sum(row["violation_count"] for row in wrong)
    worst = max(wrong, key=lambda row: row["violation_count"])
    whom = f", {formats.plural(worst['contact_count'], 'contact')}" if worst["contact_count"] else ""
    concerns = f"Most of all {rule_name(worst['rule'])}{whom}"
    counted = formats.plural(count, "violation")
    if one_by_one:
        return Step("findings", f"Read the {counted}, worst first", concerns, {"violations": "true"})
    return Step("audit", f"See in which channels and months the {counted} fell", concerns)


def missed(state: State) -> Step | None:
    """Requests to stop that no consent event records."""
    row = next((row for row in state.found if row["rule"] == "opt_out_request_missed"), None)
    if row is None:
        return None
    asked = formats.plural(row["finding_count"], "request")
    label = f"Hear the {asked} to stop that nobody recorded"
    return Step("missed", label, f"{formats.plural(row['contact_count'], 'contact')} who wrote to you")


def late(state: State) -> Step | None:
    """Opt-outs past their deadline and not applied."""
    if not state.late_count:
        return None
    theirs = "its deadline" if state.late_count == 1 else "their deadline"
    oldest = f"The oldest was asked for on {formats.day(state.oldest)}" if state.oldest else ""
    return Step("response", f"Apply the {formats.plural(state.late_count, 'opt-out')} past {theirs} now", oldest)


def waiting(state: State) -> Step | None:
    """Open opt-outs that still can be applied in time."""
    count = state.open_count - state.late_count
    if count <= 0:
        return None
    return Step("response", f"Apply {formats.plural(count, 'opt-out')} before the deadline", "Not late yet")


def broken_waivers(state: State) -> Step | None:
    """Waivers that have expired or name nothing."""
    if not state.broken_waivers:
        return None
    waivers = formats.plural(state.broken_waivers, "waiver that does", "waivers that do")
    return Step("waivers", f"Renew or remove {waivers} not hold", "What they excused counts again")


def silent_sources(state: State) -> Step | None:
    """Sources that went silent."""
    if not state.silent_sources:
        return None
    sources = formats.plural(state.silent_sources, "source that went", "sources that went")
    return Step("data", f"Ask for the logs of {sources} silent", "Until then nobody can attest those days")


def quarantine(state: State) -> Step | None:
    """Rows that could not be read."""
    if not state.quarantined_rows:
        return None
    rows = formats.plural(state.quarantined_rows, "row")
    return Step("data", f"Repair the {rows} in quarantine", "Any of them may be a lost opt-out")


def limited_sources(state: State) -> Step | None:
    """Sources that do not log every event."""
    if not state.limited_sources:
        return None
    return Step("data", f"See what {formats.plural(state.limited_sources, 'source')} cannot know")


def campaigns(state: State) -> Step | None:
    """The campaign that drives most people away, beyond chance."""
    if not state.campaigns:
        return None
    worst = state.campaigns[0]
    more = len(state.campaigns) - 1
    label = f"Look at the campaign {texts.plain(worst['name'] or worst['campaign_id'])}" + (
        f" and {formats.count(more)} more" if more else ""
    )
    channel = texts.channel(worst["channel"])
    concerns = f"{channel}: it loses {worst['ratio']:.1f} times as many people as the rest, beyond chance"
    period = {"period": formats.month(worst["period_start"])} if worst["period_start"] else {}
    return Step("campaigns", label, concerns, period | {"channel": channel})


def rising_reason(state: State) -> Step | None:
    """The reason that is given more and more often, beyond chance."""
    if not state.rising_reasons:
        return None
    first = state.rising_reasons[0]
    label = f"Read why people leave: “{texts.plain(texts.humanise(first['reason']))}” is given more and more often"
    return Step("reasons", label, f"Rising for {formats.plural(first['weeks_used'], 'week')}, beyond chance")


def pressure(state: State) -> Step | None:
    """Whether people who get many messages leave more often, beyond chance."""
    test = state.pressure
    if test is None or test["trend_q_value"] is None or test["trend_q_value"] >= LEVEL:
        return None
    if test["ratio_lower"] is None or test["ratio_lower"] <= 1:
        return None
    days = "7 days" if test["dimension"] == "messages_7_days" else "30 days"
    concerns = (
        f"{test['high_bucket']} messages in {days} go with {test['ratio']:.1f} times the opt-outs of one, beyond chance"
    )
    return Step("timing", "Send less often to those who get the most", concerns)
