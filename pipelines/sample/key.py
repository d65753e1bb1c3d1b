"""The answer key: every finding the logs must give, noted while the world is simulated, never read from the logs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.sample.clock import iso
from pipelines.sample.incidents import INCIDENTS, Incident
from pipelines.sample.state import Seconds

FINDING_CLASSES = ["suppressed_by_provider", "sent_after_processing", "sent_past_deadline", "sent_in_flight"]
# Every rule: a key without findings of one says that there must be none.
RULES = [
    "campaign_ignores_opt_outs",
    "confirmation_late",
    "confirmation_missing",
    "confirmation_repeated",
    "confirmation_with_marketing",
    "consent_from_forbidden_source",
    "contact_still_listed",
    "message_after_opt_out",
    "message_before_confirmation",
    "message_in_quiet_hours",
    "message_over_frequency_cap",
    "message_without_consent",
    "message_without_opt_out_instructions",
    "opt_in_without_act",
    "opt_out_not_honoured_in_time",
    "opt_out_request_missed",
]
# Above this many messages the findings go to their own file, line by line, instead of being held in memory.
LARGEST_IN_MEMORY = 2_000_000
FINDINGS_FILE = "answer_key.findings.jsonl"


def classify(
    sent_at: Seconds, suppressed: NDArray[np.bool_], processed: Seconds, due: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The finding class of each message inside an open span, as a position in FINDING_CLASSES."""
    return np.where(suppressed, 0, np.where(sent_at > processed, 1, np.where(sent_at > due, 2, 3)))


@dataclass
class Key:
    """Collects findings and what else was planted."""

    folder: Path
    seed: int
    messages: int
    rules: dict[str, list[dict[str, str]]] = field(default_factory=lambda: {rule: [] for rule in RULES})
    counts: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)  # rule, class, source, incident
    _findings_file: TextIO | None = None

    @property
    def in_memory(self) -> bool:
        """Whether the findings are part of answer_key.json itself."""
        return self.messages <= LARGEST_IN_MEMORY

    def add(
        self, rule: str, source: str, subject: str, ids: pl.Series | list[str], finding_class: str, incident: Incident
    ) -> None:
        """Keeps one finding per id; `subject` is message_id, event_id or campaign_id."""
        if not len(ids):
            return
        planted = {"incident": incident.name} if incident.name else {}
        self.counts[rule, finding_class, source, incident.name] += len(ids)
        for one in ids:
            finding = {"source": source, subject: one, "finding_class": finding_class, **planted}
            if self.in_memory:
                self.rules[rule].append(finding)
            else:
                self._stream().write(json.dumps({"rule": rule, **finding}) + "\n")

    def _stream(self) -> TextIO:
        if self._findings_file is None:
            self._findings_file = (self.folder / FINDINGS_FILE).open("w", encoding="utf-8", newline="\n")
        return self._findings_file

    def by_class(self, incident: str | None = None) -> dict[str, dict[str, int]]:
        """How many findings of each rule and class there are, or those of one incident."""
        numbers: dict[str, dict[str, int]] = {}
        for (rule, finding_class, _, planted), count in sorted(self.counts.items()):
            if incident is None or planted == incident:
                classes = numbers.setdefault(rule, {})
                classes[finding_class] = classes.get(finding_class, 0) + count
        return numbers

    def _incident_rows(self) -> list[dict[str, Any]]:
        return [
            {
                "name": incident.name,
                "rule": incident.rule,
                "starts_at": iso(incident.starts_at),
                "ends_at": iso(incident.ends_at),
                "what": incident.what,
                "findings": self.by_class(incident.name),
            }
            for incident in INCIDENTS
        ]

    def close(self) -> None:
        """Closes the findings' own file, if there is one."""
        if self._findings_file is not None:
            self._findings_file.close()

    def write(
        self, files: dict[str, dict[str, int]], expected: dict[str, Any], waivers: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Writes answer_key.json and returns what it holds."""
        self.close()
        content: dict[str, Any] = {
            "seed": self.seed,
            "messages": self.messages,
            "starts_at": iso(0),
            "rules": {rule: sorted(found, key=_order) for rule, found in self.rules.items()}
            if self.in_memory
            else FINDINGS_FILE,
            "incidents": self._incident_rows(),
            "waivers": waivers,
            "files": dict(sorted(files.items())),
            "expected": expected,
        }
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (self.folder / "answer_key.json").write_text(text + "\n", encoding="utf-8")
        return content


def _order(finding: dict[str, str]) -> list[str]:
    return list(finding.values())
