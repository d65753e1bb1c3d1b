"""The state of a home as Prometheus reads it: the textfile that node_exporter collects.

Times are given as instants, so that an age goes on growing when nothing writes the file any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pipelines import __version__
from pipelines.durable import write_whole
from pipelines.health import Health, instant

VERDICTS = ("Pass", "Fail", "Cannot attest")

#: Labels of a sample and its value.
_Sample = tuple[dict[str, str], float]


def _families(health: Health) -> Iterator[tuple[str, str, list[_Sample]]]:
    """Every metric: name, what it is, samples. One without samples is left out."""
    last, snapshot = health.last_run, health.snapshot
    yield "heed_info", "The version of heed that wrote this file.", [({"version": __version__}, 1)]
    yield "heed_last_run_exit_code", "How the last run ended; 0 and 10 are successes.", _number(last.get("exit_code"))
    yield "heed_last_run_timestamp_seconds", "When the last run ended.", _time(instant(last.get("ended_at")))
    yield "heed_last_run_duration_seconds", "How long the last run took.", _number(last.get("seconds"))
    steps = last.get("steps")
    yield (
        "heed_last_run_step_duration_seconds",
        "How long each step of the last run took.",
        [({"step": name}, seconds) for name, seconds in steps.items()] if isinstance(steps, dict) else [],
    )
    yield (
        "heed_last_success_timestamp_seconds",
        "When a run last published, or found that the snapshot stands.",
        _time(health.succeeded_at),
    )
    yield "heed_snapshot_timestamp_seconds", "When the snapshot was published.", _time(health.published_at)
    if snapshot is None:
        return
    yield "heed_snapshot_as_of_timestamp_seconds", "Up to when the record is judged.", _time(snapshot.as_of)
    yield (
        "heed_verdict",
        "1 for the verdict on the whole record.",
        [({"verdict": one}, float(one == snapshot.verdict)) for one in VERDICTS],
    )
    yield "heed_violations", "Findings that are violations and not waived.", [({}, snapshot.violation_count)]
    found = {rule for rule, _, _ in snapshot.findings}
    counts = snapshot.findings | {(rule, "none", False): 0 for rule in snapshot.rules if rule not in found}
    yield (
        "heed_findings",
        'Findings by rule and class; class "none" is of a rule that found nothing.',
        [
            ({"rule": rule, "finding_class": finding_class, "waived": str(is_waived).lower()}, count)
            for (rule, finding_class, is_waived), count in sorted(counts.items())
        ],
    )
    yield (
        "heed_quarantined_rows",
        "Rows that could not be read, by source.",
        [({"source": source}, count) for source, count in snapshot.quarantined.items()],
    )


def _time(at: datetime | None) -> list[_Sample]:
    return [] if at is None else [({}, at.timestamp())]


def _number(value: object) -> list[_Sample]:
    return [({}, value)] if isinstance(value, int | float) else []


def _label(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def text(health: Health, home: Path) -> str:
    """The state in Prometheus's text format; every sample has the home, since a machine may have several."""
    lines = []
    for name, what, samples in _families(health):
        if samples:
            lines += [f"# HELP {name} {what}", f"# TYPE {name} gauge"]
        for labels, value in samples:
            listed = ",".join(f'{key}="{_label(one)}"' for key, one in ({"home": str(home)} | labels).items())
            lines.append(f"{name}{{{listed}}} {float(value)!r}")
    return "\n".join(lines) + "\n"


def write(path: Path, health: Health, home: Path) -> None:
    """Put the state at `path`, readable by whoever collects it; raises OSError."""
    write_whole(path, text(health, home), 0o644)
