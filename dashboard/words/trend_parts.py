"""English text of the parts below the chart of trends: changes of level, days and hours, a year before."""

from __future__ import annotations

from typing import Any

from dashboard.words import formats, texts

SINCE = "Since {starts_on}: {value_after}"

LEVELS = "When did the level change?"
OLDER_LEVELS = "changes of level"
NOBODY_REACHED = "Nobody was reached here, so there is no level to change."
TOO_FEW_WEEKS = "**Not enough data.** A change of level needs at least {fewest} complete weeks; there are {weeks}."
NO_CHANGE = "**No change of level** stands out from chance in {weeks:complete week|complete weeks}."
OF_THE_RATE = (
    "Of the weekly opt-out rate over {weeks:complete week|complete weeks}. A rate that never changed shows a change "
    "here in at most 5 % of cases."
)
DRIFT = " A slow drift has no one week: heed cuts it where the two halves differ most."
LEVELS_ALT = "Changes of level of the weekly opt-out rate"

SEASONS = "On which days, at which hours?"
OLDER_SEASONS = "days and hours of opt-outs"

BY_WEEKDAY = "day of the week"
BY_HOUR = "hour of the day"
NOTHING_BY = "**By {name}:** no opt-out to tell."
BY = "**By {name}:** {season}"
RATE_OF_DAY = "Opt-out rate of the day"
WITHOUT_SEASON = "Without a season"
SHARE_OF_OPT_OUTS = "Share of opt-outs"
SEASON_ALT = "By {name}, highest {highest}: {value}."
WEEKDAY_COUNTED = (
    "Of the contacts reached on such a day, the share that opted out on it. Without a season, every day of a week has "
    "the rate of its week and channel."
)
HOUR_COUNTED = (
    "When opt-outs were asked for. Without a season, their hours follow from when the last message before each was "
    "sent and how long people take."
)

POSITION_NOTE = "{position}: {measured}; without a season {expected}"

YEARS = "More than a year ago?"
OLDER_YEARS = "comparison with the year before"
NO_YEAR = "**Not enough data.** No month and the same month a year before are both on record in full."
RATE_OF_MONTH = "Opt-out rate of the month"
YEAR_BEFORE = "A year before"
YEARS_ALT = "Opt-out rate by month beside a year before, {first} to {last}."
YEARS_COUNTED = (
    "The test allows for the luck of the draw among contacts, and for all months being looked at together; that other "
    "campaigns ran is no chance. Complete months only."
)


def change_sentence(change: dict[str, Any]) -> str:
    """One change in words: when, from what to what, how sure."""
    way = "rose" if change["value_after"] > change["value_before"] else "fell"
    before, after = level_of(change, "before"), level_of(change, "after")
    times = f", {change['ratio']:.2g} times as much" if change["ratio"] is not None else ""
    start, early, late = (change[name] for name in ("starts_on", "earliest_on", "latest_on"))
    sentence = f"**In the week of {formats.day(start)} the rate {way}** from {before} to {after}{times}"
    if early < late:
        sentence += f"; the change came between the weeks of {formats.day(early)} and {formats.day(late)}"
    if change["shape"] == "drift":
        sentence += "; a slow drift explains it as well as a step"
    return f"{sentence}. {chance(change['p_value'])}."


def level_of(change: dict[str, Any], side: str) -> str:
    """The rate on one side of a change with its interval."""
    low, high = 100 * change[f"lower_{side}"], 100 * change[f"upper_{side}"]
    return f"{precise(change[f'value_{side}'])} (95 % interval {low:.2f}–{formats.JOINER}{high:.2f}{formats.GAP}%)"


def precise(share: float) -> str:
    """A share with two decimals, to tell two that are near: 1.04 %."""
    return f"{100 * share:.2f}{formats.GAP}%"


def chance(p_value: float) -> str:
    """A p value in words: Chance gives as much in 1.2 % of cases."""
    return f"Chance gives as much in {of_cases(p_value)} of cases"


def of_cases(p_value: float) -> str:
    """A p value as a percentage: under 0.1 %, 1.2 %, 31 %."""
    if p_value < 0.001:
        return f"under 0.1{formats.GAP}%"
    return f"{100 * p_value:.{0 if p_value >= 0.0995 else 1}f}{formats.GAP}%"


def season_sentence(cycle: str, test: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """What a test of a cycle says."""
    witnesses = formats.plural(int(test["witness_count"]), "week" if cycle == "weekday" else "day of sending",
                               "weeks" if cycle == "weekday" else "days of sending")  # fmt: skip
    basis = f"{formats.plural(int(test['opt_out_count']), 'opt-out')}, {witnesses}"
    if test["label"] == "Cannot be told":
        if cycle == "hour":
            return f"cannot be told. All messages go out at one time, so hours and delays are one ({basis})."
        return f"cannot be told. Messages reach people on one day of each week only ({basis})."
    if test["p_value"] is None:
        return f"not enough data ({basis})."
    sure = f"{chance(test['p_value_adjusted'])} ({basis})"
    if test["label"] != "Season":
        return f"no clear season. {sure}."
    parts = []
    for direction, word in ((1, "more"), (-1, "fewer")):
        there = [position_name(cycle, row["position"]) for row in rows if row["direction"] == direction]
        if there:
            parts.append(f"{word} than expected {'on' if cycle == 'weekday' else 'at'} {_listed(there)}")
    where = (
        "; ".join(parts)
        if parts
        else f"they differ, though no single {'day' if cycle == 'weekday' else 'hour'} is sure"
    )
    return f"there is a season: {where}. {sure}."


def position_name(cycle: str, position: int) -> str:
    """A weekday or an hour as people say it: Monday, 9:00."""
    return texts.WEEKDAY_NAMES[position - 1] if cycle == "weekday" else f"{position}:00"


def year_sentence(rows: list[dict[str, Any]]) -> str:
    """What the last month says against a year before, and how many months differ."""
    last = rows[-1]
    told = {"Higher": "higher than", "Lower": "lower than", "No clear difference": "not clearly different from"}
    counted = {label: sum(row["label"] == label for row in rows) for label in ("Higher", "Lower")}
    return (
        f"**{formats.month(last['month'])} is {told[last['label']]} a year before:** {precise(last['value'])} "
        f"against {precise(last['value_before'])}, {_range(last)}. Of "
        f"{formats.plural(len(rows), 'month')} compared, {counted['Higher']} are clearly higher and "
        f"{counted['Lower']} clearly lower."
    )


def year_note(row: dict[str, Any]) -> str:
    """A month against a year before, for the reader who points at it."""
    return (
        f"{formats.month(row['month'])}: {formats.share(row['value'])} "
        f"({formats.interval(row['lower'], row['upper'])}), a year before {formats.share(row['value_before'])}; "
        f"{_range(row)}. {row['label']}"
    )


def _range(row: dict[str, Any]) -> str:
    low, high = 100 * row["difference_lower"], 100 * row["difference_upper"]
    return (
        f"{formats.signed(100 * row['difference'], 2)}{formats.GAP}points "
        f"(95 % interval {formats.signed(low, 2)} to {formats.signed(high, 2)})"
    )


def month_name(row: dict[str, Any]) -> str:
    """A month as a chart's axis names it: Oct 26."""
    return f"{row['month']:%b %y}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
