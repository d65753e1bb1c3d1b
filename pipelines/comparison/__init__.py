"""Two snapshots of one home compared: what was reported then, what is known now, and what changed it.

`kept` finds the snapshots, `reported` reads one, `measured`, `findings` and `causes` compare two, `words` says it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.comparison import causes, findings, kept, measured
from pipelines.comparison.reported import Reported, read
from pipelines.errors import UsageError


@dataclass(frozen=True)
class Selection:
    """Which numbers are wanted: by column (None: any), at most `rows` of them (None: all), with or without same ones.

    It chooses numbers only; loads, findings and verdicts are compared whole.
    """

    metric: str | None = None
    definition: str | None = None
    channel: str | None = None
    grain: str | None = None
    rows: int | None = None
    with_same: bool = False

    @property
    def columns(self) -> dict[str, str]:
        """The columns that are chosen by, with their values."""
        wanted = {
            "metric": self.metric, "definition": self.definition, "channel": self.channel, "grain": self.grain,
        }  # fmt: skip
        return {name: value for name, value in wanted.items() if value is not None}


def compare(home: Path, then: str, now: str, selection: Selection) -> dict[str, Any]:
    """What two runs of a home say, side by side, as `heed compare --format json` prints it.

    `then` and `now` name kept snapshots: a run id, how it begins, `current` or `previous`.
    Raises UsageError for a run that is not kept or is both, NoSnapshotError where nothing is published.
    """
    pair = kept.find(home, then), kept.find(home, now)
    if pair[0] == pair[1]:
        raise UsageError(f"{then} and {now} are the same run, {pair[0].stem}.", kept.remedy(home))
    return _compared(read(pair[0]), read(pair[1]), selection)


def _compared(then: Reported, now: Reported, selection: Selection) -> dict[str, Any]:
    cause = causes.find(then, now)
    table = measured.compare(then, now, cause)
    wanted = measured.chosen(table, selection.columns)
    counts = measured.counts(wanted)
    wanted = wanted if selection.with_same else measured.changed(wanted)
    listed = wanted.head(selection.rows) if selection.rows is not None else wanted
    return {
        "then": then.summary(),
        "now": now.summary(),
        "counts": counts,
        "headline": measured.headline(then, now, table),
        "causes": cause.rows(),
        "loads": cause.loads.to_dicts(),
        "late_opt_outs": cause.late_opt_outs.to_dicts(),
        "parameters": cause.parameters,
        "rules": cause.rules,
        "waivers": cause.waivers,
        "numbers": listed.to_dicts(),
        "numbers_left_out": len(wanted) - len(listed),
        "findings": findings.by_class(then, now),
        "finding_changes": findings.changes(then, now),
        "verdicts": findings.verdicts(then, now),
        "left_out": [*cause.not_recorded, *measured.measured_once(then, now), *findings.left_out(then, now)],
    }
