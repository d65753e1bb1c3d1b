"""How long people stay: times from opt-in to opt-out, those who are still in counted in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars
from numpy.typing import NDArray

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.groups import Codes, Positions, encoded, interval_columns, members
from pipelines.measures.periods import Record
from pipelines.measures.rows import measurements, row
from pipelines.statistics.estimate import Estimate, Floats
from pipelines.statistics.logrank import Comparison, LogRank, compared, judged
from pipelines.statistics.multiplicity import holm
from pipelines.statistics.survival import (
    Curve,
    kaplan_meier_of_ordered,
    quantile,
    share_within,
    survival_order,
    thinned,
)

#: Below so many opt-ins a group is called small, and is in no test.
FEW_OPT_INS = 20
#: A source named by fewer contacts may name them, and is not published; nor are more than so many sources.
FEWEST_CONTACTS, MOST_SOURCES = 20, 10
#: An opt-in counts as confirmed (double) if its confirmation came within a day. One that came later would count people
#: as confirmed because they stayed.
CONFIRMED_WITHIN_SECONDS = 86_400.0
#: Where a smaller share of the stretches is older than the departures on record, all of them are counted alone.
FEWEST_OLDER = 0.01
#: Within how many days people ask how many have left.
WITHIN_DAYS = (7, 30, 90, 365)
#: Steps drawn for each curve, at most.
_STEPS = 100

_DAY = 86_400.0
_SPLITS = ("source_type", "consent_source", "method", "opt_in_kind", "incentive")
_ESTIMATES = (*(f"left_{days}_days" for days in WITHIN_DAYS), "median_days")
_PLACE = dict.fromkeys(("cohort", "channel", "dimension", "value"), polars.String())
_MEMBERSHIP = {
    **_PLACE,
    "opt_in_count": polars.Int64(),
    "left_count": polars.Int64(),
    "expected_left_count": polars.Float64(),
    "is_small": polars.Boolean(),
    "followed_days": polars.Float64(),
    **{f"{name}{end}": polars.Float64() for name in _ESTIMATES for end in ("", "_lower", "_upper")},
}
_STEP = {
    **_PLACE,
    "days": polars.Float64(),
    "share_left": polars.Float64(),
    "lower": polars.Float64(),
    "upper": polars.Float64(),
    "at_risk": polars.Int64(),
}
_TESTS = {
    **dict.fromkeys(("channel", "dimension"), polars.String()),
    "stratified_by": polars.String(),
    "group_count": polars.Int64(),
    "opt_in_count": polars.Int64(),
    "chi_squared": polars.Float64(),
    "degrees": polars.Int64(),
    "p_value": polars.Float64(),
    "p_adjusted": polars.Float64(),
}


@dataclass(frozen=True)
class _Stretches:
    """Stretches of consent in ascending order of duration: one array element each; `codes` are places in `names`."""

    seconds: Floats
    has_left: NDArray[np.bool_]
    watched_after: Floats
    codes: dict[str, Codes]
    names: dict[str, list[str]]

    def chosen(self, positions: Positions | NDArray[np.bool_]) -> _Stretches:
        """Some of them, in the same order."""
        codes = {name: codes[positions] for name, codes in self.codes.items()}
        return _Stretches(
            self.seconds[positions], self.has_left[positions], self.watched_after[positions], codes, self.names
        )

    def curve(self, positions: Positions | slice = slice(None)) -> Curve:
        """The Kaplan-Meier curve of some of them, or of all."""
        return kaplan_meier_of_ordered(self.seconds[positions], self.has_left[positions])


@dataclass(frozen=True)
class _Group:
    """One published group: where it belongs (cohort, channel, dimension, value), its curve, its expected departures."""

    place: tuple[str, str, str, str]
    curve: Curve
    expected: float | None = None


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """Measurements of membership; writes metrics.membership, metrics.membership_curve and metrics.membership_tests."""
    every = _stretches(engine)
    channels = list(_channels(every))
    tests = _tests(every, channels)
    groups = list(_groups("all", every, channels, tests))
    is_watched = every.watched_after == 0
    if is_watched.any() and (~is_watched).sum() >= len(is_watched) * FEWEST_OLDER:
        watched = every.chosen(is_watched)
        groups += _groups("watched", watched, list(_channels(watched)), {})
    engine.create_from_frame("metrics.membership", _wide_rows(groups))
    engine.create_from_frame("metrics.membership_curve", _curves(groups))
    engine.create_from_frame("metrics.membership_tests", _test_rows(tests))
    return _rows(groups)


def _stretches(engine: DuckDBEngine) -> _Stretches:
    frame = engine.frame(
        "select channel, profile_id, duration_seconds, has_left, confirmed_after_seconds, watched_after_seconds"
        " from metrics.consent_stretches"
    )
    names, codes = {}, {}
    names["channel"], codes["channel"] = encoded(frame["channel"])
    # An opt-in's own words are few: they are numbered once, not once a stretch.
    profiles = engine.frame("select * from metrics.opt_in_profiles order by profile_id")
    profile = frame["profile_id"].to_numpy() - 1
    for split in ("source_type", "consent_source", "method", "incentive"):
        told = _shown_sources(profiles) if split == "consent_source" else profiles[split]
        names[split], numbers = encoded(told.fill_null("unknown"))
        codes[split] = numbers[profile]
    names["opt_in_kind"] = ["double", "single"]
    after = frame["confirmed_after_seconds"].fill_null(np.inf).to_numpy()
    codes["opt_in_kind"] = (after > CONFIRMED_WITHIN_SECONDS).astype(np.int16)
    seconds, has_left = frame["duration_seconds"].to_numpy(), frame["has_left"].to_numpy()
    unordered = _Stretches(seconds, has_left, frame["watched_after_seconds"].to_numpy(), codes, names)
    return unordered.chosen(survival_order(seconds, has_left))


def _shown_sources(profiles: polars.DataFrame) -> polars.Series:
    """Each profile's consent_source, `other` for those that are rare; null where none was given."""
    sources = (
        profiles.select("consent_source", "source_contact_count")
        .drop_nulls()
        .unique()
        .filter(polars.col("source_contact_count") >= FEWEST_CONTACTS)
        .sort("source_contact_count", "consent_source", descending=[True, False])["consent_source"]
        .head(MOST_SOURCES)
    )
    source = polars.col("consent_source")
    is_shown = source.is_null() | source.is_in(sources.to_list())
    return profiles.select(polars.when(is_shown).then(source).otherwise(polars.lit("other")))["consent_source"]


def _channels(stretches: _Stretches) -> Iterator[tuple[str, _Stretches]]:
    """The stretches of each channel; those on `*` (scope person) are no channel's, and only in the total."""
    for code, positions in members(stretches.codes["channel"]):
        yield stretches.names["channel"][code], stretches.chosen(positions)


def _groups(
    cohort: str,
    every: _Stretches,
    channels: list[tuple[str, _Stretches]],
    tests: dict[tuple[str, str], _Test],
) -> Iterator[_Group]:
    """Each group of each dimension of a cohort, of all channels and of each."""
    if len(every.seconds):
        yield _Group((cohort, "*", "channel", "*"), every.curve())
    parts = [(channel, part, _SPLITS) for channel, part in channels if channel != "*"]
    for channel, stretches, dimensions in [("*", every, ("channel", *_SPLITS)), *parts]:
        for dimension in dimensions:
            names, test = stretches.names[dimension], tests.get((channel, dimension))
            for code, positions in members(stretches.codes[dimension]):
                expected = float(test.result.expected[code]) if test and code in test.tested else None
                if (dimension, names[code]) != ("channel", "*"):
                    yield _Group((cohort, channel, dimension, names[code]), stretches.curve(positions), expected)


@dataclass(frozen=True)
class _Test:
    """A log-rank test: its result, the groups in it, their number of stretches, and whether it is within channels."""

    result: LogRank
    tested: frozenset[int]
    opt_in_count: int
    is_stratified: bool


def _tests(every: _Stretches, channels: list[tuple[str, _Stretches]]) -> dict[tuple[str, str], _Test]:
    """By channel (`*` = all) and dimension, the test that its groups leave at the same pace; of all, within channels.

    A stretch is at risk from when departures were on record (delayed entry): before, it could not be seen to end.
    Groups that are small or not known are in no test.
    """
    found: dict[tuple[str, str], _Test] = {}
    by_channel = _compared(every, "channel")
    if by_channel:
        found["*", "channel"] = _test([by_channel], is_stratified=False)
    for dimension in _SPLITS:
        parts = [(channel, _compared(part, dimension)) for channel, part in channels]
        known = {channel: part for channel, part in parts if part}
        found |= {(channel, dimension): _test([part], is_stratified=False) for channel, part in known.items()}
        if known:
            found["*", dimension] = _test(list(known.values()), is_stratified=True)
    return found


#: A comparison, the groups in it, and how many stretches they have.
_Compared = tuple[Comparison, frozenset[int], int]


def _compared(stretches: _Stretches, dimension: str) -> _Compared | None:
    codes, names = stretches.codes[dimension], stretches.names[dimension]
    counts = np.bincount(codes, minlength=len(names))
    tested = [code for code, name in enumerate(names) if counts[code] >= FEW_OPT_INS and name != "unknown"]
    if len(tested) < 2:
        return None
    seconds, has_left, entries = stretches.seconds, stretches.has_left, stretches.watched_after
    if counts[tested].sum() < len(codes):
        is_tested = np.zeros(len(names), dtype=bool)
        is_tested[tested] = True
        kept = np.flatnonzero(is_tested[codes])
        seconds, has_left, entries, codes = seconds[kept], has_left[kept], entries[kept], codes[kept]
    comparison = compared(seconds, has_left, codes, len(names), entries if entries.any() else None)
    return comparison, frozenset(tested), len(codes)


def _test(parts: list[_Compared], *, is_stratified: bool) -> _Test:
    tested = frozenset().union(*(codes for _, codes, _ in parts))
    return _Test(judged(part for part, _, _ in parts), tested, sum(count for _, _, count in parts), is_stratified)


def _test_rows(tests: dict[tuple[str, str], _Test]) -> polars.DataFrame:
    """The tests as a table; p values of one channel are corrected for being asked together (Holm)."""
    rows = []
    for channel in sorted({channel for channel, _ in tests}):
        asked = [(dimension, test) for (of, dimension), test in tests.items() if of == channel]
        corrected = holm([test.result.p_value for _, test in asked])
        for (dimension, test), p_adjusted in zip(asked, corrected, strict=True):
            result = test.result
            by = "channel" if test.is_stratified else None
            counts = (len(test.tested), test.opt_in_count)
            verdict = (result.chi_squared, result.degrees, result.p_value, p_adjusted)
            rows.append((channel, dimension, by, *counts, *verdict))
    return polars.DataFrame(rows, schema=_TESTS, orient="row", strict=False)


def _wide_rows(groups: list[_Group]) -> polars.DataFrame:
    rows = []
    for group in groups:
        curve = group.curve
        estimates = {f"left_{days}_days": share_within(curve, days * _DAY) for days in WITHIN_DAYS}
        estimates["median_days"] = _in_days(quantile(curve, 0.5))
        rows.append({
            **dict(zip(_PLACE, group.place, strict=True)),
            "opt_in_count": len(curve.durations),
            "left_count": int(curve.events.sum()),
            "expected_left_count": group.expected,
            "is_small": len(curve.durations) < FEW_OPT_INS,
            "followed_days": curve.longest / _DAY,
            **interval_columns(estimates),
        })  # fmt: skip
    return polars.DataFrame(rows, schema=_MEMBERSHIP, strict=False)


def _in_days(estimate: Estimate) -> Estimate:
    value, lower, upper = (
        None if bound is None else bound / _DAY for bound in (estimate.value, estimate.lower, estimate.upper)
    )
    return Estimate(value, lower, upper)


def _curves(groups: list[_Group]) -> polars.DataFrame:
    """The Kaplan-Meier steps of each group, thinned where there are very many."""
    kept = [(group, thinned(group.curve, _STEPS)) for group in groups]
    counts = [len(steps) for _, steps in kept]
    places = polars.DataFrame([group.place for group in groups], schema=_PLACE, orient="row")
    steps = {
        "days": _joined([group.curve.seconds[steps] / _DAY for group, steps in kept]),
        "share_left": _joined([group.curve.share[steps] for group, steps in kept]),
        "lower": _joined([group.curve.lower[steps] for group, steps in kept]),
        "upper": _joined([group.curve.upper[steps] for group, steps in kept]),
        "at_risk": _joined([group.curve.at_risk[steps] for group, steps in kept]),
    }
    repeated = places[np.repeat(np.arange(len(groups)), counts)] if groups else places
    frame = polars.concat([repeated, polars.DataFrame(steps)], how="horizontal") if groups else None
    return polars.DataFrame(schema=_STEP) if frame is None else frame.with_columns(
        polars.col("lower", "upper").fill_nan(None)
    )  # fmt: skip


def _joined(parts: list[Any]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0)


def _rows(groups: list[_Group]) -> polars.DataFrame:
    """Measurements of the whole record by channel: shares gone by a time, and the median stay."""
    rows = []
    for group in groups:
        cohort, _, dimension, channel = group.place
        if dimension == "channel":
            curve, end = group.curve, "" if cohort == "all" else "_watched"
            count = len(curve.durations)
            left = np.cumsum(curve.events)
            for days in WITHIN_DAYS:
                step = int(np.searchsorted(curve.seconds, days * _DAY, side="right"))
                counts = (int(left[step - 1]) if step else 0, count)
                share = share_within(curve, days * _DAY)
                rows.append(row("membership", f"left_within_{days}_days{end}", None, channel, counts, share, "share"))
            counts = (int(curve.events.sum()), count)
            stay = quantile(curve, 0.5)
            rows.append(row("membership", f"median_stay{end}", None, channel, counts, stay, "seconds"))
    return measurements(rows)
