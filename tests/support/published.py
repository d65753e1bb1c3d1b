"""What the command line says of a home, in the shapes of the plain-Python reference's answer."""

from __future__ import annotations

import contextlib
import io
import json
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipelines.cli import main
from pipelines.engines.duckdb import DuckDBEngine
from tests.support.reference import Answer
from tests.support.reference_numbers import Place, Survival
from tests.support.reference_spans import Policy

Rows = Counter[tuple[Any, ...]]


def heed(home: Path, *arguments: str, in_process: bool = True) -> str:
    """The standard output of `heed -C HOME ...`; AssertionError with its standard error unless it exits with 0."""
    command = ["-C", str(home), *arguments]
    if not in_process:
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *command], capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(command)
    assert code == 0, err.getvalue()
    return out.getvalue()


def heed_rows(home: Path, *arguments: str, in_process: bool = True) -> list[dict[str, Any]]:
    """The rows a verb prints as JSON."""
    rows: list[dict[str, Any]] = json.loads(heed(home, *arguments, "--format", "json", in_process=in_process))
    return rows


def instant(text: str | None) -> datetime | None:
    """A printed instant; it must say that it is UTC by Z."""
    assert text is None or text.endswith("Z"), text
    return datetime.fromisoformat(text) if text else None


def day(text: str | None) -> date | None:
    """A printed date."""
    return date.fromisoformat(text) if text else None


def published_findings(rows: Sequence[dict[str, Any]]) -> Rows:
    """message_after_opt_out of `heed findings`, one entry per finding."""
    times = ("occurred_at", "begins_at", "processed_at", "deadline_at")
    names = ("source", "message_id", "finding_class", "severity", "channel", "program", "campaign_id", "delivered")
    return Counter(
        (*(row[name] for name in names), *(instant(row[name]) for name in times))
        for row in rows
        if row["rule"] == "message_after_opt_out"
    )


def expected_findings(answer: Answer) -> Rows:
    """The same of the reference."""
    return Counter(
        (
            finding.message.source,
            finding.message.message_id,
            finding.finding_class,
            finding.severity,
            finding.message.channel,
            finding.message.program,
            finding.message.campaign_id,
            finding.delivered,
            finding.message.sent_at,
            finding.span.begins_at,
            finding.span.processed_at,
            finding.span.deadline_at,
        )
        for finding in answer.findings
    )


def published_shares(rows: Sequence[dict[str, Any]], metric: str) -> dict[Place, tuple[int, int]]:
    """Numerator and denominator of a share by place, having checked that value is their quotient."""
    shares = {}
    for row in rows:
        if row["metric"] == metric and row["definition"] == "heed":
            counts = (int(row["numerator"]), int(row["denominator"]))
            assert row["value"] == counts[0] / counts[1], row
            shares[_place(row)] = counts
    return shares


def published_counts(rows: Sequence[dict[str, Any]], metric: str) -> dict[Place, int]:
    """The value of a count by place, where it is not 0."""
    return {_place(row): int(row["value"]) for row in rows if row["metric"] == metric and row["value"]}


def published_reasons(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, date | None, str, str], tuple[int, int]]:
    """Numerator and denominator of feedback_reasons by place and reason, where somebody gave the reason."""
    return {
        (row["grain"], day(row["period_start"]), row["channel"], row["reason"]): (
            int(row["numerator"]),
            int(row["denominator"]),
        )
        for row in rows
        if row["metric"] == "feedback_reasons" and row["campaign_id"] == "*" and row["numerator"]
    }


def published_response_times(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, date | None, str], Survival]:
    """response_time by grain, period and channel."""
    values: dict[tuple[str, date | None, str], dict[str, Any]] = {}
    for row in rows:
        if row["metric"] == "response_time":
            place = (row["grain"], day(row["period_start"]), row["channel"])
            values.setdefault(place, {})[row["definition"]] = row["value"]
    return {
        place: Survival(
            median=value["kaplan_meier_median"],
            p90=value["kaplan_meier_p90"],
            p95=value["kaplan_meier_p95"],
            restricted_mean=value["restricted_mean"],
            mean_completed=value["mean_completed"],
            open_count=int(value["open_count"]),
            oldest_open_age=value["oldest_open_age"],
        )
        for place, value in values.items()
    }


def published_trend(rows: Sequence[dict[str, Any]]) -> tuple[str, float | None, int]:
    """Direction in words, slope and weeks used of opt_out_trend for all channels."""
    words = {1: "Increasing", -1: "Decreasing", 0: "No clear trend", None: "Not enough data"}
    (slope,) = (row for row in rows if row["metric"] == "opt_out_trend" and row["channel"] == "*")
    (direction,) = (row for row in rows if row["metric"] == "opt_out_trend_direction" and row["channel"] == "*")
    return words[direction["value"]], slope["value"], int(slope["numerator"])


def _place(row: dict[str, Any]) -> Place:
    return row["grain"], day(row["period_start"]), row["channel"], row["program"], row["campaign_id"]


def accounting_differences(
    home: Path, inputs: Sequence[dict[str, Any]], reasons: dict[str, Counter[str]], expected: Answer
) -> Iterator[str]:
    """Each file whose rows were counted otherwise."""
    theirs = {
        item["file"]: (
            item["read"],
            item["accepted"],
            item["duplicate"],
            item["quarantined"],
            reasons.get(item["file"]),
        )
        for item in inputs
    }
    ours = {
        path.relative_to(home).as_posix(): (
            account.read,
            account.accepted,
            account.duplicate,
            len(account.quarantined),
            account.reasons or None,
        )
        for path, account in expected.accounting.items()
    }
    yield from _differences("accounting of", theirs, ours)


def finding_differences(rows: Sequence[dict[str, Any]], expected: Answer) -> Iterator[str]:
    """Each finding of message_after_opt_out that only one side has."""
    yield from _differences("finding", published_findings(rows), expected_findings(expected))


def metric_differences(rows: Sequence[dict[str, Any]], expected: Answer, policy: Policy) -> Iterator[str]:
    """Each number that differs, or that only one side has."""
    yield from _differences("opt_out_rate", published_shares(rows, "opt_out_rate"), expected.opt_out_rates)
    yield from _differences("feedback_reasons", published_reasons(rows), expected.feedback_reasons)
    # For a scope that joins addresses, "pairs not reached" is a matter of definition.
    if policy.scope != "person":
        counts = {place: count for place, (count, _) in expected.opt_outs_not_reached.items()}
        yield from _differences("opt_outs_not_reached", published_counts(rows, "opt_outs_not_reached"), counts)
    times = published_response_times(rows)
    for place in times.keys() | expected.response_times.keys():
        theirs, ours = times.get(place), expected.response_times.get(place)
        if theirs is None or ours is None or not all(map(_close, astuple(theirs), astuple(ours))):
            yield f"response_time {place}: heed {theirs}, reference {ours}"
    direction, slope, weeks_used = published_trend(rows)
    if (direction, weeks_used) != (expected.trend.direction, expected.trend.weeks_used) or not _close(
        slope, expected.trend.slope
    ):
        yield f"opt_out_trend: heed {direction, slope, weeks_used}, reference {expected.trend}"


def _differences(what: str, theirs: Mapping[Any, Any], ours: Mapping[Any, Any]) -> Iterator[str]:
    for key in sorted(theirs.keys() | ours.keys(), key=str):
        if theirs.get(key) != ours.get(key):
            yield f"{what} {key}: heed {theirs.get(key)}, reference {ours.get(key)}"


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)


def quarantine(snapshot: Path) -> dict[str, Counter[str]]:
    """How many rows of each file were quarantined for each reason."""
    reasons: dict[str, Counter[str]] = {}
    with DuckDBEngine(snapshot, read_only=True) as engine:
        for file, reason, count in engine.rows("select file, reason, row_count from run.quarantine"):
            reasons.setdefault(file, Counter())[reason] += count
    return reasons


def snapshot_rows(snapshot: Path) -> dict[str, Rows]:
    """Findings, measurements and spans of a snapshot, without what numbers them in order of making."""
    with DuckDBEngine(snapshot, read_only=True) as engine:
        return {
            relation: Counter(
                tuple(sorted((name, str(value)) for name, value in row.items() if name != "span_id"))
                for row in engine.records(f"select * from {relation}")
            )
            for relation in ("audits.findings", "metrics.measurements", "core.opt_out_spans")
        }
